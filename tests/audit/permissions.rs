//! What each command asks of AWS in the sandbox is in the policy that `permissions` prints for it, and what it writes is
//! all that this policy lets it write.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use provision::aws::iam_action;
use provision::policy::actions::{self, Level};
use serde_json::Value;

use super::{json, requests, run, seed};

/// The actions that a command's policy allows.
fn allowed(at: &Path, command: &str) -> BTreeSet<String> {
    let policy = json(&run(at, &["permissions", command]));
    let statements = policy["Statement"].as_array().unwrap();
    let lists = statements.iter().map(|statement| &statement["Action"]);
    lists
        .flat_map(|actions| match actions {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        })
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

/// Runs a command and judges what it asked for; the operations by their IAM actions.
fn judge(at: &Path, name: &str, arguments: &[&str]) -> BTreeSet<String> {
    let mut all = arguments.to_vec();
    let own = all.iter().position(|one| *one == "--").unwrap_or(all.len());
    all.splice(own..own, ["--sandbox", "-vv"]);
    let output = run(at, &all);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    let asked: BTreeSet<String> = requests(&errors)
        .keys()
        .map(|one| iam_action(one))
        .collect();
    assert!(!asked.is_empty(), "{arguments:?}");
    let allowed = allowed(at, name);
    let refused: Vec<&String> = asked
        .iter()
        .filter(|action| *action != "sts:GetCallerIdentity" && !allowed.contains(*action))
        .collect();
    assert!(refused.is_empty(), "{name} would be refused {refused:?}");
    asked
}

/// The actions of a policy that write.
fn writes(at: &Path, command: &str) -> Vec<String> {
    let writes = |action: &String| {
        // To pass a role is a permission of its own, without a call.
        let known = actions::find(action).unwrap();
        known.level > Level::Read && action != "iam:PassRole"
    };
    allowed(at, command).into_iter().filter(writes).collect()
}

#[test]
fn a_command_asks_for_nothing_that_its_policy_lacks() {
    let directory = seed();
    let at = directory.path();
    let infra = fs::read_to_string(at.join("infra.toml")).unwrap();
    let locked = infra.replacen(
        "region = ",
        "lock = \"ssm:/provision/back-end\"\nregion = ",
        1,
    );
    fs::write(at.join("infra.toml"), &locked).unwrap();
    judge(at, "apply", &["apply", "--yes"]);
    for (name, arguments) in [
        ("plan", &["plan"][..]),
        ("audit", &["audit", "--fail-on", "critical"]),
        ("snapshot", &["snapshot", "--out", "account.json"]),
        (
            "can",
            &[
                "can",
                "role/GitHubActions-ECR-Push",
                "ecr:PutImage",
                "back-end",
            ],
        ),
        ("who-can", &["who-can", "ecr:PutImage", "back-end"]),
    ] {
        judge(at, name, arguments);
    }
    let push = || run(at, &["--sandbox", "sandbox", "push", "back-end:staging"]);
    assert!(push().status.success());
    for (name, arguments) in [
        ("deploy", &["deploy", "staging"][..]),
        ("promote", &["promote", "staging", "production"]),
        ("status", &["status"]),
        ("wait", &["wait", "staging"]),
        ("tasks", &["tasks", "staging"]),
        ("logs", &["logs", "staging", "--since", "1h"]),
        ("scale", &["scale", "staging", "2"]),
        (
            "run",
            &["run", "staging", "--", "python", "manage.py", "migrate"],
        ),
        ("revisions", &["revisions", "staging"]),
    ] {
        judge(at, name, arguments);
    }
    assert!(push().status.success());
    judge(at, "deploy", &["deploy", "staging"]);
    judge(at, "rollback", &["rollback", "staging"]);
    judge(
        at,
        "revisions-prune",
        &["revisions", "prune", "staging", "--keep", "1", "--yes"],
    );

    // A rollout that waits at a hook is stopped by one command and answered by another.
    let hooked = locked.replace(
        "rollback = true } }",
        "rollback = true }, lifecycle_hooks = [{ target_type = \"PAUSE\", lifecycle_stages = [\"POST_SCALE_UP\"] }] }",
    );
    assert_ne!(hooked, locked);
    fs::write(at.join("infra.toml"), &hooked).unwrap();
    judge(at, "apply", &["apply", "--yes"]);
    let paused = ["deploy", "staging", "--force", "--wait-until", "paused"];
    judge(at, "deploy", &paused);
    assert!(
        judge(at, "continue", &["continue", "staging"]).contains("ecs:ContinueServiceDeployment")
    );
    judge(at, "deploy", &paused);
    assert!(judge(at, "rollback", &["rollback", "staging"]).contains("ecs:StopServiceDeployment"));

    let forced = hooked.replace(
        "\n[repository.back-end]\n",
        "\n[repository.back-end]\nforce_delete = true\n",
    );
    assert_ne!(forced, hooked);
    fs::write(at.join("infra.toml"), &forced).unwrap();
    judge(at, "apply", &["apply", "--yes"]);
    judge(at, "destroy", &["destroy", "--yes", "--allow", "deletes"]);
}

#[test]
fn a_command_may_write_what_it_is_there_for() {
    let directory = seed();
    let at = directory.path();
    let register = ["ecs:RegisterTaskDefinition", "ecs:TagResource"];
    for (command, wanted) in [
        ("deploy", &["ecs:UpdateService"][..]),
        ("promote", &["ecs:UpdateService"]),
        (
            "rollback",
            &["ecs:StopServiceDeployment", "ecs:UpdateService"],
        ),
        ("run", &["ecs:RunTask", "ecs:StopTask"]),
    ] {
        let mut wanted: Vec<&str> = wanted.iter().chain(&register).copied().collect();
        wanted.sort_unstable();
        assert_eq!(writes(at, command), wanted, "{command}");
    }
    for (command, wanted) in [
        ("scale", &["ecs:UpdateService"][..]),
        ("continue", &["ecs:ContinueServiceDeployment"]),
        ("exec", &["ecs:ExecuteCommand"]),
        ("revisions-prune", &["ecs:DeregisterTaskDefinition"]),
    ] {
        assert_eq!(writes(at, command), wanted, "{command}");
    }
    for command in [
        "plan",
        "output",
        "audit",
        "snapshot",
        "can",
        "who-can",
        "status",
        "wait",
        "logs",
        "tasks",
        "revisions",
    ] {
        assert_eq!(writes(at, command), [""; 0], "{command}");
    }
}
