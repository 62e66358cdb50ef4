//! O8: a wildcard under an operator that takes it literally.

use crate::audit::Evidence;
use crate::audit::trust::concrete;
use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};
use crate::policy::evaluate;
use crate::policy::operator::Comparison;

const ABOUT: About = About {
    id: "O8",
    title: "A wildcard under StringEquals matches nothing",
    severity: Severity::Medium,
    confidence: Confidence::High,
    remedy: "Use StringLike for a pattern, or write the subject out.",
};

/// The condition can never hold.
pub(super) struct LiteralWildcard;

impl Rule for LiteralWildcard {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.mended) {
            for (statement, condition, value) in trust
                .wanted("sub")
                .chain(trust.wanted("aud"))
                .chain(trust.wanted("repository"))
            {
                let like = condition.operator.comparison == Comparison::StringLike;
                if like || !value.contains(['*', '?']) {
                    continue;
                }
                let message = format!(
                    "{} compares {value} letter by letter: no token holds a wildcard.",
                    condition.operator
                );
                let mut finding = case.trust_finding(&ABOUT, trust, Some(statement), &message);
                let token = concrete(
                    trust,
                    condition,
                    &value.replace('*', "any").replace('?', "a"),
                );
                if !evaluate(&trust.document, &token).is_allowed() {
                    let what = "what the pattern means is refused";
                    finding =
                        finding.evidence(Evidence::refused(what, trust.held.name.clone(), token));
                }
                out.push(finding);
            }
        }
        out
    }
}
