//! A repository policy that lets in another account.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use serde_json::json;

use crate::audit::statements::{Declared, repository_policies};
use crate::policy::{Document, Grants, PolicyKind};
use crate::reach::{Held, Requests};

const ABOUT: About = About {
    id: "repository-open",
    title: "A repository is open to another account",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Name the principals of this account, or the one other account with the actions that it needs.",
};

/// Others can pull or push.
pub(super) struct RepositoryOpen;

impl Rule for RepositoryOpen {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let account = &case.facts.config.project.account_id;
        let element = |principal: serde_json::Value| json!({ "Effect": "Allow", "Principal": principal, "Action": "*", "Resource": "*" });
        let ours = Requests::written(
            &[
                element(json!({ "AWS": account })),
                element(json!({ "Service": "*" })),
            ],
            PolicyKind::Resource,
        );
        let mut policies = repository_policies(case.facts);
        for (name, repository) in &case.facts.account.repositories {
            let live = repository
                .policy
                .as_ref()
                .and_then(|text| Document::read(text, PolicyKind::Resource).ok());
            policies.extend(live.map(|document| Declared {
                address: format!("repository/{name}"),
                held: Held {
                    name: "repository policy".to_owned(),
                    path: None,
                    document: document.into(),
                },
            }));
        }
        let mut out = Vec::new();
        for Declared { address, held } in policies {
            for witness in Requests::witnesses(&Grants::of(&held.document), &[], &[&ours]) {
                let request = &witness.request;
                let who = request.principal.text();
                let message = format!("its policy lets {who} call {}.", request.action);
                let statement = held
                    .document
                    .statements()
                    .iter()
                    .find(|one| one.index == witness.statement.index);
                let finding = case
                    .finding(&ABOUT, &address, message)
                    .at(case.place(&address, &held, statement));
                out.push(finding.evidence(Evidence::allowed(
                    format!("{who} is let in"),
                    held.name.clone(),
                    &witness,
                )));
            }
        }
        out
    }
}
