//! What a kind of resource is: the trait that each file under `kinds/` implements, and the erased
//! form through which the plan, the apply and the reports see every kind alike.
//! Whatever is above this file knows only `Snapshot`s of `AnySpec`s and `Step`s of `AnyCall`s.

mod law;
pub mod table;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Serialize, Serializer};
use serde_json::Value;

pub use self::law::{AccessChange, AccessExample, Law, Refusal, RefusalCause};

use crate::aws::Aws;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::policy::Document;

/// Names one resource in every message: `role/GitHubActions-ECR-Push`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The kind's name, such as `role`.
    pub kind: String,
    /// The name, all after the first `/`; it may hold further ones (`log_group//ecs/web`).
    pub name: String,
}

impl Address {
    /// The address of this kind and name.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
        }
    }

    /// Splits `KIND/NAME` at its first `/`; `None` where either part is empty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, name) = text.split_once('/')?;
        (!kind.is_empty() && !name.is_empty()).then(|| Self::new(kind, name))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What specs and calls are made of: plain values.
pub trait Data: Any + Clone + PartialEq + Serialize + Send + Sync {}
impl<T: Any + Clone + PartialEq + Serialize + Send + Sync> Data for T {}

/// Ownership is a field of every spec.
pub trait Owned {
    /// The value of the tag `provision:owner`, such as `back-end@us-east-2`; `None` where untagged.
    fn owner(&self) -> Option<&str>;
}

/// The tag whose value says which project owns a resource.
pub const OWNER_TAG: &str = "provision:owner";

/// Why an action needs `--allow` (design.md section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Hazard {
    /// Takes over a resource that carries no owner mark.
    Adopts,
    /// Lets somebody do what they could not do before.
    Broadens,
    /// Removes a resource.
    Deletes,
    /// Removes a resource and makes it anew.
    Replaces,
    /// Starts an ECS deployment.
    Deploys,
    /// Changes what another owner made.
    Foreign,
    /// Leaves a moment in which somebody lacks what they had and will have.
    Interrupts,
    /// Sends to an environment what the one before it has not proved.
    Unproved,
}

impl Hazard {
    /// Every hazard, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Adopts,
        Self::Broadens,
        Self::Deletes,
        Self::Replaces,
        Self::Deploys,
        Self::Foreign,
        Self::Interrupts,
        Self::Unproved,
    ];

    /// The word that `--allow` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Adopts => "adopts",
            Self::Broadens => "broadens",
            Self::Deletes => "deletes",
            Self::Replaces => "replaces",
            Self::Deploys => "deploys",
            Self::Foreign => "foreign",
            Self::Interrupts => "interrupts",
            Self::Unproved => "unproved",
        }
    }
}

/// What a run is about: the configuration, and which addresses of it were asked for.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The whole configuration.
    pub config: Arc<Config>,
    /// The addresses asked for with all they refer to; `None` for everything.
    pub only: Option<BTreeSet<Address>>,
    /// Whether all of it is to go (`destroy`): what AWS would not delete is then looked for, which
    /// costs reads that no other run needs.
    pub destroy: bool,
}

impl Scope {
    /// Everything that `config` declares and everything that carries our mark.
    #[must_use]
    pub fn everything(config: Arc<Config>) -> Self {
        Self {
            config,
            only: None,
            destroy: false,
        }
    }

    /// The same, about these addresses alone.
    #[must_use]
    pub fn about(&self, only: BTreeSet<Address>) -> Self {
        Self {
            config: self.config.clone(),
            only: Some(only),
            destroy: self.destroy,
        }
    }

    /// Whether this run is about the resource of this kind and name.
    #[must_use]
    pub fn wants(&self, kind: &str, name: &str) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| only.contains(&Address::new(kind, name)))
    }
}

/// What a performed call leaves to be followed or said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Performed {
    /// Sentences for the user, such as `no image yet: push, then provision deploy staging`.
    pub notes: Vec<String>,
    /// The service deployment that the call started, to be followed to its end.
    pub rollout: Option<RolloutHandle>,
    /// Whether it did nothing since what it was to delete was not to be seen. That may be a read that
    /// lags behind, so the final look has to hold twice.
    pub unseen: bool,
}

impl Performed {
    /// What was to be deleted was not to be seen.
    #[must_use]
    pub fn unseen() -> Self {
        Self {
            unseen: true,
            ..Self::default()
        }
    }
}

/// Names one started service deployment, whatever evidence the endpoint gives of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolloutHandle {
    /// The cluster's name.
    pub cluster: String,
    /// The service's name in AWS.
    pub service: String,
    /// The deployment's id in `DescribeServices`, such as `ecs-svc/123`.
    pub deployment: Option<String>,
    /// The ARN of the task definition that was sent.
    pub task_definition: String,
    /// The digest that must run at the end, where one was sent.
    pub digest: Option<String>,
    /// How many tasks were asked for.
    pub desired_count: i32,
}

/// A kind of resource. A new kind is one file that implements this and one line in `kinds::KINDS`.
pub trait Kind: Sync {
    /// The kind's name in addresses and in infra.toml.
    const NAME: &'static str;
    /// Everything managed about one resource, in canonical form; equal specs mean no work.
    type Spec: Data + Owned;
    /// One mutation of AWS, complete and idempotent. Serializes as its variant's name and fields.
    type Call: Data;

    /// What infra.toml declares, by name. Pure.
    fn declare(&self, config: &Config) -> BTreeMap<String, Self::Spec>;

    /// What is there: what is declared, and what carries our mark. Only reads.
    fn observe(
        &self,
        aws: &Aws,
        scope: &Scope,
    ) -> impl Future<Output = Result<BTreeMap<String, Self::Spec>>> + Send;

    /// The goal: what infra.toml leaves to AWS or to deployments, and text of equal meaning, is
    /// taken from live. Pure.
    fn keep(&self, desired: Self::Spec, live: Option<&Self::Spec>) -> Self::Spec {
        let _ = live;
        desired
    }

    /// The calls that lead from one to the other; what adds comes first. Pure; the plan may
    /// interleave them with the calls of others.
    fn calls(
        &self,
        name: &str,
        before: Option<&Self::Spec>,
        after: Option<&Self::Spec>,
    ) -> Vec<Self::Call>;

    /// Other ways from one to the other, for when no order of `calls` is lawful: documents with the
    /// statements of before and after, an inline Deny put first and removed last. Pure.
    fn detours(
        &self,
        name: &str,
        before: Option<&Self::Spec>,
        after: Option<&Self::Spec>,
    ) -> Vec<Vec<Self::Call>> {
        let _ = (name, before, after);
        Vec::new()
    }

    /// The pure twin of `perform`; refuses what AWS refuses.
    fn effect(
        &self,
        spec: Option<Self::Spec>,
        call: &Self::Call,
    ) -> Result<Option<Self::Spec>, Refusal>;

    /// The resources that this one needs, by address; the plan ignores those it does not know.
    fn refers(&self, spec: &Self::Spec) -> Vec<Address> {
        let _ = spec;
        Vec::new()
    }

    /// The hazards that are in the call itself; those of ownership, deletion and of the law are the
    /// plan's to find.
    fn hazards(&self, call: &Self::Call) -> Vec<Hazard> {
        let _ = call;
        Vec::new()
    }

    /// The policy documents in the spec, by field path, for reports of what a change means.
    fn documents(&self, spec: &Self::Spec) -> BTreeMap<String, Document> {
        let _ = spec;
        BTreeMap::new()
    }

    /// What the change says besides its fields (equal in meaning, no image yet); shown once.
    fn notes(&self, desired: &Self::Spec, live: Option<&Self::Spec>) -> Vec<String> {
        let _ = (desired, live);
        Vec::new()
    }

    /// Does it. The only writer; twice is the same as once.
    fn perform(
        &self,
        aws: &Aws,
        scope: &Scope,
        name: &str,
        call: &Self::Call,
    ) -> impl Future<Output = Result<Performed>> + Send;
}

trait ErasedData: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn same(&self, other: &dyn ErasedData) -> bool;
    fn json(&self) -> Value;
}

impl<T: Data> ErasedData for T {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn same(&self, other: &dyn ErasedData) -> bool {
        other
            .as_any()
            .downcast_ref::<T>()
            .is_some_and(|other| self == other)
    }

    fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

/// A spec of any kind. Cheap to clone.
#[derive(Clone)]
pub struct AnySpec {
    data: Arc<dyn ErasedData>,
    owner: Option<Arc<str>>,
}

impl AnySpec {
    /// Erases a spec's type.
    pub fn new<T: Data + Owned>(spec: T) -> Self {
        let owner = spec.owner().map(Arc::from);
        Self {
            data: Arc::new(spec),
            owner,
        }
    }

    /// The spec, if it is of this type.
    #[must_use]
    pub fn get<T: Data>(&self) -> Option<&T> {
        self.data.as_any().downcast_ref()
    }

    /// The spec as JSON, for diffs and reports.
    #[must_use]
    pub fn json(&self) -> Value {
        self.data.json()
    }

    /// The owner mark.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
}

impl PartialEq for AnySpec {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data) || self.data.same(&*other.data)
    }
}

impl fmt::Debug for AnySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Specs may hold environment values: their fields are for `report`, which hides secrets.
        f.write_str("AnySpec")
    }
}

/// A call of any kind. Cheap to clone.
#[derive(Clone)]
pub struct AnyCall(Arc<dyn ErasedData>);

impl AnyCall {
    /// Erases a call's type.
    pub fn new<T: Data>(call: T) -> Self {
        Self(Arc::new(call))
    }

    /// The call, if it is of this type.
    #[must_use]
    pub fn get<T: Data>(&self) -> Option<&T> {
        self.0.as_any().downcast_ref()
    }

    /// The call as JSON: the variant's name, or an object with it as its only key.
    #[must_use]
    pub fn json(&self) -> Value {
        self.0.json()
    }

    /// The variant's name, such as `AttachPolicy`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.json() {
            Value::String(name) => name,
            Value::Object(fields) => fields.keys().next().cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }
}

impl PartialEq for AnyCall {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.same(&*other.0)
    }
}

impl fmt::Debug for AnyCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// Specs by address, ordered: both what is desired and what is live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot(BTreeMap<Address, AnySpec>);

impl Snapshot {
    /// Nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What infra.toml declares, as far as the run is about it. Pure.
    #[must_use]
    pub fn declare(kinds: &[&dyn AnyKind], scope: &Scope) -> Self {
        let mut declared = Self::new();
        for kind in kinds {
            for (name, spec) in kind.declare(&scope.config) {
                if scope.wants(kind.name(), &name) {
                    declared.set(&Address::new(kind.name(), name), Some(spec));
                }
            }
        }
        declared
    }

    /// What is there, as far as the run is about it: every kind's reads side by side.
    ///
    /// # Errors
    /// What could not be read, all of it: an unread resource never counts as absent.
    pub async fn observe(kinds: &[&dyn AnyKind], aws: &Aws, scope: &Scope) -> Result<Self> {
        let reads = kinds.iter().map(|kind| kind.observe(aws, scope));
        let answers = futures::future::join_all(reads).await;
        let mut live = Self::new();
        let mut errors: Vec<Error> = Vec::new();
        for (kind, answer) in kinds.iter().zip(answers) {
            match answer {
                Ok(specs) => live.0.extend(
                    specs
                        .into_iter()
                        .filter(|(name, _)| scope.wants(kind.name(), name))
                        .map(|(name, spec)| (Address::new(kind.name(), name), spec)),
                ),
                Err(error) if errors.iter().any(|known| known.message == error.message) => {}
                Err(error) => errors.push(error),
            }
        }
        Error::all(errors).map_or(Ok(live), Err)
    }

    /// The spec at this address.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&AnySpec> {
        self.0.get(address)
    }

    /// The typed spec at this address.
    #[must_use]
    pub fn spec<T: Data>(&self, address: &Address) -> Option<&T> {
        self.get(address).and_then(AnySpec::get)
    }

    /// Whether something is at this address.
    #[must_use]
    pub fn contains(&self, address: &Address) -> bool {
        self.0.contains_key(address)
    }

    /// Puts, replaces or (with `None`) removes the spec at this address; returns the one before.
    pub fn set(&mut self, address: &Address, spec: Option<AnySpec>) -> Option<AnySpec> {
        match spec {
            Some(spec) => self.0.insert(address.clone(), spec),
            None => self.0.remove(address),
        }
    }

    /// All of it, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &AnySpec)> {
        self.0.iter()
    }

    /// The addresses, in order.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        self.0.keys()
    }

    /// What is of this kind, in order.
    pub fn of_kind<'a>(
        &'a self,
        kind: &'a str,
    ) -> impl Iterator<Item = (&'a Address, &'a AnySpec)> {
        self.0
            .range(Address::new(kind, "")..)
            .take_while(move |(address, _)| address.kind == kind)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps only what the predicate accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Address) -> bool) {
        self.0.retain(|address, _| keep(address));
    }
}

impl FromIterator<(Address, AnySpec)> for Snapshot {
    fn from_iter<I: IntoIterator<Item = (Address, AnySpec)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// A future that can be stored.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind with its types erased; implemented once, for every `Kind`.
#[expect(
    missing_docs,
    reason = "each method is the erased twin of the one of the same name in Kind"
)]
pub trait AnyKind: Sync {
    fn name(&self) -> &'static str;
    fn declare(&self, config: &Config) -> BTreeMap<String, AnySpec>;
    fn observe<'a>(
        &'a self,
        aws: &'a Aws,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<BTreeMap<String, AnySpec>>>;
    fn keep(&self, desired: &AnySpec, live: Option<&AnySpec>) -> AnySpec;
    fn calls(&self, name: &str, before: Option<&AnySpec>, after: Option<&AnySpec>) -> Vec<AnyCall>;
    fn detours(
        &self,
        name: &str,
        before: Option<&AnySpec>,
        after: Option<&AnySpec>,
    ) -> Vec<Vec<AnyCall>>;
    fn effect(&self, spec: Option<&AnySpec>, call: &AnyCall) -> Result<Option<AnySpec>, Refusal>;
    fn refers(&self, spec: &AnySpec) -> Vec<Address>;
    fn hazards(&self, call: &AnyCall) -> Vec<Hazard>;
    fn documents(&self, spec: &AnySpec) -> BTreeMap<String, Document>;
    fn notes(&self, desired: &AnySpec, live: Option<&AnySpec>) -> Vec<String>;
    fn perform<'a>(
        &'a self,
        aws: &'a Aws,
        scope: &'a Scope,
        name: &'a str,
        call: &'a AnyCall,
    ) -> BoxFuture<'a, Result<Performed>>;
}

fn typed<K: Kind>(spec: Option<&AnySpec>) -> Option<&K::Spec> {
    spec.and_then(AnySpec::get::<K::Spec>)
}

fn erase<T: Data + Owned>(specs: BTreeMap<String, T>) -> BTreeMap<String, AnySpec> {
    specs
        .into_iter()
        .map(|(name, spec)| (name, AnySpec::new(spec)))
        .collect()
}

fn wrong_type(kind: &str) -> Error {
    Error::bug(format!("A value of another kind was given to {kind}."))
}

impl<K: Kind> AnyKind for K {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn declare(&self, config: &Config) -> BTreeMap<String, AnySpec> {
        erase(Kind::declare(self, config))
    }

    fn observe<'a>(
        &'a self,
        aws: &'a Aws,
        scope: &'a Scope,
    ) -> BoxFuture<'a, Result<BTreeMap<String, AnySpec>>> {
        Box::pin(async move { Kind::observe(self, aws, scope).await.map(erase) })
    }

    fn keep(&self, desired: &AnySpec, live: Option<&AnySpec>) -> AnySpec {
        match desired.get::<K::Spec>() {
            Some(spec) => AnySpec::new(Kind::keep(self, spec.clone(), typed::<K>(live))),
            None => desired.clone(),
        }
    }

    fn calls(&self, name: &str, before: Option<&AnySpec>, after: Option<&AnySpec>) -> Vec<AnyCall> {
        Kind::calls(self, name, typed::<K>(before), typed::<K>(after))
            .into_iter()
            .map(AnyCall::new)
            .collect()
    }

    fn detours(
        &self,
        name: &str,
        before: Option<&AnySpec>,
        after: Option<&AnySpec>,
    ) -> Vec<Vec<AnyCall>> {
        Kind::detours(self, name, typed::<K>(before), typed::<K>(after))
            .into_iter()
            .map(|calls| calls.into_iter().map(AnyCall::new).collect())
            .collect()
    }

    fn effect(&self, spec: Option<&AnySpec>, call: &AnyCall) -> Result<Option<AnySpec>, Refusal> {
        let call = call
            .get::<K::Call>()
            .ok_or_else(|| Refusal::blocked(wrong_type(K::NAME).message))?;
        Kind::effect(self, typed::<K>(spec).cloned(), call).map(|spec| spec.map(AnySpec::new))
    }

    fn refers(&self, spec: &AnySpec) -> Vec<Address> {
        typed::<K>(Some(spec))
            .map(|spec| Kind::refers(self, spec))
            .unwrap_or_default()
    }

    fn hazards(&self, call: &AnyCall) -> Vec<Hazard> {
        call.get::<K::Call>()
            .map(|call| Kind::hazards(self, call))
            .unwrap_or_default()
    }

    fn documents(&self, spec: &AnySpec) -> BTreeMap<String, Document> {
        typed::<K>(Some(spec))
            .map(|spec| Kind::documents(self, spec))
            .unwrap_or_default()
    }

    fn notes(&self, desired: &AnySpec, live: Option<&AnySpec>) -> Vec<String> {
        desired
            .get::<K::Spec>()
            .map(|desired| Kind::notes(self, desired, typed::<K>(live)))
            .unwrap_or_default()
    }

    fn perform<'a>(
        &'a self,
        aws: &'a Aws,
        scope: &'a Scope,
        name: &'a str,
        call: &'a AnyCall,
    ) -> BoxFuture<'a, Result<Performed>> {
        Box::pin(async move {
            let call = call.get::<K::Call>().ok_or_else(|| wrong_type(K::NAME))?;
            Kind::perform(self, aws, scope, name, call).await
        })
    }
}
