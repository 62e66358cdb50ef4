use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::*;
use crate::aws::Connection;
use crate::clock::{Clock, VirtualClock};
use crate::error::ErrorKind;
use crate::sandbox::{Fault, FaultKind, Sandbox, Script, Table, Times};

const PARAMETER: &str = "/provision/back-end";

struct World {
    sandbox: Sandbox,
    clock: Arc<VirtualClock>,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(VirtualClock::default());
        let sandbox = Sandbox::in_memory("633607774026", "us-east-2", clock.clone());
        Self { sandbox, clock }
    }

    /// A run that begins now.
    async fn run(&self) -> Aws {
        self.sandbox.revive();
        let mut connection = Connection::new("us-east-2", "us-east-1");
        connection.http_client = Some(SharedHttpClient::new(self.sandbox.clone()));
        let time: Arc<dyn Clock> = self.clock.clone();
        let account = "633607774026".to_owned();
        let aws = Aws::connect(&connection, account, "aws".to_owned(), time, 4).await;
        aws.identity().await.unwrap();
        aws
    }

    /// The run that the parameter names, in the sandbox's own records.
    fn holder(&self) -> Option<Holder> {
        let store = self.sandbox.snapshot();
        let record = store.get(Table::Parameter, PARAMETER)?;
        serde_json::from_str(record.get("Value")?.as_str()?).ok()
    }

    fn fails(&self, operation: &str, kind: FaultKind, times: Times) {
        let fault = Fault::on(operation, kind).times(times);
        self.sandbox.play(Script::of(vec![fault]));
    }
}

#[tokio::test]
async fn the_lock_says_who_holds_it_and_goes_with_the_run() {
    let world = World::new();
    let aws = world.run().await;
    let held = take(&aws, PARAMETER, "provision apply").await.unwrap();
    let holder = world.holder().unwrap();
    assert_eq!(holder.run, held.run());
    assert_eq!(holder.command, "provision apply");
    assert!(holder.who.contains("633607774026"), "{holder:?}");
    assert!(
        holder.since.ends_with('Z') && holder.since.contains('T'),
        "{holder:?}"
    );
    held.release(&aws).await.unwrap();
    assert_eq!(world.holder(), None);
}

#[tokio::test]
async fn who_finds_it_held_is_told_by_whom_and_breaks_nothing() {
    let world = World::new();
    let (one, other) = (world.run().await, world.run().await);
    let held = take(&one, PARAMETER, "provision apply").await.unwrap();
    let error = take(&other, PARAMETER, "provision destroy")
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Failed);
    assert!(error.message.contains("provision apply"), "{error:?}");
    assert!(error.message.contains(held.run()), "{error:?}");
    let hint = error.hint.unwrap();
    assert!(
        hint.contains(&format!("provision unlock {}", held.run())),
        "{hint}"
    );
    assert!(ask(&other, PARAMETER).await.is_err());
    assert_eq!(world.holder().unwrap().run, held.run());
    held.release(&one).await.unwrap();
    ask(&other, PARAMETER).await.unwrap();
}

#[tokio::test]
async fn unlock_removes_that_run_s_lock_and_no_other() {
    let world = World::new();
    let (dead, aws) = (world.run().await, world.run().await);
    let held = take(&dead, PARAMETER, "provision apply").await.unwrap();
    let refused = unlock(&aws, PARAMETER, "0123456789ab").await.unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.message.contains(held.run()), "{refused:?}");
    assert!(world.holder().is_some());
    let removed = unlock(&aws, PARAMETER, held.run()).await.unwrap();
    assert_eq!(removed.unwrap().run, held.run());
    assert_eq!(unlock(&aws, PARAMETER, held.run()).await.unwrap(), None);
    // Somebody else took it meanwhile: the run that comes back to life leaves it alone.
    let next = take(&aws, PARAMETER, "provision apply").await.unwrap();
    assert!(held.release(&dead).await.is_err());
    assert_eq!(world.holder().unwrap().run, next.run());
    next.release(&aws).await.unwrap();
}

#[tokio::test]
async fn a_lock_that_somebody_removed_is_reported_at_the_end() {
    let world = World::new();
    let aws = world.run().await;
    let held = take(&aws, PARAMETER, "provision apply").await.unwrap();
    unlock(&aws, PARAMETER, held.run()).await.unwrap();
    let error = held.release(&aws).await.unwrap_err();
    assert!(
        error.message.contains("Somebody removed the lock"),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_is_no_lock_is_left_alone() {
    let world = World::new();
    let aws = world.run().await;
    parameters::create(&aws, PARAMETER, "a password")
        .await
        .unwrap();
    for error in [
        take(&aws, PARAMETER, "provision apply")
            .await
            .map(|_| ())
            .unwrap_err(),
        ask(&aws, PARAMETER).await.unwrap_err(),
        unlock(&aws, PARAMETER, "0123456789ab")
            .await
            .map(|_| ())
            .unwrap_err(),
    ] {
        assert!(error.message.contains("no lock of provision"), "{error:?}");
        assert!(!format!("{error:?}").contains("a password"), "{error:?}");
    }
    let value = parameters::value(&aws, PARAMETER).await.unwrap();
    assert_eq!(value.as_deref(), Some("a password"));
}

#[tokio::test]
async fn what_a_lock_says_moves_no_cursor() {
    let world = World::new();
    let aws = world.run().await;
    let value = r#"{"run": "x\u001b[2J", "who": "\u0007me", "since": "now", "command": "a\r\nb"}"#;
    parameters::create(&aws, PARAMETER, value).await.unwrap();
    let error = ask(&aws, PARAMETER).await.unwrap_err();
    let text = format!("{error} {}", error.hint.clone().unwrap_or_default());
    assert!(!text.contains(char::is_control), "{text:?}");
}

/// Every fault at every request of taking and releasing, once and for good: what is said to be held
/// is held, and what is left behind is named so that `unlock` removes it.
#[tokio::test]
async fn no_fault_leaves_a_lock_that_nobody_names() {
    let mut cases = 0;
    for operation in [
        "ssm:PutParameter",
        "ssm:GetParameter",
        "ssm:DeleteParameter",
    ] {
        for kind in FaultKind::ALL {
            for times in [Times::Count(1), Times::FOREVER] {
                faulted(operation, kind, times).await;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 3 * FaultKind::ALL.len() * 2);
}

async fn faulted(operation: &str, kind: FaultKind, times: Times) {
    let case = format!("{operation} {kind:?} {times:?}");
    let world = World::new();
    let aws = world.run().await;
    world.fails(operation, kind, times);
    let said = match take(&aws, PARAMETER, "provision apply").await {
        Ok(held) => {
            assert_eq!(
                world.holder().map(|holder| holder.run).as_deref(),
                Some(held.run()),
                "{case}"
            );
            held.release(&aws)
                .await
                .map_err(|error| format!("{error:?}"))
        }
        Err(error) => Err(format!("{error:?}")),
    };
    world.sandbox.play(Script::default());
    let next = world.run().await;
    let Some(left) = world.holder() else {
        return;
    };
    // A lost request may leave it: then this run said so, or it died and the next one says so.
    let crashed = matches!(kind, FaultKind::CrashBefore | FaultKind::CrashAfter);
    let said = said.expect_err(&case);
    assert!(
        crashed || said.contains(&format!("provision unlock {}", left.run)),
        "{case}: {said}"
    );
    let found = ask(&next, PARAMETER).await.unwrap_err();
    assert!(found.hint.unwrap_or_default().contains(&left.run), "{case}");
    unlock(&next, PARAMETER, &left.run).await.unwrap();
    let held = take(&next, PARAMETER, "provision apply").await.unwrap();
    held.release(&next).await.unwrap();
    assert_eq!(world.holder(), None, "{case}");
}

#[tokio::test]
async fn a_lost_reply_counts_as_taken() {
    for kind in [
        FaultKind::LostReply,
        FaultKind::ResetAfter,
        FaultKind::UnavailableAfter,
        FaultKind::TruncatedBody,
    ] {
        let world = World::new();
        let aws = world.run().await;
        world.fails("ssm:PutParameter", kind, Times::Count(1));
        let held = take(&aws, PARAMETER, "provision apply")
            .await
            .unwrap_or_else(|error| panic!("{kind:?}: {error:?}"));
        assert_eq!(world.holder().unwrap().run, held.run(), "{kind:?}");
        held.release(&aws).await.unwrap();
        assert_eq!(world.holder(), None, "{kind:?}");
    }
}
