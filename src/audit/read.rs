//! Reads the account for the audit: what the plan reads, and beyond it the users, the groups, the quotas, the images
//! and the older revisions. What cannot be read is kept with its reason; only what is optional may be missing quietly.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::join_all;
use serde_json::Value;

use crate::aws::{Aws, ecr, ecr_images, ecs, iam, logs, secrets};
use crate::config::{Config, SecretReference};
use crate::error::Error;
use crate::kind::{Scope, Snapshot};
use crate::kinds::KINDS;
use crate::policy::{Document, PolicyKind};
use crate::reach::{
    ACCOUNT_FORMAT_VERSION, Account, ContainerDefinition, Group, Image, LogGroup, ManagedPolicy,
    OidcProvider, Permissions, Repository, Role, Secret, Service, TaskDefinition, Unread, User,
};
use crate::redact;

use super::drift::drift;

/// Older revisions of a family that are looked at: as many as a rollback is likely to go back.
const OLDER_REVISIONS: u32 = 10;

/// The account as it is now.
pub async fn read(aws: &Aws, config: &Arc<Config>) -> Account {
    let mut account = Account {
        format_version: ACCOUNT_FORMAT_VERSION,
        account_id: aws.account_id.clone(),
        region: aws.region.clone(),
        partition: aws.partition.clone(),
        taken: aws.clock().now().as_secs(),
        ..Account::default()
    };
    let mut reader = Reader {
        aws,
        config,
        account: &mut account,
    };
    reader.iam().await;
    reader.drift().await;
    reader.quotas().await;
    reader.providers().await;
    reader.repositories().await;
    reader.services().await;
    reader.log_groups().await;
    reader.secrets().await;
    account
}

struct Reader<'a> {
    aws: &'a Aws,
    config: &'a Arc<Config>,
    account: &'a mut Account,
}

impl Reader<'_> {
    fn unread(&mut self, what: impl Into<String>, error: impl Into<Error>) {
        self.account.unread.push(Unread {
            what: what.into(),
            reason: error.into().to_string(),
        });
    }

    fn note(&mut self, what: &str, error: impl Into<Error>) {
        self.account.notes.push(format!("{what}: {}", error.into()));
    }

    async fn iam(&mut self) {
        match iam::everyone(self.aws).await {
            Ok(everyone) => self.principals(&everyone),
            Err(error) => self.unread(
                "the roles, users, groups and policies of the account",
                error,
            ),
        }
        let declared: BTreeSet<String> = self
            .config
            .roles
            .values()
            .flat_map(|role| {
                role.managed_policies
                    .iter()
                    .chain(&role.permissions_boundary)
            })
            .filter(|policy| policy.declared.is_none())
            .map(|policy| policy.arn.clone())
            .collect();
        for arn in declared {
            if self.account.policies.contains_key(&arn) {
                continue;
            }
            match iam::policy_document(self.aws, &arn).await {
                Ok(document) => {
                    let Some(text) = document.as_ref().as_ref().and_then(|text| decode(text))
                    else {
                        self.unread(arn, Error::failed("There is no such policy or document."));
                        continue;
                    };
                    let policy = ManagedPolicy {
                        document: text,
                        versions: 0,
                        attachments: 0,
                    };
                    self.account.policies.insert(arn, policy);
                }
                Err(error) => self.unread(arn, error),
            }
        }
    }

    fn principals(&mut self, everyone: &iam::Account) {
        let permissions = |managed: &[String],
                           inline: &BTreeMap<String, String>,
                           boundary: Option<&String>| Permissions {
            managed_policies: managed.to_vec(),
            inline_policies: inline
                .iter()
                .map(|(name, text)| (name.clone(), decoded(text)))
                .collect(),
            boundary: boundary.cloned(),
        };
        // Most of an account's roles are made from a few texts.
        let mut trusts: BTreeMap<&str, String> = BTreeMap::new();
        for role in everyone.roles.values() {
            let trust = trusts.entry(&role.trust_policy);
            let trust = trust.or_insert_with(|| decoded(&role.trust_policy));
            let one = Role {
                name: role.name.clone(),
                id: role.id.clone(),
                path: role.path.clone(),
                trust: trust.clone(),
                description: role.description.clone(),
                max_session_duration: role.max_session_duration.map(i64::from),
                tags: role.tags.clone(),
                permissions: permissions(
                    &role.managed_policies,
                    &role.inline_policies,
                    role.permissions_boundary.as_ref(),
                ),
            };
            self.account.roles.insert(role.arn.clone(), one);
        }
        for (arn, user) in &everyone.users {
            let held = &user.policies;
            let one = User {
                name: user.name.clone(),
                id: user.id.clone(),
                groups: user.groups.clone(),
                permissions: permissions(
                    &held.managed_policies,
                    &held.inline_policies,
                    user.permissions_boundary.as_ref(),
                ),
            };
            self.account.users.insert(arn.clone(), one);
        }
        for (name, held) in &everyone.groups {
            let permissions = permissions(&held.managed_policies, &held.inline_policies, None);
            self.account
                .groups
                .insert(name.clone(), Group { permissions });
        }
        for policy in everyone.policies.values() {
            let one = ManagedPolicy {
                document: decoded(&policy.document),
                versions: u32::try_from(policy.versions).unwrap_or(u32::MAX),
                attachments: policy.attachments.into(),
            };
            self.account.policies.insert(policy.arn.clone(), one);
        }
    }

    /// What differs, kind by kind: a kind that cannot be read leaves the others readable.
    async fn drift(&mut self) {
        let scope = Scope::everything(self.config.clone());
        let desired = Snapshot::declare(KINDS, &scope);
        let mut live = Snapshot::new();
        let mut unread = BTreeSet::new();
        let (aws, read) = (self.aws, &scope);
        let reads = KINDS.iter().map(|kind| async move {
            let found = Snapshot::observe(&[*kind], aws, read).await;
            (kind, found)
        });
        for (kind, found) in join_all(reads).await {
            match found {
                Ok(found) => {
                    for (address, spec) in found.iter() {
                        live.set(address, Some(spec.clone()));
                    }
                }
                Err(error) => {
                    unread.insert(kind.name());
                    self.unread(format!("kind {}", kind.name()), error);
                }
            }
        }
        let read = |kind: &str| !unread.contains(kind);
        let desired: Snapshot = desired
            .iter()
            .filter(|(address, _)| read(&address.kind))
            .map(|(address, spec)| (address.clone(), spec.clone()))
            .collect();
        match drift(self.config, self.account, &desired, &live) {
            Ok(found) => self.account.drift = found,
            Err(error) => self.unread("what differs", error),
        }
    }

    async fn quotas(&mut self) {
        match iam::account_summary(self.aws).await {
            Ok(summary) => {
                let numbers = summary
                    .iter()
                    .map(|(name, number)| (name.clone(), i64::from(*number)));
                self.account.quotas = numbers.collect();
            }
            Err(error) => self.unread("the quotas of IAM", error),
        }
    }

    async fn providers(&mut self) {
        for name in self.config.oidc_providers.keys() {
            let arn = self
                .config
                .project
                .iam_arn(&format!("oidc-provider/{name}"));
            match iam::oidc_provider(self.aws, &arn).await {
                Ok(Some(provider)) => {
                    let one = OidcProvider {
                        client_ids: provider.client_ids.clone(),
                        thumbprints: provider.thumbprints.clone(),
                        tags: provider.tags.clone(),
                    };
                    self.account.providers.insert(arn, one);
                }
                Ok(None) => {}
                Err(error) => self.unread(format!("oidc_provider/{name}"), error),
            }
        }
    }

    async fn repositories(&mut self) {
        let names: BTreeSet<String> = self.config.repositories.keys().cloned().collect();
        let found = match ecr::repositories(self.aws, &names).await {
            Ok(found) => found,
            Err(error) => return self.unread("the repositories", error),
        };
        let aws = self.aws;
        let reads = found.into_iter().map(|(name, repository)| async move {
            let (lifecycle, policy, images) = futures::join!(
                ecr::lifecycle_policy(aws, &name),
                ecr::repository_policy(aws, &name),
                ecr_images::images(aws, &name)
            );
            (name, repository, lifecycle, policy, images)
        });
        for (name, repository, lifecycle, policy, images) in join_all(reads).await {
            let images = match images {
                Ok(images) => Some(images.iter().map(image).collect()),
                Err(error) => {
                    self.unread(format!("the images of repository/{name}"), error);
                    None
                }
            };
            let mut text = |read: Result<Arc<Option<String>>, crate::aws::Error>| match read {
                Ok(text) => Option::clone(&text),
                Err(error) => {
                    self.unread(format!("repository/{name}"), error);
                    None
                }
            };
            let one = Repository {
                mutability: repository.image_tag_mutability.unwrap_or_default(),
                exclusions: repository.mutability_exclusions,
                lifecycle: text(lifecycle),
                policy: text(policy),
                images,
            };
            self.account.repositories.insert(name, one);
        }
    }

    async fn services(&mut self) {
        let mut clusters: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for (key, service) in &self.config.services {
            clusters
                .entry(service.cluster.name.clone())
                .or_default()
                .push((service.name.clone(), key.clone()));
        }
        for (cluster, mut wanted) in clusters {
            // The order of the kind's own read, so that both are one.
            wanted.sort();
            let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
            match ecs::services_once(self.aws, &cluster, &names).await {
                Ok(found) => {
                    for service in found
                        .iter()
                        .filter(|service| ecs::text(service, "status") == Some("ACTIVE"))
                    {
                        let name = ecs::text(service, "serviceName").unwrap_or_default();
                        if let Some((_, key)) = wanted.iter().find(|(wanted, _)| wanted == name) {
                            self.service(key, service).await;
                        }
                    }
                }
                Err(error) => self.unread(format!("the services of cluster/{cluster}"), error),
            }
        }
    }

    async fn service(&mut self, key: &str, service: &Value) {
        let arn = ecs::text(service, "taskDefinition")
            .unwrap_or_default()
            .to_owned();
        let one = Service {
            arn: ecs::text(service, "serviceArn")
                .unwrap_or_default()
                .to_owned(),
            task_definition: arn.clone(),
        };
        self.account.services.insert(key.to_owned(), one);
        let mut revisions = vec![arn.clone()];
        if let Some((family, _)) = ecs::revision_of(&arn) {
            match ecs::active_revisions(self.aws, family, OLDER_REVISIONS).await {
                Ok(older) => revisions.extend(older.into_iter().filter(|older| *older != arn)),
                Err(error) => self.unread(format!("the revisions of {family}"), error),
            }
        }
        let aws = self.aws;
        let reads = revisions
            .iter()
            .filter(|arn| !arn.is_empty())
            .map(|arn| async move { (arn.clone(), ecs::task_definition(aws, arn).await) });
        for (arn, read) in join_all(reads).await {
            match read {
                Ok(definition) => {
                    let definition = task_definition(&definition);
                    self.account.task_definitions.insert(arn, definition);
                }
                Err(error) => self.unread(arn, error),
            }
        }
        self.architectures(&arn).await;
    }

    /// The processors of the images that run, where their manifests say.
    async fn architectures(&mut self, revision: &str) {
        let Some(definition) = self.account.task_definitions.get(revision) else {
            return;
        };
        let images: Vec<String> = definition
            .containers
            .iter()
            .map(|container| container.image.clone())
            .collect();
        for image in images {
            let Some((repository, digest)) =
                super::images::find(self.account, &image).and_then(|found| {
                    let name = image
                        .split_once(".amazonaws.com/")?
                        .1
                        .split([':', '@'])
                        .next()?;
                    found
                        .architectures
                        .is_empty()
                        .then(|| (name.to_owned(), found.digest.clone()))
                })
            else {
                continue;
            };
            match ecr_images::architectures(self.aws, &repository, &digest).await {
                Ok(names) if names.is_empty() => self.account.notes.push(format!(
                    "The manifest of {image} does not say which processor it is for."
                )),
                Ok(names) => {
                    let all = self
                        .account
                        .repositories
                        .get_mut(&repository)
                        .and_then(|one| one.images.as_mut());
                    if let Some(found) =
                        all.and_then(|all| all.iter_mut().find(|one| one.digest == digest))
                    {
                        found.architectures = names;
                    }
                }
                Err(error) => self.note(&format!("the manifest of {image}"), error),
            }
        }
    }

    async fn log_groups(&mut self) {
        let names: BTreeSet<String> = self.config.log_groups.keys().cloned().collect();
        match logs::log_groups(self.aws, &names).await {
            Ok(found) => {
                let groups = found.into_iter().map(|(name, group)| {
                    (
                        name,
                        LogGroup {
                            retention_in_days: group.retention_in_days.map(i64::from),
                        },
                    )
                });
                self.account.log_groups = groups.collect();
            }
            Err(error) => self.unread("the log groups", error),
        }
    }

    async fn secrets(&mut self) {
        let mut names: BTreeSet<String> = self.config.secrets.keys().cloned().collect();
        let containers = self
            .config
            .services
            .values()
            .flat_map(|service| service.task.container.values());
        for reference in containers.flat_map(|container| container.secrets.values()) {
            if let SecretReference::Declared { name, .. } = reference {
                names.insert(name.clone());
            }
        }
        let aws = self.aws;
        let reads = names.into_iter().map(|name| async move {
            let found = secrets::secret(aws, &name).await;
            (name, found)
        });
        for (name, found) in join_all(reads).await {
            match found {
                Ok(found) => {
                    if let Some(found) = &*found {
                        let one = Secret {
                            arn: found.arn.clone(),
                            created: found.created,
                            changed: found.changed,
                            deleted: found.deleted,
                            rotates: found.rotates,
                        };
                        self.account.secrets.insert(name, one);
                    }
                }
                Err(error) => self.unread(format!("secret/{name}"), error),
            }
        }
    }
}

/// A document of IAM as plain JSON, in one line.
fn decode(text: &str) -> Option<String> {
    let document = Document::parse_encoded(text, PolicyKind::Identity).ok();
    document.map(|document| document.minified())
}

/// The same; what does not parse is kept as it is, so that the audit says so.
fn decoded(text: &str) -> String {
    match Document::parse_encoded(text, PolicyKind::Trust) {
        Ok(document) => document.minified(),
        Err(_) => decode(text).unwrap_or_else(|| text.to_owned()),
    }
}

/// An image; its processors are read only where it runs.
fn image(image: &ecr_images::Image) -> Image {
    Image {
        digest: image.digest.clone(),
        tags: image.tags.clone(),
        pushed: image.pushed,
        architectures: Vec::new(),
    }
}

/// A revision without its values.
fn task_definition(value: &Value) -> TaskDefinition {
    let text = |field: &str| ecs::text(value, field).map(str::to_owned);
    let platform = value.get("runtimePlatform");
    let architecture = platform
        .and_then(|platform| ecs::text(platform, "cpuArchitecture"))
        .unwrap_or("X86_64");
    TaskDefinition {
        family: text("family").unwrap_or_default(),
        architecture: architecture.to_owned(),
        execution_role: text("executionRoleArn"),
        task_role: text("taskRoleArn"),
        containers: ecs::containers(value).map(container).collect(),
    }
}

fn container(value: &Value) -> ContainerDefinition {
    let pairs = |list: &str, second: &str| -> Vec<(String, String)> {
        let items = value.get(list).and_then(Value::as_array);
        let pair = |item: &Value| {
            Some((
                ecs::text(item, "name")?.to_owned(),
                ecs::text(item, second)?.to_owned(),
            ))
        };
        items.into_iter().flatten().filter_map(pair).collect()
    };
    let environment = pairs("environment", "value");
    let is_true = |field: &str| {
        value
            .get(field)
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let named = |keep: &dyn Fn(&(String, String)) -> bool| -> Vec<String> {
        environment
            .iter()
            .filter(|pair| keep(pair))
            .map(|(name, _)| name.clone())
            .collect()
    };
    ContainerDefinition {
        name: ecs::text(value, "name").unwrap_or_default().to_owned(),
        image: ecs::text(value, "image").unwrap_or_default().to_owned(),
        credentials: named(&|(name, text)| redact::is_credential(name, text)),
        environment: named(&|(name, text)| !redact::is_credential(name, text)),
        secrets: pairs("secrets", "valueFrom").into_iter().collect(),
        privileged: is_true("privileged"),
        readonly_root: is_true("readonlyRootFilesystem"),
        // Options may hold tokens of log services, and no rule asks for more than the driver.
        log_configuration: value
            .get("logConfiguration")
            .and_then(|log| log.get("logDriver"))
            .cloned(),
    }
}
