//! The one error type of the library: a kind, a message, a hint, and where it concerns.
//! The kind decides the exit code; the library never prints an error, `report` does.

use std::fmt;

/// What an error means for the run; each kind has one exit code (design.md section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// The work failed, or something could not be read: exit 1.
    Failed,
    /// `infra.toml` or a policy document is wrong: exit 1.
    Config,
    /// A live resource is neither as planned from nor as planned to: exit 1.
    Changed,
    /// The run was asked not to do this without more permission: exit 3.
    Refused,
    /// A rollout failed or was rolled back: exit 4.
    Rollout,
    /// The command line is wrong: exit 64.
    Usage,
    /// A bug of provision itself: exit 1.
    Bug,
}

impl ErrorKind {
    /// The exit code of a run that ends with an error of this kind.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed | Self::Config | Self::Changed | Self::Bug => 1,
            Self::Refused => 3,
            Self::Rollout => 4,
            Self::Usage => 64,
        }
    }
}

/// An error: what happened, to which resource, and what to do next.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    /// Decides the exit code.
    pub kind: ErrorKind,
    /// A sentence, ending with a full stop unless it ends in a value. May hold several lines.
    pub message: String,
    /// What to do next; a command where one exists.
    pub hint: Option<String>,
    /// The address (`role/NAME`) that it concerns.
    pub address: Option<String>,
    /// Whether the call may have been done all the same (a lost reply, "exists" after our own
    /// create, a conflict): who performed it looks again before it believes this error.
    pub uncertain: bool,
}

/// The result of the library's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            address: None,
            uncertain: false,
        }
    }

    /// The work failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// The run was refused.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// A bug of provision itself.
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
            .hint("This is a bug in provision; please report it with the plan that caused it.")
    }

    /// Several errors as one: the first one's kind, hint and address, everyone's message. `None` of
    /// none.
    #[must_use]
    pub fn all(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        for other in errors {
            first.message = format!("{}\n{other}", first.message);
            first.hint = first.hint.or(other.hint);
        }
        Some(first)
    }

    /// Marks that the call may have been done all the same.
    #[must_use]
    pub fn uncertain(mut self, uncertain: bool) -> Self {
        self.uncertain = uncertain;
        self
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the resource concerned, unless one is named already.
    #[must_use]
    pub fn at(mut self, address: impl fmt::Display) -> Self {
        self.address.get_or_insert_with(|| address.to_string());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = &self.address {
            write!(f, "{address}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.kind)?;
        match &self.hint {
            Some(hint) => write!(f, " [hint: {hint}]"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
