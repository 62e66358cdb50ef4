//! From a point of the space to a concrete request: variables get values, and the request is made readable.
//! Nothing is returned that the evaluation of the documents does not confirm.

use std::collections::BTreeMap;

use crate::policy::actions;
use crate::policy::context::{self, Context};
use crate::policy::request::{Request, RequestPrincipal};

use super::space::{ACTION, AtomId, Constraints, GITHUB, PRINCIPAL, Point, RESOURCE, Space};
use super::strings::{Symbol, VARIABLES};
use super::work::{Exhausted, Work};

/// Values for policy variables, tried in turn: a name, a number such as an account's id, a single letter.
const FRESH: &[&str] = &[NAME, "123456789012", "q"];
const NAME: &str = "example";

/// Whether evaluation confirms a request.
pub(super) type Confirm<'c> = &'c dyn Fn(&Work, &Request) -> Result<bool, Exhausted>;

/// The request of a point, if evaluation confirms it.
pub(super) fn concrete(
    space: &mut Space,
    constraints: &Constraints,
    confirm: Confirm<'_>,
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
        if confirm(&space.work, &plain)? {
            let whole = realistic(space, constraints, &plain, confirm)?;
            return Ok(Some(consistent(space, whole, confirm)?));
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
    confirm: Confirm<'_>,
) -> Result<Request, Exhausted> {
    let none = Vec::new();
    let actions = constraints.get(&ACTION).unwrap_or(&none);
    let resources = constraints.get(&RESOURCE).unwrap_or(&none);
    let mut best = plain.clone();
    let mut found = false;
    let mut tried = 0;
    for action in existing(space, actions, &plain.action)?
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
        if !found && confirm(&space.work, &with_action)? {
            best = with_action;
            found = true;
        }
        for resource in suitable(space, resources, &known, TRIED_RESOURCES - tried)? {
            tried += 1;
            let holder = if space.candidates_matter() {
                plain.principal.clone()
            } else {
                holder(space, &resource)
            };
            let whole = Request {
                action: known.name.clone(),
                resource,
                principal: holder,
                context: plain.context.clone(),
            };
            if confirm(&space.work, &whole)? {
                return Ok(whole);
            }
        }
    }
    Ok(best)
}

/// The same witness with what must agree in one request, where the policies let it: the principal and
/// `aws:PrincipalArn`, the repository of a token and of its subject.
fn consistent(space: &Space, request: Request, confirm: Confirm<'_>) -> Result<Request, Exhausted> {
    let single = |key: &str| match request.context.get(key).map(Vec::as_slice) {
        Some([value]) => Some(value.clone()),
        _ => None,
    };
    let mut other = request.clone();
    if let Some(arn) = single("aws:PrincipalArn") {
        other.principal = RequestPrincipal::parse(&arn);
    }
    let subject = format!("{GITHUB}:sub");
    let repository = single(&format!("{GITHUB}:repository"));
    if let (Some(repository), Some(sub)) = (repository, single(&subject))
        && let Some((_, end)) = sub
            .strip_prefix("repo:")
            .and_then(|sub| sub.split_once(':'))
    {
        let sub = format!("repo:{repository}:{end}");
        other.context.insert(subject, vec![sub]);
    }
    let better = other != request && confirm(&space.work, &other)?;
    Ok(if better { other } else { request })
}

/// Actions that exist and satisfy the constraints: this one, else of its service, else of any.
fn existing(
    space: &Space,
    signed: &[(AtomId, bool)],
    action: &str,
) -> Result<Vec<String>, Exhausted> {
    if actions::find(action).is_some() {
        return Ok(vec![action.to_owned()]);
    }
    let own = action.split(':').next().unwrap_or_default();
    // Well-known services first: an example is read by people.
    let known = [own, "s3", "ec2", "iam", "ecr"];
    let all = actions::service_names().map(|name| -> &str { name });
    for service in known.into_iter().chain(all) {
        let mut list = Vec::new();
        for name in actions::names_of(service) {
            let name = format!("{service}:{name}");
            if space.text_satisfies(signed, &name.to_ascii_lowercase())? {
                list.push(name);
            }
            if list.len() == TRIED_ACTIONS {
                break;
            }
        }
        if !list.is_empty() {
            return Ok(list);
        }
    }
    Ok(Vec::new())
}

/// Resources that an action takes and that satisfy the constraints, one for each of its resource types.
fn suitable(
    space: &mut Space,
    signed: &[(AtomId, bool)],
    action: &actions::Action,
    most: usize,
) -> Result<Vec<String>, Exhausted> {
    if action.resources.is_empty() {
        return Ok(if space.text_satisfies(signed, "*")? {
            vec!["*".to_owned()]
        } else {
            Vec::new()
        });
    }
    let mut types: Vec<&actions::ResourceType> = action.resources.iter().collect();
    // The plainest form of a resource that the action must have.
    types.sort_by_key(|one| (!one.required, one.arn.len()));
    let mut out = Vec::new();
    for one in types.into_iter().take(most) {
        out.extend(space.resource_of_type(signed, one)?);
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
                space.key_spelling(name),
                list.iter()
                    .map(|symbols| render(symbols, &values))
                    .collect(),
            );
        }
    }
    for symbols in all_texts(points) {
        for symbol in symbols.iter().filter(|symbol| **symbol >= VARIABLES) {
            if let Some(name) = variable_name(space, *symbol)
                && context.get(name).is_none()
            {
                let value = values.get(symbol).map_or(fresh, String::as_str);
                context.insert(context::spelling(name), vec![value.to_owned()]);
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
        .unwrap_or_else(|| holder(space, &resource));
    Request {
        principal,
        action: text(ACTION),
        resource,
        context,
    }
}

/// Identity policies name no principal: it is a role of the resource's account.
fn holder(space: &Space, resource: &str) -> RequestPrincipal {
    let account = resource.split(':').nth(4);
    let account = account
        .filter(|account| account.len() == 12)
        .unwrap_or(&space.home.account);
    let partition = &space.home.partition;
    RequestPrincipal::Aws(format!("arn:{partition}:iam::{account}:role/Example"))
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
        let fallback = if name.ends_with("account") && fresh == NAME {
            &space.home.account
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
