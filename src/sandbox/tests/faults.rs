//! The fault script, snapshots and hooks, which the fault regime stands on.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::super::{Fault, FaultKind, Outcome, Script, Service, Times};
use super::{config, sandbox};

/// Faults under which the request was carried out all the same.
const COMMITTED: [FaultKind; 7] = [
    FaultKind::CrashAfter,
    FaultKind::LostReply,
    FaultKind::ResetAfter,
    FaultKind::UnavailableAfter,
    FaultKind::TruncatedBody,
    FaultKind::UnknownValues,
    FaultKind::Slow,
];

#[tokio::test]
async fn every_fault_does_the_work_or_does_not_as_its_name_says() {
    for kind in FaultKind::ALL {
        let sandbox = sandbox();
        let before = sandbox.snapshot();
        let ecs = aws_sdk_ecs::Client::new(&config(&sandbox));
        sandbox.play(Script::of(vec![Fault::on("ecs:CreateCluster", kind)]));
        let made = ecs.create_cluster().cluster_name("c").send().await;
        let passes = matches!(kind, FaultKind::Slow | FaultKind::UnknownValues);
        assert_eq!(made.is_ok(), passes, "{kind:?}");
        assert_eq!(
            sandbox.snapshot() != before,
            COMMITTED.contains(&kind),
            "{kind:?}"
        );
        let entry = sandbox.take_trace().remove(0);
        assert_eq!(
            (entry.fault, entry.wrote),
            (Some(kind), COMMITTED.contains(&kind))
        );
        assert_eq!(entry.outcome == Outcome::Done, COMMITTED.contains(&kind));
        sandbox.revive();
        sandbox.restore(&before);
        ecs.create_cluster().cluster_name("c").send().await.unwrap();
    }
}

#[tokio::test]
async fn a_fault_may_be_for_one_resource_and_for_ever() {
    let sandbox = sandbox();
    let mut fault = Fault::on("ecs:*", FaultKind::Throttled).times(Times::FOREVER);
    fault.resource = Some("bad".to_owned());
    sandbox.play(Script::of(vec![fault]));
    let ecs = aws_sdk_ecs::Client::new(&config(&sandbox));
    for _ in 0..3 {
        assert!(
            ecs.create_cluster()
                .cluster_name("bad")
                .send()
                .await
                .is_err()
        );
        assert!(
            ecs.create_cluster()
                .cluster_name("good")
                .send()
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn hooks_see_every_request_and_act_as_somebody_else() {
    let sandbox = sandbox();
    sandbox.before_each(|call, outside| {
        if call.operation == "DescribeClusters" {
            outside
                .ask(Service::Ecs, "DeleteCluster", json!({ "cluster": "c" }))
                .unwrap();
        }
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&seen);
    sandbox.after_each(move |entry, _| into.lock().unwrap().push(entry.operation.clone()));
    let ecs = aws_sdk_ecs::Client::new(&config(&sandbox));
    ecs.create_cluster().cluster_name("c").send().await.unwrap();
    let read = ecs.describe_clusters().clusters("c").send().await.unwrap();
    assert_eq!(read.clusters()[0].status(), Some("INACTIVE"));
    assert_eq!(*seen.lock().unwrap(), ["CreateCluster", "DescribeClusters"]);
}
