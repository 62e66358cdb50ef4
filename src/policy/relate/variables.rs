//! Policy variables: what their reading as an opaque letter cannot show.
//! A fresh value is never a literal of the documents nor one character. Where that reading finds no difference, a
//! second one, in which a pattern with a variable takes every text that any value could make it take, must find none
//! either; what only the second finds is tried with the values that could bring it about.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::policy::shape::FIELD_COLONS;

use super::space::Space;
use super::strings::{self, COLON, Fill, Item, StringSet, Symbol, VARIABLES, holds_variable};
use super::work::{Exhausted, Work};

/// Key → value.
pub(super) type Assignment = BTreeMap<String, String>;

/// What a variable stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// A value that nothing else names: one opaque letter.
    Fresh,
    /// Any value. The answers are those of more texts than there are: where there is none, there is none.
    Any,
}

/// A text of the domain in all of `inside` and in none of `outside`.
pub(super) fn find(
    model: Model,
    domain: &StringSet,
    inside: &[&StringSet],
    outside: &[&StringSet],
    fill: Fill<'_>,
    work: &Work,
) -> Result<Option<Vec<Symbol>>, Exhausted> {
    let varied = inside.iter().chain(outside).any(|set| set.varied);
    if model == Model::Fresh || !varied {
        return strings::find(domain, inside, outside, fill, work);
    }
    let within = inside.iter().map(|set| widest(set, outside, work));
    let within: Vec<Cow<'_, StringSet>> = within.collect::<Result<_, _>>()?;
    let beyond: Vec<Cow<'_, StringSet>> = outside.iter().map(|set| narrowest(set)).collect();
    let within: Vec<&StringSet> = within.iter().map(AsRef::as_ref).collect();
    let beyond: Vec<&StringSet> = beyond.iter().map(AsRef::as_ref).collect();
    strings::find(domain, &within, &beyond, fill, work)
}

/// What some value makes a set hold, without the patterns that an outside set holds whatever the value.
fn widest<'s>(
    set: &'s StringSet,
    outside: &[&StringSet],
    work: &Work,
) -> Result<Cow<'s, StringSet>, Exhausted> {
    if !set.varied {
        return Ok(Cow::Borrowed(set));
    }
    let mut patterns = Vec::new();
    for pattern in &set.patterns {
        work.spend(pattern.len())?;
        let mut covered = false;
        if holds_variable(pattern) {
            for other in outside {
                covered = covered || always_covers(other, pattern, work)?;
            }
        }
        if !covered {
            patterns.push(pattern.iter().map(|item| any_value(*item)).collect());
        }
    }
    Ok(Cow::Owned(StringSet::new(patterns)))
}

fn any_value(item: Item) -> Item {
    match item {
        Item::Letter(symbol) if symbol >= VARIABLES => Item::Many { colon: true },
        other => other,
    }
}

/// What every value makes a set hold, at least.
fn narrowest(set: &StringSet) -> Cow<'_, StringSet> {
    if !set.varied {
        return Cow::Borrowed(set);
    }
    let plain = set
        .patterns
        .iter()
        .filter(|pattern| !holds_variable(pattern));
    Cow::Owned(StringSet::new(plain.cloned().collect()))
}

/// Whether a set holds all of a pattern, whatever the values: what holds of an opaque letter under `*` holds of each
/// value, but that a value may hold a colon, which a `*` of an ARN's first five fields does not take.
fn always_covers(set: &StringSet, pattern: &[Item], work: &Work) -> Result<bool, Exhausted> {
    work.spend(set.patterns.len())?;
    if set.patterns.iter().any(|own| own == pattern) {
        return Ok(true);
    }
    let variable = |item: &Item| matches!(item, Item::Letter(symbol) if *symbol >= VARIABLES);
    let last = pattern.iter().rposition(variable).unwrap_or(0);
    let colons = pattern
        .iter()
        .take(last)
        .filter(|item| **item == Item::Letter(COLON))
        .count();
    let confined = set
        .patterns
        .iter()
        .flatten()
        .any(|item| *item == Item::Many { colon: false });
    if confined && colons < FIELD_COLONS {
        return Ok(false);
    }
    if let Some(text) = strings::literal(pattern)
        && set.contains(&text, work)?
    {
        return Ok(true);
    }
    set.covers(pattern, work)
}

/// Assignments that are tried: each is a search of its own.
const ASSIGNMENTS: usize = 24;

/// Values that could make a difference where an opaque letter makes none: what stands in one pattern in the place that
/// a variable has in another, one character, a value with a colon, and one value for all variables.
pub(super) fn assignments(space: &Space) -> Result<Vec<Assignment>, Exhausted> {
    let mut values: BTreeSet<(Symbol, String)> = BTreeSet::new();
    for (place, lists) in space.pattern_lists().iter().enumerate() {
        let all: Vec<&Vec<Item>> = lists.iter().copied().flatten().collect();
        let length: usize = all.iter().map(|pattern| pattern.len()).sum();
        for pattern in all.iter().filter(|pattern| holds_variable(pattern)) {
            space.work.spend(length)?;
            values.extend(all.iter().filter_map(|other| captured(pattern, other)));
            values.extend(all.iter().filter_map(|other| ended(pattern, other)));
        }
        // What a condition asks of the variable's own key.
        let key = place.checked_sub(1).and_then(|place| space.keys.get(place));
        let variable =
            key.and_then(|key| space.variables.iter().position(|name| *name == key.name));
        if let Some(symbol) = variable.and_then(|place| u32::try_from(place).ok()) {
            let texts = all.iter().filter_map(|pattern| text_of(pattern));
            values.extend(texts.map(|text| (VARIABLES + symbol, text)));
        }
    }
    let name = |symbol: Symbol| -> Option<&String> {
        space.variables.get(symbol.checked_sub(VARIABLES)? as usize)
    };
    let single: Vec<(String, String)> = values
        .into_iter()
        .filter_map(|(symbol, value)| Some((name(symbol)?.clone(), value)))
        .collect();
    let mut out: Vec<Assignment> = Vec::new();
    for all in ["example", "x", "a:b"] {
        out.push(
            space
                .variables
                .iter()
                .map(|name| (name.clone(), all.to_owned()))
                .collect(),
        );
    }
    out.extend(single.iter().map(|pair| Assignment::from([pair.clone()])));
    let pairs = single.iter().enumerate().flat_map(|(place, first)| {
        let others = single.iter().skip(place + 1);
        others
            .filter(|second| second.0 != first.0)
            .map(|second| Assignment::from([first.clone(), second.clone()]))
    });
    out.extend(pairs.take(ASSIGNMENTS));
    out.truncate(ASSIGNMENTS);
    Ok(out)
}

/// What stands in a pattern in the place of the first variable of another.
fn captured(pattern: &[Item], other: &[Item]) -> Option<(Symbol, String)> {
    let at = pattern
        .iter()
        .position(|item| matches!(item, Item::Letter(symbol) if *symbol >= VARIABLES))?;
    let (before, rest) = (pattern.get(..at)?, pattern.get(at + 1..)?);
    let Some(Item::Letter(symbol)) = pattern.get(at) else {
        return None;
    };
    let tail = other.strip_prefix(before)?;
    let value = tail.strip_suffix(rest).or_else(|| {
        let end = match rest.first()? {
            Item::Letter(next) => tail.iter().position(|item| *item == Item::Letter(*next))?,
            _ => tail.len(),
        };
        tail.get(..end)
    })?;
    Some((*symbol, text_of(value).filter(|text| !text.is_empty())?))
}

/// A value for the variable at the end of a pattern that ends as another pattern does after its last wildcard.
fn ended(pattern: &[Item], other: &[Item]) -> Option<(Symbol, String)> {
    let Some(Item::Letter(symbol)) = pattern.last().filter(|_| holds_variable(pattern)) else {
        return None;
    };
    let wild = |item: &Item| !matches!(item, Item::Letter(_) | Item::Fold(_));
    let end = other.get(other.iter().rposition(wild)?..)?;
    (*symbol >= VARIABLES && end.len() > 1)
        .then(|| Some((*symbol, text_of(end)?)))
        .flatten()
}

/// A text of a pattern without variables.
fn text_of(pattern: &[Item]) -> Option<String> {
    let mut out = String::new();
    for item in pattern {
        match item {
            Item::Letter(symbol) | Item::Fold(symbol) => out.push(char::from_u32(*symbol)?),
            Item::One { .. } | Item::Word => out.push('x'),
            Item::Many { .. } | Item::Words => out.push_str("example"),
        }
    }
    Some(out)
}
