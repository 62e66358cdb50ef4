//! What a spec carries along without being about it: obstacles to a delete, the resource's ARN.
//! It never makes two specs differ and is never shown.

use serde::{Serialize, Serializer};

/// A value beside a spec: not compared, not serialized (mark the field `#[serde(skip)]`).
#[derive(Clone, Debug, Default)]
pub struct Aside<T>(pub T);

impl<T> Eq for Aside<T> {}

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Serialize for Aside<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
