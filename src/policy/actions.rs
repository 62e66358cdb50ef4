//! The actions that exist, from AWS's service authorization reference (reduced from a pinned data set).
//! Look-ups only: the table is text in the binary, and a service is read when it is asked for.
//!
//! Format of data/actions.txt: `@service`; `#key key ...`, the service's condition keys, numbered from 0 in base 36;
//! `%type TAB arn TAB keys`, its resource types, numbered likewise; then one action a line: `Name TAB level TAB types
//! TAB keys`, where `!` marks a type that is required and the level is the first letter of AWS's access level.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::glob::{self, Reading};
use super::values;

const TABLE: &str = include_str!("data/actions.txt");

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `service:Name` as AWS writes it.
    pub name: String,
    /// What the action does to its resources.
    pub level: Level,
    /// The resource types that it takes; none: it takes only `*`.
    pub resources: Vec<ResourceType>,
    /// The service's condition keys that apply, `${TagKey}` and the like as AWS writes them.
    pub condition_keys: Vec<&'static str>,
}

/// A resource type of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name in AWS's reference.
    pub name: &'static str,
    /// The form of its ARN with `${...}` for what varies.
    pub arn: &'static str,
    /// Whether the action always needs one.
    pub required: bool,
}

impl Action {
    /// The type of resource that an ARN is: of those whose form it has, the one with the most letters of its own.
    #[must_use]
    pub fn type_of(&self, arn: &str) -> Option<&ResourceType> {
        self.resources
            .iter()
            .filter(|one| glob::matches(&glob::parse_resource(&one.pattern(), false), arn, false))
            .max_by_key(|one| one.pattern().matches(|letter| letter != '*').count())
    }
}

impl ResourceType {
    /// The form of its ARN as a pattern: `${Account}` and the like become `*`.
    #[must_use]
    pub fn pattern(&self) -> String {
        let mut out = String::new();
        let mut rest = self.arn;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            out.push('*');
            rest = after.split_once('}').map_or("", |(_, rest)| rest);
        }
        out.push_str(rest);
        out
    }
}

/// AWS's access levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Lists what there is.
    List,
    /// Reads contents.
    Read,
    /// Makes, changes or deletes.
    Write,
    /// Changes who may do what.
    PermissionsManagement,
    /// Changes tags.
    Tagging,
}

/// The text of each service.
fn services() -> &'static BTreeMap<&'static str, &'static str> {
    static SERVICES: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    SERVICES.get_or_init(|| {
        TABLE
            .split("\n@")
            .skip(1)
            .filter_map(|text| text.split_once('\n'))
            .collect()
    })
}

/// Every service prefix, in order.
pub fn service_names() -> impl Iterator<Item = &'static str> {
    services().keys().copied()
}

/// Whether an action pattern of a policy matches an action that AWS has; a wildcard in the service's part can match
/// anything.
#[must_use]
pub fn exists(pattern: &str) -> bool {
    let Some((service, name)) = pattern.split_once(':') else {
        return true;
    };
    if service.contains(['*', '?']) {
        return true;
    }
    if !name.contains(['*', '?']) {
        return names_of(service).any(|one| one.eq_ignore_ascii_case(name));
    }
    let wildcards = Reading {
        wildcards: true,
        variables: false,
    };
    let (wanted, name) = (letters(name), glob::parse(name, wildcards));
    // Most names lack a letter of the pattern, and that is seen much sooner than that they do not match.
    let has_all = |one: &&str| wanted & !letters(one) == 0;
    names_of(service)
        .filter(has_all)
        .any(|one| glob::matches(&name, one, true))
}

/// Which letters and digits a text has, whatever their case: one bit for each.
fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |bits, byte| {
        let place = match byte.to_ascii_lowercase() {
            letter @ b'a'..=b'z' => letter - b'a',
            digit @ b'0'..=b'9' => digit - b'0' + 26,
            _ => return bits,
        };
        bits | 1 << place
    })
}

/// The action that was likely meant by one that does not exist: of the same service with a name that is near, or of a
/// service whose prefix is near with the same name.
#[must_use]
pub fn nearest(action: &str) -> Option<String> {
    let (service, name) = action.split_once(':')?;
    if let Some(near) = values::nearest(name, names_of(service)) {
        return Some(format!("{service}:{near}"));
    }
    let has_it = |service: &&str| names_of(service).any(|one| one.eq_ignore_ascii_case(name));
    let near = values::nearest(service, service_names().filter(has_it))?;
    Some(format!("{near}:{name}"))
}

/// The names of a service's actions, without its prefix; none where there is no such service.
pub fn names_of(service: &str) -> impl Iterator<Item = &'static str> {
    services()
        .get(service.to_ascii_lowercase().as_str())
        .into_iter()
        .flat_map(|text| text.lines())
        .filter(|line| !line.starts_with(['#', '%']))
        .filter_map(|line| line.split('\t').next())
}

/// An action by its `service:Name`; letter case does not count.
#[must_use]
pub fn find(action: &str) -> Option<Action> {
    let (service, name) = action.split_once(':')?;
    let service = service.to_ascii_lowercase();
    let text = services().get(service.as_str())?;
    let mut keys: Vec<&'static str> = Vec::new();
    let mut types: Vec<(&'static str, &'static str)> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix('#') {
            keys = rest.split(' ').collect();
            continue;
        }
        if let Some(rest) = line.strip_prefix('%') {
            let mut fields = rest.split('\t');
            types.push((fields.next()?, fields.next()?));
            continue;
        }
        let mut fields = line.split('\t');
        let found = fields.next()?;
        if !found.eq_ignore_ascii_case(name) {
            continue;
        }
        let level = level(fields.next()?)?;
        let resources = numbers(fields.next()?)
            .filter_map(|(number, required)| {
                types.get(number).map(|(name, arn)| ResourceType {
                    name,
                    arn,
                    required,
                })
            })
            .collect();
        let condition_keys = numbers(fields.next()?)
            .filter_map(|(number, _)| keys.get(number).copied())
            .collect();
        return Some(Action {
            name: format!("{service}:{found}"),
            level,
            resources,
            condition_keys,
        });
    }
    None
}

/// A service's own condition key, in whatever letter case, as AWS writes it.
#[must_use]
pub fn condition_key(key: &str) -> Option<&'static str> {
    let (service, _) = key.split_once(':')?;
    let text = services().get(service.to_ascii_lowercase().as_str())?;
    let line = text.lines().find_map(|line| line.strip_prefix('#'))?;
    line.split(' ')
        .find(|known| known.eq_ignore_ascii_case(key))
}

fn level(letter: &str) -> Option<Level> {
    match letter {
        "L" => Some(Level::List),
        "R" => Some(Level::Read),
        "W" => Some(Level::Write),
        "P" => Some(Level::PermissionsManagement),
        "T" => Some(Level::Tagging),
        _ => None,
    }
}

fn numbers(field: &'static str) -> impl Iterator<Item = (usize, bool)> {
    field.split(',').filter_map(|item| {
        let digits = item.trim_end_matches('!');
        usize::from_str_radix(digits, 36)
            .ok()
            .map(|number| (number, item.ends_with('!')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_exists_where_it_matches_some_action() {
        for pattern in [
            "*",
            "ecr:putimage",
            "ecr:Put*",
            "ecr:?utImage",
            "s3:*Object*",
            "e*:Nothing",
            // The pattern has one `r`, and the name a second one where the `*` stands.
            "ecr:DeleteRe*yPolicy",
        ] {
            assert!(exists(pattern), "{pattern}");
        }
        for pattern in [
            "ecr:PutImages",
            "ecr:Putz*",
            "ecr:",
            "ecx:PutImage",
            "ecr:?PutImage",
        ] {
            assert!(!exists(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_was_likely_meant_is_near_and_exists() {
        for (written, meant) in [
            ("ecr:PutImages", Some("ecr:PutImage")),
            (
                "ecr:getauthorisationtoken",
                Some("ecr:GetAuthorizationToken"),
            ),
            ("erc:PutImage", Some("ecr:PutImage")),
            ("iam:PassRoles*", Some("iam:PassRole")),
            ("ecr:Nonsense", None),
            ("nonsense:PutImage", None),
            ("*", None),
        ] {
            assert_eq!(nearest(written).as_deref(), meant, "{written}");
        }
    }

    #[test]
    fn the_type_of_an_arn_is_the_one_whose_form_it_has() {
        let name = |action: &str, arn: &str| {
            let action = find(action).unwrap();
            action.type_of(arn).map(|one| one.name)
        };
        let point = "arn:aws:s3:us-east-1:123456789012:accesspoint/one";
        assert_eq!(name("s3:GetObject", "arn:aws:s3:::one/two"), Some("object"));
        assert_eq!(
            name("s3:GetObject", &format!("{point}/object/two")),
            Some("accesspointobject")
        );
        assert_eq!(name("s3:ListBucket", point), Some("accesspoint"));
        assert_eq!(name("s3:ListBucket", "arn:aws:s3:::one"), Some("bucket"));
        assert_eq!(name("s3:GetObject", "arn:aws:sqs:::one"), None);
    }
}
