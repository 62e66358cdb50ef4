//! From a point of the space to a concrete request: variables get values, and the request is made readable.
//! Nothing is returned that the evaluation of the documents does not confirm.

use std::collections::BTreeMap;

use crate::policy::actions;
use crate::policy::request::{Context, Request, RequestPrincipal};

use super::space::{ACTION, AtomId, Constraints, PRINCIPAL, Point, RESOURCE, Space};
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
        let plain = request(space, &points, fresh);
        if confirm(&plain) {
            return Ok(Some(realistic(space, constraints, &plain, confirm)?));
        }
    }
    Ok(None)
}

/// Actions of a service that are looked at for one that goes with the resource.
const TRIED_ACTIONS: usize = 6;

/// Resources that are tried in all, over these actions.
const TRIED_RESOURCES: usize = 8;

/// The same witness with an action that exists and a resource that it takes, where there is one.
fn realistic(
    space: &mut Space,
    constraints: &Constraints,
    plain: &Request,
    confirm: &dyn Fn(&Request) -> bool,
) -> Result<Request, Exhausted> {
    let none = Vec::new();
    let actions = constraints.get(&ACTION).unwrap_or(&none);
    let resources = constraints.get(&RESOURCE).unwrap_or(&none);
    let mut best = plain.clone();
    let mut found = false;
    let mut tried = 0;
    for action in existing(space, actions, &plain.action)
        .into_iter()
        .take(TRIED_ACTIONS)
    {
        let Some(known) = actions::find(&action) else {
            continue;
        };
        let with_action = Request {
            action: known.name.clone(),
            ..plain.clone()
        };
        if !found && confirm(&with_action) {
            best = with_action;
            found = true;
        }
        for resource in suitable(space, resources, &known, TRIED_RESOURCES - tried)? {
            tried += 1;
            let holder = if space.candidates_matter() {
                plain.principal.clone()
            } else {
                holder(&resource)
            };
            let whole = Request {
                action: known.name.clone(),
                resource,
                principal: holder,
                context: plain.context.clone(),
            };
            if confirm(&whole) {
                return Ok(whole);
            }
        }
    }
    Ok(best)
}

/// Actions that exist and satisfy the constraints: this one, else of its service, else of any.
fn existing(space: &Space, signed: &[(AtomId, bool)], action: &str) -> Vec<String> {
    if actions::find(action).is_some() {
        return vec![action.to_owned()];
    }
    let service = action.split(':').next().unwrap_or_default();
    let of = |service: &str| -> Vec<String> {
        actions::names_of(service)
            .map(|name| format!("{service}:{name}"))
            .filter(|name| space.text_satisfies(signed, &name.to_ascii_lowercase()))
            .take(TRIED_ACTIONS)
            .collect()
    };
    let own = of(service);
    if !own.is_empty() {
        return own;
    }
    // Well-known services first: an example is read by people.
    let known = ["s3", "ec2", "iam", "ecr"];
    known
        .into_iter()
        .chain(actions::service_names())
        .map(of)
        .find(|list| !list.is_empty())
        .unwrap_or_default()
}

/// Resources that an action takes and that satisfy the constraints, one for each of its resource types.
fn suitable(
    space: &mut Space,
    signed: &[(AtomId, bool)],
    action: &actions::Action,
    most: usize,
) -> Result<Vec<String>, Exhausted> {
    if action.resources.is_empty() {
        return Ok(if space.text_satisfies(signed, "*") {
            vec!["*".to_owned()]
        } else {
            Vec::new()
        });
    }
    let mut types: Vec<&actions::ResourceType> = action.resources.iter().collect();
    types.sort_by_key(|one| !one.required);
    let mut out = Vec::new();
    for one in types.into_iter().take(most) {
        out.extend(space.resource_of_form(signed, one.arn)?);
    }
    Ok(out)
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
