//! What a rule has to say: one finding, with its evidence, its place in the files, and what to do about it.

use serde::Serialize;

use crate::config::Position;
use crate::policy::{Request, StatementRef, Witness};

/// How bad it is; the order is that of `--fail-on`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To know; nothing is wrong yet.
    Info,
    /// Better otherwise.
    Low,
    /// Something does not work as it reads, or one more mistake makes it dangerous.
    Medium,
    /// Somebody can do what they should not.
    High,
    /// Anybody can.
    Critical,
}

impl Severity {
    /// Every severity, from the least.
    pub const ALL: [Self; 5] = [
        Self::Info,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::Critical,
    ];

    /// The word that `--fail-on` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The severity of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.name() == name)
    }
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Something that was not asked could make it harmless.
    Low,
    /// It rests on a name or on a guess that is usually right.
    Medium,
    /// It is proved by its evidence.
    High,
}

/// What proves a finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Evidence {
    /// A request, confirmed by evaluating the policy.
    Request {
        /// What it shows, in words.
        what: String,
        /// Whether the policy allows it.
        allowed: bool,
        /// The policy.
        policy: String,
        /// The statement that allows it.
        #[serde(skip_serializing_if = "Option::is_none")]
        statement: Option<StatementRef>,
        /// The request.
        request: Box<Request>,
    },
    /// A statement.
    Statement {
        /// The policy.
        policy: String,
        /// Which one.
        statement: StatementRef,
        /// What about it.
        what: String,
    },
    /// A permission in which AWS and infra.toml differ.
    Access {
        /// It in words.
        what: String,
        /// Whether AWS grants it and infra.toml does not; else the reverse.
        gained: bool,
        /// The statement that grants it.
        statement: StatementRef,
        /// A request that shows it.
        request: Box<Request>,
    },
    /// A value of a resource.
    Value {
        /// Its name.
        name: String,
        /// The value, never a secret.
        value: String,
    },
    /// Somebody's change, as CloudTrail tells it.
    Event {
        /// Such as `AttachRolePolicy`.
        name: String,
        /// ISO 8601.
        time: String,
        /// Who.
        who: String,
        /// From where.
        source: String,
    },
}

impl Evidence {
    /// A value.
    pub fn value(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::Value {
            name: name.into(),
            value: value.into(),
        }
    }

    /// A request that a policy allows.
    pub fn allowed(what: impl Into<String>, policy: impl Into<String>, witness: &Witness) -> Self {
        Self::Request {
            what: what.into(),
            allowed: true,
            policy: policy.into(),
            statement: Some(witness.statement.clone()),
            request: Box::new(witness.request.clone()),
        }
    }

    /// A request that a policy refuses.
    pub fn refused(what: impl Into<String>, policy: impl Into<String>, request: Request) -> Self {
        Self::Request {
            what: what.into(),
            allowed: false,
            policy: policy.into(),
            statement: None,
            request: Box::new(request),
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad it is here.
    pub severity: Severity,
    /// How sure it is here.
    pub confidence: Confidence,
    /// The resource: an address.
    pub address: String,
    /// One or two sentences.
    pub message: String,
    /// At least one piece.
    pub evidence: Vec<Evidence>,
    /// Where to change it; the line of `[project]` for what is undeclared.
    pub location: Position,
    /// What to do.
    pub remedy: String,
    /// What `apply` would do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revert: Option<String>,
    /// The lines of infra.toml that would declare it instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
}
