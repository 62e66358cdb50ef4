//! One policy document as somebody wrote it, with its `{{...}}` resolved, for the commands that read a single file.
//! The document may be wrong, and so may be the rest of infra.toml: only what placeholders stand for is asked.

use std::path::Path;

use super::Position;
use super::declared::{Declared, KINDS, Named};
use super::diagnostic::{Diagnostic, Source};
use super::model::Environment;
use super::node::Value;
use super::parse;
use super::placeholders::{self, Expanded, Scope, Variables};
use crate::policy::Home;

/// What the placeholders of an infra.toml stand for.
#[derive(Debug)]
pub struct Placeholders {
    declared: Declared,
    environments: Vec<Variables>,
}

/// A document's text with its placeholders resolved.
#[derive(Debug)]
pub struct Written {
    source: Source,
    expanded: Expanded,
    /// The environment whose values stand in it, where it takes any.
    pub environment: Option<String>,
    /// What stands in the text for a placeholder that nothing resolves: the placeholder, and the text.
    pub stand_ins: Vec<(String, String)>,
}

impl Written {
    /// The text without placeholders.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.expanded.text
    }

    /// Where a line and column of [`Self::text`] stands in the file as it is written.
    #[must_use]
    pub fn position(&self, line: usize, column: usize) -> Position {
        let expanded = Source::new(self.source.path.clone(), self.expanded.text.clone());
        let origin = self.expanded.origin(expanded.offset(line, column));
        self.source.position(origin)
    }
}

impl Placeholders {
    /// Reads what the placeholders of an infra.toml stand for.
    ///
    /// # Errors
    /// The file cannot be read, or is not TOML. What else is wrong in it does not matter here.
    pub fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let shown = path.to_string_lossy();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("{shown} cannot be read: {error}.");
            vec![Diagnostic::about_file(&shown, message)]
        })?;
        let (declared, environments) = parse::names(&shown, &text)?;
        let environments = environments.into_iter().map(variables).collect();
        Ok(Self {
            declared,
            environments,
        })
    }

    /// The account and region that examples speak of, where the file says them.
    #[must_use]
    pub fn home(&self) -> Option<Home> {
        let home = self.declared.home();
        let account = &home.account;
        let said = *account != Declared::default().account_id
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit());
        said.then_some(home)
    }

    /// Resolves the placeholders of a document: once, or once for each environment where it takes values of one.
    ///
    /// # Errors
    /// The placeholders that stand for nothing, each at its place.
    pub fn resolve(&self, path: &str, text: &str) -> Result<Vec<Written>, Vec<Diagnostic>> {
        let scope = |environment| Scope {
            declared: &self.declared,
            environment,
            document: true,
        };
        let source = || Source::new(path, text);
        let faults = match placeholders::expand(text, scope(None)) {
            Ok(expanded) => {
                return Ok(vec![Written {
                    source: source(),
                    expanded,
                    environment: None,
                    stand_ins: Vec::new(),
                }]);
            }
            Err(faults) => faults,
        };
        let each = self.environments.iter().filter_map(|environment| {
            let expanded = placeholders::expand(text, scope(Some(environment))).ok()?;
            Some(Written {
                source: source(),
                expanded,
                environment: Some(environment.environment.clone()),
                stand_ins: Vec::new(),
            })
        });
        let each: Vec<Written> = each.collect();
        if !each.is_empty() {
            return Ok(each);
        }
        let source = source();
        let diagnostics = faults.into_iter().map(|fault| {
            source
                .diagnostic(&fault.at, fault.message)
                .with_hint(fault.hint)
        });
        Err(diagnostics.collect())
    }
}

fn variables(environment: Environment) -> Variables {
    let values = environment.vars.into_iter();
    Variables {
        environment: environment.name,
        values: values
            .map(|(name, text)| (name, Value::Text(text)))
            .collect(),
    }
}

/// Where there is no infra.toml: each placeholder is a text of the form that its name promises.
#[must_use]
pub fn stand_in(path: &str, text: &str) -> Written {
    let mut stand_ins = Vec::new();
    let expanded = placeholders::replace(text, &mut |inner, alone| {
        let value = usual(inner.trim(), alone);
        let pair = (format!("{{{{{inner}}}}}"), value.clone());
        if !stand_ins.contains(&pair) {
            stand_ins.push(pair);
        }
        value
    });
    Written {
        source: Source::new(path, text),
        expanded,
        environment: None,
        stand_ins,
    }
}

/// A text of the form that a placeholder's value has; one that is a whole string may be an ARN.
fn usual(name: &str, alone: bool) -> String {
    let declared = Declared::example();
    match name {
        "account_id" => return declared.account_id,
        "region" => return declared.region,
        "partition" => return declared.partition().as_str().to_owned(),
        "github.repository" => return "OWNER/NAME".to_owned(),
        _ => {}
    }
    let kind = KINDS.into_iter().find_map(|kind| {
        let rest = name.strip_prefix(kind)?.strip_prefix('.')?;
        let (name, attribute) = rest.rsplit_once('.')?;
        Some((kind, name, attribute))
    });
    match kind {
        Some((kind, name, attribute)) => {
            let Named { arn, url } = declared.named(kind, name, "/", name);
            url.filter(|_| attribute == "url").unwrap_or(arn)
        }
        None if alone => declared.regional_arn("provision", name),
        None => name.to_owned(),
    }
}
