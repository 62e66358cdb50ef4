//! Questions to the policy engine: sets of requests written as policies of their own.
//! What one allows together with the policies asked about is what is asked for.

use serde_json::{Value, json};

use crate::policy::{Answer, Document, Grants, PolicyKind, Witness, outside};

/// A set of requests.
#[derive(Clone, Debug)]
pub struct Requests(Option<Document>);

impl Requests {
    /// The tokens of these OIDC providers that satisfy any of some `Condition` elements.
    #[must_use]
    pub fn tokens(providers: &[String], conditions: &[Value]) -> Self {
        let statement = |condition: &Value| {
            json!({
                "Effect": "Allow",
                "Principal": { "Federated": providers },
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            })
        };
        let statements: Vec<Value> = conditions.iter().map(statement).collect();
        Self::written(&statements, PolicyKind::Trust)
    }

    /// The requests of these action patterns on these resource patterns.
    #[must_use]
    pub fn of(actions: &[&str], resources: &[&str]) -> Self {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resources });
        Self::written(&[statement], PolicyKind::Identity)
    }

    /// The same under a `Condition` element.
    #[must_use]
    pub fn of_where(actions: &[&str], resources: &[&str], condition: &Value) -> Self {
        let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": resources, "Condition": condition });
        Self::written(&[statement], PolicyKind::Identity)
    }

    /// The requests that these statements allow.
    #[must_use]
    pub fn written(statements: &[Value], kind: PolicyKind) -> Self {
        let value = json!({ "Version": "2012-10-17", "Statement": statements });
        Self(Document::read(&value.to_string(), kind).ok())
    }

    /// The set as a document; `None` where it could not be written as one.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.0.as_ref()
    }

    /// Requests that `grants` allow, that are in all of `within`, and in none of `without`: one for each statement.
    #[must_use]
    pub fn find(grants: &Grants<'_>, within: &[&Self], without: &[&Self]) -> Answer {
        let sets = |queries: &[&Self]| -> Option<Vec<Document>> {
            queries
                .iter()
                .map(|query| query.document().cloned())
                .collect()
        };
        let (Some(within), Some(without)) = (sets(within), sets(without)) else {
            return Answer::Unknown("The question could not be written as a policy.".to_owned());
        };
        let mut inside = vec![grants.clone()];
        inside.extend(within.iter().map(Grants::of));
        let excluded: Vec<Grants<'_>> = without.iter().map(Grants::of).collect();
        outside(
            &inside.iter().collect::<Vec<_>>(),
            &excluded.iter().collect::<Vec<_>>(),
        )
    }

    /// The witnesses of [`Self::find`]; what is not decided has none.
    #[must_use]
    pub fn witnesses(grants: &Grants<'_>, within: &[&Self], without: &[&Self]) -> Vec<Witness> {
        match Self::find(grants, within, without) {
            Answer::Some(witnesses) => witnesses,
            Answer::None | Answer::Unknown(_) => Vec::new(),
        }
    }
}
