//! Plays an ECR lifecycle policy on the images that are there.
//! Source: ECR User Guide, "Lifecycle policy evaluation rules" and "Lifecycle policy properties".

use std::collections::BTreeSet;

use serde_json::Value;

use crate::reach::Image;

use super::images::matches;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The digests that the policy would expire now, each with the number of the rule that does it. A rule of another kind
/// of count, or with another action than `expire`, expires nothing.
pub(super) fn expired(policy: &str, images: &[Image], now: i64) -> Vec<(String, i64)> {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Vec::new();
    };
    let mut rules: Vec<&Value> = policy
        .get("rules")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    rules.sort_by_key(|rule| number(rule, "rulePriority"));
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut out = Vec::new();
    for rule in rules {
        let selection = rule.get("selection").cloned().unwrap_or_default();
        let mut selected: Vec<&Image> = images
            .iter()
            .filter(|image| selects(&selection, image))
            .collect();
        selected.sort_by_key(|image| (std::cmp::Reverse(image.pushed), image.digest.clone()));
        let count = number(&selection, "countNumber");
        let kind = selection
            .get("countType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let expires = rule
            .get("action")
            .and_then(|action| action.get("type"))
            .and_then(Value::as_str)
            == Some("expire");
        for (place, image) in selected.iter().enumerate() {
            // What a rule of higher priority selects is that rule's alone, whether it expires or not.
            let over = match kind {
                "imageCountMoreThan" => i64::try_from(place).unwrap_or(i64::MAX) >= count,
                "sinceImagePushed" => now - image.pushed > count * DAY,
                _ => false,
            };
            if over && expires && !taken.contains(image.digest.as_str()) {
                out.push((image.digest.clone(), number(rule, "rulePriority")));
            }
        }
        taken.extend(selected.iter().map(|image| image.digest.as_str()));
    }
    out
}

fn number(value: &Value, field: &str) -> i64 {
    value.get(field).and_then(Value::as_i64).unwrap_or_default()
}

fn selects(selection: &Value, image: &Image) -> bool {
    let list = |field: &str| -> Vec<&str> {
        selection
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    match selection.get("tagStatus").and_then(Value::as_str) {
        Some("any") => true,
        Some("untagged") => image.tags.is_empty(),
        Some("tagged") => {
            let begins = |prefix: &&str| image.tags.iter().any(|tag| tag.starts_with(prefix));
            let is_like = |pattern: &&str| image.tags.iter().any(|tag| matches(pattern, tag));
            !image.tags.is_empty()
                && list("tagPrefixList").iter().all(begins)
                && list("tagPatternList").iter().all(is_like)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(digest: &str, tags: &[&str], days: i64) -> Image {
        Image {
            digest: digest.to_owned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            pushed: -days * DAY,
            ..Image::default()
        }
    }

    fn digests(policy: &str, images: &[Image]) -> Vec<String> {
        expired(policy, images, 0)
            .into_iter()
            .map(|(digest, _)| digest)
            .collect()
    }

    #[test]
    fn a_count_keeps_the_newest_and_an_age_the_young() {
        let images = [
            image("a", &["x"], 1),
            image("b", &["y"], 5),
            image("c", &[], 20),
        ];
        let count = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":2},"action":{"type":"expire"}}]}"#;
        assert_eq!(digests(count, &images), ["c"]);
        let age = r#"{"rules":[{"rulePriority":1,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":14},"action":{"type":"expire"}}]}"#;
        assert_eq!(digests(age, &images), ["c"]);
        assert!(digests(age, &[image("d", &["x"], 20)]).is_empty());
    }

    #[test]
    fn what_a_higher_rule_selects_no_lower_one_expires() {
        let policy = r#"{"rules":[
            {"rulePriority":2,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}},
            {"rulePriority":1,"selection":{"tagStatus":"tagged","tagPrefixList":["prod"],"countType":"imageCountMoreThan","countNumber":5},"action":{"type":"expire"}}]}"#;
        let images = [
            image("new", &["x"], 1),
            image("prod", &["prod"], 9),
            image("old", &["y"], 8),
        ];
        assert_eq!(digests(policy, &images), ["old"]);
    }
}
