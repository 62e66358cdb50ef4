//! Questions that were asked before. A plan asks the same of the same documents from every state between its steps,
//! in every order that it tries; each answer is kept on this thread, so that it is searched for once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::document::Document;
use super::home::Home;
use super::kind::PolicyKind;
use super::relate::{self, Answer, Grants};

/// Answers that are kept before all are dropped: a plan of a hundred roles asks fewer, and with the texts of their
/// documents they take some megabytes.
const MOST: usize = 2_000;

/// What a document says, and where it lives: all that an answer and its witnesses depend on. The two readings of a
/// resource pattern are told apart before (`readings`), and only the one that decides is asked here.
type Said = (PolicyKind, String, Option<Home>);
/// The documents of some grants, by layer, and how many of these grants are those inside.
type Question = (usize, Vec<Vec<Vec<Said>>>);

thread_local! {
    static ANSWERS: RefCell<BTreeMap<Question, Answer>> = const { RefCell::new(BTreeMap::new()) };
}

/// As [`relate::outside`], of documents as they were parsed.
#[must_use]
pub fn outside(inside: &[&Grants<'_>], excluded: &[&Grants<'_>]) -> Answer {
    if relate::is_covered(inside, excluded) {
        return Answer::None;
    }
    let grants = inside.iter().chain(excluded);
    let question = (inside.len(), grants.map(|grants| said(grants)).collect());
    if let Some(known) = ANSWERS.with_borrow(|answers| answers.get(&question).cloned()) {
        return known;
    }
    let answer = relate::outside(inside, excluded);
    ANSWERS.with_borrow_mut(|answers| {
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(question, answer.clone());
    });
    answer
}

fn said(grants: &Grants<'_>) -> Vec<Vec<Said>> {
    let layer = |layer: &Vec<&Document>| {
        let said = layer.iter().map(|document| {
            let home = document.home().cloned();
            (document.kind(), document.canonical(), home)
        });
        said.collect()
    };
    grants.layers.iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowing(action: &str) -> Document {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#
        );
        Document::parse(&text, PolicyKind::Identity).unwrap()
    }

    #[test]
    fn what_is_remembered_is_what_a_search_says() {
        let [all, get, put] = ["s3:*", "s3:Get*", "s3:PutObject"].map(allowing);
        let grants = [&all, &get, &put].map(Grants::of);
        for _ in 0..2 {
            for one in &grants {
                for other in &grants {
                    let remembered = outside(&[one], &[other]);
                    assert_eq!(remembered, relate::outside(&[one], &[other]));
                    // The same grants, otherwise divided, are another question.
                    let remembered = outside(&[one, other], &[]);
                    assert_eq!(remembered, relate::outside(&[one, other], &[]));
                }
            }
        }
    }

    #[test]
    fn a_witness_speaks_of_the_account_of_its_documents() {
        let document = allowing("ecr:DeleteRepository");
        let [one, other] = ["111111111111", "222222222222"].map(|account| {
            document.clone().at_home(&Home {
                account: account.to_owned(),
                ..Home::default()
            })
        });
        let [first, second] = [&one, &other].map(|document| outside(&[&Grants::of(document)], &[]));
        assert_ne!(first, second);
    }
}
