//! The known ways from some permissions to more, each asked on the roles and users that are there.
//! Facts: pathfinding.cloud (by Datadog, Apache-2.0), which names for each way the actions that it takes.

use crate::policy::{Request, RequestPrincipal, Witness, evaluate};
use crate::reach::{Facts, Holder, HolderKind, Requests, State};
use serde_json::json;

use self::On::{AttachedPolicy, ExistingUser, Found, Group, OtherRole, Own, Pass};

/// What the first action of a way is done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// A customer managed policy that is attached to the holder.
    AttachedPolicy,
    /// The holder itself.
    Own,
    /// A user that is there.
    ExistingUser,
    /// A group that is there.
    Group,
    /// Another role that is there.
    OtherRole,
    /// A role that is there and that this service may assume; the first action is `PassRole`.
    Pass(&'static str),
    /// A resource of another service, which was not looked for.
    Found,
}

/// One way.
#[derive(Debug)]
pub(super) struct Path {
    /// Its id at pathfinding.cloud.
    pub id: &'static str,
    /// What it begins with.
    pub on: On,
    /// All of these.
    pub actions: &'static [&'static str],
}

/// A way that is open.
#[derive(Debug)]
pub(super) struct Way {
    /// Which.
    pub path: &'static Path,
    /// The role, user or policy that it goes through.
    pub target: Option<String>,
    /// A request for each action.
    pub witnesses: Vec<Witness>,
    /// Whether `iam:PassedToService` bounds the passing.
    pub bounded: Option<bool>,
}

const fn path(id: &'static str, on: On, actions: &'static [&'static str]) -> Path {
    Path { id, on, actions }
}

const PASS: &str = "iam:PassRole";
const ECS: &str = "ecs-tasks.amazonaws.com";

/// Every way.
#[rustfmt::skip]
pub(super) const PATHS: &[Path] = &[
    path("apprunner-001", Pass("tasks.apprunner.amazonaws.com"), &[PASS, "apprunner:CreateService"]),
    path("apprunner-002", Found, &["apprunner:UpdateService"]),
    path("bedrock-001", Pass("bedrock-agentcore.amazonaws.com"), &[PASS, "bedrock-agentcore:CreateCodeInterpreter", "bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    path("bedrock-002", Found, &["bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"]),
    path("cloudformation-001", Pass("cloudformation.amazonaws.com"), &[PASS, "cloudformation:CreateStack"]),
    path("cloudformation-002", Found, &["cloudformation:UpdateStack"]),
    path("cloudformation-003", Pass("cloudformation.amazonaws.com"), &[PASS, "cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"]),
    path("cloudformation-004", Pass("cloudformation.amazonaws.com"), &[PASS, "cloudformation:UpdateStackSet"]),
    path("cloudformation-005", Found, &["cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"]),
    path("codebuild-001", Pass("codebuild.amazonaws.com"), &[PASS, "codebuild:CreateProject", "codebuild:StartBuild"]),
    path("codebuild-002", Found, &["codebuild:StartBuild"]),
    path("codebuild-003", Found, &["codebuild:StartBuildBatch"]),
    path("codebuild-004", Pass("codebuild.amazonaws.com"), &[PASS, "codebuild:CreateProject", "codebuild:StartBuildBatch"]),
    path("datapipeline-001", Pass("datapipeline.amazonaws.com"), &[PASS, "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"]),
    path("ec2-001", Pass("ec2.amazonaws.com"), &[PASS, "ec2:RunInstances"]),
    path("ec2-002", Found, &["ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"]),
    path("ec2-003", Pass("ec2.amazonaws.com"), &[PASS, "ec2:RequestSpotInstances"]),
    path("ec2-004", Found, &["ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"]),
    path("ec2instanceconnect-003", Found, &["ec2-instance-connect:SendSSHPublicKey", "ec2:DescribeInstances"]),
    path("ecs-001", Pass(ECS), &[PASS, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:CreateService"]),
    path("ecs-002", Pass(ECS), &[PASS, "ecs:CreateCluster", "ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    path("ecs-003", Pass(ECS), &[PASS, "ecs:RegisterTaskDefinition", "ecs:CreateService"]),
    path("ecs-004", Pass(ECS), &[PASS, "ecs:RegisterTaskDefinition", "ecs:RunTask"]),
    path("ecs-005", Pass(ECS), &[PASS, "ecs:RegisterTaskDefinition", "ecs:StartTask"]),
    path("glue-001", Pass("glue.amazonaws.com"), &[PASS, "glue:CreateDevEndpoint"]),
    path("glue-002", Found, &["glue:UpdateDevEndpoint"]),
    path("glue-003", Pass("glue.amazonaws.com"), &[PASS, "glue:CreateJob", "glue:StartJobRun"]),
    path("glue-004", Pass("glue.amazonaws.com"), &[PASS, "glue:CreateJob", "glue:CreateTrigger"]),
    path("glue-005", Pass("glue.amazonaws.com"), &[PASS, "glue:UpdateJob", "glue:StartJobRun"]),
    path("glue-006", Pass("glue.amazonaws.com"), &[PASS, "glue:UpdateJob", "glue:CreateTrigger"]),
    path("iam-001", AttachedPolicy, &["iam:CreatePolicyVersion"]),
    path("iam-002", ExistingUser, &["iam:CreateAccessKey"]),
    path("iam-003", ExistingUser, &["iam:CreateAccessKey", "iam:DeleteAccessKey"]),
    path("iam-004", ExistingUser, &["iam:CreateLoginProfile"]),
    path("iam-005", Own, &["iam:PutRolePolicy"]),
    path("iam-006", ExistingUser, &["iam:UpdateLoginProfile"]),
    path("iam-007", Own, &["iam:PutUserPolicy"]),
    path("iam-008", Own, &["iam:AttachUserPolicy"]),
    path("iam-009", Own, &["iam:AttachRolePolicy"]),
    path("iam-010", Group, &["iam:AttachGroupPolicy"]),
    path("iam-011", Group, &["iam:PutGroupPolicy"]),
    path("iam-012", OtherRole, &["iam:UpdateAssumeRolePolicy"]),
    path("iam-013", Group, &["iam:AddUserToGroup"]),
    path("iam-014", OtherRole, &["iam:AttachRolePolicy", "sts:AssumeRole"]),
    path("iam-015", ExistingUser, &["iam:AttachUserPolicy", "iam:CreateAccessKey"]),
    path("iam-016", OtherRole, &["sts:AssumeRole", "iam:CreatePolicyVersion"]),
    path("iam-017", OtherRole, &["iam:PutRolePolicy", "sts:AssumeRole"]),
    path("iam-018", ExistingUser, &["iam:PutUserPolicy", "iam:CreateAccessKey"]),
    path("iam-019", OtherRole, &["iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy"]),
    path("iam-020", OtherRole, &["iam:UpdateAssumeRolePolicy", "iam:CreatePolicyVersion"]),
    path("iam-021", OtherRole, &["iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"]),
    path("lambda-001", Pass("lambda.amazonaws.com"), &[PASS, "lambda:CreateFunction", "lambda:InvokeFunction"]),
    path("lambda-002", Pass("lambda.amazonaws.com"), &[PASS, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"]),
    path("lambda-003", Found, &["lambda:UpdateFunctionCode"]),
    path("lambda-004", Found, &["lambda:UpdateFunctionCode", "lambda:InvokeFunction"]),
    path("lambda-005", Found, &["lambda:UpdateFunctionCode", "lambda:AddPermission"]),
    path("lambda-006", Pass("lambda.amazonaws.com"), &[PASS, "lambda:CreateFunction", "lambda:AddPermission"]),
    path("sagemaker-001", Pass("sagemaker.amazonaws.com"), &[PASS, "sagemaker:CreateNotebookInstance"]),
    path("sagemaker-002", Pass("sagemaker.amazonaws.com"), &[PASS, "sagemaker:CreateTrainingJob"]),
    path("sagemaker-003", Pass("sagemaker.amazonaws.com"), &[PASS, "sagemaker:CreateProcessingJob"]),
    path("sagemaker-004", Found, &["sagemaker:CreatePresignedNotebookInstanceUrl"]),
    path("sagemaker-005", Found, &["sagemaker:CreateNotebookInstanceLifecycleConfig", "sagemaker:StopNotebookInstance", "sagemaker:UpdateNotebookInstance", "sagemaker:StartNotebookInstance"]),
    path("ssm-001", Found, &["ssm:StartSession"]),
    path("ssm-002", Found, &["ssm:SendCommand"]),
    path("sts-001", OtherRole, &["sts:AssumeRole"]),
];

/// The ways that are open to a holder. A way whose actions hold those of a shorter one that is open through the same
/// target says nothing new and is left out.
pub(super) fn ways(facts: &Facts<'_>, holder: &Holder, state: &State) -> Vec<Way> {
    let mut open: Vec<Way> = PATHS
        .iter()
        .filter(|path| {
            path.actions
                .iter()
                .all(|action| state.mentions(&[action], &["*"]))
        })
        .filter_map(|path| way(facts, holder, state, path))
        .collect();
    let shorter: Vec<(&'static Path, Option<String>)> = open
        .iter()
        .map(|way| (way.path, way.target.clone()))
        .collect();
    open.retain(|way| {
        !shorter.iter().any(|(path, target)| {
            path.actions.len() < way.path.actions.len()
                && path
                    .actions
                    .iter()
                    .all(|action| way.path.actions.contains(action))
                && (*target == way.target || path.on != way.path.on)
        })
    });
    open
}

fn way(facts: &Facts<'_>, holder: &Holder, state: &State, path: &'static Path) -> Option<Way> {
    let (first, rest) = path.actions.split_first()?;
    let (target, witness, bounded) = begin(facts, holder, state, path.on, first)?;
    let mut witnesses = vec![witness];
    for action in rest {
        // What is done to the same user or role is asked on it, everything else anywhere.
        let service = action.split(':').next().unwrap_or_default();
        let own =
            matches!(path.on, ExistingUser | OtherRole) && *action != "iam:CreatePolicyVersion";
        let same = own && matches!(service, "iam" | "sts");
        let resource = target.as_deref().filter(|_| same).unwrap_or("*");
        witnesses.push(state.may(&[action], &[resource]).into_iter().next()?);
    }
    Some(Way {
        path,
        target,
        witnesses,
        bounded,
    })
}

type Beginning = (Option<String>, Witness, Option<bool>);

fn begin(
    facts: &Facts<'_>,
    holder: &Holder,
    state: &State,
    on: On,
    action: &str,
) -> Option<Beginning> {
    let account = facts.account;
    let through = |arn: &String| {
        let witness = state.may(&[action], &[arn]).into_iter().next()?;
        Some((Some(arn.clone()), witness, None))
    };
    match on {
        AttachedPolicy => attached(facts, holder).iter().find_map(through),
        Own => {
            let user = action.contains("User");
            (user == (holder.kind == HolderKind::User))
                .then(|| through(&holder.arn))
                .flatten()
        }
        ExistingUser => account
            .users
            .keys()
            .filter(|arn| **arn != holder.arn)
            .find_map(through),
        Group => {
            let user = account.users.get(&holder.arn)?;
            let groups = account
                .groups
                .keys()
                .filter(|group| action == "iam:AddUserToGroup" || user.groups.contains(group));
            groups
                .map(|group| facts.config.project.iam_arn(&format!("group/{group}")))
                .find_map(|arn| through(&arn))
        }
        OtherRole => {
            let assumes = action == "sts:AssumeRole";
            let roles = facts.roles().filter(|role| role.arn != holder.arn);
            roles
                .filter(|role| !assumes || lets_in(role, RequestPrincipal::Aws(holder.arn.clone())))
                .find_map(|role| through(&role.arn))
        }
        Pass(service) => pass(facts, state, service),
        Found => Some((None, state.may(&[action], &["*"]).into_iter().next()?, None)),
    }
}

/// A role that the service may assume and that the holder may pass to it, beyond what is intended: the roles of the
/// declared tasks, to ECS's tasks only.
fn pass(facts: &Facts<'_>, state: &State, service: &str) -> Option<Beginning> {
    let tasks: Vec<&str> = facts
        .config
        .services
        .values()
        .flat_map(|service| {
            service
                .task
                .execution_role
                .iter()
                .chain(&service.task.task_role)
        })
        .map(|role| role.arn.as_str())
        .collect();
    for role in facts
        .roles()
        .filter(|role| state.mentions(&[PASS], &[&role.arn]))
    {
        if !lets_in(role, RequestPrincipal::Service(service.to_owned())) {
            continue;
        }
        let to = |host: &str| {
            let condition = json!({ "StringEquals": { "iam:PassedToService": host } });
            let set = Requests::of_where(&[PASS], &[&role.arn], &condition);
            Requests::witnesses(&state.grants(), &[&set], &[])
                .into_iter()
                .next()
        };
        let bounded = to("example.amazonaws.com").is_none();
        if bounded && service == ECS && tasks.contains(&role.arn.as_str()) {
            continue;
        }
        if let Some(witness) = to(service) {
            return Some((Some(role.arn.clone()), witness, Some(bounded)));
        }
    }
    None
}

/// Whether a role's trust policy lets a principal in by `AssumeRole`.
fn lets_in(role: &Holder, principal: RequestPrincipal) -> bool {
    let request = Request {
        principal,
        action: "sts:AssumeRole".to_owned(),
        resource: role.arn.clone(),
        context: crate::policy::Context::new(),
    };
    let trust = role.now().and_then(|state| state.trust.as_ref());
    trust.is_some_and(|held| evaluate(&held.document, &request).is_allowed())
}

/// The ARNs of the customer managed policies that are attached to a holder, declared and live.
fn attached(facts: &Facts<'_>, holder: &Holder) -> Vec<String> {
    let declared = facts
        .config
        .roles
        .get(&holder.name)
        .filter(|_| holder.declared);
    let mut out: Vec<String> = declared
        .iter()
        .flat_map(|role| &role.managed_policies)
        .map(|policy| policy.arn.clone())
        .collect();
    let account = facts.account;
    let role = account.roles.get(&holder.arn).map(|role| &role.permissions);
    let live = role.or_else(|| account.users.get(&holder.arn).map(|user| &user.permissions));
    out.extend(
        live.into_iter()
            .flat_map(|permissions| permissions.managed_policies.iter().cloned()),
    );
    out.retain(|arn| !arn.contains(":iam::aws:"));
    out.sort();
    out.dedup();
    out
}
