//! O23: an actor or a workflow's name is all that is asked for.

use crate::audit::{About, Case, Confidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "O23",
    title: "The actor or the workflow's name is the only guard",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Put the repository into the subject; the actor and the workflow's name are no boundary.",
};

/// The actor acts in many repositories, and anybody may call a workflow so.
pub(super) struct ActorAlone;

impl Rule for ActorAlone {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for trust in case.trusts.iter().filter(|trust| !trust.closed) {
            for claim in ["actor", "actor_id", "workflow"] {
                for witness in trust.passing(&[&trust.stranger(&[claim])], &[&trust.stranger(&[])])
                {
                    if !trust.open(&witness) {
                        let message = format!(
                            "{claim} alone is asked for: a repository of anybody else can have a run with it."
                        );
                        out.push(case.token_finding(&ABOUT, trust, &witness, &message));
                    }
                }
            }
        }
        out
    }
}
