//! The question of the plan's law: does one step give a subject more than both where it comes from and where it goes,
//! or take away what both have. A subject is judged as a whole: who may assume it, together with what it may then do.

use super::document::Document;
use super::relate::{Answer, Grants, Witness};
pub use super::remember::outside;

/// The whole of what a subject may do: documents within a boundary, and who may assume it.
#[derive(Clone, Debug, Default)]
pub struct Access<'a> {
    /// Inline and attached policies, in any order.
    pub identity: Vec<&'a Document>,
    /// The permissions boundary, if there is one.
    pub boundary: Option<&'a Document>,
    /// The trust policy; `None` where the subject does not exist (nobody can be it, so it may do nothing).
    pub trust: Option<&'a Document>,
}

/// What one step changes, as proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// Nothing of the kind.
    Nothing,
    /// Who, and what they may do: a request to assume the subject, and a request of the subject.
    Pair {
        /// Who may assume the subject.
        assume: Box<Witness>,
        /// What the subject may do.
        permission: Box<Witness>,
    },
    /// Not decided: why. It counts as a gain and as a loss.
    Unknown(String),
}

impl Finding {
    /// Whether the law may hold: nothing was found and all was decided.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}

impl<'a> Access<'a> {
    /// What the subject may do ("Permissions boundaries for IAM entities": within the boundary, without any Deny).
    #[must_use]
    pub fn permissions(&self) -> Grants<'a> {
        let mut layers = vec![self.identity.clone()];
        layers.extend(self.boundary.map(|document| vec![document]));
        Grants { layers }
    }

    /// Who may assume the subject.
    #[must_use]
    pub fn trusted(&self) -> Grants<'a> {
        Grants {
            layers: self
                .trust
                .map(|document| vec![vec![document]])
                .unwrap_or_default(),
        }
    }
}

/// A pair (who, what) of `after` that is neither one of `before` nor one of `goal`. A permission of `before` with a
/// trust of `after` is such a pair unless one of them allows both together.
#[must_use]
pub fn gains(before: &Access<'_>, after: &Access<'_>, goal: &Access<'_>) -> Finding {
    let [trust_before, trust_after, trust_goal] = [before, after, goal].map(Access::trusted);
    let [may_before, may_after, may_goal] = [before, after, goal].map(Access::permissions);
    // (who, what) is outside both exactly where one of these four holds.
    let cases: [(&[&Grants<'_>], &[&Grants<'_>]); 4] = [
        (&[&trust_before, &trust_goal], &[]),
        (&[], &[&may_before, &may_goal]),
        (&[&trust_before], &[&may_goal]),
        (&[&trust_goal], &[&may_before]),
    ];
    first(
        cases
            .iter()
            .map(|(who, what)| pair((&[&trust_after], who), (&[&may_after], what))),
    )
}

/// A pair (who, what) of both `before` and `goal` that `after` lacks.
#[must_use]
pub fn losses(before: &Access<'_>, after: &Access<'_>, goal: &Access<'_>) -> Finding {
    let [trust_before, trust_after, trust_goal] = [before, after, goal].map(Access::trusted);
    let [may_before, may_after, may_goal] = [before, after, goal].map(Access::permissions);
    let cases: [(&[&Grants<'_>], &[&Grants<'_>]); 2] =
        [(&[&trust_after], &[]), (&[], &[&may_after])];
    let (who, what) = ([&trust_before, &trust_goal], [&may_before, &may_goal]);
    first(
        cases
            .iter()
            .map(|(no_who, no_what)| pair((&who, no_who), (&what, no_what))),
    )
}

/// Whether two documents allow the same, as far as that could be decided.
#[must_use]
pub fn allow_the_same(one: &Document, other: &Document) -> bool {
    let [one, other] = [one, other].map(Grants::of);
    let within = |inside, around| outside(&[inside], &[around]) == Answer::None;
    within(&one, &other) && within(&other, &one)
}

/// The first finding that is one; unknown only where no later case settles it.
fn first(findings: impl Iterator<Item = Finding>) -> Finding {
    let mut unknown = None;
    for finding in findings {
        match finding {
            Finding::Nothing => {}
            Finding::Pair { .. } => return finding,
            Finding::Unknown(_) => unknown = Some(finding),
        }
    }
    unknown.unwrap_or(Finding::Nothing)
}

/// In all of the first and none of the second.
type Region<'g, 'd> = (&'g [&'g Grants<'d>], &'g [&'g Grants<'d>]);

fn pair(who: Region<'_, '_>, what: Region<'_, '_>) -> Finding {
    let who = outside(who.0, who.1);
    // Most steps move only one side: where nobody is concerned, nothing is asked of the other.
    if who == Answer::None {
        return Finding::Nothing;
    }
    let (who, what) = match (who, outside(what.0, what.1)) {
        (Answer::None, _) | (_, Answer::None) => return Finding::Nothing,
        (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => {
            return Finding::Unknown(reason);
        }
        (Answer::Some(who), Answer::Some(what)) => (who, what),
    };
    match (who.into_iter().next(), what.into_iter().next()) {
        (Some(assume), Some(permission)) => Finding::Pair {
            assume: Box::new(assume),
            permission: Box::new(permission),
        },
        _ => Finding::Nothing,
    }
}
