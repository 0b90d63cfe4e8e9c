//! DescribeAlarms: metric alarms, composite ones and those on logs, a hundred names at a time.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, StateValue};
use drill_aws_config::classify;
use drill_model::ids::AlarmName;
use drill_model::observation::{AlarmReading, AlarmState};
use drill_phases::ports::Answer;

const CALL: &str = "cloudwatch:DescribeAlarms";
/// The most names of one call, and the most alarms on a page.
pub(crate) const NAMES: usize = 100;
/// Without them the service shows metric alarms only.
const KINDS: [AlarmType; 3] = [AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm];

pub(crate) async fn read(client: &Client, names: &[AlarmName]) -> Answer<Vec<AlarmReading>> {
    let wanted: Vec<&AlarmName> = names.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let mut found = BTreeMap::new();
    for batch in wanted.chunks(NAMES) {
        collect(client, batch, &mut found).await?;
    }
    // An alarm that was asked for and not returned does not exist, or may not be seen: it could not stop a run.
    let state = |name: &AlarmName| found.get(name.as_str()).cloned().unwrap_or(AlarmState::Missing);
    Ok(names.iter().map(|name| AlarmReading { alarm: name.clone(), state: state(name) }).collect())
}

async fn collect(client: &Client, names: &[&AlarmName], found: &mut BTreeMap<String, AlarmState>) -> Answer<()> {
    let mut next = None;
    loop {
        let page = client
            .describe_alarms()
            .set_alarm_names(Some(names.iter().map(ToString::to_string).collect()))
            .set_alarm_types(Some(KINDS.to_vec()))
            .max_records(100)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| classify(CALL, &error))?;
        let metric = page.metric_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
        let composite = page.composite_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
        let log = page.log_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
        let all = metric.chain(composite).chain(log);
        found.extend(all.filter_map(|(name, value)| Some((name?.to_owned(), state(value)))));
        next = page.next_token.filter(|token| !token.is_empty());
        if next.is_none() {
            return Ok(());
        }
    }
}

fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::InAlarm,
        Some(StateValue::InsufficientData) => AlarmState::InsufficientData,
        Some(other) => AlarmState::Unknown(format!("the service calls its state {}", other.as_str())),
        None => AlarmState::Unknown("the service does not say its state".to_owned()),
    }
}
