use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;

use super::{About, SavedPlan, escape_command, plan_json, plan_markdown, plan_text};
use crate::diff::diff;
use crate::kind::{
    AccessChange, AccessExample, Address, AnyCall, AnySpec, Hazard, Owned, Snapshot,
};
use crate::plan::{Action, Plan, Step};

/// A resource of no real kind.
#[derive(Clone, PartialEq, Serialize)]
struct Spec {
    owner: Option<String>,
    document: serde_json::Value,
    environment: BTreeMap<String, String>,
}

impl Owned for Spec {
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

#[derive(Clone, PartialEq, Serialize)]
enum Call {
    Put {
        environment: BTreeMap<String, String>,
    },
}

fn spec(actions: &[&str], environment: &[(&str, &str)]) -> AnySpec {
    AnySpec::new(Spec {
        owner: Some("x@us-east-2".to_owned()),
        document: json!({"Statement": {"Action": actions, "Effect": "Allow", "Resource": "arn:aws:s3:::bucket/*"}}),
        environment: variables(environment),
    })
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn action(name: &str, before: Option<AnySpec>, after: Option<AnySpec>) -> Action {
    let documents = BTreeSet::from(["document".to_owned()]);
    let changes = match (&before, &after) {
        (Some(before), Some(after)) => diff(&before.json(), &after.json(), &documents),
        _ => Vec::new(),
    };
    Action {
        address: Address::new("policy", name),
        before,
        after,
        changes,
        documents,
        hazards: BTreeSet::new(),
        steps: vec![0],
        access: Vec::new(),
    }
}

fn plan(actions: Vec<Action>, token: &str) -> Plan {
    let steps = actions.iter().map(|action| Step {
        address: action.address.clone(),
        call: AnyCall::new(Call::Put {
            environment: variables(&[("API_TOKEN", token)]),
        }),
        reads: BTreeSet::new(),
        writes: BTreeSet::from([action.address.clone()]),
        hazards: BTreeSet::new(),
        last: false,
    });
    let mut unchanged = Snapshot::new();
    let same = Address::new("policy", "same");
    unchanged.set(
        &same,
        Some(spec(&["s3:GetObject"], &[("API_TOKEN", "canary-same")])),
    );
    Plan {
        steps: steps.collect(),
        goal: Snapshot::new(),
        notes: Vec::new(),
        actions,
        unchanged,
    }
}

fn about() -> About {
    About {
        project: "x".to_owned(),
        account_id: "123456789012".to_owned(),
        region: "us-east-2".to_owned(),
        addresses: Vec::new(),
        destroy: false,
    }
}

fn changed(token: &str) -> Plan {
    let before = spec(
        &["s3:GetObject"],
        &[("DEBUG", "1"), ("API_TOKEN", "canary-one")],
    );
    let after = spec(
        &["s3:GetObject", "s3:PutObject"],
        &[("DEBUG", "0"), ("API_TOKEN", token)],
    );
    let mut action = action("web", Some(before), Some(after));
    action.hazards.insert(Hazard::Broadens);
    action.access.push(AccessChange {
        subject: "policy/web".to_owned(),
        relation: "wider".to_owned(),
        gained: vec![AccessExample {
            text: "s3:PutObject on arn:aws:s3:::bucket/*".to_owned(),
            witness: json!({}),
        }],
        lost: Vec::new(),
        reason: None,
    });
    plan(vec![action], token)
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn a_change_shows_fields_documents_meaning_and_hazards() {
    let text = plain(&plan_text(&changed("canary-two"), &about()));
    for line in [
        "~ policy/web  ! broadens",
        "    environment.DEBUG: \"1\" → \"0\"",
        "    environment.API_TOKEN: (hidden) → (hidden, changed)",
        "    access of policy/web: wider",
        "      + s3:PutObject on arn:aws:s3:::bucket/*",
        "! broadens: apply needs --allow broadens.",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\nin\n{text}"
        );
    }
    assert!(text.contains("+      \"s3:PutObject\""), "{text}");
    assert!(
        text.ends_with("\nPlan: 0 to add, 1 to change, 0 to destroy.\n"),
        "{text}"
    );
}

#[test]
fn nothing_to_do_is_said_in_one_line() {
    let text = plain(&plan_text(&plan(Vec::new(), ""), &about()));
    assert_eq!(
        text,
        "No changes. Your infrastructure matches infra.toml.\n"
    );
}

#[test]
fn a_replacement_counts_as_made_and_removed() {
    let mut action = action("web", Some(spec(&[], &[])), Some(spec(&["s3:*"], &[])));
    action.hazards.insert(Hazard::Replaces);
    let plan = plan(vec![action], "");
    let text = plain(&plan_text(&plan, &about()));
    assert!(text.starts_with("± policy/web"), "{text}");
    assert!(
        text.ends_with("Plan: 1 to add, 0 to change, 1 to destroy.\n"),
        "{text}"
    );
    let json = plan_json(&plan, &about());
    assert_eq!(
        json["resource_changes"][1]["change"]["actions"],
        json!(["delete", "create"])
    );
}

#[test]
fn json_has_the_shape_of_terraforms() {
    let made = action("made", None, Some(spec(&["s3:*"], &[])));
    let gone = action("gone", Some(spec(&["s3:*"], &[])), None);
    let json = plan_json(&plan(vec![made, gone], ""), &about());
    let changes = json["resource_changes"].as_array().unwrap();
    let brief: Vec<_> = changes
        .iter()
        .map(|change| {
            let (address, change) = (change["address"].as_str().unwrap(), &change["change"]);
            (
                address,
                change["actions"].to_string(),
                change["before"].is_null(),
                change["after"].is_null(),
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("policy/gone", "[\"delete\"]".to_owned(), false, true),
            ("policy/made", "[\"create\"]".to_owned(), true, false),
            ("policy/same", "[\"no-op\"]".to_owned(), false, false),
        ]
    );
    assert_eq!(json["format_version"], "1.0");
    assert_eq!(json["steps"][0]["call"], "Put");
}

#[test]
fn no_format_shows_a_credential() {
    let plan = changed("canary-two");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plan.json");
    SavedPlan::new(&plan, &about(), [7; 16])
        .write(&file)
        .unwrap();
    let shown = [
        plan_text(&plan, &about()),
        plan_json(&plan, &about()).to_string(),
        plan_markdown(&plan, &about()),
        std::fs::read_to_string(&file).unwrap(),
    ];
    for text in shown {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn a_saved_plan_is_for_its_owner_only_and_is_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("plan.json");
    let plan = changed("canary-two");
    SavedPlan::new(&plan, &about(), [7; 16])
        .write(&file)
        .unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    SavedPlan::read(&file)
        .unwrap()
        .check(&plan, &about())
        .unwrap();
}

#[test]
fn a_saved_plan_is_stale_once_anything_differs_even_what_is_hidden() {
    let saved = SavedPlan::new(&changed("canary-two"), &about(), [7; 16]);
    let error = saved.check(&changed("canary-three"), &about()).unwrap_err();
    assert_eq!(error.kind.exit_code(), 3);
    let error = saved.check(&plan(Vec::new(), ""), &about()).unwrap_err();
    assert!(error.message.contains("policy/web: "), "{}", error.message);
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let sly = "a`|<b>";
    let before = spec(&[], &[("X", "```")]);
    let after = spec(&[], &[("X", "````\n```")]);
    let markdown = plan_markdown(
        &plan(vec![action(sly, Some(before), Some(after))], ""),
        &about(),
    );
    assert!(markdown.contains("`````diff"), "{markdown}");
    assert!(
        !markdown.contains("<b>") || markdown.contains("``policy/a`\\|<b>``"),
        "{markdown}"
    );
    assert!(!markdown.contains("<code>policy/a`|<b>"), "{markdown}");
}

#[test]
fn a_workflow_command_stays_on_its_line() {
    assert_eq!(escape_command("50%\n::set-env::"), "50%25%0A::set-env::");
}
