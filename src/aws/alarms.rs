//! The states of CloudWatch alarms, of metric alarms and of composite ones, by name.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{AlarmType, StateValue};

use super::{Aws, Error, pages};

/// Most names in one `DescribeAlarms`.
const BATCH: usize = 100;

/// How an alarm stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// CloudWatch's reason for it.
    pub reason: String,
}

/// Those of these alarms that are there, by name.
pub async fn alarms(aws: &Aws, names: &[String]) -> Result<BTreeMap<String, Alarm>, Error> {
    let mut found = BTreeMap::new();
    for names in names.chunks(BATCH) {
        let alarms = pages::all("cloudwatch:DescribeAlarms", |token| page(aws, names, token));
        found.extend(alarms.await?);
    }
    Ok(found)
}

async fn page(
    aws: &Aws,
    names: &[String],
    token: Option<String>,
) -> Result<(Vec<(String, Alarm)>, Option<String>), Error> {
    let answer = aws
        .read("cloudwatch:DescribeAlarms", |clients| {
            clients
                .cloudwatch
                .describe_alarms()
                .set_alarm_names(Some(names.to_vec()))
                // Without types CloudWatch leaves the composite ones out.
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm)
                .set_next_token(token.clone())
                .send()
        })
        .await?;
    let metric = answer.metric_alarms.unwrap_or_default().into_iter();
    let metric = metric.map(|one| (one.alarm_name, one.state_value, one.state_reason));
    let composite = answer.composite_alarms.unwrap_or_default().into_iter();
    let composite = composite.map(|one| (one.alarm_name, one.state_value, one.state_reason));
    let alarms = metric
        .chain(composite)
        .filter_map(|(name, state, reason)| Some((name?, alarm(state, reason))));
    Ok((alarms.collect(), answer.next_token))
}

fn alarm(state: Option<StateValue>, reason: Option<String>) -> Alarm {
    Alarm {
        state: state.map_or_else(|| "UNKNOWN".to_owned(), |state| state.as_str().to_owned()),
        reason: reason.unwrap_or_default(),
    }
}
