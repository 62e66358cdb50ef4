//! Who reaches what, as a table and as a Mermaid graph.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::reach::{Door, Edge, Grant, Graph, Permit, Power};

/// The table: subjects → role → powers → services, then what IAM cannot see.
#[must_use]
pub fn text(graph: &Graph) -> String {
    let mut out = String::new();
    for edge in &graph.edges {
        let Edge {
            repository,
            subjects,
            anybody: _,
            role,
            statement,
            token,
            mended,
        } = edge;
        let mended = if *mended {
            " once its letter case is mended"
        } else {
            ""
        };
        let _ = writeln!(out, "{repository}: {subjects} → {role}{mended}");
        let _ = writeln!(
            out,
            "    statement {} of its trust policy, for example {token}",
            statement.index
        );
        for grant in graph.grants.get(role).into_iter().flatten() {
            let Grant {
                power,
                resource,
                policy,
                statement,
                ..
            } = grant;
            let _ = writeln!(
                out,
                "    may {} {resource} (statement {} of {policy})",
                power.words(),
                statement.index
            );
            let services = graph
                .services
                .get(resource)
                .filter(|_| *power == Power::Push);
            for service in services.into_iter().flatten() {
                let production = if graph.production.contains(service) {
                    ", production"
                } else {
                    ""
                };
                let _ = writeln!(out, "        {service} runs from it{production}");
            }
        }
    }
    if graph.edges.is_empty() {
        out.push_str("No token of GitHub is let in by any role.\n");
    }
    let _ = write!(out, "{}", blind_spot(graph));
    out
}

/// What IAM cannot tell apart, and what follows.
fn blind_spot(graph: &Graph) -> String {
    let mut out = String::new();
    let mut told: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for edge in &graph.edges {
        let grants = graph.grants.get(&edge.role).into_iter().flatten();
        let pushed = grants
            .filter(|grant| grant.power == Power::Push && graph.movable.contains(&grant.resource));
        for grant in pushed {
            let subjects = told.entry((&edge.repository, &grant.resource)).or_default();
            if !subjects.contains(&edge.subjects.as_str()) {
                subjects.push(&edge.subjects);
            }
        }
    }
    for ((repository, resource), subjects) in told {
        let services = graph.services.get(resource).into_iter().flatten();
        let production: Vec<&str> = services
            .map(String::as_str)
            .filter(|service| graph.production.contains(*service))
            .collect();
        if production.is_empty() {
            continue;
        }
        let tags = graph.production_tags.get(resource).into_iter().flatten();
        let tags: Vec<String> = tags.map(|tag| format!(":{tag}")).collect();
        let tags = if tags.is_empty() {
            "any movable tag".to_owned()
        } else {
            tags.join(", ")
        };
        let _ = writeln!(
            out,
            "IAM has no condition on an image's tag: {} of {repository} can replace {tags} of {resource}, from which {} runs.",
            subjects.join(", "),
            production.join(", ")
        );
    }
    out
}

/// The graph in Mermaid's language; each edge has its deciding statement, each subject a sample token.
#[must_use]
pub fn mermaid(graph: &Graph) -> String {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut nodes = String::new();
    let mut edges: Vec<String> = Vec::new();
    let mut node = |key: String, label: &str| {
        if let Some(known) = names.get(&key) {
            return known.clone();
        }
        let name = format!("n{}", names.len());
        let _ = writeln!(nodes, "    {name}[\"{}\"]", quoted(label));
        names.insert(key, name.clone());
        name
    };
    for edge in &graph.edges {
        let subject = format!(
            "{}<br/>{}<br/>{}",
            edge.repository, edge.subjects, edge.token
        );
        let from = node(format!("subject {}", edge.token), &subject);
        let role = node(edge.role.clone(), &edge.role);
        edges.push(format!(
            "    {from} -->|trust, statement {}| {role}",
            edge.statement.index
        ));
        for grant in graph.grants.get(&edge.role).into_iter().flatten() {
            let resource = node(grant.resource.clone(), &grant.resource);
            let label = format!(
                "{}: {}, statement {}",
                grant.request.action, grant.policy, grant.statement.index
            );
            edges.push(format!("    {role} -->|{}| {resource}", quoted(&label)));
            for service in graph.services.get(&grant.resource).into_iter().flatten() {
                let service = node(service.clone(), service);
                edges.push(format!("    {resource} -->|image| {service}"));
            }
        }
    }
    let mut seen = BTreeSet::new();
    edges.retain(|edge| seen.insert(edge.clone()));
    format!("flowchart LR\n{nodes}{}\n", edges.join("\n"))
}

/// A label in which nothing ends it; line breaks are kept.
fn quoted(text: &str) -> String {
    text.replace('"', "#quot;").replace('|', "#124;")
}

/// Who may, each with the statements that decide.
#[must_use]
pub fn permits_text(permits: &[Permit]) -> String {
    let mut out = String::new();
    for Permit {
        who,
        door,
        policy,
        statement,
        request,
    } in permits
    {
        let context: Vec<String> = request
            .context
            .iter()
            .map(|(key, values)| format!("{key} = {}", values.join(", ")))
            .collect();
        let with = if context.is_empty() {
            String::new()
        } else {
            format!(", with {}", context.join(", "))
        };
        let _ = writeln!(
            out,
            "{who}: {} on {}{with} (statement {} of {policy})",
            request.action, request.resource, statement.index
        );
        for Door {
            subjects,
            statement,
            token,
            mended,
        } in door
        {
            let mended = if *mended {
                "; only once its letter case is mended"
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "    from {subjects}, for example {token} (statement {} of the trust policy{mended})",
                statement.index
            );
        }
    }
    out
}
