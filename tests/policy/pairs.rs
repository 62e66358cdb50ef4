//! The pairs of documents in `said.txt`: a title, the kind and version, the statements of both, what is told of them.
//! The unit tests of the engine read them too, so that nothing here is made of the crate's own types.

use super::golden;

/// What the file writes short.
pub(crate) const SHORT: [(&str, &str); 2] = [
    (
        "<provider>",
        "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
    ),
    ("<github>", "token.actions.githubusercontent.com"),
];

/// A pair as the file holds it, without what is told of it.
pub(crate) struct Pair(pub(crate) String);

/// The file that holds them.
pub(crate) const FILE: &str = "said.txt";

pub(crate) fn read() -> Vec<Pair> {
    golden::read(FILE)
        .trim_end()
        .split("\n\n")
        .map(|block| {
            let given = block.lines().take_while(|line| !line.starts_with('>'));
            Pair(given.collect::<Vec<_>>().join("\n"))
        })
        .collect()
}

impl Pair {
    /// The kind's name, and both documents.
    pub(crate) fn documents(&self) -> (&str, [String; 2]) {
        let mut lines = self.0.lines().skip(1);
        let head = lines.next().expect("a kind and a version");
        let (kind, version) = head.split_once(' ').expect("a kind and a version");
        let mut both = [Vec::new(), Vec::new()];
        for line in lines {
            match line.split_once(' ') {
                Some(("a", statement)) => both[0].push(statement),
                Some(("b", statement)) => both[1].push(statement),
                _ => panic!("{line} is no statement of a or b"),
            }
        }
        let documents = both.map(|statements| {
            let list = statements.join(",");
            let long = |text: String, (short, long): &(&str, &str)| text.replace(short, long);
            let list = SHORT.iter().fold(list, long);
            format!("{{\"Version\": \"{version}\", \"Statement\": [{list}]}}")
        });
        (kind, documents)
    }
}
