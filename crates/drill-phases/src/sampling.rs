//! Taking a sample: every probe at one instant. It never fails; what cannot be read is unknown, with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::experiment::HttpMeasure;
use drill_model::experiment::{CloudWatchProbe, Experiment, Source, Trigger};
use drill_model::faults::Target as _;
use drill_model::faults::ec2::Instance;
use drill_model::ids::{AlarmName, TargetName};
use drill_model::observation::{AlarmReading, AlarmState, ProbeReading, Reading, Sample, Stage};
use jiff::Timestamp;

use crate::ports::has::prelude::*;
use crate::ports::{Datapoint, HttpReading, Sampling, has};

/// A datapoint may be so much older than its period demands: the time that publishing takes.
const PUBLISHING: Duration = Duration::from_secs(5);

/// How many hosts of each population there should be; without it those that are found count.
pub(crate) type Sizes = BTreeMap<TargetName, usize>;

/// Takes a sample of every probe and of every alarm among the stop conditions.
pub(crate) async fn sample(
    world: &impl Sampling,
    experiment: &Experiment,
    sizes: &Sizes,
    stage: Stage,
    number: u32,
) -> Sample {
    let at = world.clock().now();
    let (mut readings, alarms) = history(world, experiment, at).await;
    let now = |reading| (reading, None);
    for probe in &experiment.steady_state {
        let reading = match &probe.source {
            Source::CloudWatch(_) | Source::Alarm(_) | Source::Prometheus(_) => continue,
            Source::Http(http) => match world.http().http(http).await {
                Ok(HttpReading::Answered { status, millis }) => match http.measure {
                    HttpMeasure::Ok => Reading::from_number(f64::from(u8::from(status == http.status))),
                    HttpMeasure::Milliseconds => Reading::from_number(millis),
                },
                Ok(HttpReading::NoAnswer) => match http.measure {
                    HttpMeasure::Ok => Reading::from_number(0.0),
                    HttpMeasure::Milliseconds => Reading::unknown(format!("no answer within {}", http.timeout)),
                },
                Err(error) => Reading::unknown(error.to_string()),
            },
            Source::Capacity(capacity) => match world.groups().group(&capacity.group).await {
                Ok(group) => Reading::from_number(f64::from(group.in_service)),
                Err(error) => Reading::unknown(error.to_string()),
            },
            Source::HostHealth(health) => host_health(world, experiment, sizes, &health.of).await,
        };
        readings.insert(probe.name.clone(), now(reading));
    }
    let readings = experiment
        .steady_state
        .iter()
        .map(|probe| {
            let (reading, since) = readings.remove(&probe.name).unwrap_or_else(|| now(Reading::unknown("not sampled")));
            ProbeReading { probe: probe.name.clone(), reading, since, until: None }
        })
        .collect();
    Sample { stage, number, at, readings, alarms, faults: Vec::new() }
}

/// A reading, and since when what it tells of has been so, where that is before now.
type Dated = (Reading, Option<Timestamp>);

/// What can be asked for any instant: metrics, alarms, Prometheus.
async fn history(
    world: &impl Sampling,
    experiment: &Experiment,
    at: Timestamp,
) -> (BTreeMap<drill_model::ids::ProbeName, Dated>, Vec<AlarmReading>) {
    let mut readings = BTreeMap::new();
    let metrics: Vec<CloudWatchProbe> = experiment
        .steady_state
        .iter()
        .filter_map(|probe| if let Source::CloudWatch(metric) = &probe.source { Some(metric.clone()) } else { None })
        .collect();
    let mut points = match metrics.iter().map(oldest_useful).max() {
        None => Ok(Vec::new()),
        Some(reach) => world.metrics().metrics(&metrics, at - reach, at).await,
    }
    .map(Vec::into_iter);
    let alarms = alarms(world, experiment).await;
    for probe in &experiment.steady_state {
        let reading = match &probe.source {
            Source::CloudWatch(metric) => match &mut points {
                Ok(points) => newest(metric, &points.next().unwrap_or_default(), at),
                Err(error) => (Reading::unknown(error.to_string()), None),
            },
            Source::Alarm(alarm) => {
                let found = alarms.iter().find(|reading| reading.alarm == alarm.name);
                (found.map_or_else(|| Reading::unknown("not returned"), |reading| as_number(&reading.state)), None)
            }
            Source::Prometheus(prometheus) => match world.prometheus().prometheus(&prometheus.query, at).await {
                Ok(value) => (Reading::from_number(value), None),
                Err(error) => (Reading::unknown(error.to_string()), None),
            },
            Source::Http(_) | Source::Capacity(_) | Source::HostHealth(_) => continue,
        };
        readings.insert(probe.name.clone(), reading);
    }
    let watched = stop_alarms(experiment);
    (readings, alarms.into_iter().filter(|reading| watched.contains(&reading.alarm)).collect())
}

/// How far back a datapoint may lie and still tell something of now: two periods and the time to publish.
fn oldest_useful(metric: &CloudWatchProbe) -> Duration {
    Duration::from(metric.period) * 3 + PUBLISHING
}

/// The newest datapoint whose period is complete and that is young enough.
fn newest(metric: &CloudWatchProbe, points: &[Datapoint], at: Timestamp) -> Dated {
    let period = Duration::from(metric.period);
    points
        .iter()
        .filter(|point| point.at + period <= at && point.at >= at - oldest_useful(metric))
        .max_by_key(|point| point.at)
        .map_or_else(
            || (Reading::unknown(format!("{} {} has no datapoint", metric.namespace, metric.metric)), None),
            |point| (Reading::from_number(point.value), Some(point.at)),
        )
}

/// The alarms among the stop conditions.
pub(crate) fn stop_alarms(experiment: &Experiment) -> BTreeSet<AlarmName> {
    experiment
        .guards
        .stop_when
        .conditions()
        .iter()
        .filter_map(|condition| if let Trigger::Alarm(name) = &condition.trigger { Some(name.clone()) } else { None })
        .collect()
}

/// Every alarm that the experiment names, read in one call.
pub(crate) async fn alarms(world: &impl has::Metrics, experiment: &Experiment) -> Vec<AlarmReading> {
    let mut names = stop_alarms(experiment);
    names.extend(
        experiment
            .steady_state
            .iter()
            .filter_map(|probe| if let Source::Alarm(alarm) = &probe.source { Some(alarm.name.clone()) } else { None }),
    );
    if names.is_empty() {
        return Vec::new();
    }
    let names: Vec<AlarmName> = names.into_iter().collect();
    let found = world.metrics().alarms(&names).await;
    names
        .into_iter()
        .map(|alarm| {
            let state = match &found {
                Ok(readings) => readings
                    .iter()
                    .find(|reading| reading.alarm == alarm)
                    .map_or(AlarmState::Missing, |reading| reading.state.clone()),
                Err(error) => AlarmState::Unknown(error.to_string()),
            };
            AlarmReading { alarm, state }
        })
        .collect()
}

fn as_number(state: &AlarmState) -> Reading {
    match state {
        AlarmState::Ok => Reading::from_number(0.0),
        AlarmState::InAlarm => Reading::from_number(1.0),
        AlarmState::InsufficientData => Reading::unknown("the alarm has insufficient data"),
        AlarmState::Missing => Reading::unknown("the alarm does not exist, or may not be seen"),
        AlarmState::Unknown(why) => Reading::unknown(why.clone()),
    }
}

async fn host_health(world: &impl Sampling, experiment: &Experiment, sizes: &Sizes, of: &TargetName) -> Reading {
    let Some(spec) = experiment.targets.get(of) else {
        return Reading::unknown(format!("no targets are called {of}"));
    };
    let found = match world.sees().find(&spec.selector()).await {
        Ok(found) => found,
        Err(error) => return Reading::unknown(error.to_string()),
    };
    let running: Vec<&Instance> =
        found.iter().filter_map(Instance::of).filter(|instance| instance.ailing().is_none()).collect();
    let unknown = running.iter().filter(|instance| instance.healthy.is_none()).count();
    if unknown > 0 {
        return Reading::unknown(format!("the health of {unknown} of {} hosts is not known", running.len()));
    }
    let healthy = running.iter().filter(|instance| instance.healthy == Some(true)).count();
    let size = sizes.get(of).copied().unwrap_or(running.len());
    #[expect(clippy::cast_precision_loss, reason = "no population has 2^52 hosts")]
    Reading::from_number((healthy as f64 / size as f64 * 100.0).min(100.0))
}

/// How long after `from` the sample with this number is due.
pub(crate) fn due(from: Timestamp, every: drill_model::quantity::Span, number: u32) -> Timestamp {
    from + Duration::from(every) * number
}
