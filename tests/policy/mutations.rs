//! What the fuzz targets do, briefly: texts broken at random are parsed, and those that still parse are related.

use provision::policy::{Document, PolicyKind, relate};

use crate::random::{Grammar, Random, policy};

#[test]
fn broken_texts_neither_panic_nor_hang() {
    let mut random = Random(7);
    let grammar = Grammar {
        principals: false,
        variables: true,
    };
    let (mut parsed, mut refused) = (0_usize, 0_usize);
    for _ in 0..3_000 {
        let whole = policy(&mut random, grammar).to_string();
        let mut letters: Vec<char> = whole.chars().collect();
        for _ in 0..=random.below(3) {
            let place = random.below(letters.len());
            match random.below(3) {
                0 => drop(letters.remove(place)),
                1 => letters.insert(
                    place,
                    *random.pick(&['"', '{', '*', '\\', ',', '\u{0}', 'é', '$', '}']),
                ),
                _ => letters[place] = *random.pick(&['"', '[', '?', ':', ' ', '\n', '9']),
            }
        }
        let text: String = letters.into_iter().collect();
        let _ = Document::parse_encoded(&text, PolicyKind::Trust);
        match Document::read(&text, PolicyKind::Identity) {
            Ok(document) => {
                parsed += 1;
                let again = Document::read(&document.canonical(), PolicyKind::Identity)
                    .expect("canonical text parses");
                assert_eq!(document.canonical(), again.canonical());
                assert_eq!(
                    Document::read(&document.minified(), PolicyKind::Identity).as_ref(),
                    Ok(&document)
                );
                let first =
                    Document::read(&whole, PolicyKind::Identity).expect("the whole text parses");
                let _ = relate(&first, &document);
            }
            Err(errors) => {
                refused += 1;
                let lines = text.matches('\n').count() + 1;
                assert!(
                    !errors.is_empty()
                        && errors
                            .iter()
                            .all(|error| error.line <= lines && error.column > 0)
                );
            }
        }
    }
    println!("mutations: {parsed} parsed and related, {refused} refused");
    assert!(parsed > 100 && refused > 100);
}
