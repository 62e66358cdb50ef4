//! What no message shows: strings of infra.toml that may be secrets.

use std::ops::Range;

use super::advice::is_secret_value;
use super::node::Node;

/// The bytes of strings that may be secrets: values of environment variables, and what somebody
/// has written into the table of a secret.
pub(super) fn strings(root: &Node) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let overlays = root
        .get("environment")
        .map_or(&[][..], Node::entries)
        .iter();
    let tables = overlays.map(|entry| &entry.node).chain([root]);
    for table in tables {
        if let Some(services) = table.get("service") {
            environment_values(services, &mut found);
        }
        for secret in table.get("secret").map_or(&[][..], Node::entries) {
            let address = Some("secret/");
            let entries = secret.node.entries().iter();
            let values = entries.filter(|entry| is_secret_value(&entry.key, address));
            found.extend(values.map(|entry| within_quotes(&entry.node)));
        }
    }
    found
}

fn environment_values(node: &Node, found: &mut Vec<Range<usize>>) {
    for entry in node.entries() {
        if entry.key == "environment" {
            found.extend(
                entry
                    .node
                    .entries()
                    .iter()
                    .map(|entry| within_quotes(&entry.node)),
            );
        } else {
            environment_values(&entry.node, found);
        }
    }
}

fn within_quotes(node: &Node) -> Range<usize> {
    let end = node.at.end.saturating_sub(1);
    (node.at.start + 1).min(end)..end
}
