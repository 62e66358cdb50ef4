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
