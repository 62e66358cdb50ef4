//! `provision can` and `provision who-can`: who may do what, in the account or by one policy file.

use std::path::{Path, PathBuf};

use clap::Args;

use super::global::Global;
use super::policy::{Kind, PolicyFile};
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::policy::Context;
use crate::policy::shape::Misshapen;
use crate::policy::{
    Answer, Decision, Document, Grants, PolicyKind, Query, Request, RequestPrincipal, StatementRef,
    evaluate, find, shape,
};
use crate::reach::{Account, Facts, Permit};
use crate::report::{Screen, permits_text};

/// Say whether a subject may do an action on a resource, and which statements decide.
///
/// Answers for the account that infra.toml names, of a snapshot of it, or by one policy file. The exit code is 0 for both
/// answers.
#[derive(Debug, Args)]
pub(super) struct Can {
    /// Who asks: an address such as role/NAME, an ARN, or the subject of a GitHub token, such as
    /// repo:OWNER/NAME:ref:refs/heads/main.
    subject: String,
    /// The action, such as ecr:PutImage.
    action: String,
    /// The resource: an ARN, an address, a declared name, or `*`.
    resource: String,
    /// Decide by this policy document alone.
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    policy: Option<PathBuf>,
    /// Decide by this file, which `provision snapshot` wrote, instead of the account.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// What the document is for; by default what its elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// A value of the request's context; may be given several times. Only with --policy.
    #[arg(long, value_name = "KEY=VALUE", requires = "policy")]
    context: Vec<String>,
}

/// Say who may do an action on a resource, with an example for each statement.
#[derive(Debug, Args)]
pub(super) struct WhoCan {
    /// The action, such as ecr:PutImage; `*` and `?` are wildcards.
    action: String,
    /// The resource: an ARN, in which `*` and `?` are wildcards, an address, or a declared name.
    resource: String,
    /// Decide by this policy document alone.
    #[arg(long, value_name = "FILE", conflicts_with = "snapshot")]
    policy: Option<PathBuf>,
    /// Decide by this file, which `provision snapshot` wrote, instead of the account.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// What the document is for; by default what its elements say.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
}

impl Can {
    /// The policy file to decide by, if one was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.policy.as_deref()
    }
}

impl WhoCan {
    /// The policy file to decide by, if one was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.policy.as_deref()
    }
}

/// Answers yes or no for the account.
pub(super) async fn can_in_account(arguments: &Can, session: &Session<'_>) -> Result<u8> {
    let Can {
        subject,
        action,
        resource,
        snapshot,
        ..
    } = arguments;
    // What is wrong on the command line is said before anything is read.
    shape::action(action).map_err(misshapen)?;
    let account = super::audit::account(session, snapshot.as_ref()).await?;
    let facts = Facts::new(&session.config, &account);
    let resource = resource_of(&facts, action, resource)?;
    shape::resource(&resource).map_err(misshapen)?;
    let permits = facts.can(subject, action, &resource).map_err(|message| {
        Error::new(ErrorKind::Usage, message)
            .hint("A subject is role/NAME, user/NAME, an ARN, or repo:OWNER/NAME:....")
    })?;
    let (mended, permits): (Vec<Permit>, Vec<Permit>) = permits
        .into_iter()
        .partition(|permit| permit.door.iter().any(|door| door.mended));
    let text = if permits.is_empty() {
        let later = if mended.is_empty() {
            String::new()
        } else {
            format!(
                "once the letter case of a trust policy is mended, yes: {}",
                permits_text(&mended)
            )
        };
        format!("no: nothing lets {subject} {action} on {resource}\n{later}")
    } else {
        format!("yes: {}", permits_text(&permits))
    };
    session.screen.result(&text)?;
    Ok(unread(&account, session))
}

/// Lists who may in the account.
pub(super) async fn who_can_in_account(arguments: &WhoCan, session: &Session<'_>) -> Result<u8> {
    let WhoCan {
        action,
        resource,
        snapshot,
        ..
    } = arguments;
    // What is wrong on the command line is said before anything is read.
    shape::action_pattern(action).map_err(misshapen)?;
    let account = super::audit::account(session, snapshot.as_ref()).await?;
    let facts = Facts::new(&session.config, &account);
    let resource = resource_of(&facts, action, resource)?;
    shape::asked_resource(&resource).map_err(misshapen)?;
    let permits = facts.who_can(action, &resource);
    let text = if permits.is_empty() {
        "nobody\n".to_owned()
    } else {
        permits_text(&permits)
    };
    session.screen.result(&text)?;
    Ok(unread(&account, session))
}

/// Says what could not be read: 1 if anything, since then nobody is not nobody.
fn unread(account: &Account, session: &Session<'_>) -> u8 {
    for unread in &account.unread {
        session
            .screen
            .complain(&format!("not read: {}: {}", unread.what, unread.reason));
    }
    u8::from(!account.unread.is_empty())
}

/// Answers yes or no by a policy file.
pub(super) fn can(arguments: &Can, path: &Path, global: &Global, screen: &Screen) -> Result<u8> {
    let Can {
        subject,
        action,
        resource,
        kind,
        context,
        ..
    } = arguments;
    let document = document(path, *kind, global, screen)?;
    let request = Request {
        principal: RequestPrincipal::parse(subject),
        action: action.clone(),
        resource: resource.clone(),
        context: context_of(context)?,
    };
    request.check().map_err(misshapen)?;
    let text = match evaluate(&document, &request) {
        Decision::Allowed(statements) => format!("yes: allowed by {}\n", names(&statements)),
        Decision::Denied(statements) => format!("no: denied by {}\n", names(&statements)),
        Decision::NotAllowed => "no: no statement allows it\n".to_owned(),
    };
    screen.result(&text)?;
    Ok(0)
}

/// Lists who may by a policy file.
pub(super) fn who_can(
    arguments: &WhoCan,
    path: &Path,
    global: &Global,
    screen: &Screen,
) -> Result<u8> {
    let WhoCan {
        action,
        resource,
        kind,
        ..
    } = arguments;
    let document = document(path, *kind, global, screen)?;
    shape::action_pattern(action).map_err(misshapen)?;
    shape::asked_resource(resource).map_err(misshapen)?;
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

fn document(path: &Path, kind: Option<Kind>, global: &Global, screen: &Screen) -> Result<Document> {
    let file = PolicyFile::read(path, global, screen)?;
    for note in file.notes().into_iter().chain(file.environment_note()) {
        screen.say(&format!("note: {note}"));
    }
    let kind = kind.map(PolicyKind::from);
    let kind = kind.or_else(|| PolicyKind::of(file.text()));
    file.document(kind.unwrap_or(PolicyKind::Identity))
}

/// The ARN, `*` or pattern that is meant.
fn resource_of(facts: &Facts<'_>, action: &str, text: &str) -> Result<String> {
    facts.resource(action, text).ok_or_else(|| {
        let message = format!(
            "The resource `{text}` is neither an ARN nor `*`, and nothing of that name is declared."
        );
        Error::new(ErrorKind::Usage, message)
            .hint("Give its ARN, an address such as repository/NAME, or a name of infra.toml.")
    })
}

/// The command line asks about what is no action or no resource.
fn misshapen(error: Misshapen) -> Error {
    let Misshapen { message, hint } = error;
    Error::new(ErrorKind::Usage, message).hint(hint)
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
        out.add(key, value.to_owned());
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
