//! A plan as JSON, in the shape of Terraform's: `resource_changes[]` with what is unchanged too,
//! and beside it what Terraform's lacks: hazards, the meaning of policy changes, the steps.

use serde_json::{Value, json};

use super::shown::{About, Summary, fields, notes};
use crate::kind::{Address, AnySpec};
use crate::plan::{Action, Plan, Step, Verb};
use crate::redact;

/// The version of the shape; the first number changes when a reader could break.
pub const JSON_FORMAT_VERSION: &str = "1.0";

/// The plan; every credential is hidden.
#[must_use]
pub fn plan(plan: &Plan, about: &About) -> Value {
    let mut resources: Vec<(&Address, Value)> = plan
        .actions
        .iter()
        .map(|action| (&action.address, changed(action)))
        .chain(
            plan.unchanged
                .iter()
                .map(|(address, spec)| (address, unchanged(address, spec))),
        )
        .collect();
    resources.sort_by_key(|(address, _)| *address);
    let notes: Vec<Value> = notes(plan)
        .into_iter()
        .map(|(address, note)| json!({"address": address, "note": note}))
        .collect();
    json!({
        "format_version": JSON_FORMAT_VERSION,
        "provision_version": env!("CARGO_PKG_VERSION"),
        "run": about,
        "summary": Summary::of(plan),
        "hazards": plan.hazards(),
        "resource_changes": resources.into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "notes": notes,
    })
}

fn changed(action: &Action) -> Value {
    let actions: &[&str] = match action.verb() {
        Verb::Create => &["create"],
        Verb::Change => &["update"],
        Verb::Delete => &["delete"],
        Verb::Replace => &["delete", "create"],
    };
    let json = |spec: &Option<AnySpec>| spec.as_ref().map_or(Value::Null, AnySpec::json);
    let (before, after) = redact::hide_change("", &json(&action.before), &json(&action.after));
    let changes = if action.before.is_some() {
        fields(action)
    } else {
        Vec::new()
    };
    json!({
        "address": action.address,
        "type": action.address.kind,
        "name": action.address.name,
        "change": {"actions": actions, "before": before, "after": after},
        "changes": changes,
        "hazards": action.hazards,
        "access": action.access,
        "steps": action.steps,
    })
}

fn unchanged(address: &Address, spec: &AnySpec) -> Value {
    let spec = redact::hide("", &spec.json());
    json!({
        "address": address,
        "type": address.kind,
        "name": address.name,
        "change": {"actions": ["no-op"], "before": spec, "after": spec},
        "changes": [],
        "hazards": [],
        "access": [],
        "steps": [],
    })
}

fn step(step: &Step) -> Value {
    json!({
        "address": step.address,
        "call": step.call.name(),
        "arguments": arguments(step),
        "hazards": step.hazards,
        "reads": step.reads,
        "writes": step.writes,
    })
}

/// What the call says besides its name.
fn arguments(step: &Step) -> Value {
    match step.call.json() {
        Value::Object(fields) => fields
            .into_iter()
            .next()
            .map_or(Value::Null, |(_, arguments)| redact::hide("", &arguments)),
        _ => Value::Null,
    }
}
