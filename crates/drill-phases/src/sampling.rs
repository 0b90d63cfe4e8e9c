//! Taking a sample: every probe at one instant, side by side. It never fails; what cannot be read is unknown, with the reason.
//!
//! Each reading says of which time it tells: a datapoint of its period, a look of the time from question to answer, and what
//! looks back of as much as it covers.

mod datapoints;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::experiment::{CloudWatchProbe, Experiment, HttpMeasure, HttpProbe, Probe, Source, Trigger};
use drill_model::faults::Target as _;
use drill_model::faults::ec2::Instance;
use drill_model::ids::{AlarmName, ProbeName, TargetName};
use drill_model::observation::{AlarmReading, AlarmState, Finite, ProbeReading, Reading, Sample, Stage};
use drill_model::plan::{Plan, Scope};
use drill_model::quantity::Span;
use futures_util::future::join_all;
use futures_util::join;
use jiff::Timestamp;

pub(crate) use self::datapoints::History;
use self::datapoints::{Known, LookBack};
use crate::compare;
use crate::ports::has::prelude::*;
use crate::ports::{Answer, HttpReading, Sampling, has};

/// How many hosts of each population there should be.
type Sizes = BTreeMap<TargetName, usize>;

/// A sample takes along no more datapoints than these of all its probes together: a record has room for them.
const MOST_TOGETHER: usize = 3_000;

/// Takes the samples of a run.
pub(crate) struct Sampler<'run> {
    experiment: &'run Experiment,
    sizes: Sizes,
    /// After so much time each metric's datapoints have their last value.
    settling: BTreeMap<ProbeName, Duration>,
    /// The longest time between two samples, as planned.
    pace: Duration,
}

impl<'run> Sampler<'run> {
    /// For a run that has no plan yet.
    pub(crate) fn planning(scope: &'run Scope) -> Self {
        let settling = |probe: &Probe| (probe.name.clone(), Duration::from(probe.settling()));
        Self {
            experiment: &scope.experiment,
            sizes: scope.targets.iter().map(|(name, targets)| (name.clone(), targets.population.len())).collect(),
            settling: scope.experiment.steady_state.iter().map(settling).collect(),
            pace: Duration::from(scope.pacing.every),
        }
    }

    /// For a run with a plan, which knows how late each metric is published; samples are taken at this pace.
    pub(crate) fn of(plan: &'run Plan, pace: Span) -> Self {
        let settling = |probe: &Probe| (probe.name.clone(), Duration::from(plan.settling(probe)));
        Self {
            settling: plan.scope.experiment.steady_state.iter().map(settling).collect(),
            pace: Duration::from(pace),
            ..Self::planning(&plan.scope)
        }
    }

    /// How many samples back a datapoint can still be read again.
    pub(crate) fn memory(&self) -> u32 {
        let longest = self
            .metrics()
            .map(|(probe, metric)| self.look_back(probe, metric, self.pace, History::SinceLast).reach())
            .max();
        let samples = longest.unwrap_or_default().as_millis() / self.pace.as_millis().max(1) + 2;
        u32::try_from(samples).unwrap_or(u32::MAX)
    }

    /// Takes a sample of every probe and of every alarm among the stop conditions. `past` are the samples before it: a datapoint
    /// that they have, with the same value, is not written down again.
    pub(crate) async fn sample(&self, world: &impl Sampling, stage: Stage, number: u32, past: &[Sample]) -> Sample {
        self.sample_back(world, stage, number, past, History::SinceLast).await
    }

    /// The same, with so much of what was before.
    pub(crate) async fn sample_back(
        &self,
        world: &impl Sampling,
        stage: Stage,
        number: u32,
        past: &[Sample],
        history: History,
    ) -> Sample {
        let at = world.clock().now();
        let probes = &self.experiment.steady_state;
        let looks = probes.iter().map(|probe| self.look(world, probe, at));
        let (metrics, alarms, looks) =
            join!(self.read_metrics(world, at, past, history), alarms(world, self.experiment), join_all(looks));
        let mut metrics = metrics.into_iter();
        let readings = probes.iter().zip(looks).filter_map(|(probe, look)| match &probe.source {
            Source::CloudWatch(_) => metrics.next(),
            Source::Alarm(alarm) => Some(alarm_reading(probe, &alarm.name, &alarms, at)),
            Source::Prometheus(_) | Source::Http(_) | Source::Capacity(_) | Source::HostHealth(_) => look,
        });
        let readings = readings.collect();
        let watched = stop_alarms(self.experiment);
        let alarms = alarms.into_iter().filter(|reading| watched.contains(&reading.alarm)).collect();
        Sample { stage, number, at, readings, alarms, faults: Vec::new() }
    }

    fn metrics(&self) -> impl Iterator<Item = (&'run Probe, &'run CloudWatchProbe)> {
        self.experiment.steady_state.iter().filter_map(|probe| match &probe.source {
            Source::CloudWatch(metric) => Some((probe, metric)),
            Source::Alarm(_)
            | Source::Prometheus(_)
            | Source::Http(_)
            | Source::Capacity(_)
            | Source::HostHealth(_) => None,
        })
    }

    fn look_back(&self, probe: &Probe, metric: &CloudWatchProbe, pace: Duration, history: History) -> LookBack {
        let asked = self.experiment.observe.baseline_samples.map(u32::from);
        // What is compared with before needs all that there is.
        let reference = asked.filter(|_| compare::condition(self.experiment, probe).is_none());
        LookBack {
            reference: reference.unwrap_or(datapoints::REFERENCE),
            period: metric.period.into(),
            settling: self.settling.get(&probe.name).copied().unwrap_or_default(),
            pace,
            missing: probe.missing,
            history,
            most_earlier: ProbeReading::MOST_EARLIER.min(MOST_TOGETHER / self.experiment.steady_state.len().max(1)),
        }
    }

    /// Every metric, in one call; history in one call for each period.
    async fn read_metrics(
        &self,
        world: &impl Sampling,
        at: Timestamp,
        past: &[Sample],
        history: History,
    ) -> Vec<ProbeReading> {
        // While the faults were put back, nobody sampled.
        let since_last = past.last().and_then(|last| Duration::try_from(at.duration_since(last.at)).ok());
        let pace = self.pace.max(since_last.unwrap_or_default());
        let metrics: Vec<(&Probe, &CloudWatchProbe, LookBack)> = self
            .metrics()
            .map(|(probe, metric)| (probe, metric, self.look_back(probe, metric, pace, history)))
            .collect();
        let mut calls: BTreeMap<Option<Span>, Vec<usize>> = BTreeMap::new();
        for (place, (_, metric, _)) in metrics.iter().enumerate() {
            let together = match history {
                History::SinceLast => None,
                History::Reference => Some(metric.period),
            };
            calls.entry(together).or_default().push(place);
        }
        let read = calls.into_values().map(async |places| {
            let reach = places.iter().map(|place| metrics[*place].2.reach()).max().unwrap_or_default();
            let asked: Vec<CloudWatchProbe> = places.iter().map(|place| metrics[*place].1.clone()).collect();
            let found = world.metrics().metrics(&asked, at - reach, at).await;
            (places, found, world.clock().now())
        });
        let mut readings: BTreeMap<usize, ProbeReading> = BTreeMap::new();
        for (places, found, answered) in join_all(read).await {
            let mut found = found.map(Vec::into_iter);
            for place in places {
                let (probe, metric, look_back) = &metrics[place];
                let reading = match &mut found {
                    Ok(found) => {
                        let points = found.next().unwrap_or_default();
                        let nothing = || format!("{} {} has no datapoint", metric.namespace, metric.metric);
                        look_back
                            .reading(probe, &points, at, &Known::of(&probe.name, past))
                            .unwrap_or_else(|| told(probe, Reading::unknown(nothing()), at, answered))
                    }
                    Err(error) => told(probe, Reading::unknown(error.to_string()), at, answered),
                };
                readings.insert(place, reading);
            }
        }
        readings.into_values().collect()
    }

    /// What is asked of somebody else than CloudWatch.
    async fn look(&self, world: &impl Sampling, probe: &Probe, at: Timestamp) -> Option<ProbeReading> {
        let reading = match &probe.source {
            Source::CloudWatch(_) | Source::Alarm(_) => return None,
            Source::Prometheus(prometheus) => match world.prometheus().prometheus(&prometheus.query, at).await {
                Ok(value) => Reading::from_number(value),
                Err(error) => Reading::unknown(error.to_string()),
            },
            Source::Http(http) => http_reading(http, world.http().http(http).await),
            Source::Capacity(capacity) => match world.groups().group(&capacity.group).await {
                Ok(group) => Reading::from_number(f64::from(group.in_service)),
                Err(error) => Reading::unknown(error.to_string()),
            },
            Source::HostHealth(health) => host_health(world, self.experiment, &self.sizes, &health.of).await,
        };
        Some(looking_back(probe, reading, at, world.clock().now()))
    }
}

/// A reading of a time.
fn told(probe: &Probe, reading: Reading, since: Timestamp, until: Timestamp) -> ProbeReading {
    ProbeReading { probe: probe.name.clone(), reading, since: Some(since), until: Some(until), earlier: Vec::new() }
}

/// A reading of the time that the probe covers, or of the time that the look took. What is unknown is unknown for the look.
fn looking_back(probe: &Probe, reading: Reading, asked: Timestamp, answered: Timestamp) -> ProbeReading {
    match (&reading, probe.covers) {
        (Reading::Known(_) | Reading::MoreThan(_), Some(covers)) => {
            told(probe, reading, asked - Duration::from(covers), asked)
        }
        (Reading::Unknown(_), _) | (_, None) => told(probe, reading, asked, answered),
    }
}

fn http_reading(probe: &HttpProbe, answer: Answer<HttpReading>) -> Reading {
    match (answer, probe.measure) {
        (Ok(HttpReading::Answered { status, .. }), HttpMeasure::Ok) => {
            Reading::from_number(f64::from(u8::from(status == probe.status)))
        }
        (Ok(HttpReading::Answered { millis, .. }), HttpMeasure::Milliseconds) => Reading::from_number(millis),
        (Ok(HttpReading::NoAnswer), HttpMeasure::Ok) => Reading::from_number(0.0),
        (Ok(HttpReading::NoAnswer), HttpMeasure::Milliseconds) => more_than(probe.timeout),
        (Err(error), _) => Reading::unknown(error.to_string()),
    }
}

/// No answer in the time that was waited: the answer takes longer than that.
fn more_than(timeout: Span) -> Reading {
    let millis = Duration::from(timeout).as_secs_f64() * 1000.0;
    Finite::try_from(millis).map_or_else(Reading::unknown, Reading::MoreThan)
}

fn alarm_reading(probe: &Probe, name: &AlarmName, alarms: &[AlarmReading], at: Timestamp) -> ProbeReading {
    let found = alarms.iter().find(|reading| reading.alarm == *name);
    let reading = found.map_or_else(|| Reading::unknown("not returned"), |reading| as_number(&reading.state));
    looking_back(probe, reading, at, at)
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
pub(crate) fn due(from: Timestamp, every: Span, number: u32) -> Timestamp {
    from + Duration::from(every) * number
}
