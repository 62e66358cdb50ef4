//! CloudWatch: alarms and their states; and the live tail of CloudWatch Logs.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsOutput;
use aws_sdk_cloudwatch::types::{AlarmType, ComparisonOperator, StateValue, Statistic};
use aws_types::SdkConfig;

use super::checks::{Checks, end, show};

pub(crate) async fn run(config: &SdkConfig, checks: &mut Checks) {
    let cloudwatch = Client::new(config);
    let made = cloudwatch
        .put_metric_alarm()
        .alarm_name("conform")
        .namespace("conform")
        .metric_name("errors")
        .statistic(Statistic::Sum)
        .period(60)
        .evaluation_periods(1)
        .threshold(5.0)
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
        .send()
        .await;
    checks.see("alarm/put", end(&made), "ok");
    let made = cloudwatch
        .put_composite_alarm()
        .alarm_name("conform-all")
        .alarm_rule("ALARM(conform)")
        .send()
        .await;
    checks.see("alarm/put composite", end(&made), "ok");
    let read = cloudwatch
        .describe_alarms()
        .alarm_names("conform")
        .send()
        .await;
    checks.see("alarm/new", show(&read, states), "INSUFFICIENT_DATA");
    let set = cloudwatch
        .set_alarm_state()
        .alarm_name("conform")
        .state_value(StateValue::Ok)
        .state_reason("well")
        .send()
        .await;
    checks.see("alarm/set", end(&set), "ok");
    let set = cloudwatch
        .set_alarm_state()
        .alarm_name("none")
        .state_value(StateValue::Ok)
        .state_reason("well")
        .send()
        .await;
    checks.see("alarm/set missing", end(&set), "ResourceNotFound");
    describe(&cloudwatch, checks).await;
    for (check, name) in [
        ("alarm/delete composite", "conform-all"),
        ("alarm/delete", "conform"),
    ] {
        let gone = cloudwatch.delete_alarms().alarm_names(name).send().await;
        checks.see(check, end(&gone), "ok");
    }
    live_tail(config, checks).await;
}

/// The states of the alarms of an answer.
fn states(read: &DescribeAlarmsOutput) -> String {
    let metric = read.metric_alarms().iter().map(|one| one.state_value());
    let composite = read.composite_alarms().iter().map(|one| one.state_value());
    let states = metric.chain(composite).flatten().map(StateValue::as_str);
    states.collect::<Vec<_>>().join(" ")
}

async fn describe(cloudwatch: &Client, checks: &mut Checks) {
    let named = || {
        let names = cloudwatch.describe_alarms().alarm_names("conform");
        names.alarm_names("conform-all").alarm_names("none")
    };
    let read = named().send().await;
    checks.see("alarm/metric only unless asked", show(&read, states), "OK");
    let read = named()
        .alarm_types(AlarmType::MetricAlarm)
        .alarm_types(AlarmType::CompositeAlarm)
        .send()
        .await;
    let counts = show(&read, |read| {
        format!(
            "{} {}",
            read.metric_alarms().len(),
            read.composite_alarms().len()
        )
    });
    checks.see("alarm/both kinds", counts, "1 1");
    let reason = show(&read, |read| {
        format!("{:?}", read.metric_alarms()[0].state_reason())
    });
    checks.see("alarm/reason", reason, "Some(\"well\")");
}

async fn live_tail(config: &SdkConfig, checks: &mut Checks) {
    let logs = aws_sdk_cloudwatchlogs::Client::new(config);
    let arn = "arn:aws:logs:us-east-2:633607774026:log-group:/conform/none";
    let none = logs
        .start_live_tail()
        .log_group_identifiers(arn)
        .send()
        .await;
    checks.see(
        "live tail/missing group",
        end(&none),
        "ResourceNotFoundException",
    );
}
