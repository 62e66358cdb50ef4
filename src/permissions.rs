//! The least IAM policy under which a command runs on this infra.toml: one table of the calls that the code can make,
//! each with what it is made on and by which commands; and from it a policy that is scoped to what is declared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::aws::iam_action;
use crate::config::{Config, SecretReference};
use crate::policy::actions;

/// When a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// By every command that looks at the account.
    Look,
    /// By what changes it.
    Write,
    /// By what removes.
    Delete,
    /// By the audit beyond the look.
    Audit,
    /// By the audit where it may: refused, it is a note and no failure.
    Optional,
    /// By what looks at a rollout.
    Rollout,
    /// By what may need a revision that is not registered yet.
    Register,
    /// By what changes a service outside of apply.
    Send,
    /// By what stops a rollout.
    Stop,
    /// By what answers a hook.
    Continue,
    /// By what asks whether an environment has proved an image.
    Proof,
    /// By `run`.
    Run,
    /// By `revisions prune`.
    Prune,
    /// By `exec`.
    Exec,
    /// By `logs --follow`.
    Tail,
    /// By what takes the project's lock.
    Lock,
    /// By what removes it.
    Unlock,
    /// By what asks whether somebody holds it.
    AskLock,
}

/// What a call is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum On {
    /// Everything: the action takes no resource, or lists.
    Anything,
    Providers,
    Policies,
    /// Every managed policy that a declared role refers to, AWS's too.
    ReferredPolicies,
    Roles,
    /// Every repository: ECR refuses a list of names of which one is missing, and then all are listed.
    Registry,
    Repositories,
    LogGroups,
    Secrets,
    Clusters,
    /// Every service of the clusters: those that carry our mark may no longer be declared.
    Services,
    TaskDefinitions,
    /// Those of other clusters too: any may use a revision.
    EveryService,
    /// Every task of the clusters: their ids are not known beforehand.
    Tasks,
    ClustersAndTasks,
    /// The parameter of the lock, where infra.toml names one.
    Lock,
}

/// Every call that the code can make. `tests` compare it with the names of operations in the source.
#[rustfmt::skip]
const CALLS: &[(&str, On, Use)] = &[
    ("sts:GetCallerIdentity", On::Anything, Use::Look),
    ("tagging:GetResources", On::Anything, Use::Look),
    ("iam:GetAccountAuthorizationDetails", On::Anything, Use::Look),
    ("iam:ListRoles", On::Anything, Use::Look),
    ("iam:GetAccountSummary", On::Anything, Use::Look),
    ("iam:ListOpenIDConnectProviders", On::Anything, Use::Look),
    ("iam:GetOpenIDConnectProvider", On::Providers, Use::Look),
    ("iam:GetPolicy", On::ReferredPolicies, Use::Look),
    ("iam:GetPolicyVersion", On::ReferredPolicies, Use::Look),
    ("iam:ListPolicyTags", On::Policies, Use::Look),
    ("iam:GetRole", On::Roles, Use::Delete),
    ("iam:ListPolicyVersions", On::Policies, Use::Write),
    ("iam:CreateOpenIDConnectProvider", On::Providers, Use::Write),
    ("iam:AddClientIDToOpenIDConnectProvider", On::Providers, Use::Write),
    ("iam:RemoveClientIDFromOpenIDConnectProvider", On::Providers, Use::Write),
    ("iam:UpdateOpenIDConnectProviderThumbprint", On::Providers, Use::Write),
    ("iam:TagOpenIDConnectProvider", On::Providers, Use::Write),
    ("iam:UntagOpenIDConnectProvider", On::Providers, Use::Write),
    ("iam:DeleteOpenIDConnectProvider", On::Providers, Use::Delete),
    ("iam:CreatePolicy", On::Policies, Use::Write),
    ("iam:CreatePolicyVersion", On::Policies, Use::Write),
    ("iam:DeletePolicyVersion", On::Policies, Use::Write),
    ("iam:TagPolicy", On::Policies, Use::Write),
    ("iam:UntagPolicy", On::Policies, Use::Write),
    ("iam:ListPolicyVersions", On::Policies, Use::Delete),
    ("iam:DeletePolicyVersion", On::Policies, Use::Delete),
    ("iam:DeletePolicy", On::Policies, Use::Delete),
    ("iam:CreateRole", On::Roles, Use::Write),
    ("iam:UpdateRole", On::Roles, Use::Write),
    ("iam:UpdateAssumeRolePolicy", On::Roles, Use::Write),
    ("iam:AttachRolePolicy", On::Roles, Use::Write),
    ("iam:DetachRolePolicy", On::Roles, Use::Write),
    ("iam:PutRolePolicy", On::Roles, Use::Write),
    ("iam:DeleteRolePolicy", On::Roles, Use::Write),
    ("iam:PutRolePermissionsBoundary", On::Roles, Use::Write),
    ("iam:DeleteRolePermissionsBoundary", On::Roles, Use::Write),
    ("iam:TagRole", On::Roles, Use::Write),
    ("iam:UntagRole", On::Roles, Use::Write),
    // A role is emptied before it goes, all but its boundary, and may be held back by a Deny meanwhile.
    ("iam:DetachRolePolicy", On::Roles, Use::Delete),
    ("iam:PutRolePolicy", On::Roles, Use::Delete),
    ("iam:DeleteRolePolicy", On::Roles, Use::Delete),
    ("iam:DeleteRole", On::Roles, Use::Delete),
    ("ecr:DescribeRepositories", On::Registry, Use::Look),
    ("ecr:GetLifecyclePolicy", On::Repositories, Use::Look),
    ("ecr:GetRepositoryPolicy", On::Repositories, Use::Look),
    ("ecr:ListTagsForResource", On::Repositories, Use::Look),
    ("ecr:ListImages", On::Repositories, Use::Delete),
    ("cloudtrail:LookupEvents", On::Anything, Use::Optional),
    ("ecr:DescribeImages", On::Repositories, Use::Audit),
    ("ecr:BatchGetImage", On::Repositories, Use::Optional),
    ("ecr:GetDownloadUrlForLayer", On::Repositories, Use::Optional),
    ("ecr:DescribeImages", On::Repositories, Use::Rollout),
    ("ecr:BatchGetImage", On::Repositories, Use::Rollout),
    ("ecr:GetDownloadUrlForLayer", On::Repositories, Use::Rollout),
    ("ecr:DescribeImages", On::Repositories, Use::Write),
    ("ecr:BatchGetImage", On::Repositories, Use::Write),
    ("ecr:CreateRepository", On::Repositories, Use::Write),
    ("ecr:PutImageTagMutability", On::Repositories, Use::Write),
    ("ecr:PutLifecyclePolicy", On::Repositories, Use::Write),
    ("ecr:DeleteLifecyclePolicy", On::Repositories, Use::Write),
    ("ecr:SetRepositoryPolicy", On::Repositories, Use::Write),
    ("ecr:DeleteRepositoryPolicy", On::Repositories, Use::Write),
    ("ecr:TagResource", On::Repositories, Use::Write),
    ("ecr:UntagResource", On::Repositories, Use::Write),
    ("ecr:DeleteRepository", On::Repositories, Use::Delete),
    ("logs:DescribeLogGroups", On::Anything, Use::Look),
    ("logs:ListTagsForResource", On::LogGroups, Use::Look),
    ("logs:FilterLogEvents", On::LogGroups, Use::Rollout),
    ("logs:GetLogEvents", On::LogGroups, Use::Rollout),
    ("logs:GetLogEvents", On::LogGroups, Use::Write),
    ("logs:CreateLogGroup", On::LogGroups, Use::Write),
    ("logs:PutRetentionPolicy", On::LogGroups, Use::Write),
    ("logs:DeleteRetentionPolicy", On::LogGroups, Use::Write),
    ("logs:AssociateKmsKey", On::LogGroups, Use::Write),
    ("logs:DisassociateKmsKey", On::LogGroups, Use::Write),
    ("logs:PutLogGroupDeletionProtection", On::LogGroups, Use::Write),
    ("logs:TagResource", On::LogGroups, Use::Write),
    ("logs:UntagResource", On::LogGroups, Use::Write),
    ("logs:DeleteLogGroup", On::LogGroups, Use::Delete),
    ("secretsmanager:DescribeSecret", On::Secrets, Use::Look),
    ("secretsmanager:ListSecrets", On::Anything, Use::Look),
    ("secretsmanager:DescribeSecret", On::Secrets, Use::Rollout),
    ("secretsmanager:CreateSecret", On::Secrets, Use::Write),
    ("secretsmanager:UpdateSecret", On::Secrets, Use::Write),
    ("secretsmanager:RestoreSecret", On::Secrets, Use::Write),
    ("secretsmanager:PutSecretValue", On::Secrets, Use::Write),
    ("secretsmanager:TagResource", On::Secrets, Use::Write),
    ("secretsmanager:UntagResource", On::Secrets, Use::Write),
    ("secretsmanager:DeleteSecret", On::Secrets, Use::Delete),
    ("ecs:DescribeClusters", On::Clusters, Use::Look),
    ("ecs:ListClusters", On::Anything, Use::Look),
    ("ecs:ListServices", On::Anything, Use::Look),
    ("ecs:DescribeServices", On::Services, Use::Look),
    ("ecs:DescribeTaskDefinition", On::Anything, Use::Look),
    ("ecs:ListTaskDefinitions", On::Anything, Use::Audit),
    ("ecs:ListTaskDefinitions", On::Anything, Use::Write),
    ("ecs:ListTaskDefinitions", On::Anything, Use::Rollout),
    ("ecs:ListTaskDefinitions", On::Anything, Use::Delete),
    ("ecs:CreateCluster", On::Clusters, Use::Write),
    ("ecs:UpdateCluster", On::Clusters, Use::Write),
    ("ecs:UpdateClusterSettings", On::Clusters, Use::Write),
    ("ecs:PutClusterCapacityProviders", On::Clusters, Use::Write),
    ("ecs:DeleteCluster", On::Clusters, Use::Delete),
    ("ecs:RegisterTaskDefinition", On::TaskDefinitions, Use::Write),
    ("ecs:RegisterTaskDefinition", On::TaskDefinitions, Use::Register),
    ("ecs:DeregisterTaskDefinition", On::Anything, Use::Delete),
    ("ecs:CreateService", On::Services, Use::Write),
    ("ecs:UpdateService", On::Services, Use::Write),
    ("ecs:UpdateService", On::Services, Use::Send),
    ("ecs:DeleteService", On::Services, Use::Delete),
    ("ecs:TagResource", On::Clusters, Use::Write),
    ("ecs:TagResource", On::Services, Use::Write),
    ("ecs:TagResource", On::TaskDefinitions, Use::Write),
    ("ecs:TagResource", On::TaskDefinitions, Use::Register),
    ("ecs:UntagResource", On::Clusters, Use::Write),
    ("ecs:UntagResource", On::Services, Use::Write),
    ("ecs:ListServiceDeployments", On::Services, Use::Rollout),
    ("ecs:DescribeServiceDeployments", On::Anything, Use::Rollout),
    ("ecs:DescribeServiceRevisions", On::Anything, Use::Rollout),
    ("ecs:StopServiceDeployment", On::Services, Use::Stop),
    ("ecs:ContinueServiceDeployment", On::Services, Use::Continue),
    ("ecs:DescribeServiceDeployments", On::Anything, Use::Write),
    ("ecs:DescribeServiceRevisions", On::Anything, Use::Write),
    ("ecs:ListServiceDeployments", On::Services, Use::Write),
    ("ecs:ListTasks", On::Anything, Use::Rollout),
    ("ecs:DescribeTasks", On::Anything, Use::Rollout),
    ("ecs:ListTasks", On::Anything, Use::Write),
    ("ecs:DescribeTasks", On::Anything, Use::Write),
    ("ecs:ListTasks", On::Anything, Use::Delete),
    ("ecs:DescribeTasks", On::Anything, Use::Delete),
    ("ecs:RunTask", On::TaskDefinitions, Use::Run),
    ("ecs:TagResource", On::Tasks, Use::Run),
    ("ecs:StopTask", On::Tasks, Use::Run),
    ("ecs:ExecuteCommand", On::ClustersAndTasks, Use::Exec),
    ("logs:StartLiveTail", On::LogGroups, Use::Tail),
    ("ecs:DeregisterTaskDefinition", On::Anything, Use::Prune),
    ("ecs:DescribeServices", On::EveryService, Use::Prune),
    // Under a narrower scope CloudWatch leaves composite alarms out.
    ("cloudwatch:DescribeAlarms", On::Anything, Use::Proof),
    ("ssm:PutParameter", On::Lock, Use::Lock),
    ("ssm:GetParameter", On::Lock, Use::Unlock),
    ("ssm:DeleteParameter", On::Lock, Use::Unlock),
    ("ssm:GetParameter", On::Lock, Use::AskLock),
];

/// The commands that have a policy, with all that they do.
#[rustfmt::skip]
const COMMANDS: &[(&str, &[Use])] = &[
    ("plan", &[Use::Look]),
    ("apply", &[Use::Look, Use::Write, Use::Delete, Use::Lock, Use::Unlock]),
    ("destroy", &[Use::Look, Use::Delete, Use::Lock, Use::Unlock]),
    ("output", &[Use::Look]),
    ("audit", &[Use::Look, Use::Audit, Use::Optional]),
    ("snapshot", &[Use::Look, Use::Audit, Use::Optional]),
    ("can", &[Use::Look, Use::Audit, Use::Optional]),
    ("who-can", &[Use::Look, Use::Audit, Use::Optional]),
    ("deploy", &[Use::Look, Use::Rollout, Use::AskLock, Use::Proof, Use::Register, Use::Send]),
    ("promote", &[Use::Look, Use::Rollout, Use::AskLock, Use::Proof, Use::Register, Use::Send]),
    ("rollback", &[Use::Look, Use::Rollout, Use::Register, Use::Send, Use::Stop]),
    ("scale", &[Use::Look, Use::Rollout, Use::AskLock, Use::Send]),
    ("continue", &[Use::Look, Use::Rollout, Use::Continue]),
    // With --tag or --digest it registers a revision.
    ("run", &[Use::Look, Use::Rollout, Use::AskLock, Use::Proof, Use::Register, Use::Run]),
    ("exec", &[Use::Look, Use::Rollout, Use::Exec]),
    ("status", &[Use::Look, Use::Rollout]),
    ("wait", &[Use::Look, Use::Rollout]),
    ("logs", &[Use::Look, Use::Rollout, Use::Tail]),
    ("tasks", &[Use::Look, Use::Rollout]),
    ("revisions", &[Use::Look, Use::Rollout]),
    ("revisions-prune", &[Use::Look, Use::Rollout, Use::AskLock, Use::Prune]),
    ("unlock", &[Use::Unlock]),
];

/// The names of the commands that have a policy.
pub fn commands() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

/// The operations of the table, each once, as the ledger of a run names them.
#[must_use]
pub fn operations() -> BTreeSet<&'static str> {
    CALLS.iter().map(|(operation, ..)| *operation).collect()
}

/// The policy for some commands together; `None` where one has none.
#[must_use]
pub fn policy(config: &Config, commands: &[&str]) -> Option<Value> {
    let mut wanted: BTreeMap<(bool, On), BTreeSet<String>> = BTreeMap::new();
    let mut passes = false;
    for command in commands {
        let (_, uses) = COMMANDS.iter().find(|(name, _)| name == command)?;
        for (operation, on, when) in CALLS.iter().filter(|(_, _, when)| uses.contains(when)) {
            // Nobody needs a permission to ask who they are.
            if *operation == "sts:GetCallerIdentity" {
                continue;
            }
            let action = iam_action(operation);
            let known = actions::find(&action);
            passes |= matches!(*operation, "ecs:RegisterTaskDefinition" | "ecs:RunTask");
            let takes_resources = known.is_none_or(|known| !known.resources.is_empty());
            let on = if takes_resources { *on } else { On::Anything };
            let optional = *when == Use::Optional;
            wanted.entry((optional, on)).or_default().insert(action);
        }
    }
    let mut statements: Vec<Value> = Vec::new();
    let needed: BTreeMap<On, BTreeSet<String>> = wanted
        .iter()
        .filter(|((optional, _), _)| !optional)
        .map(|((_, on), actions)| (*on, actions.clone()))
        .collect();
    for ((optional, on), mut actions) in wanted {
        let resources = resources(config, on);
        let end = if optional { "Optional" } else { "" };
        if optional {
            // What another command needs is not optional.
            actions.retain(|action| {
                !needed
                    .get(&on)
                    .is_some_and(|needed| needed.contains(action))
            });
        }
        if !resources.is_empty() && !actions.is_empty() {
            statements.push(json!({
                "Sid": format!("{on:?}{end}"),
                "Effect": "Allow",
                "Action": actions,
                "Resource": if resources.len() == 1 { json!(resources.first()) } else { json!(resources) },
            }));
        }
    }
    if passes {
        statements.extend(pass_role(config));
    }
    Some(json!({ "Version": "2012-10-17", "Statement": statements }))
}

/// Roles are passed to ECS only, and only those of the declared tasks and services.
fn pass_role(config: &Config) -> Option<Value> {
    let mut tasks: BTreeSet<&str> = BTreeSet::new();
    for service in config.services.values() {
        tasks.extend(
            service
                .task
                .execution_role
                .iter()
                .map(|role| role.arn.as_str()),
        );
        tasks.extend(service.task.task_role.iter().map(|role| role.arn.as_str()));
        tasks.extend(service.role.iter().map(|role| role.arn.as_str()));
    }
    if tasks.is_empty() {
        return None;
    }
    let mut condition = Map::new();
    condition.insert(
        "iam:PassedToService".to_owned(),
        json!(["ecs-tasks.amazonaws.com", "ecs.amazonaws.com"]),
    );
    Some(json!({
        "Sid": "PassRole",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": tasks,
        "Condition": { "StringEquals": condition },
    }))
}

/// The ARNs of what is declared.
fn resources(config: &Config, on: On) -> BTreeSet<String> {
    match on {
        On::Anything => BTreeSet::from(["*".to_owned()]),
        On::ReferredPolicies => referred_policies(config),
        On::Providers => declared(config, "oidc_provider", config.oidc_providers.keys()),
        On::Policies => declared(config, "policy", config.policies.keys()),
        On::Roles => declared(config, "role", config.roles.keys()),
        On::Repositories => declared(config, "repository", config.repositories.keys()),
        _ => {
            let (service, resources) = names(config, on);
            let resources = resources.iter();
            resources
                .map(|resource| config.project.regional_arn(service, resource))
                .collect()
        }
    }
}

fn declared<'a>(
    config: &Config,
    kind: &str,
    names: impl Iterator<Item = &'a String>,
) -> BTreeSet<String> {
    names.filter_map(|name| config.arn(kind, name)).collect()
}

fn referred_policies(config: &Config) -> BTreeSet<String> {
    let roles = config.roles.values();
    let referred = roles.flat_map(|role| {
        role.managed_policies
            .iter()
            .chain(&role.permissions_boundary)
    });
    let mut all: BTreeSet<String> = referred.map(|policy| policy.arn.clone()).collect();
    all.extend(resources(config, On::Policies));
    all
}

/// The service of what is used in the region, and the last field of each ARN; none of what `resources` knows itself.
fn names(config: &Config, on: On) -> (&'static str, Vec<String>) {
    match on {
        On::Anything
        | On::ReferredPolicies
        | On::Providers
        | On::Policies
        | On::Roles
        | On::Repositories => ("", Vec::new()),
        On::Registry if config.repositories.is_empty() => ("ecr", Vec::new()),
        On::Registry => ("ecr", vec!["repository/*".to_owned()]),
        On::LogGroups => (
            "logs",
            each(
                config.log_groups.keys(),
                &["log-group:{}", "log-group:{}:*"],
            ),
        ),
        On::Secrets => (
            "secretsmanager",
            each(secrets(config).into_iter(), &["secret:{}-??????"]),
        ),
        On::Clusters => ("ecs", each(clusters(config).into_iter(), &["cluster/{}"])),
        On::Services => {
            let forms = &["service/{}/*", "service-deployment/{}/*"];
            ("ecs", each(clusters(config).into_iter(), forms))
        }
        On::EveryService => ("ecs", vec!["service/*".to_owned()]),
        On::ClustersAndTasks => (
            "ecs",
            each(clusters(config).into_iter(), &["cluster/{}", "task/{}/*"]),
        ),
        On::Tasks => ("ecs", each(clusters(config).into_iter(), &["task/{}/*"])),
        On::TaskDefinitions => {
            let families = config.services.values().map(|service| &service.task.family);
            ("ecs", each(families, &["task-definition/{}:*"]))
        }
        On::Lock => {
            let lock = config.project.lock.iter().map(|lock| &lock.parameter);
            ("ssm", each(lock, &["parameter{}"]))
        }
    }
}

/// Each name in each form, where `{}` stands for it.
fn each<'a>(names: impl Iterator<Item = &'a String>, forms: &[&str]) -> Vec<String> {
    names
        .flat_map(|name| forms.iter().map(move |form| form.replace("{}", name)))
        .collect()
}

fn clusters(config: &Config) -> BTreeSet<&String> {
    config
        .clusters
        .keys()
        .chain(
            config
                .services
                .values()
                .map(|service| &service.cluster.name),
        )
        .collect()
}

fn secrets(config: &Config) -> BTreeSet<&String> {
    let containers = config
        .services
        .values()
        .flat_map(|service| service.task.container.values());
    let referred = containers
        .flat_map(|container| container.secrets.values())
        .filter_map(|secret| match secret {
            SecretReference::Declared { name, .. } => Some(name),
            SecretReference::Arn(_) | SecretReference::Parameter(_) => None,
        });
    config.secrets.keys().chain(referred).collect()
}
