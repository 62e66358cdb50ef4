//! A declared role that may do more than infra.toml says.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::policy::relate_grants;
use crate::reach::Origin;

const ABOUT: About = About {
    id: "wider-than-declared",
    title: "A role may do more than infra.toml says",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Run provision apply, which takes away what is not declared, or declare it.",
};

/// The account gives more than the file.
pub(super) struct WiderThanDeclared;

impl Rule for WiderThanDeclared {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for role in case.facts.roles().filter(|role| role.declared) {
            let of = |origin| role.states.iter().find(|state| state.origin == origin);
            let (Some(declared), Some(live)) = (of(Origin::Declared), of(Origin::Live)) else {
                continue;
            };
            if !declared.unknown.is_empty() {
                continue;
            }
            for witness in relate_grants(&declared.grants(), &live.grants()).gained {
                let policy = live
                    .held(&witness)
                    .map(|held| held.name.clone())
                    .unwrap_or_default();
                let request = &witness.request;
                let message = format!(
                    "{policy} lets it {} on {}, which infra.toml does not.",
                    request.action, request.resource
                );
                let mut finding = case.finding(&ABOUT, &role.address, message);
                finding.evidence.push(Evidence::allowed(
                    "allowed in the account",
                    &policy,
                    &witness,
                ));
                let drift = case.facts.account.drift.iter();
                let mut drift =
                    drift.filter(|drift| [&role.address, &policy].contains(&&drift.address));
                finding.accept = drift.next().and_then(|drift| drift.accept.clone());
                finding.revert = Some(format!(
                    "provision apply {} would take it away",
                    role.address
                ));
                out.push(finding);
            }
        }
        out
    }
}
