//! What may never happen between two calls, why a call is refused, and what a change of access means:
//! the trait that the plan is given, and the words in which reports say it.

use serde::Serialize;
use serde_json::Value;

use super::{Address, Snapshot};
use crate::error::Result;

/// What a change means for one subject: what it may do, or who may use it, that was not so before.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccessChange {
    /// Whose access it is: an address.
    pub subject: String,
    /// `equal`, `wider`, `narrower`, `incomparable` or `unknown`.
    pub relation: String,
    /// Sentences, one per statement that grants something new, each with an example request.
    pub gained: Vec<AccessExample>,
    /// Sentences for what is lost.
    pub lost: Vec<AccessExample>,
    /// Why it could not be decided; counts as broadening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One gained or lost permission in words, and a request that shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AccessExample {
    /// The sentence.
    pub text: String,
    /// The witness request, in the shape of `policy diff`'s JSON.
    pub witness: Value,
}

/// What may never happen between two calls. One file above the kinds; given to `plan` like KINDS.
pub trait Law: Sync {
    /// Whose access a call on this address may move.
    fn subjects(&self, world: &Snapshot, address: &Address) -> Vec<Address>;

    /// Per (subject, permission): the call that leads from `before` to `after` gains nothing that
    /// the goal lacks (`RefusalCause::Wider`) and loses nothing that the goal keeps
    /// (`RefusalCause::Gap`). What cannot be decided counts as wider.
    fn holds(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
        goal: &Snapshot,
    ) -> Result<(), Refusal>;

    /// Whether `after` gives the subject anything that `before` did not; undecided is yes.
    fn broadens(&self, subject: &Address, before: &Snapshot, after: &Snapshot) -> bool;

    /// What the change from `before` to `after` means for the subject; `None` where nothing changed.
    fn access(
        &self,
        subject: &Address,
        before: &Snapshot,
        after: &Snapshot,
    ) -> Option<AccessChange>;
}

/// Why a call cannot be taken: AWS would refuse it, a reference would dangle, or the law forbids it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of obstacle it is.
    pub cause: RefusalCause,
    /// A sentence.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

/// The kinds of obstacle to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCause {
    /// Not yet: something else has to come first (the resource is not there yet, it is still in use
    /// by what the plan itself will change).
    NotYet,
    /// AWS would refuse it whatever the order, on account of what others own or of what it holds:
    /// the run is refused before any write (exit 3).
    Blocked,
    /// An immutable attribute differs: an error that names the manual way (exit 1).
    Immutable,
    /// The law: somebody would gain what the goal does not give.
    Wider,
    /// The law: somebody would lose what the goal keeps.
    Gap,
}

impl Refusal {
    /// A refusal with this cause and message.
    pub fn new(cause: RefusalCause, message: impl Into<String>) -> Self {
        Self {
            cause,
            message: message.into(),
            hint: None,
        }
    }

    /// Not yet: something else has to come first.
    pub fn not_yet(message: impl Into<String>) -> Self {
        Self::new(RefusalCause::NotYet, message)
    }

    /// AWS would refuse it in any order.
    pub fn blocked(message: impl Into<String>) -> Self {
        Self::new(RefusalCause::Blocked, message)
    }

    /// An attribute that cannot change differs.
    pub fn immutable(message: impl Into<String>) -> Self {
        Self::new(RefusalCause::Immutable, message)
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
