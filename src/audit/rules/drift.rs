//! A resource that is not as infra.toml says.

use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};
use crate::kind::OWNER_TAG;

const ABOUT: About = About {
    id: "drift",
    title: "The resource differs from infra.toml",
    severity: Severity::Low,
    confidence: Confidence::High,
    remedy: "Run provision plan to see it, and provision apply or the lines of accept to end it.",
};

/// AWS and infra.toml differ.
pub(super) struct Drift;

impl Rule for Drift {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn asks_who(&self) -> bool {
        true
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for drift in &case.facts.account.drift {
            let fields: Vec<&str> = drift
                .fields
                .iter()
                .map(|field| field.path.as_str())
                .collect();
            let message = match drift.verb.as_str() {
                "create" => "it is declared and not there yet.".to_owned(),
                "delete" => {
                    "it carries this project's owner mark and is no longer declared.".to_owned()
                }
                _ => format!("it differs in {}.", fields.join(", ")),
            };
            let mut finding = case.finding(&ABOUT, &drift.address, message);
            if drift.verb == "create" {
                finding = finding.severity(Severity::Info);
                finding
                    .evidence
                    .push(Evidence::value("in the account", "nothing"));
            }
            if !drift.meaning.is_empty() || drift.undecided.is_some() {
                finding = finding.severity(Severity::Medium);
            }
            if drift.verb == "delete" {
                let mark = case.facts.config.owner_mark();
                finding.evidence.push(Evidence::value(OWNER_TAG, mark));
            }
            for field in drift.fields.iter().filter(|_| drift.verb != "create") {
                finding.evidence.push(Evidence::value(
                    &field.path,
                    format!("{} in the account, {} declared", field.live, field.declared),
                ));
            }
            let meaning = drift.meaning.iter().map(|meaning| Evidence::Access {
                what: meaning.text.clone(),
                gained: meaning.gained,
                statement: meaning.statement.clone(),
                request: Box::new(meaning.request.clone()),
            });
            finding.evidence.extend(meaning);
            let undecided = drift.undecided.iter();
            finding
                .evidence
                .extend(undecided.map(|reason| Evidence::value("access is not decided", reason)));
            let (address, verb) = (&drift.address, &drift.verb);
            let allow = if verb == "delete" {
                " --allow deletes"
            } else {
                ""
            };
            finding.revert = Some(format!("provision apply {address}{allow} would {verb} it"));
            finding.accept.clone_from(&drift.accept);
            out.push(finding);
        }
        out
    }
}
