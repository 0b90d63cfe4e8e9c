//! Whether what is asked fits into the time that there is, counted in what a probe's values tell of: a datapoint of a minute
//! says nothing of a fault of a minute, because it never begins with it.
//!
//! Only what can never end well is refused here; what would be rare luck is not.

use super::super::{Criterion, Experiment, Probe, Source};
use super::{Problems, probes, schedule, times};
use crate::quantity::Span;

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    let lasting = schedule::lasting(&schedule(experiment));
    if lasting.is_zero() {
        return;
    }
    for (index, probe) in experiment.steady_state.iter().enumerate() {
        let Some(value) = Value::of(probe) else { continue };
        let path = format!("steady_state[{index}].{}", value.field);
        if !during(experiment, &value, lasting, &path, found) {
            continue;
        }
        recovery(experiment, probe, &value, &path, found);
        guards(experiment, probe, &value, lasting, found);
    }
}

/// The time that one value of a probe tells of, and how often there is another one.
struct Value {
    tells_of: Span,
    every: Option<Span>,
    /// Where that is written.
    field: String,
    /// What a value is called.
    name: &'static str,
}

impl Value {
    /// `None` for a look, which tells of a moment.
    fn of(probe: &Probe) -> Option<Self> {
        match (&probe.source, probe.covers) {
            (Source::CloudWatch(metric), _) if !probes::is_a_period(metric.period) => None,
            (Source::CloudWatch(metric), _) => Some(Self {
                tells_of: metric.period,
                every: Some(metric.period),
                field: "cloudwatch.period".to_owned(),
                name: "datapoint",
            }),
            (_, Some(covers)) => {
                Some(Self { tells_of: covers, every: None, field: "covers".to_owned(), name: "value" })
            }
            (_, None) => None,
        }
    }

    /// The most values that lie in a time as a whole. A datapoint begins when the clock says so and not when the fault does, so
    /// that of a time of three periods two lie in it.
    fn most(&self, time: Span, every: Span) -> u64 {
        let (time, tells_of) = (time.as_millis(), self.tells_of.as_millis());
        match self.every {
            _ if tells_of >= time => 0,
            Some(period) => time.div_ceil(period.as_millis().max(1)) - 1,
            None => (time - tells_of) / every.as_millis().max(1) + 1,
        }
    }

    /// How often it is looked at, where that says how many there are.
    fn pace(&self, every: Span) -> String {
        if self.every.is_some() { String::new() } else { format!(", one every {every},") }
    }

    /// The time in which so many values lie as a whole, in words.
    fn enough(&self, values: u64, every: Span) -> String {
        let tells_of = self.tells_of.as_millis();
        match self.every {
            Some(period) => format!("longer than {}", Span::millis(period.as_millis().saturating_mul(values))),
            None if values <= 1 => format!("longer than {}", self.tells_of),
            None => {
                let others = every.as_millis().saturating_mul(values - 1);
                format!("{} or longer", Span::millis(tells_of.saturating_add(others)))
            }
        }
    }
}

/// False when there can be nothing to judge by.
fn during(experiment: &Experiment, value: &Value, lasting: Span, path: &str, found: &mut Problems) -> bool {
    let (name, tells_of, needed) = (value.name, value.tells_of, u64::from(experiment.observe.min_samples));
    let most = value.most(lasting, experiment.observe.every);
    if most >= needed.max(1) {
        return true;
    }
    if value.every.is_none() && times(experiment.observe.every, lasting) < needed {
        // That is told of all probes together.
        return false;
    }
    let enough = value.enough(needed.max(1), experiment.observe.every);
    let help = match value.every {
        Some(_) => format!("write a shorter period, or let the faults last {enough}"),
        None => format!("look back over less, or let the faults last {enough}"),
    };
    let message = if most == 0 {
        format!("one {name} tells of {tells_of}, and the faults last {lasting}: none would be of the fault alone")
    } else {
        format!(
            "{needed} {name}s of {tells_of}{} are needed, and faults of {lasting} have room for {most}: this could never be supported",
            value.pace(experiment.observe.every)
        )
    };
    found.add(path, message, help);
    false
}

/// Limits of recovery that are shorter than what would show it.
fn recovery(experiment: &Experiment, probe: &Probe, value: &Value, path: &str, found: &mut Problems) {
    let (name, tells_of) = (value.name, value.tells_of);
    for (index, criterion) in experiment.success.iter().enumerate() {
        let Criterion::RecoveryTimeAtMost(limit) = criterion else { continue };
        if tells_of >= *limit {
            let message =
                format!("a {name} of `{}` shows recovery {tells_of} after the fault at the earliest", probe.name);
            let help = format!(
                "write more than {tells_of}, such as {}, or measure `{}` more finely",
                twice(tells_of),
                probe.name
            );
            found.add(format!("success[{index}].recovery_time_at_most"), message, help);
        }
    }
    let good = u64::from(experiment.recovery.good_samples);
    let within = experiment.recovery.within;
    let most = value.most(within, experiment.recovery.check_every);
    let told_of_all = value.every.is_none() && times(experiment.recovery.check_every, within) < good;
    if most < good && !within.is_zero() && !told_of_all {
        let message = format!(
            "{good} good {name}s of {tells_of}{} are needed, and {within} has room for {most}: it could never be seen to recover",
            value.pace(experiment.recovery.check_every)
        );
        let enough = value.enough(good, experiment.recovery.check_every);
        found.add(path, message, format!("let `recovery.within` be {enough}, or ask for fewer `good_samples`"));
    }
}

/// Conditions that need more datapoints than there will be.
fn guards(experiment: &Experiment, probe: &Probe, value: &Value, lasting: Span, found: &mut Problems) {
    let Some(period) = value.every.filter(|period| *period >= experiment.observe.every) else { return };
    let most = value.most(lasting, period);
    for (index, condition) in experiment.guards.stop_when.conditions().iter().enumerate() {
        let needed = u64::from(condition.for_samples.get());
        if condition.trigger.probe() == Some(&probe.name) && needed > most {
            let message = format!(
                "it takes {needed} datapoints of {period} in a row, and faults of {lasting} have room for {most}"
            );
            let help = "write fewer, a shorter period, or let the faults last longer: this could never stop anything";
            found.add(format!("guards.stop_when[{index}].for_samples"), message, help);
        }
    }
}

const fn twice(span: Span) -> Span {
    Span::millis(span.as_millis() * 2)
}
