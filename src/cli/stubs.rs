//! Stubs.
pub(super) mod law {
    use crate::aws::Aws;
    use crate::error::Result;
    use crate::kind::*;
    struct Nothing;
    impl Law for Nothing {
        fn subjects(&self, _: &Snapshot, _: &Address) -> Vec<Address> {
            vec![]
        }
        fn holds(
            &self,
            _: &Address,
            _: &Snapshot,
            _: &Snapshot,
            _: &Snapshot,
        ) -> Result<(), Refusal> {
            Ok(())
        }
        fn broadens(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> bool {
            false
        }
        fn access(&self, _: &Address, _: &Snapshot, _: &Snapshot) -> Option<AccessChange> {
            None
        }
    }
    pub(in super::super) async fn observe(_: &Aws, _: &Scope) -> Result<Box<dyn Law>> {
        Ok(Box::new(Nothing))
    }
    pub(in super::super) fn subjects(_: &Snapshot, _: &Address) -> Vec<Address> {
        vec![]
    }
}
