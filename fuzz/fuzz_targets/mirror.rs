//! What holds of the relation of any two documents.

use crate::policy::{Document, Relation, evaluate, relate};

/// A witness is allowed by one document and not by the other, and the relation turned around is its mirror.
pub(crate) fn check(a: &Document, b: &Document) {
    let (there, back) = (relate(a, b), relate(b, a));
    for (witnesses, yes, no) in [(&there.gained, b, a), (&there.lost, a, b)] {
        for witness in witnesses {
            assert!(evaluate(yes, &witness.request).is_allowed());
            assert!(!evaluate(no, &witness.request).is_allowed());
        }
    }
    let mirror = match there.relation {
        Relation::Wider => Relation::Narrower,
        Relation::Narrower => Relation::Wider,
        same => same,
    };
    let open = [there.relation, back.relation].contains(&Relation::Unknown);
    assert!(mirror == back.relation || open);
}
