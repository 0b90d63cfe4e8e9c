//! What the datapoints of a metric say at an instant: the newest one, and what is new among those before it.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::experiment::{Missing, Probe};
use drill_model::ids::ProbeName;
use drill_model::observation::{self, ProbeReading, Reading, Sample};
use jiff::Timestamp;

use crate::ports::Datapoint;

/// How far back a metric is read, and what is missing there.
#[derive(Debug, Clone, Copy)]
pub(super) struct LookBack {
    pub(super) period: Duration,
    /// So much time after its end a datapoint may still come or change.
    pub(super) settling: Duration,
    /// The longest time between two samples.
    pub(super) pace: Duration,
    pub(super) missing: Missing,
    pub(super) history: History,
    /// How many datapoints make a reference.
    pub(super) reference: u32,
    /// No more datapoints than these are taken along, the newest.
    pub(super) most_earlier: usize,
}

/// How much of what was before is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum History {
    /// What is new since the last sample, or may have been restated.
    SinceLast,
    /// As many datapoints as make a reference.
    Reference,
}

/// So many datapoints make a reference at most.
pub(super) const REFERENCE: u32 = ProbeReading::MOST_EARLIER as u32;
/// The longest time that a reference is read from.
const LONGEST_HISTORY: Duration = Duration::from_secs(3 * 3600);

impl LookBack {
    /// So far that every datapoint is read once more after it has settled, whatever lies between two samples.
    pub(super) fn reach(&self) -> Duration {
        let usual = self.still_tells().max(self.pace + self.period * 2 + self.settling);
        match self.history {
            History::SinceLast => usual,
            History::Reference => usual.max((self.period * (self.reference + 1)).min(LONGEST_HISTORY)),
        }
    }

    /// A datapoint that is older says nothing of now.
    fn still_tells(&self) -> Duration {
        self.period * 3 + self.settling
    }

    /// The newest datapoint whose period is over, and of those before it the ones that are new or restated. `None` when there is
    /// none that still tells of now.
    pub(super) fn reading(
        &self,
        probe: &Probe,
        found: &[Datapoint],
        at: Timestamp,
        known: &Known,
    ) -> Option<ProbeReading> {
        let points = self.points(found, at);
        let (newest, value) = points.last_key_value()?;
        if *newest < at - self.still_tells() {
            return None;
        }
        let most_earlier = match self.history {
            History::SinceLast => self.most_earlier,
            History::Reference => self.most_earlier.min(self.reference.saturating_sub(1) as usize),
        };
        let mut earlier: Vec<observation::Datapoint> = points
            .iter()
            .rev()
            .skip(1)
            .map(|(since, value)| (*since, Reading::from_number(*value)))
            .filter(|(since, reading)| !known.has(*since, reading))
            .map(|(since, reading)| observation::Datapoint { since, until: since + self.period, reading })
            .take(most_earlier)
            .collect();
        earlier.reverse();
        Some(ProbeReading {
            probe: probe.name.clone(),
            reading: Reading::from_number(*value),
            since: Some(*newest),
            until: Some(*newest + self.period),
            earlier,
        })
    }

    /// The values by the beginning of their period, as far as it is over, oldest first; with a zero for each period that has
    /// settled without a datapoint, where that is what missing means.
    fn points(&self, found: &[Datapoint], at: Timestamp) -> BTreeMap<Timestamp, f64> {
        let from = at - self.reach();
        let inside = found.iter().filter(|point| point.at >= from && point.at + self.period <= at);
        let mut points: BTreeMap<Timestamp, f64> = inside.map(|point| (point.at, point.value)).collect();
        if self.missing == Missing::Zero {
            for begin in self.periods(from, at - self.settling) {
                points.entry(begin).or_insert(0.0);
            }
        }
        points
    }

    /// The whole periods in this time; CloudWatch counts them from the epoch on.
    fn periods(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Timestamp> + use<> {
        let period = i64::try_from(self.period.as_millis()).unwrap_or(i64::MAX).max(1);
        let (first, end) = (from.as_millisecond().div_euclid(period) + 1, to.as_millisecond().div_euclid(period));
        (first..end).filter_map(move |number| Timestamp::from_millisecond(number * period).ok())
    }
}

/// The last value of each datapoint that earlier samples have.
pub(super) struct Known<'past>(BTreeMap<Timestamp, &'past Reading>);

impl<'past> Known<'past> {
    pub(super) fn of(probe: &ProbeName, past: &'past [Sample]) -> Self {
        let readings = past.iter().flat_map(|sample| &sample.readings).filter(|reading| reading.probe == *probe);
        let dated = readings.flat_map(|reading| {
            let earlier = reading.earlier.iter().map(|point| (point.since, &point.reading));
            earlier.chain(reading.since.map(|since| (since, &reading.reading)))
        });
        Self(dated.collect())
    }

    fn has(&self, since: Timestamp, reading: &Reading) -> bool {
        self.0.get(&since) == Some(&reading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    fn look_back(missing: Missing) -> LookBack {
        LookBack {
            period: Duration::from_secs(60),
            settling: Duration::from_secs(120),
            pace: Duration::from_secs(5),
            missing,
            history: History::SinceLast,
            reference: REFERENCE,
            most_earlier: ProbeReading::MOST_EARLIER,
        }
    }

    fn probe() -> Probe {
        crate::fixtures::plan("\n  stop_when: none", 1.0).scope.experiment.steady_state.remove(0)
    }

    /// Minutes, from the instant 0, which is a whole minute.
    fn minutes(values: &[(i64, f64)]) -> Vec<Datapoint> {
        values.iter().map(|(minute, value)| Datapoint { at: at(minute * 60), value: *value }).collect()
    }

    fn read(missing: Missing, found: &[(i64, f64)], now: i64, past: &[Sample]) -> Option<ProbeReading> {
        look_back(missing).reading(&probe(), &minutes(found), at(now), &Known::of(&probe().name, past))
    }

    fn sample(reading: ProbeReading) -> Sample {
        let stage = drill_model::observation::Stage::Fault;
        Sample { stage, number: 0, at: at(0), readings: vec![reading], alarms: Vec::new(), faults: Vec::new() }
    }

    /// The newest minute, and the earlier ones, with their values.
    fn told(reading: &ProbeReading) -> Vec<(i64, f64)> {
        let minute = |since: Timestamp| (since.as_second() - at(0).as_second()) / 60;
        let earlier = reading.earlier.iter().map(|point| (minute(point.since), point.reading.number().unwrap()));
        earlier.chain([(minute(reading.since.unwrap()), reading.reading.number().unwrap())]).collect()
    }

    #[test]
    fn a_minute_that_is_not_over_is_not_read() {
        let reading = read(Missing::Unknown, &[(0, 1.0), (1, 2.0)], 119, &[]).unwrap();

        assert_eq!(told(&reading), [(0, 1.0)]);
        assert_eq!(reading.until, Some(at(60)));
    }

    #[test]
    fn what_was_restated_is_told_again_and_what_was_not_is_not() {
        let past = sample(read(Missing::Unknown, &[(0, 1.0), (1, 2.0), (2, 3.0)], 180, &[]).unwrap());

        let reading =
            read(Missing::Unknown, &[(0, 1.0), (1, 20.0), (2, 3.0), (3, 4.0)], 240, std::slice::from_ref(&past));

        assert_eq!(told(&reading.unwrap()), [(1, 20.0), (3, 4.0)]);
        assert_eq!(told(&past.readings[0]), [(0, 1.0), (1, 2.0), (2, 3.0)]);
    }

    #[test]
    fn what_is_older_than_three_periods_and_the_settling_time_says_nothing_of_now() {
        assert!(read(Missing::Unknown, &[(0, 1.0)], 300, &[]).is_some());
        assert_eq!(read(Missing::Unknown, &[(0, 1.0)], 301, &[]), None);
    }

    #[test]
    fn where_missing_means_zero_a_minute_is_zero_once_it_has_settled() {
        let reading = read(Missing::Zero, &[(1, 7.0)], 299, &[]).unwrap();
        assert_eq!(told(&reading), [(0, 0.0), (1, 7.0)]);

        let reading = read(Missing::Zero, &[(1, 7.0)], 300, std::slice::from_ref(&sample(reading))).unwrap();
        assert_eq!(told(&reading), [(2, 0.0)]);
    }

    #[test]
    fn a_sample_takes_along_no_more_than_so_many() {
        let all: Vec<Datapoint> = (0..1000).map(|second| Datapoint { at: at(second), value: 1.0 }).collect();
        let look_back =
            LookBack { period: Duration::from_secs(1), pace: Duration::from_secs(900), ..look_back(Missing::Unknown) };

        let reading = look_back.reading(&probe(), &all, at(1000), &Known::of(&probe().name, &[])).unwrap();

        assert_eq!(reading.earlier.len(), ProbeReading::MOST_EARLIER);
        assert_eq!(reading.earlier.last().unwrap().since, at(998));
    }
}
