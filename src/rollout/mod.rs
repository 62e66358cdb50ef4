//! One ECS service deployment, followed to its end: which one it is, how it stands, how it ended and
//! why. Success is only ever that of the deployment that this run started.

mod back;
mod cause;
mod checks;
mod deploy;
mod deployment;
mod enter;
mod event;
mod follow;
mod history;
mod last_lines;
mod lines;
mod look;
mod outcome;
mod promote;
mod proof;
mod prune;
mod rollback;
mod send;
mod standing;
mod tail;
mod target;
mod task;
#[cfg(test)]
mod tests;
mod uses;
mod verify;
mod wait;
mod watch;

use serde_json::Value;

pub use self::back::{Back, UnderWay, find_back, is_digest};
pub use self::deploy::{Order as DeployOrder, deploy};
pub use self::enter::{Door, Entered, enter};
pub use self::event::{Event, How, Progress, Told};
pub use self::follow::{Following, Report, Run, Sent, Until, error_of};
pub use self::look::{
    Revision, Running, RunningImage, Status, Task, revisions, scale, status, tasks,
};
pub use self::outcome::{Ending, Evidence, Outcome};
pub use self::promote::{Promotion, promote, resolve_proved};
pub use self::proof::Proof;
pub use self::prune::{Pruning, plan_pruning, prune};
pub use self::rollback::{Return, rollback};
pub use self::send::{Started, current};
pub use self::tail::{Heard, Wanted, follow_logs, read_logs};
pub use self::target::{Selection, Target, keys, live, one_key, revision_name};
pub use self::task::{End, News, Order, Ran, StoppedFor, follow_task, run_task};
pub use self::wait::{HookAction, proceed, wait};
pub use self::watch::follow;

fn count(value: &Value, field: &str) -> i64 {
    value.get(field).and_then(Value::as_i64).unwrap_or_default()
}
