//! The only writer of services: each call once more is the same as once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::calls::{Call, starts_deployment};
use super::image::{Images, images};
use super::names::{Names, split_secret};
use super::observe::{is_there, owner, revision};
use super::register::register;
use super::service_fields::{IMMUTABLE, SERVICE};
use super::shape::write;
use super::spec::{Settings, Spec, Task};
use crate::aws::ecs::{self, text};
use crate::aws::{Attempts, Aws, Class, EcsOperation, secrets};
use crate::config::{Config, Tags};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::{Performed, RolloutHandle, Scope};
use crate::kinds::tags::with_owner;

/// How long a deleted service may take to be gone: Fargate tasks have up to two minutes to stop, and
/// a load balancer drains its connections for five by default.
const LONGEST_DRAIN: Duration = Duration::from_mins(10);
/// The time between two looks at a service that is going: ECS refills 20 reads a second for all.
const POLL: Duration = Duration::from_secs(5);

/// Does it.
pub(super) async fn perform(aws: &Aws, scope: &Scope, key: &str, call: &Call) -> Result<Performed> {
    let writer = Writer {
        aws,
        config: &scope.config,
        key,
        asked: BTreeMap::new(),
    };
    match call {
        Call::Create { spec } => writer.create(spec).await,
        Call::Tag {
            cluster,
            service,
            tags,
        } => writer.tag(cluster, service, tags).await,
        Call::Untag {
            cluster,
            service,
            keys,
        } => writer.untag(cluster, service, keys).await,
        Call::Update {
            cluster,
            service,
            desired_count,
            settings,
            task,
        } => {
            let change = Change {
                desired_count: *desired_count,
                settings,
                task: task.as_deref(),
            };
            writer.update(cluster, service, &change).await
        }
        Call::Replace {
            cluster,
            service,
            spec,
        } => writer.replace(cluster, service, spec).await,
        Call::Delete {
            cluster,
            service,
            family,
        } => writer.delete(cluster, service, family).await,
    }
}

pub(super) struct Writer<'a> {
    pub(super) aws: &'a Aws,
    pub(super) config: &'a Config,
    /// The service's name in its address.
    pub(super) key: &'a str,
    /// The digests that a deployment asks for, by repository.
    pub(super) asked: BTreeMap<String, String>,
}

/// What an update changes.
struct Change<'a> {
    desired_count: Option<i32>,
    settings: &'a Settings,
    task: Option<&'a Task>,
}

/// A revision to run, and what is known of its images.
pub(super) struct Registered {
    pub(super) arn: String,
    pub(super) images: Images,
}

impl Writer<'_> {
    async fn create(&self, spec: &Spec) -> Result<Performed> {
        let names = self.names(&spec.task).await?;
        let registered = self.register(&names, &spec.task, None).await?;
        self.create_with(spec, &names, &registered).await
    }

    async fn replace(&self, cluster: &str, service: &str, spec: &Spec) -> Result<Performed> {
        let names = self.names(&spec.task).await?;
        let live = ecs::service(self.aws, cluster, service).await?;
        let registered = self.register(&names, &spec.task, live.as_ref()).await?;
        let is_made = live.as_ref().is_some_and(|live| {
            revision(live) == Some(registered.arn.as_str())
                && super::answer::last_part(text(live, "clusterArn").unwrap_or_default())
                    == spec.cluster
        });
        // A replacement that was done already differs from what it replaced.
        if !(is_made && self.is_as(live.as_ref(), spec, &names).await?) {
            self.delete_service(cluster, service).await?;
        }
        self.create_with(spec, &names, &registered).await
    }

    /// Whether the live service has what only `CreateService` sets.
    async fn is_as(&self, live: Option<&Value>, spec: &Spec, names: &Names<'_>) -> Result<bool> {
        let Some(live) = live.filter(|live| is_there(live).unwrap_or(false)) else {
            return Ok(false);
        };
        let Some(arn) = revision(live) else {
            return Ok(false);
        };
        let definition = ecs::task_definition(self.aws, arn).await?;
        let declared = self.config.services.get(self.key);
        let live = super::answer::spec_of(live, &definition, declared, names)?;
        let same = |field: &str| live.settings.get(field) == spec.settings.get(field);
        Ok(live.name == spec.name && IMMUTABLE.iter().all(|field| same(field)))
    }

    async fn create_with(
        &self,
        spec: &Spec,
        names: &Names<'_>,
        registered: &Registered,
    ) -> Result<Performed> {
        let mut request = write(SERVICE, &spec.settings, names)?;
        request.insert("cluster".to_owned(), spec.cluster.as_str().into());
        request.insert("serviceName".to_owned(), spec.name.as_str().into());
        request.insert("taskDefinition".to_owned(), short(&registered.arn).into());
        request.insert("clientToken".to_owned(), client_token()?.into());
        request.insert(
            "tags".to_owned(),
            tag_list(&with_owner(&spec.tags, spec.owner.as_deref())),
        );
        if let Some(count) = spec.desired_count {
            request.insert("desiredCount".to_owned(), count.into());
        }
        let service = self
            .send_create(spec, &Value::Object(request), &registered.arn)
            .await?;
        Ok(self.started(&service, &spec.cluster, registered, true))
    }

    /// `CreateService`, waiting for a service of this name that is still going.
    async fn send_create(&self, spec: &Spec, request: &Value, arn: &str) -> Result<Value> {
        let begun = self.aws.clock().now();
        loop {
            let operation = EcsOperation::CreateService;
            let error = match self.aws.ecs(operation, Attempts::Idempotent, request).await {
                Ok(answer) => return service_of(answer, "ecs:CreateService"),
                Err(error) => error,
            };
            let waited = self.aws.clock().now().saturating_sub(begun);
            if is_draining(&error) && waited < LONGEST_DRAIN {
                self.aws.clock().sleep(POLL).await;
                continue;
            }
            if !may_be_done(error.class) {
                return Err(error.into());
            }
            // Exists, or the reply was lost: what is there tells whether it is ours.
            let live = ecs::service(self.aws, &spec.cluster, &spec.name).await?;
            let live = live.filter(|live| is_there(live).unwrap_or(false));
            return match live {
                None => Err(error.into()),
                Some(live) if self.is_ours(&live) && revision(&live) == Some(arn) => Ok(live),
                Some(_) => Err(changed("was made by somebody else meanwhile")),
            };
        }
    }

    async fn update(&self, cluster: &str, service: &str, change: &Change<'_>) -> Result<Performed> {
        let live = self.live(cluster, service).await?;
        let registered = match change.task {
            Some(task) => {
                let names = self.names(task).await?;
                self.register(&names, task, Some(&live)).await?
            }
            None => Registered {
                arn: revision(&live).unwrap_or_default().to_owned(),
                images: Images::default(),
            },
        };
        let names = Names::new(self.config, BTreeMap::new());
        let settings = change.settings.iter();
        let settings = settings.filter(|(key, _)| !IMMUTABLE.contains(&key.as_str()));
        let settings = settings
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let mut request: Map<String, Value> = write(SERVICE, &settings, &names)?;
        request.insert("cluster".to_owned(), cluster.into());
        request.insert("service".to_owned(), service.into());
        // Without a revision AWS would judge the call by the family's latest (facts.md section 4);
        // under another controller the field is not allowed.
        if text(
            live.get("deploymentController").unwrap_or(&Value::Null),
            "type",
        )
        .is_none_or(|controller| controller == "ECS")
        {
            request.insert("taskDefinition".to_owned(), short(&registered.arn).into());
        }
        if let Some(count) = change.desired_count {
            request.insert("desiredCount".to_owned(), count.into());
        }
        let operation = EcsOperation::UpdateService;
        let request = Value::Object(request);
        let answer = self
            .aws
            .ecs(operation, Attempts::Idempotent, &request)
            .await?;
        let updated = service_of(answer, "ecs:UpdateService")?;
        let deploys = starts_deployment(change.settings, change.task.is_some());
        Ok(self.started(&updated, cluster, &registered, deploys))
    }

    async fn delete(&self, cluster: &str, service: &str, family: &str) -> Result<Performed> {
        self.delete_service(cluster, service).await?;
        // Only `destroy` deletes what is declared: then nothing of ours is to stay. `apply` leaves
        // the revisions of what is no longer declared, as it never deregisters.
        if self.config.services.contains_key(self.key) {
            self.deregister(family).await?;
        }
        Ok(Performed::default())
    }

    async fn delete_service(&self, cluster: &str, service: &str) -> Result<()> {
        let live = ecs::service(self.aws, cluster, service).await?;
        if let Some(live) = live.filter(|live| is_there(live).unwrap_or(true)) {
            if !self.is_ours(&live) {
                return Err(changed("no longer carries our mark"));
            }
            let request = json!({"cluster": cluster, "service": service, "force": true});
            let operation = EcsOperation::DeleteService;
            match self
                .aws
                .ecs(operation, Attempts::Idempotent, &request)
                .await
            {
                Err(error) if !error.is_not_found() => return Err(error.into()),
                _ => {}
            }
        }
        self.wait_until_gone(cluster, service).await
    }

    async fn wait_until_gone(&self, cluster: &str, service: &str) -> Result<()> {
        let begun = self.aws.clock().now();
        loop {
            let live = ecs::service(self.aws, cluster, service).await?;
            let is_gone = live.is_none_or(|live| text(&live, "status") == Some("INACTIVE"));
            if is_gone {
                return Ok(());
            }
            if self.aws.clock().now().saturating_sub(begun) >= LONGEST_DRAIN {
                let minutes = LONGEST_DRAIN.as_secs() / 60;
                return Err(Error::failed(format!(
                    "The service {service} is still stopping its tasks after {minutes} minutes."
                ))
                .hint("Run the same command again; it goes on from here."));
            }
            self.aws.clock().sleep(POLL).await;
        }
    }

    /// Deregisters the family's revisions with our mark.
    async fn deregister(&self, family: &str) -> Result<()> {
        let mark = self.config.owner_mark();
        for arn in ecs::all_active_revisions(self.aws, family).await? {
            let (_, tags) = ecs::task_definition_with_tags(self.aws, &arn).await?;
            if tags.get(crate::kind::OWNER_TAG).and_then(Value::as_str) != Some(mark.as_str()) {
                continue;
            }
            let request = json!({"taskDefinition": arn});
            let operation = EcsOperation::DeregisterTaskDefinition;
            self.aws
                .ecs(operation, Attempts::Idempotent, &request)
                .await?;
        }
        Ok(())
    }

    async fn tag(&self, cluster: &str, service: &str, tags: &Tags) -> Result<Performed> {
        let request = json!({"resourceArn": self.arn(cluster, service), "tags": tag_list(tags)});
        let operation = EcsOperation::TagResource;
        self.aws
            .ecs(operation, Attempts::Idempotent, &request)
            .await?;
        Ok(Performed::default())
    }

    async fn untag(
        &self,
        cluster: &str,
        service: &str,
        keys: &BTreeSet<String>,
    ) -> Result<Performed> {
        let request = json!({"resourceArn": self.arn(cluster, service), "tagKeys": keys});
        let operation = EcsOperation::UntagResource;
        self.aws
            .ecs(operation, Attempts::Idempotent, &request)
            .await?;
        Ok(Performed::default())
    }

    fn arn(&self, cluster: &str, service: &str) -> String {
        let path = format!("service/{cluster}/{service}");
        self.config.project.regional_arn("ecs", &path)
    }

    fn is_ours(&self, live: &Value) -> bool {
        owner(live, self.config) == Some(self.config.owner_mark())
    }

    async fn live(&self, cluster: &str, service: &str) -> Result<Value> {
        let live = ecs::service(self.aws, cluster, service).await?;
        live.filter(|live| is_there(live).unwrap_or(true))
            .ok_or_else(|| changed("is gone"))
    }

    pub(super) async fn register(
        &self,
        names: &Names<'_>,
        task: &Task,
        live: Option<&Value>,
    ) -> Result<Registered> {
        let images = images(self.aws, names, self.key, task, live, &self.asked).await?;
        let declared = self.config.services.get(self.key);
        let own = declared.map(|service| &service.task.tags);
        let tags = own.unwrap_or(&self.config.project.tags);
        let tags = with_owner(tags, Some(&self.config.owner_mark()));
        let arn = register(self.aws, names, task, &images, &tags).await?;
        Ok(Registered { arn, images })
    }

    /// Names with the ARNs of the secrets that the task definition names.
    pub(super) async fn names(&self, task: &Task) -> Result<Names<'_>> {
        let mut arns = BTreeMap::new();
        for secret in task.secrets() {
            let (name, _) = split_secret(secret);
            if secret.starts_with("arn:") || secret.starts_with("ssm:") || arns.contains_key(name) {
                continue;
            }
            // Read anew: the plan may just have made it.
            let found = secrets::secret_now(self.aws, name).await?;
            arns.insert(name.to_owned(), found.map(|secret| secret.arn));
        }
        Ok(Names::new(self.config, arns))
    }

    /// What a call that may have started a deployment leaves to be followed, or said.
    pub(super) fn started(
        &self,
        service: &Value,
        cluster: &str,
        registered: &Registered,
        deploys: bool,
    ) -> Performed {
        let mut performed = Performed::default();
        if !deploys {
            return performed;
        }
        if registered.images.missing {
            let declared = self
                .config
                .declarations
                .get(&format!("service/{}", self.key));
            let environment = declared.and_then(|declared| declared.environment.as_deref());
            let next = environment.map_or("apply".to_owned(), |name| format!("deploy {name}"));
            let note = format!("no image yet: push, then provision {next}");
            performed.notes.push(note);
            return performed;
        }
        performed.rollout = Some(RolloutHandle {
            cluster: cluster.to_owned(),
            service: text(service, "serviceName").unwrap_or_default().to_owned(),
            deployment: primary_deployment(service),
            task_definition: registered.arn.clone(),
            digest: registered.images.digest.clone(),
            desired_count: service
                .get("desiredCount")
                .and_then(Value::as_i64)
                .and_then(|count| i32::try_from(count).ok())
                .unwrap_or_default(),
        });
        performed
    }
}

fn changed(what: &str) -> Error {
    let message = format!("The service {what}.");
    Error::new(ErrorKind::Changed, message).hint("Run provision plan to see what it is now.")
}

fn primary_deployment(service: &Value) -> Option<String> {
    let deployments = service.get("deployments")?.as_array()?;
    let is_primary = |one: &&Value| text(one, "status") == Some("PRIMARY");
    text(deployments.iter().find(is_primary)?, "id").map(str::to_owned)
}

/// The service in an answer.
pub(super) fn service_of(mut answer: Value, operation: &str) -> Result<Value> {
    let service = answer.get_mut("service").map(Value::take);
    service
        .filter(Value::is_object)
        .ok_or_else(|| Error::failed(format!("{operation} answered without a service.")))
}

/// `FAMILY:REVISION` of a revision's ARN.
pub(super) fn short(arn: &str) -> &str {
    super::answer::last_part(arn)
}

fn tag_list(tags: &Tags) -> Value {
    let tags = tags.iter();
    tags.map(|(key, value)| json!({"key": key, "value": value}))
        .collect()
}

fn is_draining(error: &crate::aws::Error) -> bool {
    error
        .message
        .to_ascii_lowercase()
        .contains("still draining")
}

/// Whether the service may be there although the call failed.
fn may_be_done(class: Class) -> bool {
    matches!(class, Class::Exists | Class::Passing | Class::Unreadable)
}

/// Random bytes of a client token: 22 letters, of the 36 that `CreateService` takes.
const TOKEN_BYTES: usize = 16;

/// Random for each step, and the same for its own repetitions only.
pub(crate) fn client_token() -> Result<String> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::failed(format!("The system gives no random bytes: {error}.")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
