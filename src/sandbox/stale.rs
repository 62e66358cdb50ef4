//! Reads that lag behind writes: for some reads after a write, the records that it touched are shown
//! as the script says and not as they are.

use serde_json::Value;
use std::sync::Arc;

use super::faults::Shape;
use super::protocol::Service;
use super::store::{Store, Touched};

/// A write that some reads do not see yet.
#[derive(Debug)]
pub(super) struct Unseen {
    pub(super) service: Service,
    pub(super) shape: Shape,
    pub(super) left: u64,
    pub(super) touched: Vec<Touched>,
}

/// The records as a reader sees them who has not seen these writes; and whether principals show as
/// unique ids. The newest write is undone first, so that the oldest one decides.
pub(super) fn look(store: &Store, unseen: &[&Unseen]) -> (Store, bool) {
    let mut seen = store.clone();
    let mut principals_as_ids = false;
    for write in unseen.iter().rev() {
        principals_as_ids |= write.shape == Shape::Principal;
        for touched in write.touched.iter().rev() {
            if let Some(shown) = shown(&seen, write.shape, touched) {
                seen.set(touched.table, &touched.key, shown);
            }
        }
    }
    (seen, principals_as_ids)
}

/// What stands in the place of a touched record; none where it is shown as it is.
fn shown(store: &Store, shape: Shape, touched: &Touched) -> Option<Option<Arc<Value>>> {
    let gone = !store.has(touched.table, &touched.key);
    match shape {
        Shape::Missing => (!gone).then_some(None),
        Shape::Previous => Some(touched.before.clone()),
        Shape::Phantom => (gone && touched.before.is_some()).then(|| touched.before.clone()),
        Shape::Principal => None,
    }
}
