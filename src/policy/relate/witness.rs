//! From a point of the space to a concrete request: variables get values, and the request is made readable.
//! Nothing is returned that the evaluation of the documents does not confirm.

use std::collections::BTreeMap;

use crate::policy::request::{Context, Request, RequestPrincipal};

use super::space::{ACTION, Constraints, PRINCIPAL, Point, RESOURCE, Space};
use super::strings::{Exhausted, Symbol, VARIABLES};

/// Values for policy variables, tried in turn: a name, an account id, a single letter.
const FRESH: &[&str] = &["example", "123456789012", "q"];

/// Identity policies name no principal; it is a role of the resource's account.
const ACCOUNT: &str = "123456789012";

/// The request of a point, if evaluation confirms it.
pub(super) fn concrete(
    space: &mut Space,
    constraints: &Constraints,
    confirm: &dyn Fn(&Request) -> bool,
) -> Result<Option<Request>, Exhausted> {
    let mut points: BTreeMap<u32, Point> = BTreeMap::new();
    for dimension in [ACTION, RESOURCE, PRINCIPAL]
        .into_iter()
        .chain(constraints.keys().copied())
    {
        let signed = constraints.get(&dimension).cloned().unwrap_or_default();
        match space.solve(dimension, &signed)? {
            Some(point) => {
                points.insert(dimension, point);
            }
            None => return Ok(None),
        }
    }
    for fresh in FRESH {
        let request = request(space, &points, fresh);
        if confirm(&request) {
            return Ok(Some(request));
        }
    }
    Ok(None)
}

fn request(space: &Space, points: &BTreeMap<u32, Point>, fresh: &str) -> Request {
    let values = variable_values(space, points, fresh);
    let text = |dimension: u32| match points.get(&dimension) {
        Some(Point::Text(symbols)) => render(symbols, &values),
        _ => String::new(),
    };
    let mut context = Context::new();
    for (dimension, point) in points {
        if let (Some(name), Point::Values(Some(list))) = (space.key_name(*dimension), point) {
            context.insert(
                name.to_owned(),
                list.iter()
                    .map(|symbols| render(symbols, &values))
                    .collect(),
            );
        }
    }
    for symbols in all_texts(points) {
        for symbol in symbols.iter().filter(|symbol| **symbol >= VARIABLES) {
            if let Some(name) = variable_name(space, *symbol) {
                context.entry(name.to_owned()).or_insert_with(|| {
                    vec![
                        values
                            .get(symbol)
                            .cloned()
                            .unwrap_or_else(|| fresh.to_owned()),
                    ]
                });
            }
        }
    }
    let resource = text(RESOURCE);
    let principal = match points.get(&PRINCIPAL) {
        Some(Point::Principal(place)) => space.candidates.get(*place).cloned(),
        _ => None,
    };
    let principal = principal
        .filter(|_| space.candidates_matter())
        .unwrap_or_else(|| holder(&resource));
    Request {
        principal,
        action: text(ACTION),
        resource,
        context,
    }
}

/// A role of the resource's account.
fn holder(resource: &str) -> RequestPrincipal {
    let account = resource
        .split(':')
        .nth(4)
        .filter(|account| account.len() == 12)
        .unwrap_or(ACCOUNT);
    RequestPrincipal::Aws(format!("arn:aws:iam::{account}:role/Example"))
}

fn all_texts(points: &BTreeMap<u32, Point>) -> Vec<&Vec<Symbol>> {
    points
        .values()
        .flat_map(|point| match point {
            Point::Text(symbols) => vec![symbols],
            Point::Values(Some(list)) => list.iter().collect(),
            Point::Principal(_) | Point::Values(None) => Vec::new(),
        })
        .collect()
}

fn variable_name(space: &Space, symbol: Symbol) -> Option<&str> {
    space
        .variables
        .get(symbol.checked_sub(VARIABLES)? as usize)
        .map(String::as_str)
}

/// A variable's value is that of its key where a condition speaks of it, and fresh elsewhere.
fn variable_values(
    space: &Space,
    points: &BTreeMap<u32, Point>,
    fresh: &str,
) -> BTreeMap<Symbol, String> {
    let mut out = BTreeMap::new();
    for (place, name) in space.variables.iter().enumerate() {
        let symbol = VARIABLES + u32::try_from(place).unwrap_or(0);
        let fallback = if name.ends_with("account") && fresh == "example" {
            ACCOUNT
        } else {
            fresh
        };
        let known = points.iter().find_map(|(dimension, point)| match point {
            Point::Values(Some(list)) if space.key_name(*dimension) == Some(name) => list.first(),
            _ => None,
        });
        let value = match known {
            Some(symbols) => render(symbols, &BTreeMap::new()).replace('\u{fffd}', fallback),
            None => fallback.to_owned(),
        };
        out.insert(symbol, value);
    }
    out
}

fn render(symbols: &[Symbol], values: &BTreeMap<Symbol, String>) -> String {
    let mut out = String::new();
    for symbol in symbols {
        match char::from_u32(*symbol) {
            Some(letter) => out.push(letter),
            None => out.push_str(values.get(symbol).map_or("\u{fffd}", String::as_str)),
        }
    }
    out
}
