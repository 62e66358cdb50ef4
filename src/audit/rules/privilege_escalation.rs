//! The known ways from some permissions to more: each decided exactly, on the roles and users that are there.

use crate::audit::escalation::{Way, ways};
use crate::audit::{About, Case, Confidence, Evidence, Finding, Rule, Severity};

const ABOUT: About = About {
    id: "privilege-escalation",
    title: "A way to more permissions",
    severity: Severity::High,
    confidence: Confidence::High,
    remedy: "Take one of the actions away, or bound its resource so that the role itself, its policies and stronger roles are outside.",
};

/// The role can give itself, or another, more than it has.
pub(super) struct PrivilegeEscalation;

impl Rule for PrivilegeEscalation {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, case: &Case<'_>) -> Vec<Finding> {
        let mut out = Vec::new();
        for (role, state) in case.ci_states() {
            for Way {
                path,
                target,
                witnesses,
                bounded,
            } in ways(case.facts, role, state)
            {
                let actions = path.actions.join(" + ");
                let through = target
                    .map(|target| format!(" on {target}"))
                    .unwrap_or_default();
                let bound = match bounded {
                    Some(true) => " iam:PassedToService bounds it to that service.",
                    Some(false) => " No iam:PassedToService bounds it.",
                    None => "",
                };
                let message = format!(
                    "{actions}{through} leads to more permissions ({}).{bound}",
                    path.id
                );
                let mut finding = case.finding(&ABOUT, &role.address, message);
                for witness in &witnesses {
                    let held = state.held(witness);
                    let name = held.map(|held| held.name.clone()).unwrap_or_default();
                    let request = &witness.request;
                    let what = format!("{} on {} is allowed", request.action, request.resource);
                    finding
                        .evidence
                        .push(Evidence::allowed(what, name, witness));
                }
                if let Some((held, witness)) = witnesses
                    .first()
                    .and_then(|one| Some((state.held(one)?, one)))
                {
                    let statement = held
                        .document
                        .statements()
                        .iter()
                        .find(|one| one.index == witness.statement.index);
                    finding.location = case.place(&role.address, held, statement);
                }
                out.push(finding);
            }
        }
        out
    }
}
