//! How documents relate: a request that one allows and another does not, or that there is none.
//! The procedure is box subtraction ([`cover`]) in a space of requests ([`space`]); each witness is confirmed by
//! `evaluate` before it counts, and where the answer would be a guess it is unknown.

mod cover;
mod keys;
mod principals;
mod space;
mod strings;
mod witness;

use serde::Serialize;

use super::document::{Document, PolicyKind};
use super::evaluate::{Decision, StatementRef, evaluate};
use super::request::Request;
use super::statement::Effect;

use cover::{cover, meet};
use space::{Constraints, Literal, Origin, Region, Space};
use strings::Exhausted;

/// Documents as IAM combines them: a request must be allowed in every layer, by any document of it, and be denied by
/// none. One layer is one set of policies; a second is a permissions boundary.
#[derive(Clone, Debug, Default)]
pub struct Grants<'a> {
    /// The layers; without any, nothing is allowed.
    pub layers: Vec<Vec<&'a Document>>,
}

impl<'a> Grants<'a> {
    /// One document alone.
    #[must_use]
    pub fn of(document: &'a Document) -> Self {
        Self {
            layers: vec![vec![document]],
        }
    }

    /// Whether a request is allowed.
    #[must_use]
    pub fn allow(&self, request: &Request) -> bool {
        let mut all = !self.layers.is_empty();
        for layer in &self.layers {
            let mut any = false;
            for document in layer {
                match evaluate(document, request) {
                    Decision::Allowed(_) => any = true,
                    Decision::Denied(_) => return false,
                    Decision::NotAllowed => {}
                }
            }
            all &= any;
        }
        all
    }

    fn kind(&self) -> PolicyKind {
        self.layers
            .iter()
            .flatten()
            .next()
            .map_or(PolicyKind::Identity, |document| document.kind())
    }

    fn statements(&self, effect: Effect) -> Vec<Vec<&'a str>> {
        self.layers
            .iter()
            .map(|layer| {
                let mut texts: Vec<&str> = layer
                    .iter()
                    .flat_map(|document| document.statement_texts(effect))
                    .collect();
                texts.sort_unstable();
                texts.dedup();
                texts
            })
            .collect()
    }

    /// Whether the texts alone show that everything allowed here is allowed there too.
    fn within(&self, other: &Self) -> bool {
        if self.layers.len() < other.layers.len() || other.layers.is_empty() {
            return self.layers.is_empty();
        }
        let subset = |small: &[&str], large: &[&str]| {
            small.iter().all(|text| large.binary_search(text).is_ok())
        };
        let mine = self.statements(Effect::Allow);
        let allows = other
            .statements(Effect::Allow)
            .iter()
            .zip(&mine)
            .all(|(theirs, mine)| subset(mine, theirs));
        let flat = |texts: Vec<Vec<&'a str>>| {
            let mut flat: Vec<&str> = texts.into_iter().flatten().collect();
            flat.sort_unstable();
            flat
        };
        allows
            && subset(
                &flat(other.statements(Effect::Deny)),
                &flat(self.statements(Effect::Deny)),
            )
    }
}

/// A request with the statement that allows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Witness {
    /// The request.
    #[serde(flatten)]
    pub request: Request,
    /// The statement that allows it, in the document that does.
    pub statement: StatementRef,
    /// Place of that document among those compared; 0 where there is one.
    #[serde(skip)]
    pub document: usize,
}

/// Whether there is a request of some kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is none.
    None,
    /// These are some, one per statement that allows any.
    Some(Vec<Witness>),
    /// Not decided: why.
    Unknown(String),
}

/// The relation of b to a.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// They allow the same.
    Equal,
    /// b allows all that a does, and more.
    Wider,
    /// b allows only what a does, and less.
    Narrower,
    /// Each allows what the other does not.
    Incomparable,
    /// Not decided; callers treat it as broadening.
    Unknown,
}

/// How b relates to a, with proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The relation.
    pub relation: Relation,
    /// Requests that b allows and a does not: one for each statement of b that grants something new.
    pub gained: Vec<Witness>,
    /// Requests that a allows and b does not.
    pub lost: Vec<Witness>,
    /// Why the relation is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Comparison {
    /// Whether b may allow something that a does not.
    #[must_use]
    pub fn broadens(&self) -> bool {
        matches!(
            self.relation,
            Relation::Wider | Relation::Incomparable | Relation::Unknown
        )
    }
}

/// Steps of search for one question. On one core of 2026 it is about a second: no input of up to 100 KB may take more
/// than two.
const WORK: u64 = 1_500_000;

/// Compares two documents.
#[must_use]
pub fn relate(a: &Document, b: &Document) -> Comparison {
    if a == b {
        return Comparison {
            relation: Relation::Equal,
            gained: Vec::new(),
            lost: Vec::new(),
            reason: None,
        };
    }
    relate_grants(&Grants::of(a), &Grants::of(b))
}

/// Compares two sets of documents.
#[must_use]
pub fn relate_grants(a: &Grants<'_>, b: &Grants<'_>) -> Comparison {
    let gained = outside(&[b], &[a]);
    let lost = outside(&[a], &[b]);
    let reason = match (&gained, &lost) {
        (Answer::Unknown(reason), _) | (_, Answer::Unknown(reason)) => Some(reason.clone()),
        _ => None,
    };
    let relation = match (&gained, &lost) {
        (Answer::Unknown(_), _) | (_, Answer::Unknown(_)) => Relation::Unknown,
        (Answer::None, Answer::None) => Relation::Equal,
        (Answer::Some(_), Answer::None) => Relation::Wider,
        (Answer::None, Answer::Some(_)) => Relation::Narrower,
        (Answer::Some(_), Answer::Some(_)) => Relation::Incomparable,
    };
    let list = |answer: Answer| match answer {
        Answer::Some(witnesses) => witnesses,
        Answer::None | Answer::Unknown(_) => Vec::new(),
    };
    Comparison {
        relation,
        gained: list(gained),
        lost: list(lost),
        reason,
    }
}

/// Requests that all of `inside` allow and none of `excluded` does, one for each statement of the first that has any.
#[must_use]
pub fn outside(inside: &[&Grants<'_>], excluded: &[&Grants<'_>]) -> Answer {
    if excluded
        .iter()
        .any(|one| inside.iter().any(|other| other.within(one)))
    {
        return Answer::None;
    }
    let Some(first) = inside.first() else {
        return Answer::None;
    };
    let mut space = Space::new(first.kind(), WORK);
    let inside_boxes: Vec<Boxes> = inside
        .iter()
        .map(|grants| Boxes::read(&mut space, grants))
        .collect();
    let excluded_boxes: Vec<Boxes> = excluded
        .iter()
        .map(|grants| Boxes::read(&mut space, grants))
        .collect();
    space.close();
    let mut search = Search {
        inside,
        excluded,
        witnesses: Vec::new(),
        refuted: 0,
    };
    match search.run(&mut space, &inside_boxes, &excluded_boxes) {
        Err(Exhausted) => Answer::Unknown("The search reached its limit.".to_owned()),
        Ok(()) if !search.witnesses.is_empty() => Answer::Some(search.witnesses),
        Ok(()) if search.refuted > 0 => Answer::Unknown(
            "Policy variables tie the parts of a request together in a way that was not decided."
                .to_owned(),
        ),
        Ok(()) => Answer::None,
    }
}

/// What grants allow and deny, as boxes.
struct Boxes {
    /// By layer.
    allows: Vec<Vec<Region>>,
    denies: Vec<Region>,
}

impl Boxes {
    fn read(space: &mut Space, grants: &Grants<'_>) -> Self {
        let mut allows = Vec::new();
        let mut denies = Vec::new();
        for layer in &grants.layers {
            let mut regions = Vec::new();
            for (place, document) in layer.iter().enumerate() {
                regions.extend(space.boxes(document, place, Effect::Allow));
                denies.extend(space.boxes(document, place, Effect::Deny));
            }
            allows.push(regions);
        }
        Self { allows, denies }
    }

    /// The boxes of what is allowed in every layer, before any Deny.
    fn allowed(&self, space: &mut Space) -> Result<Vec<Region>, Exhausted> {
        let mut layers = self.allows.iter();
        let mut out: Vec<Region> = layers.next().cloned().unwrap_or_default();
        for layer in layers {
            let mut next = Vec::new();
            for one in &out {
                for other in layer {
                    let both = joined(one, other);
                    if meet(space, &Constraints::new(), &both.literals)?.is_some() {
                        next.push(both);
                    }
                }
            }
            out = next;
        }
        Ok(out)
    }
}

fn joined(one: &Region, other: &Region) -> Region {
    let mut literals: Vec<Literal> = one
        .literals
        .iter()
        .chain(&other.literals)
        .copied()
        .collect();
    literals.sort_unstable();
    literals.dedup();
    let assumptions = one
        .assumptions
        .iter()
        .chain(&other.assumptions)
        .copied()
        .collect();
    Region {
        literals,
        assumptions,
        origin: one.origin.clone(),
    }
}

struct Search<'a> {
    inside: &'a [&'a Grants<'a>],
    excluded: &'a [&'a Grants<'a>],
    witnesses: Vec<Witness>,
    refuted: usize,
}

/// Points that evaluation refuted, per statement: beyond these more of them tell nothing new.
const REFUTED_LIMIT: usize = 64;

impl Search<'_> {
    fn run(
        &mut self,
        space: &mut Space,
        inside: &[Boxes],
        excluded: &[Boxes],
    ) -> Result<(), Exhausted> {
        let mut starts: Vec<Region> = Vec::new();
        for (place, boxes) in inside.iter().enumerate() {
            let allowed = boxes.allowed(space)?;
            if place == 0 {
                starts = allowed;
                continue;
            }
            starts = starts
                .iter()
                .flat_map(|one| allowed.iter().map(|other| joined(one, other)))
                .collect();
        }
        let denies: Vec<&Region> = inside.iter().flat_map(|boxes| &boxes.denies).collect();
        let mut outsides = Vec::new();
        for boxes in excluded {
            outsides.push((boxes.allowed(space)?, &boxes.denies));
        }
        let mut done: Option<Origin> = None;
        for start in &starts {
            if done.as_ref() == Some(&start.origin) {
                continue;
            }
            let all: Vec<Literal> = start
                .literals
                .iter()
                .chain(&start.assumptions)
                .copied()
                .collect();
            let Some(constraints) = meet(space, &Constraints::new(), &all)? else {
                continue;
            };
            if self.exclude(space, &constraints, &denies, &outsides, &start.origin)? {
                done = Some(start.origin.clone());
            }
        }
        Ok(())
    }

    /// Leaves out each excluded set in turn: where its Deny statements apply, and where none of its Allows does.
    fn exclude(
        &mut self,
        space: &mut Space,
        constraints: &Constraints,
        removed: &[&Region],
        excluded: &[(Vec<Region>, &Vec<Region>)],
        origin: &Origin,
    ) -> Result<bool, Exhausted> {
        let Some(((allows, denies), rest)) = excluded.split_first() else {
            return self.cover(space, constraints, removed, origin);
        };
        let mut more: Vec<&Region> = removed.to_vec();
        more.extend(allows);
        if self.exclude(space, constraints, &more, rest, origin)? {
            return Ok(true);
        }
        for deny in *denies {
            if let Some(denied) = meet(space, constraints, &deny.literals)?
                && self.exclude(space, &denied, removed, rest, origin)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn cover(
        &mut self,
        space: &mut Space,
        constraints: &Constraints,
        removed: &[&Region],
        origin: &Origin,
    ) -> Result<bool, Exhausted> {
        let mut refuted = 0;
        let (inside, excluded) = (self.inside, self.excluded);
        let mut found = None;
        let confirm = |request: &Request| {
            inside.iter().all(|grants| grants.allow(request))
                && !excluded.iter().any(|grants| grants.allow(request))
        };
        cover(
            space,
            constraints,
            removed,
            &mut |space, point| match witness::concrete(space, point, &confirm)? {
                Some(request) => {
                    found = Some(request);
                    Ok(true)
                }
                None => {
                    refuted += 1;
                    Ok(refuted >= REFUTED_LIMIT)
                }
            },
        )?;
        self.refuted += refuted;
        let Some(request) = found else {
            return Ok(false);
        };
        let Origin {
            document,
            statement,
        } = origin.clone();
        self.witnesses.push(Witness {
            request,
            statement,
            document,
        });
        Ok(true)
    }
}
