//! Who may do what in a world: pairs of a token and a request, each decided by `policy::evaluate`
//! alone, from the sandbox's own records.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use provision::policy::{Decision, Document, PolicyKind, Request, RequestPrincipal, evaluate};
use provision::sandbox::{Store, Table};
use serde_json::Value;

/// By role, pairs of who may assume it and what it then may do.
pub(crate) type Access = BTreeMap<String, BTreeSet<String>>;

/// What each role may do and who may assume it: pairs of one of these tokens and one of these
/// requests, each decided by `evaluate` alone.
pub(crate) fn of(store: &Store) -> Access {
    store
        .rows(Table::Role)
        .map(|(key, role)| (key.to_owned(), remembered(store, key, role)))
        .collect()
}

/// The same of one role, if it is there.
pub(crate) fn of_role(store: &Store, key: &str) -> Option<BTreeSet<String>> {
    let role = store.get(Table::Role, key)?;
    Some(remembered(store, key, role))
}

/// The roles whose access a change of these records may have moved.
pub(crate) fn moved(
    touched: &[(Table, String)],
    store: &Store,
    before: &Access,
) -> BTreeSet<String> {
    let mut roles = BTreeSet::new();
    for (table, key) in touched {
        match table {
            Table::Role => {
                roles.insert(key.clone());
            }
            Table::Attachment | Table::Boundary => {
                roles.extend(key.split_once('\n').map(|(_, role)| role.to_owned()));
            }
            Table::Policy => {
                roles.extend(before.keys().cloned());
                roles.extend(store.rows(Table::Role).map(|(role, _)| role.to_owned()));
            }
            _ => {}
        }
    }
    roles
}

/// The pairs of a role, worked out once for the same documents.
fn remembered(store: &Store, key: &str, role: &Value) -> BTreeSet<String> {
    thread_local! {
        static SEEN: RefCell<BTreeMap<String, BTreeSet<String>>> = const { RefCell::new(BTreeMap::new()) };
    }
    let mut known = format!(
        "{} {}",
        text(role, "AssumeRolePolicyDocument"),
        role.get("_inline").unwrap_or(&Value::Null)
    );
    for table in [Table::Attachment, Table::Boundary] {
        for document in links(store, table, key) {
            known.push_str(document.text());
        }
        known.push('|');
    }
    SEEN.with_borrow_mut(|seen| {
        seen.entry(known)
            .or_insert_with(|| pairs(store, key, role))
            .clone()
    })
}

fn pairs(store: &Store, key: &str, role: &Value) -> BTreeSet<String> {
    let trust = read(&text(role, "AssumeRolePolicyDocument"), PolicyKind::Trust);
    let arn = text(role, "Arn");
    let doors: Vec<&str> = TOKENS
        .iter()
        .filter(|(_, token)| evaluate(&trust, &token(&arn)).is_allowed())
        .map(|(name, _)| *name)
        .collect();
    let identity = identity(store, key, role);
    let boundary: Vec<Document> = links(store, Table::Boundary, key).collect();
    let mut pairs = BTreeSet::new();
    for request in requests() {
        let decisions: Vec<bool> = identity
            .iter()
            .map(|one| evaluate(one, &request).is_allowed())
            .collect();
        let denied = identity
            .iter()
            .any(|one| matches!(evaluate(one, &request), Decision::Denied(_)));
        let bounded = boundary
            .iter()
            .all(|one| evaluate(one, &request).is_allowed());
        if decisions.iter().any(|allowed| *allowed) && !denied && bounded {
            let what = format!("{} {}", request.action, request.resource);
            pairs.extend(doors.iter().map(|door| format!("{door} => {what}")));
        }
    }
    pairs
}

type Token = fn(&str) -> Request;

/// Who may come to a role in these worlds.
const TOKENS: [(&str, Token); 4] = [
    ("main", |arn| {
        github(arn, "repo:Org/app:ref:refs/heads/main")
    }),
    ("production", |arn| {
        github(arn, "repo:Org/app:environment:production")
    }),
    ("other", |arn| {
        github(arn, "repo:Org/app:ref:refs/heads/other")
    }),
    ("tasks", |arn| {
        request("sts:AssumeRole", arn, "ecs-tasks.amazonaws.com", &[])
    }),
];

fn github(arn: &str, subject: &str) -> Request {
    let provider = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com";
    let claims = [
        ("token.actions.githubusercontent.com:sub", subject),
        (
            "token.actions.githubusercontent.com:aud",
            "sts.amazonaws.com",
        ),
    ];
    request("sts:AssumeRoleWithWebIdentity", arn, provider, &claims)
}

fn requests() -> impl Iterator<Item = Request> {
    let actions = [
        "ecr:PutImage",
        "ecr:BatchGetImage",
        "ecr:ListImages",
        "ecr:GetAuthorizationToken",
        "logs:PutLogEvents",
    ];
    let resources = [
        "arn:aws:ecr:eu-west-1:111122223333:repository/app-0",
        "arn:aws:ecr:eu-west-1:111122223333:repository/x",
    ];
    actions.into_iter().flat_map(move |action| {
        resources.into_iter().map(move |resource| {
            request(action, resource, "arn:aws:iam::111122223333:role/any", &[])
        })
    })
}

fn request(action: &str, resource: &str, principal: &str, context: &[(&str, &str)]) -> Request {
    Request {
        principal: RequestPrincipal::parse(principal),
        action: action.to_owned(),
        resource: resource.to_owned(),
        context: context
            .iter()
            .map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()]))
            .collect(),
    }
}

fn identity(store: &Store, key: &str, role: &Value) -> Vec<Document> {
    let inline = role.get("_inline").and_then(Value::as_object);
    let inline = inline
        .into_iter()
        .flatten()
        .map(|(_, value)| read(value.as_str().unwrap_or_default(), PolicyKind::Identity));
    inline.chain(links(store, Table::Attachment, key)).collect()
}

/// The documents of the managed policies that are linked to this role.
fn links<'a>(store: &'a Store, table: Table, key: &'a str) -> impl Iterator<Item = Document> + 'a {
    store.rows(table).filter_map(move |(link, _)| {
        let (arn, role) = link.split_once('\n')?;
        (role == key).then(|| managed(store, arn))
    })
}

/// The default document of a managed policy. Of AWS's own two, what they say of the requests here.
fn managed(store: &Store, arn: &str) -> Document {
    let name = arn.rsplit('/').next().unwrap_or_default().to_lowercase();
    if arn.starts_with("arn:aws:iam::aws:") {
        let last = if name.contains("readonly") {
            "ecr:ListImages"
        } else {
            "logs:PutLogEvents"
        };
        let text = format!(
            "{{\"Version\":\"2012-10-17\",\"Statement\":{{\"Effect\":\"Allow\",\"Action\":[\"ecr:GetAuthorizationToken\",\"ecr:BatchGetImage\",\"{last}\"],\"Resource\":\"*\"}}}}"
        );
        return read(&text, PolicyKind::Identity);
    }
    let policy = store.get(Table::Policy, &name).cloned().unwrap_or_default();
    let default = policy.get("DefaultVersionId").cloned();
    let versions = policy
        .get("_versions")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let version = versions
        .into_iter()
        .find(|version| version.get("VersionId") == default.as_ref())
        .unwrap_or_default();
    read(&text(&version, "Document"), PolicyKind::Identity)
}

fn text(record: &Value, name: &str) -> String {
    record
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

/// Parses a document of the records, each text once.
fn read(text: &str, kind: PolicyKind) -> Document {
    thread_local! {
        static READ: RefCell<BTreeMap<String, Document>> = const { RefCell::new(BTreeMap::new()) };
    }
    READ.with_borrow_mut(|read| {
        let parse =
            || Document::parse(text, kind).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        read.entry(format!("{kind:?} {text}"))
            .or_insert_with(parse)
            .clone()
    })
}
