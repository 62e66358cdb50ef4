//! The grammar of lifecycle policies.

use serde_json::Value;

use super::super::world::Members as _;

/// Checks a lifecycle policy; the error is one sentence.
pub(super) fn check(text: &str) -> Result<(), String> {
    let policy: Value =
        serde_json::from_str(text).map_err(|error| format!("string [{error}] is not JSON"))?;
    let rules = policy.list("rules");
    if rules.is_empty() {
        return Err("object has missing required properties ([\"rules\"])".to_owned());
    }
    let mut priorities: Vec<i64> = Vec::new();
    for rule in rules {
        let priority = rule.number("rulePriority").filter(|priority| *priority > 0);
        let priority = priority.ok_or("rulePriority must be a number of 1 or more")?;
        if priorities.contains(&priority) {
            return Err(format!("rulePriority {priority} is used twice"));
        }
        priorities.push(priority);
        check_selection(rule.get("selection").unwrap_or(&Value::Null))?;
        let action = rule.get("action").map(|action| action.str("type"));
        if !matches!(action, Some("expire" | "transition")) {
            return Err("action.type must be expire".to_owned());
        }
    }
    let any = rules.iter().filter(|rule| {
        rule.get("selection")
            .is_some_and(|selection| selection.str("tagStatus") == "any")
    });
    let last = priorities.iter().max();
    for rule in any {
        if rule.number("rulePriority").as_ref() != last {
            return Err("a rule with tagStatus any must have the highest rulePriority".to_owned());
        }
    }
    Ok(())
}

fn check_selection(selection: &Value) -> Result<(), String> {
    let named =
        !selection.list("tagPrefixList").is_empty() || !selection.list("tagPatternList").is_empty();
    match selection.str("tagStatus") {
        "tagged" if !named => {
            return Err("tagStatus tagged needs tagPrefixList or tagPatternList".to_owned());
        }
        "untagged" | "any" if named => {
            return Err("only tagStatus tagged takes tagPrefixList or tagPatternList".to_owned());
        }
        "tagged" | "untagged" | "any" => {}
        other => {
            return Err(format!(
                "tagStatus {other} is none of tagged, untagged, any"
            ));
        }
    }
    let in_days = selection.text("countUnit") == Some("days");
    match selection.str("countType") {
        "imageCountMoreThan" if selection.text("countUnit").is_some() => {
            return Err("imageCountMoreThan takes no countUnit".to_owned());
        }
        "sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned" if !in_days => {
            return Err("countUnit must be days".to_owned());
        }
        "imageCountMoreThan"
        | "sinceImagePushed"
        | "sinceImagePulled"
        | "sinceImageTransitioned" => {}
        other => return Err(format!("countType {other} is unknown")),
    }
    match selection.number("countNumber") {
        Some(count) if count > 0 => Ok(()),
        _ => Err("countNumber must be 1 or more".to_owned()),
    }
}
