//! A value that must never be shown: no `Debug`, no `Serialize`, no `Display`.

/// Holds a secret for as long as it takes to send it.
#[derive(Clone)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Takes the value in.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one request that sends it.
    pub fn expose(&self) -> &T {
        &self.0
    }
}
