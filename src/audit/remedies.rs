//! Lines of infra.toml: what would declare a difference, and what would end a danger.

use std::fmt::Write as _;

use crate::config::Config;
use crate::kind::table::{key, text};
use crate::reach::{Graph, production_environments};

/// The lines that take production out of the reach of every branch: a role for each environment, and tags that cannot be
/// moved in the repositories that production runs from, or a repository that only production's role may push to.
pub(super) fn role_for_each_environment(config: &Config, repositories: &[&str]) -> String {
    let mut out = String::from("# A role for each environment, which only its jobs can assume:\n");
    for environment in &config.environments {
        let name = &environment.name;
        let heading = key(&format!("github-{name}"));
        let _ = writeln!(
            out,
            "[role.{heading}]\ntrust = {{ github = {{ environments = [{}] }} }}\n",
            text(name)
        );
    }
    if !repositories.is_empty() {
        out.push_str("# Tags that cannot be moved: push every build under its commit; then provision deploy and provision promote\n# take its digest along.\n");
    }
    for repository in repositories {
        let _ = writeln!(
            out,
            "[repository.{}]\nimage_tag_mutability = \"IMMUTABLE\"\n",
            key(repository)
        );
    }
    for environment in production_environments(config) {
        for repository in repositories {
            let name = format!("{repository}-{environment}");
            let _ = writeln!(
                out,
                "# Or a repository for {environment}, which only the role github-{environment} may push to:\n[repository.{}]\nimage_tag_mutability = \"IMMUTABLE\"\n",
                key(&name)
            );
        }
    }
    out.trim_end().to_owned()
}

/// The lines of infra.toml that close the ways to production which the graph shows; none where a branch has none.
#[must_use]
pub fn remedies(config: &Config, graph: &Graph) -> Option<String> {
    let mut repositories: Vec<&str> = Vec::new();
    let mut open = false;
    for edge in graph.edges.iter().filter(|edge| edge.anybody) {
        for grant in graph.to_production(&edge.role) {
            open = true;
            let name = grant.resource.strip_prefix("repository/");
            repositories.extend(name.filter(|name| !repositories.contains(name)));
        }
    }
    open.then(|| role_for_each_environment(config, &repositories))
}
