//! What the kinds of IAM share: documents as IAM returns them, names whatever their letter case,
//! and which roles a plan is about.

use std::collections::BTreeMap;

use super::documents;
use crate::aws::Error as AwsError;
use crate::aws::iam::{Account, Role};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Address, OWNER_TAG, Scope};
use crate::planted::{Bug, planted};
use crate::policy::{Document, PolicyKind, law};

/// IAM's unique ids of roles begin so; one stands in a policy instead of the ARN of a role that was
/// deleted, or that the reader does not see yet.
const ROLE_ID: &str = "AROA";
/// The path of the roles that belong to AWS's services.
pub(crate) const SERVICE_ROLE_PATH: &str = "/aws-service-role/";

/// Declared names by their lower-case form: IAM keeps names unique whatever their letter case.
pub(crate) struct Names<'a>(BTreeMap<String, &'a str>);

impl<'a> Names<'a> {
    /// The names of a table of the configuration.
    pub(crate) fn new<T>(declared: &'a BTreeMap<String, T>) -> Self {
        Self(
            declared
                .keys()
                .map(|name| (name.to_lowercase(), name.as_str()))
                .collect(),
        )
    }

    /// The declared spelling of a live name.
    pub(crate) fn declared(&self, live: &str) -> Option<&'a str> {
        self.0.get(&live.to_lowercase()).copied()
    }

    /// Whether a live name begins with a declared one: only a planted bug asks.
    fn begin(&self, live: &str) -> bool {
        self.0.keys().any(|name| live.starts_with(name))
    }
}

/// The ARNs of the account's roles by their unique ids.
pub(crate) fn role_ids(account: &Account) -> BTreeMap<&str, &str> {
    account
        .roles
        .values()
        .map(|role| (role.id.as_str(), role.arn.as_str()))
        .collect()
}

/// A document as IAM returns it, with the unique ids of roles that are there read as their ARNs.
pub(crate) fn document(
    encoded: &str,
    kind: PolicyKind,
    role_ids: &BTreeMap<&str, &str>,
    address: &Address,
) -> Result<Document> {
    let resolved = resolve(encoded, role_ids);
    Document::parse_encoded(&resolved, kind).map_err(|errors| {
        let first = errors.first().map(ToString::to_string).unwrap_or_default();
        Error::failed(format!("A live policy document could not be read: {first}")).at(address)
    })
}

fn resolve(text: &str, role_ids: &BTreeMap<&str, &str>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(ROLE_ID) {
        let (before, from) = rest.split_at(at);
        let end = from
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(from.len());
        let (id, after) = from.split_at(end);
        out.push_str(before);
        out.push_str(role_ids.get(id).copied().unwrap_or(id));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether the plan is about this live role: it is declared or ours, and the run asks for it.
pub(crate) fn in_plan(role: &Role, names: &Names<'_>, scope: &Scope) -> bool {
    if let Some(declared) = names.declared(&role.name) {
        return scope.wants("role", declared);
    }
    (is_marked(&role.tags, &scope.config)
        || planted(Bug::DeleteByNamePrefix) && names.begin(&role.name))
        && !role.path.starts_with(SERVICE_ROLE_PATH)
        && scope.wants("role", &role.name)
}

/// Whether two documents mean the same wherever they stand. What they deny has to be written alike:
/// it counts beside other documents too, where what they allow between them says nothing of it.
pub(crate) fn same_meaning(desired: &Document, live: &Document) -> bool {
    desired == live
        || (documents::denials(desired) == documents::denials(live)
            && law::allow_the_same(live, desired))
}

/// Whether two documents of one meaning are spelt differently.
pub(crate) fn spelt_differently(desired: &Document, live: &Document) -> bool {
    desired.minified() != live.minified() && same_meaning(desired, live)
}

/// The note on a document that is spelt differently.
pub(crate) fn spelling_note(what: &str) -> String {
    format!("{what}: same meaning, only the text differs.")
}

/// Whether these tags hold our owner mark.
fn is_marked(tags: &BTreeMap<String, String>, config: &Config) -> bool {
    tags.get(OWNER_TAG) == Some(&config.owner_mark())
}

/// The owner mark as it is when a delete is about to happen; refuses where it is not ours any more.
pub(crate) fn still_ours(tags: &BTreeMap<String, String>, config: &Config) -> Result<()> {
    if is_marked(tags, config) || planted(Bug::DeleteByNamePrefix) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Changed,
        "It no longer carries our owner mark, so it is not deleted.",
    )
    .hint("Run provision plan again."))
}

/// What is not there is deleted, detached, removed.
pub(crate) fn gone<T>(sent: Result<T, AwsError>) -> Result<(), AwsError> {
    match sent {
        Err(error) if !error.is_not_found() => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_roles_that_are_there_become_arns() {
        let ids = BTreeMap::from([("AROAEXAMPLE1", "arn:aws:iam::123456789012:role/a")]);
        assert_eq!(
            resolve("%22AROAEXAMPLE1%22,%22AROAGONE%22", &ids),
            "%22arn:aws:iam::123456789012:role/a%22,%22AROAGONE%22"
        );
    }

    #[test]
    fn letter_case_does_not_distinguish_names() {
        let declared = BTreeMap::from([("Deploy".to_owned(), 1)]);
        let names = Names::new(&declared);
        assert_eq!(names.declared("dePloy"), Some("Deploy"));
        assert_eq!(names.declared("deploys"), None);
    }

    fn document(statements: &serde_json::Value) -> Document {
        let text = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
        Document::parse(&text.to_string(), PolicyKind::Identity).unwrap()
    }

    #[test]
    fn statements_may_be_split_but_not_a_denial_added() {
        let statement = |effect: &str, actions: &[&str]| serde_json::json!({ "Effect": effect, "Action": actions, "Resource": "*" });
        let both = ["ecr:PutImage", "ecr:ListImages"];
        let whole = document(&serde_json::json!([statement("Allow", &both)]));
        let parts = both.map(|action| statement("Allow", &[action]));
        let apart = document(&serde_json::json!(parts));
        assert!(whole != apart && same_meaning(&whole, &apart));
        assert!(spelt_differently(&whole, &apart));
        let denied = statement("Deny", &["s3:GetObject"]);
        let denying = document(&serde_json::json!([parts[0], parts[1], denied]));
        assert!(!same_meaning(&whole, &denying));
        assert!(!same_meaning(
            &whole,
            &document(&serde_json::json!([parts[0]]))
        ));
    }
}
