//! Stubs.
#![expect(missing_docs, reason = "stub")]
pub(super) mod config {
    use crate::config::Config;
    pub(in super::super) struct Diagnostic;
    impl Diagnostic {
        pub(in super::super) fn render(&self, _: bool) -> String {
            String::new()
        }
    }
    pub(in super::super) fn parse(
        _: &str,
        _: &str,
        _: &mut dyn FnMut(&std::path::Path) -> std::io::Result<String>,
    ) -> Result<Config, Vec<Diagnostic>> {
        Err(vec![Diagnostic])
    }
    pub(in super::super) fn schema() -> String {
        String::new()
    }
}
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
