//! How documents relate: a request that one allows and another does not, or that there is none.
//! The procedure is box subtraction ([`cover`]) in a space of requests ([`space`]); each witness is confirmed by
//! `evaluate` before it counts, and where the answer would be a guess it is unknown.

mod cases;
mod cover;
mod keys;
mod principals;
mod space;
mod strings;
mod subjects;
mod trie;
mod variables;
mod witness;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::document::Document;
use super::evaluate::{Decision, StatementRef, evaluate};
use super::kind::PolicyKind;
use super::request::Request;
use super::statement::Effect;

use cover::{cover, meet};
use space::{ACTION, AtomId, Constraints, Dimension, Literal, Origin, RESOURCE, Region, Space};
use variables::{Assignment, Model};
use work::{Exhausted, Work};

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

impl Relation {
    /// Its name in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Wider => "wider",
            Self::Narrower => "narrower",
            Self::Incomparable => "incomparable",
            Self::Unknown => "unknown",
        }
    }
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
const WORK: u64 = 9_000_000;

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
    let grants = [a, b];
    let mut question = Question::new(&grants);
    let gained = question.outside(&[1], &[0]);
    let lost = question.outside(&[0], &[1]);
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
    let proofs = |answer: Answer| match answer {
        Answer::Some(witnesses) => witnesses,
        Answer::None | Answer::Unknown(_) => Vec::new(),
    };
    Comparison {
        relation,
        gained: proofs(gained),
        lost: proofs(lost),
        reason,
    }
}

/// Requests that all of `inside` allow and none of `excluded` does, one for each statement of the first that has any.
#[must_use]
pub fn outside(inside: &[&Grants<'_>], excluded: &[&Grants<'_>]) -> Answer {
    let all: Vec<&Grants<'_>> = inside.iter().chain(excluded).copied().collect();
    let inside: Vec<usize> = (0..inside.len()).collect();
    let excluded: Vec<usize> = (inside.len()..all.len()).collect();
    Question::new(&all).outside(&inside, &excluded)
}

/// Whether the texts alone show that there is nothing outside.
pub(super) fn is_covered(inside: &[&Grants<'_>], excluded: &[&Grants<'_>]) -> bool {
    let within = |one: &&Grants<'_>| inside.iter().any(|other| other.within(one));
    inside.is_empty() || excluded.iter().any(within)
}

/// Grants and, once a search is needed, their boxes in one space.
struct Question<'q, 'd> {
    grants: &'q [&'q Grants<'d>],
    space: Option<(Space, Vec<Boxes>)>,
}

impl<'q, 'd> Question<'q, 'd> {
    fn new(grants: &'q [&'q Grants<'d>]) -> Self {
        Self {
            grants,
            space: None,
        }
    }

    /// As [`outside`], of the grants at these places.
    fn outside(&mut self, inside: &[usize], excluded: &[usize]) -> Answer {
        let grants = self.grants;
        let pick = |places: &[usize]| -> Vec<&Grants<'d>> {
            places
                .iter()
                .filter_map(|place| grants.get(*place).copied())
                .collect()
        };
        let (inside_grants, excluded_grants) = (pick(inside), pick(excluded));
        if is_covered(&inside_grants, &excluded_grants) {
            return Answer::None;
        }
        let (space, boxes) = self
            .space
            .get_or_insert_with(|| spaced(grants, Assignment::new()));
        space.work.refill(WORK);
        let mut search = Search {
            inside: &inside_grants,
            excluded: &excluded_grants,
            witnesses: Vec::new(),
            refuted: 0,
        };
        let answer = search.run(space, &at(boxes, inside), &at(boxes, excluded));
        if answer.is_ok() && search.witnesses.is_empty() && !space.variables.is_empty() {
            let answer = search.with_values(space, boxes, inside, excluded, grants);
            return search.answer(answer);
        }
        search.answer(answer)
    }
}

/// The grants as boxes of a space of their own.
fn spaced(grants: &[&Grants<'_>], fixed: Assignment) -> (Space, Vec<Boxes>) {
    let kind = grants
        .first()
        .map_or(PolicyKind::Identity, |first| first.kind());
    let documents = grants
        .iter()
        .flat_map(|grants| grants.layers.iter().flatten());
    let home = documents.copied().find_map(Document::home);
    let mut space = Space::new(kind, home.cloned().unwrap_or_default(), fixed);
    let boxes = grants
        .iter()
        .map(|grants| Boxes::read(&mut space, grants))
        .collect();
    space.close();
    (space, boxes)
}

fn at<'b>(boxes: &'b [Boxes], places: &[usize]) -> Vec<&'b Boxes> {
    places
        .iter()
        .filter_map(|place| boxes.get(*place))
        .collect()
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
                    // The boxes are kept, and sorted again and again.
                    space.work.spend(JOINED)?;
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

/// Steps of an automaton in whose time two boxes are made one and kept.
const JOINED: usize = 128;

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

/// Joins boxes that differ only in their actions, then those that differ only in their resources: many statements
/// become one box, and each box less is a level less of search.
fn merged(space: &mut Space, boxes: Vec<Region>) -> Vec<Region> {
    let mut out = boxes;
    for dimension in [ACTION, RESOURCE] {
        let mut groups: BTreeMap<Vec<Literal>, Vec<Region>> = BTreeMap::new();
        for region in out {
            let joins = |literal: &Literal| literal.dimension == dimension && literal.positive;
            // A box of two layers may hold two such literals, which both must hold: it stays as it is.
            let alone = region
                .literals
                .iter()
                .filter(|literal| joins(literal))
                .count()
                == 1;
            let others = region
                .literals
                .iter()
                .filter(|literal| !(alone && joins(literal)))
                .copied()
                .collect();
            groups.entry(others).or_default().push(region);
        }
        out = groups
            .into_iter()
            .map(|(others, group)| union(space, dimension, others, group))
            .collect();
    }
    out
}

fn union(
    space: &mut Space,
    dimension: Dimension,
    others: Vec<Literal>,
    group: Vec<Region>,
) -> Region {
    let mut group = group;
    let whole = group
        .iter()
        .position(|region| region.literals.len() == others.len());
    if let Some(place) = whole {
        return group.swap_remove(place);
    }
    let atoms: Vec<AtomId> = group
        .iter()
        .flat_map(|region| &region.literals)
        .filter(|literal| literal.dimension == dimension && literal.positive)
        .map(|literal| literal.atom)
        .collect();
    let mut literals = others;
    literals.push(space.union(dimension, &atoms));
    literals.sort_unstable();
    let origin = group
        .first()
        .map_or_else(Origin::default, |region| region.origin.clone());
    Region {
        literals,
        assumptions: Vec::new(),
        origin,
    }
}

struct Search<'a> {
    inside: &'a [&'a Grants<'a>],
    excluded: &'a [&'a Grants<'a>],
    witnesses: Vec<Witness>,
    refuted: usize,
}

fn documents<'g, 'd: 'g>(
    grants: impl Iterator<Item = &'g &'g Grants<'d>>,
) -> impl Iterator<Item = &'g &'d Document> {
    grants.flat_map(|grants| grants.layers.iter().flatten())
}

/// Letters of the documents.
fn size<'g, 'd: 'g>(grants: impl Iterator<Item = &'g &'g Grants<'d>>) -> usize {
    documents(grants)
        .map(|document| document.text().len())
        .sum()
}

/// Steps in whose time a request is evaluated: each statement is looked at, and a part of what it says is read.
fn evaluation<'g, 'd: 'g>(grants: impl Iterator<Item = &'g &'g Grants<'d>>) -> usize {
    const STATEMENT: usize = 8;
    const LETTERS: usize = 16;
    documents(grants)
        .map(|document| STATEMENT * document.statements().len() + document.text().len() / LETTERS)
        .sum()
}

/// Boxes that stand in an excluded set in so many words: what they allow needs no search.
struct Known {
    allows: BTreeSet<Vec<Literal>>,
}

impl Known {
    fn new(denies: &[Region], excluded: &[&Boxes]) -> Self {
        let refused: BTreeSet<&Vec<Literal>> =
            denies.iter().map(|region| &region.literals).collect();
        let mut allows = BTreeSet::new();
        for boxes in excluded {
            // Where the excluded set denies no more than what is denied anyway, its Allows are allowed there.
            if let [layer] = boxes.allows.as_slice()
                && boxes
                    .denies
                    .iter()
                    .all(|region| refused.contains(&region.literals))
            {
                allows.extend(layer.iter().map(|region| region.literals.clone()));
            }
        }
        Self { allows }
    }

    fn covers(&self, literals: &Vec<Literal>) -> bool {
        self.allows.contains(literals)
    }
}

/// Points that evaluation refuted, per statement: beyond these more of them tell nothing new.
const REFUTED_LIMIT: usize = 64;

impl Search<'_> {
    fn answer(self, searched: Result<(), Exhausted>) -> Answer {
        match searched {
            Err(Exhausted) => Answer::Unknown("The search reached its limit.".to_owned()),
            Ok(()) if !self.witnesses.is_empty() => Answer::Some(self.witnesses),
            Ok(()) if self.refuted > 0 => Answer::Unknown(
                "A policy variable may have a value for which the answer differs; whether one does was not decided."
                    .to_owned(),
            ),
            Ok(()) => Answer::None,
        }
    }

    /// Where a fresh value for each variable shows nothing: whether any value could, and then which.
    fn with_values(
        &mut self,
        space: &mut Space,
        boxes: &[Boxes],
        inside: &[usize],
        excluded: &[usize],
        grants: &[&Grants<'_>],
    ) -> Result<(), Exhausted> {
        if self.refuted == 0 {
            space.read_variables(Model::Any);
            let answer = self.run(space, &at(boxes, inside), &at(boxes, excluded));
            space.read_variables(Model::Fresh);
            answer?;
            let coarse = grants
                .iter()
                .flat_map(|grants| grants.layers.iter().flatten())
                .any(|document| cases::too_many_defaults(document));
            self.refuted += usize::from(coarse);
            if self.refuted == 0 || !self.witnesses.is_empty() {
                return Ok(());
            }
        }
        // To read the documents anew is as much as to go through every letter of them.
        let letters = size(grants.iter());
        for assignment in variables::assignments(space)? {
            space.work.spend(letters)?;
            let (mut fixed, boxes) = spaced(grants, assignment);
            // All of them together stay within the limit of one question.
            fixed.work = Work::new(space.work.left());
            let answer = self.run(&mut fixed, &at(&boxes, inside), &at(&boxes, excluded));
            space.work.refill(fixed.work.left());
            answer?;
            if !self.witnesses.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn run(
        &mut self,
        space: &mut Space,
        inside: &[&Boxes],
        excluded: &[&Boxes],
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
        let denies: Vec<Region> = inside
            .iter()
            .flat_map(|boxes| boxes.denies.iter().cloned())
            .collect();
        let known = Known::new(&denies, excluded);
        let denies = merged(space, denies);
        let denies: Vec<&Region> = denies.iter().collect();
        let mut outsides = Vec::new();
        for boxes in excluded {
            let allowed = boxes.allowed(space)?;
            outsides.push((merged(space, allowed), merged(space, boxes.denies.clone())));
        }
        let mut done: Option<Origin> = None;
        for start in &starts {
            space.work.spend(1)?;
            if done.as_ref() == Some(&start.origin) || known.covers(&start.literals) {
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
        excluded: &[(Vec<Region>, Vec<Region>)],
        origin: &Origin,
    ) -> Result<bool, Exhausted> {
        let Some(((allows, denies), rest)) = excluded.split_first() else {
            return self.cover(space, constraints, removed, origin);
        };
        space
            .work
            .spend(removed.len() + allows.len() + denies.len())?;
        let mut more: Vec<&Region> = removed.to_vec();
        more.extend(allows);
        if self.exclude(space, constraints, &more, rest, origin)? {
            return Ok(true);
        }
        for deny in denies {
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
        let cost = evaluation(inside.iter().chain(excluded));
        let confirm = |work: &Work, request: &Request| {
            work.spend(cost)?;
            Ok(inside.iter().all(|grants| grants.allow(request))
                && !excluded.iter().any(|grants| grants.allow(request)))
        };
        cover(space, constraints, removed, &mut |space, point| {
            found = witness::concrete(space, point, &confirm)?;
            refuted += usize::from(found.is_none());
            Ok(found.is_some() || refuted >= REFUTED_LIMIT)
        })?;
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

#[cfg(test)]
mod tests;
