//! What is checked before a deployment touches anything: the image's processor, the roles, the
//! secrets and log groups, and whether the execution role may read what the tasks are given.

use std::collections::BTreeSet;

use super::target::Target;
use crate::aws::iam::{self, Account};
use crate::aws::{Aws, ecr_images, logs, secrets};
use crate::config::{Config, RoleReference, SecretReference, Service};
use crate::error::{Error, Result};
use crate::policy::{
    Context, Document, Policies, PolicyKind, Request, RequestPrincipal, evaluate_together,
};

/// What the checks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Findings {
    /// What would make the deployment fail.
    errors: Vec<String>,
    /// What could not be checked.
    warnings: Vec<String>,
}

/// Checks a target. Gives what could not be checked.
///
/// # Errors
/// Everything that would make the deployment fail, at once; what could not be read.
pub(super) async fn verify(aws: &Aws, config: &Config, target: &Target) -> Result<Vec<String>> {
    let declared = config.services.get(&target.key);
    let declared =
        declared.ok_or_else(|| Error::bug(format!("No service has the key {}.", target.key)))?;
    let mut findings = Findings::default();
    processors(aws, declared, target, &mut findings).await;
    log_groups(aws, declared, &mut findings).await?;
    let account = iam::account(aws).await?;
    roles(config, declared, &account, &mut findings);
    let arns = secret_arns(aws, config, declared, &mut findings).await?;
    reads(config, declared, &account, &arns, &mut findings);
    if findings.errors.is_empty() {
        return Ok(findings.warnings);
    }
    let message = format!(
        "It would fail; nothing was touched.\n  {}",
        findings.errors.join("\n  ")
    );
    Err(Error::failed(message).at(target.address()).hint(
        "Run provision plan to see what is not as declared, and provision apply to make it so.",
    ))
}

/// Whether each image is for the processor of the tasks.
async fn processors(aws: &Aws, service: &Service, target: &Target, findings: &mut Findings) {
    let wanted = service.task.architecture.as_str();
    for (repository, digest) in &target.digests {
        match ecr_images::architectures(aws, repository, digest).await {
            Ok(names) if names.is_empty() => findings.warnings.push(format!(
                "The manifest of {repository}@{digest} does not say which processor it is for."
            )),
            Ok(names) => {
                if !names.iter().any(|name| name == wanted) {
                    findings.errors.push(format!(
                        "The image {repository}@{digest} is for {}, and the tasks run on {wanted}.",
                        names.join(", ")
                    ));
                }
            }
            Err(error) => findings.warnings.push(format!(
                "Which processor {repository}@{digest} is for could not be read: {}",
                Error::from(error)
            )),
        }
    }
}

async fn log_groups(aws: &Aws, service: &Service, findings: &mut Findings) -> Result<()> {
    let containers = service.task.container.values();
    let names: BTreeSet<String> = containers
        .filter_map(|container| Some(container.log_group.as_ref()?.name.clone()))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let found = logs::log_groups(aws, &names).await?;
    for name in names.iter().filter(|name| !found.contains_key(*name)) {
        let message = format!("The log group {name} is not there.");
        findings.errors.push(message);
    }
    Ok(())
}

/// Whether the roles are there and ECS may be them.
fn roles(config: &Config, service: &Service, account: &Account, findings: &mut Findings) {
    let task = &service.task;
    let roles: BTreeSet<&str> = [&task.execution_role, &task.task_role]
        .into_iter()
        .flatten()
        .map(|role| role.arn.as_str())
        .collect();
    for arn in roles {
        let Some(role) = role(account, arn) else {
            findings
                .errors
                .push(format!("The role {arn} is not there."));
            continue;
        };
        let Ok(trust) = Document::parse_encoded(&role.trust_policy, PolicyKind::Trust) else {
            let message = format!("The trust policy of {arn} cannot be read.");
            findings.warnings.push(message);
            continue;
        };
        let policies = Policies {
            trust: Some(trust),
            ..Policies::default()
        };
        let request = Request {
            principal: RequestPrincipal::Service("ecs-tasks.amazonaws.com".to_owned()),
            action: "sts:AssumeRole".to_owned(),
            resource: arn.to_owned(),
            context: of_task(config, service),
        };
        if !evaluate_together(&policies, &request).is_allowed() {
            let message = format!("ecs-tasks.amazonaws.com may not assume the role {arn}.");
            findings.errors.push(message);
        }
    }
}

/// What ECS says of itself when it assumes a role for a task.
fn of_task(config: &Config, service: &Service) -> Context {
    let project = &config.project;
    let task = format!("task/{}/any", service.cluster.name);
    Context::from([
        (
            "aws:sourceaccount".to_owned(),
            vec![project.account_id.clone()],
        ),
        (
            "aws:sourcearn".to_owned(),
            vec![project.regional_arn("ecs", &task)],
        ),
    ])
}

fn role<'a>(account: &'a Account, arn: &str) -> Option<&'a iam::Role> {
    let name = arn.rsplit('/').next()?;
    account.roles.get(name).filter(|role| role.arn == arn)
}

/// The ARNs of what the containers are given when they start, each with the action that reads it.
async fn secret_arns(
    aws: &Aws,
    config: &Config,
    service: &Service,
    findings: &mut Findings,
) -> Result<BTreeSet<(&'static str, String)>> {
    let mut arns = BTreeSet::new();
    let containers = service.task.container.values();
    for reference in containers.flat_map(|container| container.secrets.values()) {
        match reference {
            SecretReference::Declared { name, suffix: _ } => {
                let secret = secrets::secret(aws, name).await?;
                match &*secret {
                    Some(secret) if !secret.scheduled_for_deletion => {
                        arns.insert(("secretsmanager:GetSecretValue", secret.arn.clone()));
                    }
                    _ => findings
                        .errors
                        .push(format!("The secret {name} is not there.")),
                }
            }
            SecretReference::Arn(arn) => {
                // A key, a stage and a version may follow the ARN of a secret.
                let bare: Vec<&str> = arn.splitn(8, ':').take(7).collect();
                let action = if arn.contains(":ssm:") {
                    "ssm:GetParameters"
                } else {
                    "secretsmanager:GetSecretValue"
                };
                arns.insert((action, bare.join(":")));
            }
            SecretReference::Parameter(name) => {
                let path = format!("parameter/{}", name.trim_start_matches('/'));
                let arn = config.project.regional_arn("ssm", &path);
                arns.insert(("ssm:GetParameters", arn));
            }
        }
    }
    Ok(arns)
}

/// Whether the execution role may read the secrets.
fn reads(
    config: &Config,
    service: &Service,
    account: &Account,
    arns: &BTreeSet<(&'static str, String)>,
    findings: &mut Findings,
) {
    let Some(RoleReference { arn, .. }) = &service.task.execution_role else {
        return;
    };
    let Some(role) = role(account, arn) else {
        return;
    };
    let (policies, unknown) = held(account, role);
    for (action, resource) in arns {
        let request = Request {
            principal: RequestPrincipal::Aws(arn.clone()),
            action: (*action).to_owned(),
            resource: resource.clone(),
            context: Context::from([(
                "aws:requestedregion".to_owned(),
                vec![config.project.region.clone()],
            )]),
        };
        if evaluate_together(&policies, &request).is_allowed() {
            continue;
        }
        let message = format!("The execution role {arn} may not read {resource} ({action}).");
        match unknown.first() {
            Some(policy) => findings.warnings.push(format!(
                "{message} Or {policy}, which could not be read, allows it."
            )),
            None => findings.errors.push(message),
        }
    }
}

/// The documents that a role holds, and what of them could not be read.
fn held(account: &Account, role: &iam::Role) -> (Policies, Vec<String>) {
    let mut unknown = Vec::new();
    let mut policies = Policies::default();
    let mut read = |name: &str, text: Option<&str>| {
        let parsed = text.map(|text| Document::parse_encoded(text, PolicyKind::Identity));
        if let Some(Ok(document)) = parsed {
            Some(document)
        } else {
            unknown.push(name.to_owned());
            None
        }
    };
    for (name, text) in &role.inline_policies {
        policies.identity.extend(read(name, Some(text)));
    }
    let of = |arn: &String| {
        account
            .policies
            .get(arn)
            .map(|policy| policy.document.as_str())
    };
    for arn in &role.managed_policies {
        policies.identity.extend(read(arn, of(arn)));
    }
    if let Some(arn) = &role.permissions_boundary {
        policies.boundary = read(arn, of(arn));
    }
    (policies, unknown)
}
