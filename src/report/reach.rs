//! Who reaches what, as tables and as a Mermaid graph.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::reach::{Door, Edge, Grant, Graph, Permit, Power};

/// The table of each role, who becomes it and what it may do; then what IAM cannot see.
#[must_use]
pub fn text(graph: &Graph) -> String {
    let mut roles: Vec<&str> = Vec::new();
    for edge in &graph.edges {
        if !roles.contains(&edge.role.as_str()) {
            roles.push(&edge.role);
        }
    }
    let mut out = String::new();
    for role in roles {
        let _ = writeln!(out, "{role}");
        let edges = graph.edges.iter().filter(|edge| edge.role == role);
        out.push_str(&table(
            &["from", "for example", "trust policy"],
            edges.map(way),
        ));
        let grants = graph.grants.get(role).into_iter().flatten();
        let grants = grants.map(|grant| power(graph, grant));
        out.push_str(&table(&["may", "by", "runs in"], grants));
        out.push('\n');
    }
    if graph.edges.is_empty() {
        out.push_str("No token of GitHub is let in by any role.\n");
    }
    let _ = write!(out, "{}", blind_spot(graph));
    out
}

/// Who becomes a role, a token, and the statement that lets it in.
fn way(edge: &Edge) -> [String; 3] {
    let Edge {
        repository,
        subjects,
        anybody: _,
        role: _,
        statement,
        token,
        mended,
    } = edge;
    let mended = if *mended {
        ", once its letter case is mended"
    } else {
        ""
    };
    [
        format!("{repository}: {subjects}"),
        token.clone(),
        format!("statement {}{mended}", statement.index),
    ]
}

/// What a role may do, the statement that lets it, and the services that run from what it may push.
fn power(graph: &Graph, grant: &Grant) -> [String; 3] {
    let Grant {
        power,
        resource,
        policy,
        statement,
        request: _,
    } = grant;
    let services = graph.services.get(resource);
    let services = services.filter(|_| *power == Power::Push);
    let services = services.into_iter().flatten().map(|service| {
        if graph.production.contains(service) {
            format!("{service} (production)")
        } else {
            service.clone()
        }
    });
    [
        format!("{} {resource}", power.words()),
        format!("statement {} of {policy}", statement.index),
        services.collect::<Vec<String>>().join(", "),
    ]
}

/// Rows under their headings, indented, each column as wide as its widest cell; a column of empty cells is left out, and
/// without rows all of it.
fn table<const COLUMNS: usize>(
    headings: &[&str; COLUMNS],
    rows: impl Iterator<Item = [String; COLUMNS]>,
) -> String {
    let rows: Vec<[String; COLUMNS]> = rows.collect();
    let mut lines = vec![String::new(); rows.len() + 1];
    for (column, heading) in headings.iter().enumerate() {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let cells: Vec<&str> = cells.map(String::as_str).collect();
        if cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        let width = lines.iter().map(|line| line.chars().count()).max();
        let width = width
            .filter(|width| *width > 0)
            .map_or(4, |width| width + 2);
        for (line, cell) in lines.iter_mut().zip([*heading].into_iter().chain(cells)) {
            let blank = width.saturating_sub(line.chars().count());
            line.extend(std::iter::repeat_n(' ', blank));
            line.push_str(cell);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
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
