//! Reads that lag behind writes: for some reads after a write, the records that it touched are shown
//! as the script says and not as they are.

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
            undo(&mut seen, write.shape, touched);
        }
    }
    (seen, principals_as_ids)
}

/// Shows a touched record as somebody sees it who has not seen the write.
fn undo(seen: &mut Store, shape: Shape, touched: &Touched) {
    let gone = !seen.has(touched.table, &touched.key);
    let shown = match shape {
        Shape::Missing if !gone => None,
        Shape::Previous => touched.before.clone(),
        Shape::Phantom if gone => touched.before.clone(),
        Shape::Missing | Shape::Phantom | Shape::Principal => return,
    };
    seen.set(touched.table, &touched.key, shown);
}
