//! `provision can` and `provision who-can`: who may do what, on one policy file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::policy::{Kind, read, wrong};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::request::Context;
use crate::policy::{
    Answer, Decision, Document, Grants, PolicyKind, Query, Request, RequestPrincipal, StatementRef,
    batch, evaluate, find,
};
use crate::report::Screen;

/// Say whether a subject may do an action on a resource, and which statements decide.
#[derive(Debug, Args)]
pub(super) struct Can {
    /// Who asks: an ARN, a service's host, or an account id.
    subject: String,
    /// The action, such as ecr:PutImage.
    action: String,
    /// The resource's ARN, or `*`.
    resource: String,
    /// Decide by this policy document alone.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// What the document is for; by default what its elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// A value of the request's context; may be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
}

/// Say who may do an action on a resource, with an example for each statement.
#[derive(Debug, Args)]
pub(super) struct WhoCan {
    /// The action, such as ecr:PutImage; `*` and `?` are wildcards.
    action: String,
    /// The resource's ARN; `*` and `?` are wildcards.
    resource: String,
    /// Decide by this policy document alone.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// What the document is for; by default what its elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

/// Answers yes or no.
pub(super) fn can(arguments: &Can, screen: &Screen) -> Result<u8> {
    let Can {
        subject,
        action,
        resource,
        policy,
        kind,
        context,
    } = arguments;
    let document = document(policy, *kind)?;
    let request = Request {
        principal: RequestPrincipal::parse(subject),
        action: action.clone(),
        resource: resource.clone(),
        context: context_of(context)?,
    };
    let text = match evaluate(&document, &request) {
        Decision::Allowed(statements) => format!("yes: allowed by {}\n", names(&statements)),
        Decision::Denied(statements) => format!("no: denied by {}\n", names(&statements)),
        Decision::NotAllowed => "no: no statement allows it\n".to_owned(),
    };
    screen.result(&text)?;
    Ok(0)
}

/// Lists who may.
pub(super) fn who_can(arguments: &WhoCan, screen: &Screen) -> Result<u8> {
    let WhoCan {
        action,
        resource,
        policy,
        kind,
    } = arguments;
    let document = document(policy, *kind)?;
    let query = Query {
        actions: vec![action.clone()],
        resources: vec![resource.clone()],
        ..Query::default()
    };
    let mut text = String::new();
    match find(&Grants::of(&document), document.kind(), &query) {
        Answer::None => text.push_str("nobody\n"),
        Answer::Unknown(reason) => {
            return Err(Error::failed(format!("It is not known who can: {reason}")));
        }
        Answer::Some(witnesses) => {
            for witness in witnesses {
                let who = match document.kind() {
                    PolicyKind::Identity => "whoever has this policy".to_owned(),
                    PolicyKind::Trust | PolicyKind::Resource => {
                        witness.request.principal.text().to_owned()
                    }
                };
                let conditions: Vec<String> = witness
                    .request
                    .context
                    .iter()
                    .map(|(key, values)| format!("{key} = {}", values.join(", ")))
                    .collect();
                let with = if conditions.is_empty() {
                    String::new()
                } else {
                    format!(", with {}", conditions.join(", "))
                };
                text.extend([format!(
                    "{who}: {} on {}{with} ({})\n",
                    witness.request.action,
                    witness.request.resource,
                    names(std::slice::from_ref(&witness.statement))
                )]);
            }
        }
    }
    screen.result(&text)?;
    Ok(0)
}

fn document(path: &Path, kind: Option<Kind>) -> Result<Document> {
    let text = read(path)?;
    let kind = kind.map_or_else(|| batch::kind_of(&text), PolicyKind::from);
    Document::read(&text, kind).map_err(|errors| wrong(path, &errors))
}

fn context_of(pairs: &[String]) -> Result<Context> {
    let mut out = Context::new();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("`{pair}` is not KEY=VALUE."),
            ));
        };
        out.entry(key.to_ascii_lowercase())
            .or_default()
            .push(value.to_owned());
    }
    Ok(out)
}

fn names(statements: &[StatementRef]) -> String {
    let list: Vec<String> = statements
        .iter()
        .map(|statement| match &statement.sid {
            Some(sid) => format!("statement {} ({sid})", statement.index),
            None => format!("statement {}", statement.index),
        })
        .collect();
    list.join(", ")
}
