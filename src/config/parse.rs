//! The walk from the text of infra.toml to the checked [`Config`].

use std::collections::BTreeMap;
use std::path::Path;

use super::build;
use super::check;
use super::declared::{Declared, KINDS};
use super::diagnostic::{Diagnostic, Source};
use super::expand::{self, DeclaredEnvironment};
use super::model::{Config, Environment, Github, Lock, Partition, Project, Seconds};
use super::node::{Entry, Node, Value};
use super::placeholders::Variables;
use super::private;
use super::reader::{Decode, ReadFile, Reader};
use super::tables::{EnvironmentTable, GithubTable, ProjectTable};

/// Reads and checks the infra.toml at a path, and the documents that it names.
pub fn load(path: &Path) -> Result<Config, Vec<Diagnostic>> {
    let shown = path.to_string_lossy();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&shown, &text, &mut |path| std::fs::read_to_string(path)),
        Err(error) => {
            let hint = "Name another with --config, or write one with provision init.".to_owned();
            let message = format!("{shown} cannot be read: {error}.");
            Err(vec![
                Diagnostic::about_file(&shown, message).with_hint(hint),
            ])
        }
    }
}

/// Reads and checks the text of an infra.toml. `read_file` is asked for the documents that it
/// names, by their paths relative to the folder of `path`.
pub fn parse(path: &str, text: &str, read_file: ReadFile<'_>) -> Result<Config, Vec<Diagnostic>> {
    let mut source = Source::new(path, text);
    let root = Node::parse(&source)?;
    source.hide(private::strings(&root));
    let mut reader = Reader::new(source, read_file);
    let config = read(root, &mut reader);
    if reader.failed() {
        Err(in_order(reader))
    } else {
        Ok(config)
    }
}

/// What the names of an infra.toml stand for, whatever else is wrong in it; no document is read.
pub(super) fn names(
    path: &str,
    text: &str,
) -> Result<(Declared, Vec<Environment>), Vec<Diagnostic>> {
    let source = Source::new(path, text);
    let root = Node::parse(&source)?;
    let mut none = |_: &Path| Err(std::io::ErrorKind::NotFound.into());
    let mut reader = Reader::new(source, &mut none);
    let config = read(root, &mut reader);
    Ok((reader.declared, config.environments))
}

/// infra.toml's errors first, then those of each document, each in the order of lines.
fn in_order(reader: Reader<'_>) -> Vec<Diagnostic> {
    let path = reader.source.path;
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort_by(|a, b| {
        let key = |it: &Diagnostic| (it.position.path != path, it.position.clone());
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    diagnostics
}

fn read(mut root: Node, reader: &mut Reader<'_>) -> Config {
    check_top_level(&root, reader);
    let project = project(&mut root, reader);
    let github = github(&mut root, reader);
    reader.declared.github.clone_from(&github);
    let environments = environments(&root, reader);
    let tags = root.get("project").and_then(|project| project.get("tags"));
    let items = expand::expand(&root, &environments, tags, reader);
    let audit = root.entry("audit").cloned().map(|mut audit| {
        reader.substitute(&mut audit.node);
        audit.node
    });
    let mut config = Config {
        path: reader.source.path.clone(),
        project: project.unwrap_or_else(|| stand_in(reader)),
        github,
        environments: environments.into_iter().map(|it| it.environment).collect(),
        oidc_providers: BTreeMap::new(),
        policies: BTreeMap::new(),
        roles: BTreeMap::new(),
        repositories: BTreeMap::new(),
        log_groups: BTreeMap::new(),
        secrets: BTreeMap::new(),
        clusters: BTreeMap::new(),
        services: BTreeMap::new(),
        acceptances: audit.map_or_else(Vec::new, |node| build::acceptances(&node, reader)),
        declarations: BTreeMap::new(),
    };
    build::resources(&items, &mut config, reader);
    config
}

/// A project in place of one that could not be read; the configuration is never given out then.
fn stand_in(reader: &Reader<'_>) -> Project {
    Project {
        name: reader.declared.project_name.clone(),
        account_id: reader.declared.account_id.clone(),
        region: reader.declared.region.clone(),
        partition: reader.declared.partition(),
        tags: BTreeMap::new(),
        ignore_tags: Vec::new(),
        lock: None,
        position: reader.source.position(0),
    }
}

fn check_top_level(root: &Node, reader: &mut Reader<'_>) {
    let mut known = vec!["project", "github", "environment", "audit"];
    known.extend(KINDS);
    for entry in root.entries() {
        if !known.contains(&entry.key.as_str()) {
            reader.unknown_key(entry, &known);
        }
    }
    if root.get("project").is_none() {
        let hint = "Add [project] with `name`, `account_id` and `region`.".to_owned();
        reader.error(&(0..0), "The table [project] is missing.", hint);
    }
}

fn project(root: &mut Node, reader: &mut Reader<'_>) -> Option<Project> {
    let mut entry = root.take("project")?;
    let mut fixed = Vec::new();
    for (key, fact) in [
        ("name", &mut reader.declared.project_name),
        ("account_id", &mut reader.declared.account_id),
        ("region", &mut reader.declared.region),
    ] {
        let Some(node) = entry.node.get(key) else {
            continue;
        };
        let Some(text) = node.text() else { continue };
        text.clone_into(fact);
        if text.contains("{{") {
            fixed.push((key, node.at.clone()));
        }
    }
    for (key, at) in fixed {
        let message = format!("No placeholder can stand in `{key}`: others are made from it.");
        reader.error(&at, message, "Write it out.".to_owned());
        reader.unresolved(at);
    }
    reader.substitute(&mut entry.node);
    let table = reader.value::<ProjectTable>("project", &entry.node);
    if let Some(table) = &table {
        check::project::project(table, &entry.node, reader);
    }
    let position = reader.source.position(entry.node.at.start);
    put_back(root, entry);
    let ProjectTable {
        name,
        account_id,
        region,
        tags,
        ignore_tags,
        lock,
    } = table?;
    let lock = lock.as_deref().and_then(|lock| lock.strip_prefix("ssm:"));
    Some(Project {
        partition: Partition::of_region(&region),
        name,
        account_id,
        region,
        tags,
        ignore_tags,
        lock: lock.map(|parameter| Lock {
            parameter: parameter.to_owned(),
        }),
        position,
    })
}

fn put_back(root: &mut Node, entry: Entry) {
    if let Value::Table(entries) = &mut root.value {
        entries.push(entry);
    }
}

fn github(root: &mut Node, reader: &mut Reader<'_>) -> Option<Github> {
    let mut entry = root.take("github")?;
    reader.substitute(&mut entry.node);
    let table = reader.value::<GithubTable>("github", &entry.node)?;
    check::project::github(&table, &entry.node, reader)
}

fn environments(root: &Node, reader: &mut Reader<'_>) -> Vec<DeclaredEnvironment> {
    let Some(tables) = root.get("environment") else {
        return Vec::new();
    };
    if !matches!(tables.value, Value::Table(_)) {
        let hint = "Write [environment.NAME].".to_owned();
        reader.error(&tables.at, "`environment` must be a table of tables.", hint);
    }
    let mut found = Vec::new();
    let mut nodes = Vec::new();
    for entry in tables.entries() {
        if let Some((declared, node)) = environment(entry, reader) {
            found.push(declared);
            nodes.push(node);
        }
    }
    let pairs: Vec<(&Environment, &Node)> =
        found.iter().map(|it| &it.environment).zip(&nodes).collect();
    check::project::order(&pairs, reader);
    found
}

fn environment(entry: &Entry, reader: &mut Reader<'_>) -> Option<(DeclaredEnvironment, Node)> {
    let name = &entry.key;
    if !check::project::is_table(&entry.node, name, reader) {
        return None;
    }
    let mut node = entry.node.clone();
    let overlays = KINDS.iter().filter_map(|kind| node.take(kind)).collect();
    reader.variables = Some(Variables {
        environment: name.clone(),
        values: Vec::new(),
    });
    let mut vars = node.take("vars");
    if let Some(vars) = &mut vars {
        reader.substitute(&mut vars.node);
        put_back(&mut node, vars.clone());
    }
    let values = vars.iter().flat_map(|vars| vars.node.entries());
    let values = values
        .map(|it| (it.key.clone(), it.node.value.clone()))
        .collect();
    let variables = Variables {
        environment: name.clone(),
        values,
    };
    reader.variables = Some(variables.clone());
    reader.substitute(&mut node);
    let table = EnvironmentTable::decode(&node, reader);
    let table = table.unwrap_or(EnvironmentTable {
        after: None,
        vars: BTreeMap::new(),
        soak: Seconds::default(),
        validate: Vec::new(),
    });
    let validate = check::project::environment(name, &table, &node, reader);
    reader.variables = None;
    let EnvironmentTable {
        after,
        vars,
        soak,
        validate: _,
    } = table;
    let environment = Environment {
        name: name.clone(),
        after,
        vars: vars
            .into_iter()
            .map(|(key, value)| (key, value.0))
            .collect(),
        soak,
        validate,
        position: reader.source.position(entry.key_at.start),
    };
    Some((
        DeclaredEnvironment {
            environment,
            variables,
            overlays,
        },
        node,
    ))
}
