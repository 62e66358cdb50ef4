//! The ways to an endpoint: flag, variable, profile, role; and what is asked of the wrong account.

use std::fs;

use super::account::account;
use super::project::Project;
use super::proxy::Proxy;
use crate::emulators::Server;

const NO_CHANGES: &str = "No changes. Your infrastructure matches infra.toml.";

/// One log group: enough to see that a run has reached the account.
const LITTLE: &str = r#"
[project]
name = "little"
account_id = "633607774026"
region = "us-east-2"

[log_group."/little"]
retention_in_days = 30
"#;

fn little() -> Project {
    let project = Project::empty();
    fs::write(project.path("infra.toml"), LITTLE).unwrap();
    project
}

/// One request asks who we are; nothing else is sent.
pub(crate) fn a_wrong_account_is_refused_before_anything_is_read(server: &Server) {
    let proxy = Proxy::before(&server.url());
    let project = Project::seed("moto", server);
    project.edit(
        "account_id = \"633607774026\"",
        "account_id = \"111122223333\"",
    );
    let before = account(server);
    for command in [
        &["plan"][..],
        &["apply", "--yes"],
        &["destroy", "--yes", "--allow", "deletes"],
    ] {
        proxy.forget();
        let mut arguments = vec!["--endpoint-url", proxy.url()];
        arguments.extend(command);
        let refused = project.run(&arguments).with(1);
        let asked = proxy.operations();
        assert_eq!(asked, ["GetCallerIdentity"], "{command:?}");
        let both = ["111122223333", "633607774026"];
        assert!(
            both.iter().all(|id| refused.stderr.contains(id)),
            "{}",
            refused.stderr
        );
        assert_eq!(refused.stdout, "", "{command:?}");
    }
    assert_eq!(account(server), before, "the wrong account was written to");
}

/// `--endpoint-url`, `AWS_ENDPOINT_URL`, and a profile's endpoint: each reaches
/// the proxy, and the flag wins over the variable.
pub(crate) fn every_way_to_an_endpoint_is_taken(server: &Server) {
    let proxy = Proxy::before(&server.url());
    let nowhere = "http://127.0.0.1:9";
    let reached = |project: &Project, arguments: &[&str], code: i32| {
        proxy.forget();
        let ended = project.run(arguments).with(code);
        assert!(
            proxy.operations().len() > 2,
            "{arguments:?} went past the proxy"
        );
        ended
    };
    let mut project = little();
    project.set("AWS_ENDPOINT_URL", nowhere);
    let applied = reached(
        &project,
        &["--endpoint-url", proxy.url(), "apply", "--yes"],
        0,
    );
    assert_eq!(
        applied.last_line(),
        "Apply complete: 1 added, 0 changed, 0 destroyed."
    );
    project.set("AWS_ENDPOINT_URL", proxy.url());
    let planned = reached(&project, &["plan", "--detailed-exitcode"], 0);
    assert_eq!(planned.last_line(), NO_CHANGES);

    project.unset("AWS_ENDPOINT_URL");
    project.unset("AWS_ACCESS_KEY_ID");
    project.unset("AWS_SECRET_ACCESS_KEY");
    fs::create_dir_all(project.path(".aws")).unwrap();
    let profile = format!(
        "[profile little]\nendpoint_url = {}\naws_access_key_id = AKIASANDBOXSANDBOX00\n\
         aws_secret_access_key = none\nregion = eu-west-1\n",
        proxy.url()
    );
    fs::write(project.path(".aws/config"), profile).unwrap();
    reached(
        &project,
        &["--profile", "little", "plan", "--detailed-exitcode"],
        0,
    );
    project.set("AWS_PROFILE", "little");
    reached(&project, &["plan", "--detailed-exitcode"], 0);
    project.set("AWS_PROFILE", "nobody");
    project.set("PROVISION_PROFILE", "little");
    reached(&project, &["plan", "--detailed-exitcode"], 0);
    // The region is infra.toml's, whatever the profile says.
    assert!(
        proxy
            .regions()
            .iter()
            .all(|region| region == "us-east-2" || region == "us-east-1")
    );
    project.run(&["--region", "eu-west-1", "plan"]).with(64);
}

/// `--assume-role-arn`: the run acts as the role, whose account is the one that counts.
pub(crate) fn a_role_is_assumed(server: &Server) {
    let proxy = Proxy::before(&server.url());
    let project = little();
    let role = "arn:aws:iam::633607774026:role/Deployer";
    let arguments = [
        "--endpoint-url",
        proxy.url(),
        "--assume-role-arn",
        role,
        "plan",
    ];
    project.run(&arguments).with(0);
    let asked = proxy.operations();
    assert_eq!(asked[..2], ["AssumeRole", "GetCallerIdentity"], "{asked:?}");
    assert_eq!(
        asked
            .iter()
            .filter(|operation| *operation == "AssumeRole")
            .count(),
        1
    );

    proxy.forget();
    project.edit("633607774026", "111122223333");
    let refused = project.run(&arguments).with(1);
    assert!(
        refused.stderr.contains("111122223333"),
        "{}",
        refused.stderr
    );
    assert_eq!(proxy.operations(), ["AssumeRole", "GetCallerIdentity"]);
}
