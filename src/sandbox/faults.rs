//! The fault script: which requests go wrong and how, how lists are shown, how stale reads are, and
//! how ECS behaves. It is read from a file (`--sandbox-faults FILE`, TOML or JSON) or built in code.
//!
//! ```toml
//! seed = 7                  # order of lists, ids, spelling
//! page_size = 1             # no list answers more than this many at once
//! shuffle = true            # lists in another order
//! respell = true            # policy documents with other order and spelling
//!
//! [[fault]]
//! kind = "lost_reply"       # see FaultKind
//! operation = "iam:Create*" # default "*", any; "write:*" is any that writes
//! # call = 12              # only the 12th request of the run and those after it that fit
//! resource = "back-end"     # only requests that name it
//! nth = 2                   # the first match that fails, from 1 (the default)
//! times = 3                 # how many matches fail from there on; "forever"; default 1
//!
//! [stale]
//! operation = "iam:*"       # writes after which reads of that service are stale
//! shape = "previous"        # missing, previous, phantom, principal
//! reads = 3                 # how many, or "forever"
//!
//! [[rollout]]
//! service = "back-end-*"    # default "*"
//! behaviour = "breaker"     # see Behaviour
//!
//! [[http]]                  # what a page answers that is not AWS's; 200 unless said here
//! url = "https://api.example.org/*"
//! status = 503
//! location = "https://..."  # where a redirect leads
//!
//! [[task]]                  # what becomes of a task of `provision run`
//! command = "*migrate*"     # only tasks with this command; default "*"
//! exit = 3                  # or `cause`, as under `fails`; or `unplaced = "RESOURCE:MEMORY"`
//! seconds = 20              # how long it runs; default 5
//! lines = ["one", "two"]    # what it writes meanwhile
//! ```

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ecs::{Behaviour, Cause};

/// How many times something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Times {
    /// That many times.
    Count(u64),
    /// Without end.
    Word(Forever),
}

/// The word for without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forever {
    /// Without end.
    Forever,
}

impl Times {
    /// Without end.
    pub const FOREVER: Self = Self::Word(Forever::Forever);

    /// The number, where without end is the largest there is.
    #[must_use]
    pub fn count(self) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Word(Forever::Forever) => u64::MAX,
        }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The process dies before the request is sent.
    CrashBefore,
    /// The process dies after the request was carried out.
    CrashAfter,
    /// The request is carried out and the reply never comes (a timeout).
    LostReply,
    /// The request never arrives (a timeout).
    LostRequest,
    /// The connection is reset before the request is carried out.
    ResetBefore,
    /// The connection is reset after the request was carried out.
    ResetAfter,
    /// The service asks to slow down.
    Throttled,
    /// HTTP 500, nothing done.
    InternalBefore,
    /// HTTP 503, although all was done.
    UnavailableAfter,
    /// The caller may not do this.
    AccessDenied,
    /// The credentials are expired from here on.
    TokenExpired,
    /// Somebody else writes the same resource (`ConcurrentModification`).
    ConcurrentModification,
    /// Something still hangs on the resource (`DeleteConflict`).
    DeleteConflict,
    /// The account has as many of these as it may have (`LimitExceeded`).
    QuotaExceeded,
    /// What was made a moment ago has not arrived yet where it is asked for (`Invalid principal`).
    Unsettled,
    /// The reply ends in the middle.
    TruncatedBody,
    /// An error code that nobody knows.
    UnknownError,
    /// An enum value that nobody knows, and members that nobody knows.
    UnknownValues,
    /// The answer takes an hour.
    Slow,
    /// The endpoint does not have the operation.
    UnknownOperation,
}

impl FaultKind {
    /// Every kind, for sweeps.
    pub const ALL: [Self; 20] = [
        Self::CrashBefore,
        Self::CrashAfter,
        Self::LostReply,
        Self::LostRequest,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::Throttled,
        Self::InternalBefore,
        Self::UnavailableAfter,
        Self::AccessDenied,
        Self::TokenExpired,
        Self::ConcurrentModification,
        Self::DeleteConflict,
        Self::QuotaExceeded,
        Self::Unsettled,
        Self::TruncatedBody,
        Self::UnknownError,
        Self::UnknownValues,
        Self::Slow,
        Self::UnknownOperation,
    ];
}

/// One line of the script: which requests, and what goes wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// The number of the request in the run, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// `SERVICE:OPERATION` with `*` for any run of characters; `write:OPERATION` for a request of any
    /// service that writes.
    #[serde(default = "anything")]
    pub operation: String,
    /// Only requests that hold this string in one of their parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// The first match that fails, from 1.
    #[serde(default = "first")]
    pub nth: u64,
    /// How many matches fail, counted from `nth` on.
    #[serde(default = "once")]
    pub times: Times,
}

impl Fault {
    /// The `call`th request of the run goes wrong.
    #[must_use]
    pub fn at(call: u64, kind: FaultKind) -> Self {
        let operation = anything();
        Self {
            kind,
            call: Some(call),
            operation,
            resource: None,
            nth: first(),
            times: once(),
        }
    }

    /// The first request to `operation` goes wrong.
    #[must_use]
    pub fn on(operation: &str, kind: FaultKind) -> Self {
        let operation = operation.to_owned();
        Self {
            kind,
            call: None,
            operation,
            resource: None,
            nth: first(),
            times: once(),
        }
    }

    /// The same for that many matches.
    #[must_use]
    pub fn times(self, times: Times) -> Self {
        Self { times, ..self }
    }
}

/// What a stale read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// What was made or changed is not there.
    Missing,
    /// What was changed or made is as before.
    Previous,
    /// Only deletions are not seen yet.
    Phantom,
    /// Principals in trust policies show as unique ids.
    Principal,
}

/// After which writes reads are stale, how, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// The writes: `SERVICE:OPERATION` with `*`.
    #[serde(default = "anything")]
    pub operation: String,
    /// What a stale read shows.
    pub shape: Shape,
    /// How many reads of the service after the write are stale.
    pub reads: Times,
    /// Which matching write, from 1; without it every one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
}

/// How the rollouts of a service go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutScript {
    /// The service's name, with `*`.
    #[serde(default = "anything")]
    pub service: String,
    /// What happens.
    pub behaviour: Behaviour,
    /// How many rollouts go so, from the next on; the later ones are quick.
    #[serde(default = "forever")]
    pub times: Times,
}

/// What a page answers that is not AWS's, such as a health page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpScript {
    /// The URL, with `*`.
    #[serde(default = "anything")]
    pub url: String,
    /// The status.
    pub status: u16,
    /// Where a redirect leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What becomes of tasks that are run for their own sake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskScript {
    /// The command, with `*`.
    #[serde(default = "anything")]
    pub command: String,
    /// The exit code; 0 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<i64>,
    /// Why it stops, in place of an exit code of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Why it finds no place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<String>,
    /// How long it runs.
    #[serde(default = "five")]
    pub seconds: u32,
    /// What it writes.
    #[serde(default)]
    pub lines: Vec<String>,
}

impl Default for TaskScript {
    fn default() -> Self {
        Self {
            command: anything(),
            exit: None,
            cause: None,
            unplaced: None,
            seconds: five(),
            lines: Vec::new(),
        }
    }
}

/// How lists and documents are shown.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub(super) page_size: Option<usize>,
    pub(super) shuffle: bool,
    pub(super) respell: bool,
    /// Principals of trust policies show as unique ids.
    pub(super) principals_as_ids: bool,
}

/// The whole script. The default is a cloud in which nothing goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// From it follow ids, the order of shuffled lists and the spelling of documents.
    pub seed: u64,
    /// The most items that any list answers at once.
    pub page_size: Option<usize>,
    /// Whether lists come in another order.
    pub shuffle: bool,
    /// Whether policy documents come with other order and spelling.
    pub respell: bool,
    /// What goes wrong.
    pub fault: Vec<Fault>,
    /// Whether, and how, reads lag behind writes.
    pub stale: Option<Stale>,
    /// How rollouts go.
    pub rollout: Vec<RolloutScript>,
    /// What pages answer that are not AWS's.
    pub http: Vec<HttpScript>,
    /// What becomes of tasks that are run for their own sake.
    pub task: Vec<TaskScript>,
}

impl Script {
    /// Reads a script; a file whose name ends in `.json` is JSON, any other is TOML.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            serde_json::from_str(&text).map_err(|error| error.to_string())
        } else {
            toml::from_str(&text).map_err(|error| error.to_string())
        }
    }

    /// A script with these faults and nothing else.
    #[must_use]
    pub fn of(fault: Vec<Fault>) -> Self {
        Self {
            fault,
            ..Self::default()
        }
    }

    /// A script in which every rollout goes like this.
    #[must_use]
    pub fn rollouts(behaviour: Behaviour) -> Self {
        let rollout = RolloutScript {
            service: anything(),
            behaviour,
            times: forever(),
        };
        Self {
            rollout: vec![rollout],
            ..Self::default()
        }
    }
}

fn anything() -> String {
    "*".to_owned()
}

fn five() -> u32 {
    5
}

fn first() -> u64 {
    1
}

fn once() -> Times {
    Times::Count(1)
}

fn forever() -> Times {
    Times::FOREVER
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    loop {
        if fits(tail, rest) {
            return true;
        }
        let Some(next) = rest.chars().next() else {
            return false;
        };
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
    }
}
