//! Box subtraction: is there a point of one box outside all of some others?
//! A covered part is split off disjointly, literal by literal, so no part is looked at twice.

use super::space::{AtomId, Constraints, Dimension, Literal, Region, Space};
use super::work::Exhausted;

/// Steps of an automaton in whose time one entry of constraints is copied or looked up.
const COPIED: usize = 4;

/// Adds a literal; `None` where its negation is there already.
fn with(constraints: &Constraints, literal: Literal, positive: bool) -> Option<Constraints> {
    let signed = constraints
        .get(&literal.dimension)
        .map_or(&[][..], Vec::as_slice);
    if signed.contains(&(literal.atom, !positive)) {
        return None;
    }
    let mut next = constraints.clone();
    let list = next.entry(literal.dimension).or_default();
    if let Err(place) = list.binary_search(&(literal.atom, positive)) {
        list.insert(place, (literal.atom, positive));
    }
    Some(next)
}

/// Whether the constraints hold of nothing once this literal is added.
fn misses(
    space: &mut Space,
    constraints: &Constraints,
    literal: Literal,
    positive: bool,
) -> Result<bool, Exhausted> {
    let signed = constraints
        .get(&literal.dimension)
        .map_or(&[][..], Vec::as_slice);
    space.work.spend(COPIED + 2 * signed.len())?;
    if signed.contains(&(literal.atom, positive)) {
        return Ok(false);
    }
    if signed.contains(&(literal.atom, !positive)) {
        return Ok(true);
    }
    Ok(!space.solve_with(literal.dimension, signed, (literal.atom, positive))?)
}

/// The constraints with all literals of a box; `None` where nothing is left.
pub(super) fn meet(
    space: &mut Space,
    constraints: &Constraints,
    literals: &[Literal],
) -> Result<Option<Constraints>, Exhausted> {
    let mut out = constraints.clone();
    space
        .work
        .spend(COPIED * (1 + constraints.len() + literals.len() * (1 + constraints.len())))?;
    for literal in literals {
        match with(&out, *literal, literal.positive) {
            Some(next) => out = next,
            None => return Ok(None),
        }
    }
    let dimensions: Vec<(Dimension, Vec<(AtomId, bool)>)> = out
        .iter()
        .map(|(dimension, signed)| (*dimension, signed.clone()))
        .collect();
    for (dimension, signed) in dimensions {
        if space.solve(dimension, &signed)?.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(out))
}

/// Looks for points of `constraints` outside all `boxes`, which is where `accept` is called; it says whether to stop.
pub(super) fn cover(
    space: &mut Space,
    constraints: &Constraints,
    boxes: &[&Region],
    accept: &mut dyn FnMut(&mut Space, &Constraints) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    space.work.spend(1)?;
    let mut near: Vec<(&Region, Vec<Literal>)> = Vec::new();
    for region in boxes {
        let mut apart = false;
        for literal in &region.literals {
            if misses(space, constraints, *literal, literal.positive)? {
                apart = true;
                break;
            }
        }
        if apart {
            continue;
        }
        let mut cutting = Vec::new();
        for literal in &region.literals {
            if !misses(space, constraints, *literal, !literal.positive)? {
                cutting.push(*literal);
            }
        }
        if cutting.is_empty() {
            return Ok(false);
        }
        near.push((region, cutting));
    }
    // The box that cuts in the fewest places leaves the fewest parts.
    near.sort_by_key(|(_, cutting)| cutting.len());
    let Some(((_, cutting), rest)) = near.split_first() else {
        return accept(space, constraints);
    };
    let rest: Vec<&Region> = rest.iter().map(|(region, _)| *region).collect();
    let mut inside = constraints.clone();
    for literal in cutting {
        space.work.spend(COPIED * (2 + 2 * inside.len()))?;
        if !misses(space, &inside, *literal, !literal.positive)?
            && let Some(part) = with(&inside, *literal, !literal.positive)
            && cover(space, &part, &rest, accept)?
        {
            return Ok(true);
        }
        match with(&inside, *literal, literal.positive) {
            Some(next) if !misses(space, &inside, *literal, literal.positive)? => inside = next,
            _ => return Ok(false),
        }
    }
    Ok(false)
}
