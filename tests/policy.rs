//! The gates of the policy engine: other people's labelled cases, other evaluators, laws, and speed.
//! Each test prints its figure; what needs `../shared/corpora` or node says that it was skipped where that is absent.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    reason = "a gate prints its figure, and its helpers fail the test where a case cannot be read"
)]

#[path = "policy/asked.rs"]
mod asked;
#[path = "policy/cases.rs"]
mod cases;
#[path = "policy/corpora.rs"]
mod corpora;
#[path = "policy/gate_managed.rs"]
mod gate_managed;
#[path = "policy/gate_witnesses.rs"]
mod gate_witnesses;
#[path = "policy/gates_labelled.rs"]
mod gates_labelled;
#[path = "policy/gates_random.rs"]
mod gates_random;
#[path = "policy/golden.rs"]
mod golden;
#[path = "policy/judged.rs"]
mod judged;
#[path = "policy/limits.rs"]
mod limits;
#[path = "policy/lines.rs"]
mod lines;
#[path = "policy/mutations.rs"]
mod mutations;
#[path = "policy/npm.rs"]
mod npm;
#[path = "policy/pairs.rs"]
mod pairs;
#[path = "policy/random.rs"]
mod random;
#[path = "policy/relations.rs"]
mod relations;
#[path = "policy/said.rs"]
mod said;
#[path = "policy/simulator.rs"]
mod simulator;
#[path = "policy/spelling.rs"]
mod spelling;
#[path = "policy/texts.rs"]
mod texts;
#[path = "policy/together.rs"]
mod together;
#[path = "policy/values.rs"]
mod values;
