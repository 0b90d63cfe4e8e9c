//! CloudWatch alarms: set by hand, or evaluated from a metric as the service does it, with its ways with missing data.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::experiment::CloudWatchProbe;
use drill_model::ids::AlarmName;
use drill_model::observation::{AlarmReading, AlarmState};
use jiff::Timestamp;

use crate::faulty::Freshness;
use crate::world::World;

/// The service looks at so many more periods than it needs, for data that comes late.
const EXTRA_PERIODS: u32 = 2;
/// Evaluations that lie further back than this many are not made up for.
const MOST_EVALUATIONS: i64 = 360;

/// An alarm that is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    /// What it looks at.
    pub metric: CloudWatchProbe,
    /// When a datapoint breaches.
    pub comparison: Comparison,
    /// The bound.
    pub threshold: f64,
    /// So many of the last periods must breach.
    pub breaching: u32,
    /// So many periods are looked at.
    pub periods: u32,
    /// What a missing datapoint counts as.
    pub missing: Missing,
}

/// When a datapoint breaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Above the threshold.
    Above,
    /// At the threshold or above.
    AtLeast,
    /// Below the threshold.
    Below,
    /// At the threshold or below.
    AtMost,
}

/// What a missing datapoint counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// As missing: without any, nothing is known.
    Missing,
    /// As no reason to change.
    Ignore,
    /// As a breach.
    Breaching,
    /// As good.
    NotBreaching,
}

/// The alarms there are.
#[derive(Debug, Default)]
pub(crate) struct AlarmStore {
    alarms: BTreeMap<AlarmName, Kept>,
}

#[derive(Debug, Clone)]
enum Kept {
    Set(AlarmState),
    Evaluated { alarm: Alarm, state: AlarmState, evaluated: Timestamp },
}

impl Alarm {
    /// How often it is evaluated.
    fn every(&self) -> Duration {
        if self.metric.period.as_seconds() < 60 { Duration::from_secs(10) } else { Duration::from_secs(60) }
    }

    fn breaches(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Above => value > self.threshold,
            Comparison::AtLeast => value >= self.threshold,
            Comparison::Below => value < self.threshold,
            Comparison::AtMost => value <= self.threshold,
        }
    }

    /// The state from the datapoints of the evaluation range, newest first, and the state before.
    fn state(&self, newest_first: &[f64], before: &AlarmState) -> AlarmState {
        let periods = usize::try_from(self.periods).unwrap_or(usize::MAX);
        let needed = usize::try_from(self.breaching).unwrap_or(usize::MAX);
        let used: Vec<f64> = newest_first.iter().copied().take(periods).collect();
        let lacking = periods - used.len();
        let breaching = used.iter().filter(|value| self.breaches(**value)).count();
        let decided =
            |breaching: usize, needed: usize| if breaching >= needed { AlarmState::InAlarm } else { AlarmState::Ok };
        match self.missing {
            Missing::Breaching => decided(breaching + lacking, needed),
            Missing::NotBreaching => decided(breaching, needed),
            Missing::Missing if used.is_empty() => AlarmState::InsufficientData,
            Missing::Missing => decided(breaching, needed.min(used.len())),
            Missing::Ignore if breaching < needed && breaching + lacking >= needed => before.clone(),
            Missing::Ignore => decided(breaching, needed),
        }
    }
}

impl World {
    /// Adds an alarm whose state is set, or sets it.
    pub fn set_alarm(&self, name: &AlarmName, state: AlarmState) {
        self.state().alarms.alarms.insert(name.clone(), Kept::Set(state));
    }

    /// Adds an alarm that is evaluated. It begins without data.
    pub fn add_alarm(&self, name: &AlarmName, alarm: Alarm) {
        let evaluated = self.time().now();
        let kept = Kept::Evaluated { alarm, state: AlarmState::InsufficientData, evaluated };
        self.state().alarms.alarms.insert(name.clone(), kept);
    }

    /// Deletes an alarm.
    pub fn delete_alarm(&self, name: &AlarmName) {
        self.state().alarms.alarms.remove(name);
    }

    /// The state of each alarm, evaluated up to now.
    pub(crate) fn alarm_states(&self, names: &[AlarmName]) -> Vec<AlarmReading> {
        names.iter().map(|name| AlarmReading { alarm: name.clone(), state: self.alarm_state(name) }).collect()
    }

    fn alarm_state(&self, name: &AlarmName) -> AlarmState {
        let kept = self.state().alarms.alarms.get(name).cloned();
        match kept {
            None => AlarmState::Missing,
            Some(Kept::Set(state)) => state,
            Some(Kept::Evaluated { alarm, state, evaluated }) => {
                let (state, evaluated) = self.evaluate(&alarm, state, evaluated);
                let kept = Kept::Evaluated { alarm, state: state.clone(), evaluated };
                self.state().alarms.alarms.insert(name.clone(), kept);
                state
            }
        }
    }

    /// Makes the evaluations that were due since the last one.
    fn evaluate(&self, alarm: &Alarm, mut state: AlarmState, last: Timestamp) -> (AlarmState, Timestamp) {
        let now = self.time().now();
        let every = i64::try_from(alarm.every().as_secs()).unwrap_or(60);
        let turn = |at: Timestamp| at.as_second().div_euclid(every);
        let due = (turn(last) + 1).max(turn(now) - MOST_EVALUATIONS)..=turn(now);
        let period = Duration::from(alarm.metric.period);
        let range = period * (alarm.periods + EXTRA_PERIODS);
        let Ok(first) = Timestamp::from_second(due.start() * every) else { return (state, last) };
        if due.is_empty() {
            return (state, last);
        }
        let points =
            self.datapoints(std::slice::from_ref(&alarm.metric), first - range - period, now, Freshness::Usual);
        let points = points.into_iter().next().unwrap_or_default();
        for at in due.filter_map(|turn| Timestamp::from_second(turn * every).ok()) {
            let complete =
                points.iter().rev().filter(|point| point.at + period <= at && point.at + period > at - range);
            let newest_first: Vec<f64> = complete.map(|point| point.value).collect();
            state = alarm.state(&newest_first, &state);
        }
        (state, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(missing: Missing) -> Alarm {
        let metric = serde_json::from_value(serde_json::json!({
            "namespace": "Orders", "metric": "Errors", "statistic": "Sum", "period": "60s"
        }));
        let metric = metric.unwrap();
        Alarm { metric, comparison: Comparison::Above, threshold: 0.5, breaching: 3, periods: 3, missing }
    }

    /// Newest first: 1 breaches, 0 does not. The rows are those of the service's own table for three of three.
    #[test]
    fn missing_data_counts_as_the_service_says() {
        use AlarmState::{InAlarm, InsufficientData, Ok};
        let check = |newest_first: &[f64], expected: [AlarmState; 4]| {
            let treatments = [Missing::Missing, Missing::Ignore, Missing::Breaching, Missing::NotBreaching];
            for (missing, expected) in treatments.into_iter().zip(expected) {
                let found = alarm(missing).state(newest_first, &AlarmState::Unknown("before".into()));
                assert_eq!(found, expected, "{newest_first:?} {missing:?}");
            }
        };
        let before = || AlarmState::Unknown("before".into());

        check(&[1.0, 0.0], [Ok, Ok, Ok, Ok]);
        check(&[], [InsufficientData, before(), InAlarm, Ok]);
        check(&[0.0, 0.0, 0.0], [Ok, Ok, Ok, Ok]);
        check(&[1.0, 1.0, 1.0], [InAlarm, InAlarm, InAlarm, InAlarm]);
        check(&[1.0], [InAlarm, before(), InAlarm, Ok]);
    }
}
