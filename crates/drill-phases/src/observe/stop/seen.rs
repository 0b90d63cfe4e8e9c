//! What samples say of a condition: of which time, and whether it is beyond the limit.

use drill_evidence::interval::Interval;
use drill_evidence::series::Series;
use drill_model::experiment::{Probe, Source, Trigger};
use drill_model::ids::AlarmName;
use drill_model::ledger::Row;
use drill_model::observation::{AlarmState, ProbeReading, Reading, Sample};
use drill_model::quantity::Span;
use jiff::Timestamp;

/// Which time a guard looks at.
pub(super) struct Watched {
    /// When the first target of the first fault was seen to have it. What began before is not the fault's.
    landed: i64,
    /// When the last of them was.
    all_landed: i64,
    /// When faults were being made: nobody looked then, and nothing was due. In order, and apart from each other.
    injecting: Vec<Interval>,
}

impl Watched {
    pub(super) fn of(rows: &[Row], from: Timestamp) -> Self {
        let landed = |row: &Row| row.state.landed().map(Timestamp::as_millisecond);
        let mut made: Vec<Interval> =
            rows.iter().filter_map(|row| Interval::new(row.intended_at.as_millisecond(), landed(row)?)).collect();
        made.sort();
        let mut injecting: Vec<Interval> = Vec::new();
        for next in made {
            match injecting.last_mut() {
                Some(last) if next.from() <= last.to() => {
                    *last = Interval::new(last.from(), last.to().max(next.to())).unwrap_or(*last);
                }
                Some(_) | None => injecting.push(next),
            }
        }
        let first = rows.iter().min_by_key(|row| row.intended_at).map(|row| &row.fault);
        let of_first = rows.iter().filter(|row| Some(&row.fault) == first).filter_map(landed).max();
        let from = from.as_millisecond();
        Self {
            landed: rows.iter().filter_map(landed).min().unwrap_or(from),
            all_landed: of_first.unwrap_or(from),
            injecting,
        }
    }

    /// When the first fault was seen on all its targets: from then on the service is as the fault makes it.
    pub(super) const fn all_landed(&self) -> i64 {
        self.all_landed
    }

    /// An instant on a clock that stands still while faults are being made.
    fn clock(&self, at: i64) -> i64 {
        let stood = self.injecting.iter().map(|made| (at.min(made.to()) - made.from()).max(0));
        at - stood.sum::<i64>()
    }
}

/// What samples say of a condition.
#[derive(Default)]
pub(super) struct Seen {
    /// For each datapoint, or look, whether it is beyond the limit.
    pub(super) series: Series<bool>,
    /// What began earlier does not count, and was not due.
    pub(super) from: i64,
    /// When the last sample was taken.
    pub(super) now: i64,
    /// Why the newest one that is not known is not.
    pub(super) why: String,
}

/// Which time a reading tells of, and whether it is beyond the limit.
type Told = (Interval, Option<bool>);

impl Seen {
    /// Of a probe that is sampled at this pace.
    pub(super) fn of_probe(
        probe: &Probe,
        every: Span,
        watched: &Watched,
        samples: &[Sample],
        beyond: impl Fn(&Reading) -> Option<bool>,
    ) -> Self {
        let readings: Vec<(&Sample, &ProbeReading)> = samples
            .iter()
            .flat_map(|sample| sample.readings.iter().map(move |reading| (sample, reading)))
            .filter(|(_, reading)| reading.probe == probe.name)
            .collect();
        let why = readings.iter().rev().find_map(|(_, reading)| match &reading.reading {
            Reading::Unknown(why) => Some(why.clone()),
            Reading::Known(_) | Reading::MoreThan(_) => None,
        });
        let Source::CloudWatch(metric) = &probe.source else {
            let looks = readings.iter().map(|(sample, reading)| {
                (look(probe, sample, reading, |at| watched.clock(at)), beyond(&reading.reading))
            });
            return Self::new(looks.collect(), watched.landed, samples, why, |at| watched.clock(at));
        };
        // A row is of samples: where a metric has many datapoints between two of them, the newest of each counts.
        let counts = |since: Timestamp| {
            metric.period >= every || readings.iter().any(|(_, reading)| reading.since == Some(since))
        };
        let mut told: Vec<Told> = Vec::new();
        for (sample, reading) in &readings {
            let earlier = reading.earlier.iter().filter(|point| counts(point.since));
            told.extend(earlier.map(|point| (between(point.since, point.until), beyond(&point.reading))));
            let (since, until) = (reading.since.unwrap_or(sample.at), reading.until.unwrap_or(sample.at));
            told.push((between(since, until), beyond(&reading.reading)));
        }
        Self::new(told, watched.landed, samples, why, |at| at)
    }

    /// Of an alarm.
    pub(super) fn of_alarm(name: &AlarmName, watched: &Watched, samples: &[Sample]) -> Self {
        let looks: Vec<(i64, Result<bool, String>)> = samples
            .iter()
            .map(|sample| {
                let state = sample.alarms.iter().find(|reading| reading.alarm == *name).map(|reading| &reading.state);
                (watched.clock(sample.at.as_millisecond()), rings(state))
            })
            .collect();
        let why = looks.iter().rev().find_map(|(_, rings)| rings.as_ref().err().cloned());
        let told = looks.into_iter().map(|(at, rings)| (Interval::look(at, 1), rings.ok())).collect();
        Self::new(told, watched.landed, samples, why, |at| watched.clock(at))
    }

    /// Only what was read so far can be missed: the samples may begin later than the fault.
    fn new(told: Vec<Told>, landed: i64, samples: &[Sample], why: Option<String>, clock: impl Fn(i64) -> i64) -> Self {
        let landed = clock(landed);
        let at = |sample: Option<&Sample>| sample.map_or(landed, |sample| clock(sample.at.as_millisecond()));
        let first = told.iter().map(|(covers, _)| covers.from()).filter(|from| *from >= landed).min();
        Self {
            from: first.unwrap_or_else(|| at(samples.first()).max(landed)),
            now: at(samples.last()),
            series: told.into_iter().collect(),
            why: why.unwrap_or_else(|| "nothing was read when it was due".to_owned()),
        }
    }
}

/// A look stands for the moment at which it was answered, also when its value looks back.
fn look(probe: &Probe, sample: &Sample, reading: &ProbeReading, clock: impl Fn(i64) -> i64) -> Interval {
    let (since, until) = (reading.since.unwrap_or(sample.at), reading.until.unwrap_or(sample.at));
    let asked = if probe.covers.is_some() { until } else { since };
    Interval::look(clock(asked.as_millisecond()), until.duration_since(asked).as_millis().try_into().unwrap_or(1))
}

pub(super) fn between(since: Timestamp, until: Timestamp) -> Interval {
    let (since, until) = (since.as_millisecond(), until.as_millisecond());
    Interval::look(since, until - since)
}

/// Whether an alarm says that the run must stop, or why that is not known.
fn rings(state: Option<&AlarmState>) -> Result<bool, String> {
    match state {
        Some(AlarmState::Ok) => Ok(false),
        // An alarm that is gone cannot warn any more: that is a reason to stop, not one to go on.
        Some(AlarmState::InAlarm | AlarmState::Missing) => Ok(true),
        Some(AlarmState::InsufficientData) => Err("insufficient data".to_owned()),
        Some(AlarmState::Unknown(why)) => Err(why.clone()),
        None => Err("not sampled".to_owned()),
    }
}

/// Whether a reading is beyond the limit of a condition; `None` when it does not tell.
pub(super) fn is_beyond(trigger: &Trigger, baseline: Option<f64>, reading: &Reading) -> Option<bool> {
    let (least, most) = match trigger {
        Trigger::Alarm(_) | Trigger::Degraded(..) => return None,
        Trigger::AboveBaseline(_, multiple) => (None, Some(baseline? * multiple.get())),
        Trigger::BelowBaseline(_, multiple) => (Some(baseline? * multiple.get()), None),
        Trigger::Outside(_, bounds) => (bounds.at_least, bounds.at_most),
    };
    match reading {
        Reading::Known(value) => {
            Some(least.is_some_and(|least| value.get() < least) || most.is_some_and(|most| value.get() > most))
        }
        // It is more than this, and nobody knows how much more.
        Reading::MoreThan(value) => match (least, most) {
            (_, Some(most)) if value.get() >= most => Some(true),
            (Some(least), None) if value.get() >= least => Some(false),
            (Some(_) | None, Some(_) | None) => None,
        },
        Reading::Unknown(_) => None,
    }
}
