//! Lists of one item a page, and somebody who makes or removes something of their own between two
//! pages: nothing of ours is taken for gone.

use std::sync::Arc;

use provision::sandbox::{Script, Service};
use serde_json::{Value, json};

use super::{Case, Push, Sweep, seed};
use crate::journey::{Bench, Journey, Terms};
use crate::roads::{Road, Roads, key};

pub(super) const SWEEP: Sweep = Sweep {
    name: "page",
    title: "a change between two pages of one item, tiny",
    push: Push::About(500),
    cases,
};

/// Between the first and this many continued pages somebody does something.
const PAGES: usize = 60;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// What somebody does with what is theirs: it moves everything that is listed after it.
fn deeds(removes: bool) -> Vec<(Service, &'static str, Value)> {
    if removes {
        vec![
            (
                Service::Ecr,
                "DeleteRepository",
                json!({"repositoryName": "app-00", "force": true}),
            ),
            (
                Service::Logs,
                "DeleteLogGroup",
                json!({"logGroupName": "/ecs/app-0/2"}),
            ),
            (Service::Ecs, "DeleteCluster", json!({"cluster": "app-2"})),
            (
                Service::SecretsManager,
                "DeleteSecret",
                json!({"SecretId": "app-0/key2", "ForceDeleteWithoutRecovery": true}),
            ),
        ]
    } else {
        vec![
            (
                Service::Iam,
                "CreateRole",
                json!({"RoleName": "aaa", "Path": "/", "AssumeRolePolicyDocument": TRUST}),
            ),
            (
                Service::Ecr,
                "CreateRepository",
                json!({"repositoryName": "aaa"}),
            ),
            (
                Service::Logs,
                "CreateLogGroup",
                json!({"logGroupName": "/aaa"}),
            ),
            (Service::Ecs, "CreateCluster", json!({"clusterName": "aaa"})),
            (
                Service::SecretsManager,
                "CreateSecret",
                json!({"Name": "aaa", "SecretString": "canary-aaa-0001"}),
            ),
        ]
    }
}

fn cases(roads: &Roads) -> Vec<Case> {
    let mut cases = Vec::new();
    for (transition, road) in roads.tiny() {
        for page in 1..=PAGES {
            for removes in [false, true] {
                let what = if removes { "removes" } else { "makes" };
                let key = key("page", transition, &format!("{page}/{what}"));
                let road = road.clone();
                let terms = Terms {
                    further: 2,
                    spare_writes: road.writes(),
                    seed: seed(&key),
                    ..Terms::default()
                };
                let case = Case::new(key, move |bench| {
                    Box::pin(turn(bench, road.clone(), page, removes, terms))
                });
                cases.push(case);
            }
        }
    }
    cases
}

async fn turn(
    bench: &Bench,
    road: Arc<Road>,
    page: usize,
    removes: bool,
    terms: Terms,
) -> Vec<String> {
    let mut journey = Journey::begin(bench, &road.setting, Some(&road.twin), terms);
    let watch = journey.watch.clone();
    let mut turned = 0;
    bench.drive.sandbox.before_each(move |call, outside| {
        let continued = ["Marker", "nextToken", "NextToken", "PaginationToken"]
            .iter()
            .any(|name| call.input.get(*name).is_some_and(|token| token != ""));
        turned += usize::from(continued);
        if continued && turned == page {
            let before = outside.store().clone();
            for (service, operation, input) in deeds(removes) {
                // What is not there cannot be removed; the others can.
                let _ = outside.ask(service, operation, input);
            }
            watch.excuse(&before, outside.store());
        }
    });
    let script = Script {
        page_size: Some(1),
        ..Script::default()
    };
    let ran = journey.run_anew(&script).await;
    bench.drive.sandbox.before_each(|_, _| {});
    journey.settle(ran).await;
    journey.finish().err().unwrap_or_default()
}
