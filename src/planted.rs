//! Bugs to order, each planted where the true code is: the fault regime must catch every one of them
//! (tests/faults). Only the tests' builds have them; elsewhere `planted` is `false` at compile time.

#[cfg(all(feature = "planted-bugs", not(debug_assertions)))]
compile_error!(
    "The feature `planted-bugs` is for tests of provision: no release build can have it."
);

/// A mistake that programs like this one make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// Tags are taken away, the owner mark too, before they are set anew.
    UntagThenTag = 1,
    /// Something is made without tags, which are set later.
    CreateThenTag,
    /// A role is ours, and may be deleted, if its name begins like a declared one.
    DeleteByNamePrefix,
    /// An unclear answer to a write counts as success, and nobody looks whether it was one.
    ExistsIsSuccess,
    /// Only the first page of a list is read.
    FirstPageOnly,
    /// A rollout has succeeded once the service is stable again, rolled back or not.
    StableIsSuccess,
    /// The trust of a role is set before what bounds the role.
    TrustBeforeBoundary,
    /// What goes is removed before what comes is added.
    RemoveBeforeAdd,
    /// A list that may not be read counts as empty.
    DeniedListIsEmpty,
    /// A task definition is registered again and again, whatever is there already.
    RegistersBlindly,
    /// Lifecycle policies are compared as texts.
    ComparesRawJson,
    /// A run that did a part of its work ends with exit code 0.
    PartialIsSuccess,
    /// The end of a run is not looked at.
    NoFinalLook,
    /// What `-vv` writes holds the value of the secret that was made.
    SaysTheSecret,
}

#[cfg(all(
    debug_assertions,
    any(feature = "planted-bugs", feature = "planted-bugs-in-tests")
))]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    /// The bug that is switched on in this process; 0 is none.
    static BUG: AtomicU8 = AtomicU8::new(0);

    /// Switches a bug on, or all of them off.
    pub fn plant(bug: Option<Bug>) {
        BUG.store(bug.map_or(0, |bug| bug as u8), Ordering::SeqCst);
    }

    /// Whether this bug is switched on.
    pub(crate) fn planted(bug: Bug) -> bool {
        BUG.load(Ordering::Relaxed) == bug as u8
    }
}

#[cfg(not(all(
    debug_assertions,
    any(feature = "planted-bugs", feature = "planted-bugs-in-tests")
)))]
mod switch {
    use super::Bug;

    /// There are no bugs to order in this build.
    pub(crate) const fn planted(_: Bug) -> bool {
        false
    }
}

#[cfg(all(
    debug_assertions,
    any(feature = "planted-bugs", feature = "planted-bugs-in-tests")
))]
pub use self::switch::plant;
pub(crate) use self::switch::planted;
