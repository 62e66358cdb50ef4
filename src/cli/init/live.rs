//! infra.toml for what an account has: everything is listed, declared by name alone, observed by the
//! kinds themselves, and written as they read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::prune::{Trial, parse, stub};
use super::template::head;
use super::{Files, Project};
use crate::aws::{Aws, ecr, ecs, ecs_clusters, iam, logs, secrets};
use crate::cli::global::Global;
use crate::cli::session::{self, Place};
use crate::config::Partition;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::table::{Table, key};
use crate::kind::{Address, AnySpec, Scope, Snapshot};
use crate::kinds::KINDS;
use crate::plan::kind_of;
use crate::report::Screen;

/// IAM paths whose roles belong to AWS.
const AWS_PATHS: [&str; 2] = ["/aws-service-role/", "/aws-reserved/"];

/// What is there, by address, with the IAM path where there is one.
type Listed = BTreeMap<Address, String>;

/// A service's place: its cluster and its name.
type Services = BTreeMap<String, (String, String)>;

/// The files that declare what the account has, and what is to be said about them.
pub(super) async fn files(
    project: &mut Project,
    cluster: Option<&str>,
    global: &Global,
    screen: &Screen,
) -> Result<(Files, Vec<String>)> {
    let aws = connect(project, global, screen).await?;
    let (listed, services) = list(&aws, cluster).await?;
    let text = stubs(project, &listed, &services);
    let stub_files = [];
    let config = parse(&text, &stub_files)
        .ok_or_else(|| Error::bug("What the account has cannot be declared by name."))?;
    let scope = Scope::everything(Arc::new(config));
    let live = Snapshot::observe(KINDS, &aws, &scope).await?;
    let (live, mut notes) = unowned(&live);
    let wanted = match cluster {
        Some(cluster) => of_cluster(cluster, &live)?,
        None => live.addresses().cloned().collect(),
    };
    let tags = image_tags(&aws, &services, &wanted).await?;
    let mut files = Files::new();
    let mut text = head(project);
    for address in in_order(&wanted) {
        let Some(spec) = live.get(address) else {
            continue;
        };
        let (table, exact) = table(project, address, spec, &listed, &tags)?;
        for path in &table.left_out {
            notes.push(format!(
                "{address}: {path} looks like a credential and was left out; the plan would remove it. \
                 Put it into a secret first."
            ));
        }
        if !exact && table.left_out.is_empty() {
            notes.push(format!(
                "{address}: not all of it can be declared; `provision plan` shows what differs."
            ));
        }
        text.push_str(&table.text());
        files.extend(table.files);
    }
    files.insert(
        0,
        (
            PathBuf::from("infra.toml"),
            format!("{}\n", text.trim_end()),
        ),
    );
    Ok((files, notes))
}

/// The way to the account; which one it is, the credentials say unless it was given.
async fn connect(project: &mut Project, global: &Global, screen: &Screen) -> Result<Aws> {
    if project.account_id.is_empty() && global.sandbox().is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            "--account-id is needed in the sandbox.",
        ));
    }
    let place = |account_id: &str| Place {
        account_id: account_id.to_owned(),
        region: project.region.clone(),
        partition: Partition::of_region(&project.region),
    };
    if project.account_id.is_empty() {
        let aws = session::open(&place(""), global).await?;
        project.account_id = aws.caller().await?.account_id;
        screen.say(&format!(
            "The credentials belong to account {}.",
            project.account_id
        ));
    }
    let aws = session::open(&place(&project.account_id), global).await?;
    aws.identity().await?;
    Ok(aws)
}

/// Everything that the kinds could manage, and the services by the key that they are to have.
async fn list(aws: &Aws, cluster: Option<&str>) -> Result<(Listed, Services)> {
    let (account, providers, repositories, groups, secrets, clusters) = futures::try_join!(
        iam::account(aws),
        iam::oidc_providers(aws),
        ecr::all(aws),
        logs::all(aws),
        secrets::all(aws),
        ecs_clusters::all(aws),
    )?;
    let mut listed = Listed::new();
    let mut put = |kind: &str, name: &str, path: &str| {
        listed.insert(Address::new(kind, name), path.to_owned());
    };
    for arn in providers.iter() {
        put(
            "oidc_provider",
            arn.split_once("oidc-provider/")
                .map_or("", |(_, name)| name),
            "",
        );
    }
    for policy in account
        .policies
        .values()
        .filter(|policy| !policy.arn.contains(":aws:policy/"))
    {
        put("policy", &policy.name, &policy.path);
    }
    for role in account.roles.values() {
        if !AWS_PATHS.iter().any(|path| role.path.starts_with(path)) {
            put("role", &role.name, &role.path);
        }
    }
    for repository in repositories.iter() {
        put("repository", &repository.name, "");
    }
    // Groups under /aws/ are made by AWS's services as they run.
    for group in groups
        .iter()
        .filter(|group| !group.name.starts_with("/aws/"))
    {
        put("log_group", &group.name, "");
    }
    for secret in secrets.iter() {
        put("secret", secret, "");
    }
    let names = clusters.iter().map(|arn| last(arn));
    let names: Vec<&str> = names
        .filter(|name| cluster.is_none_or(|only| only == *name))
        .collect();
    if let (Some(only), true) = (cluster, names.is_empty()) {
        return Err(Error::failed(format!("There is no cluster {only}.")));
    }
    for name in &names {
        put("cluster", name, "");
    }
    Ok((listed, services(aws, &names).await?))
}

async fn services(aws: &Aws, clusters: &[&str]) -> Result<Services> {
    let mut places: Vec<(String, String)> = Vec::new();
    for cluster in clusters {
        for arn in ecs::list_services(aws, cluster).await? {
            places.push(((*cluster).to_owned(), last(&arn).to_owned()));
        }
    }
    places.sort();
    let several = |name: &str| places.iter().filter(|(_, other)| other == name).count() > 1;
    let keyed = places.iter().map(|(cluster, name)| {
        let key = if several(name) {
            format!("{cluster}-{name}")
        } else {
            name.clone()
        };
        (key, (cluster.clone(), name.clone()))
    });
    Ok(keyed.collect())
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// An infra.toml that declares everything by name, so that the kinds look at it.
fn stubs(project: &Project, listed: &Listed, services: &Services) -> String {
    let mut text = head(project);
    for (address, path) in listed {
        text.push_str(&stub(address, path));
    }
    for (name, (cluster, service)) in services {
        let name = key(name);
        let _ = writeln!(
            text,
            "[service.{name}]\nname = {service:?}\ncluster = {cluster:?}\nlaunch_type = \"EC2\"\n\
             [service.{name}.task]\nfamily = \"stub\"\n\
             [service.{name}.task.container.stub]\nimage = \"stub\"\nmemory = 128\n"
        );
    }
    text
}

/// What carries no owner mark; the rest belongs to a project already.
fn unowned(live: &Snapshot) -> (Snapshot, Vec<String>) {
    let mut notes = Vec::new();
    let mut left = live.clone();
    for (address, spec) in live.iter() {
        if let Some(owner) = spec.owner() {
            notes.push(format!("{address} belongs to {owner} and is left out."));
            left.set(address, None);
        }
    }
    (left, notes)
}

/// The cluster's services and all that they refer to, and the roles that an OIDC provider may assume
/// with what those refer to.
fn of_cluster(cluster: &str, live: &Snapshot) -> Result<BTreeSet<Address>> {
    let starts = live
        .iter()
        .filter(|(address, spec)| match address.kind.as_str() {
            "service" => spec.json().get("cluster").and_then(Value::as_str) == Some(cluster),
            "cluster" => address.name == cluster,
            "role" => spec
                .json()
                .get("trust_policy")
                .is_some_and(|trust| trust.to_string().contains(":oidc-provider/")),
            _ => false,
        });
    let mut found: BTreeSet<Address> = starts.map(|(address, _)| address.clone()).collect();
    let mut next: Vec<Address> = found.iter().cloned().collect();
    while let Some(address) = next.pop() {
        let Some(spec) = live.get(&address) else {
            continue;
        };
        for referred in kind_of(KINDS, &address.kind)?.refers(spec) {
            if live.contains(&referred) && found.insert(referred.clone()) {
                next.push(referred);
            }
        }
    }
    Ok(found)
}

/// The addresses in the order in which their kinds are made.
fn in_order(addresses: &BTreeSet<Address>) -> Vec<&Address> {
    let order = |kind: &str| KINDS.iter().position(|known| known.name() == kind);
    let mut sorted: Vec<&Address> = addresses.iter().collect();
    sorted.sort_by_key(|address| order(&address.kind));
    sorted
}

/// The tag of each container's image, by service key and container. A spec does not hold it: images
/// belong to deployments.
type ImageTags = BTreeMap<(String, String), String>;

async fn image_tags(
    aws: &Aws,
    services: &Services,
    wanted: &BTreeSet<Address>,
) -> Result<ImageTags> {
    let mut tags = ImageTags::new();
    for (key, (cluster, name)) in services {
        if !wanted.contains(&Address::new("service", key)) {
            continue;
        }
        let Some(service) = ecs::service(aws, cluster, name).await? else {
            continue;
        };
        let Some(arn) = service.get("taskDefinition").and_then(Value::as_str) else {
            continue;
        };
        let definition = ecs::task_definition(aws, arn).await?;
        for container in ecs::containers(&definition) {
            let text = |field| {
                container
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            let file = text("image").rsplit('/').next().unwrap_or_default();
            let tag = match file.split_once(':') {
                Some((name, tag)) if !name.contains('@') => tag,
                _ => "latest",
            };
            tags.insert((key.clone(), text("name").to_owned()), tag.to_owned());
        }
    }
    Ok(tags)
}

/// The table of one resource, as short as it can be, and whether it declares all that is live.
fn table(
    project: &Project,
    address: &Address,
    spec: &AnySpec,
    listed: &Listed,
    tags: &ImageTags,
) -> Result<(Table, bool)> {
    let kind = kind_of(KINDS, &address.kind)?;
    let mut value = spec.json();
    if address.kind == "service" {
        add_tags(&mut value, &address.name, tags);
    }
    let referred = kind.refers(spec);
    let stubs = referred
        .iter()
        .filter_map(|address| Some(stub(address, listed.get(address)?)))
        .collect();
    let trial = Trial {
        project,
        kind,
        live: spec,
        stubs,
    };
    Ok(trial.prune(Table::new(address.clone(), value)))
}

fn add_tags(service: &mut Value, key: &str, tags: &ImageTags) {
    let containers = service
        .pointer_mut("/task/container")
        .and_then(Value::as_object_mut);
    for (name, container) in containers.into_iter().flatten() {
        let tag = tags.get(&(key.to_owned(), name.clone()));
        if let (Some(Value::Object(image)), Some(tag)) = (container.get_mut("image"), tag) {
            image.insert("tag".to_owned(), json!(tag));
        }
    }
}
