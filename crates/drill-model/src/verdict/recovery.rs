//! How the system came back after the faults, as an interval: it was down for at least one time, and back after another.
//!
//! Each probe has its own datapoints. The system is back when the last of its probes is.

use std::num::NonZeroU16;

use drill_evidence::interval::{Between, Interval};
use drill_evidence::recovery::{Rule, Tells, Took};
use drill_evidence::{Answer, recovery};

use super::seen::{Seen, Value};
use super::times::{Times, millis};
use super::words::{counted, length, names};
use super::{Finding, Holds, RecoveryTime};
use crate::experiment::{Probe, Source, Statistic};
use crate::plan::Plan;
use crate::quantity::Span;

/// What the samples after the faults show.
pub(super) struct Recovery {
    rule: crate::experiment::Recovery,
    without_baseline: Vec<String>,
    /// When the faults were over.
    over: Option<Between>,
    /// How long the system took, as far as its probes tell. `None` where nothing measured it.
    took: Option<Took>,
    /// How long it was watched, in milliseconds.
    watched: i64,
    /// How many distinct values there are of the probe that has the fewest.
    looks: usize,
    /// How many of them are not known.
    unknown: usize,
    /// Which probes were not back.
    behind: Vec<String>,
}

/// What a probe's value must be to be back.
struct Goal<'a> {
    probe: &'a Probe,
    least: Option<f64>,
    most: Option<f64>,
    without_baseline: bool,
}

impl<'a> Goal<'a> {
    fn of(plan: &Plan, probe: &'a Probe) -> Self {
        let bounds = probe.tolerance;
        let share = plan.scope.experiment.recovery.tolerance_of_baseline;
        let baseline = plan.baseline(&probe.name).filter(|baseline| *baseline != 0.0);
        match (share, baseline) {
            (Some(share), Some(baseline)) => {
                let slack = baseline.abs() * (share.get() / 100.0);
                // Only the harmful direction counts: better than before is no reason to wait.
                let either = bounds.at_least.is_none() && bounds.at_most.is_none();
                Self {
                    probe,
                    least: (either || bounds.at_least.is_some()).then_some(baseline - slack),
                    most: (either || bounds.at_most.is_some()).then_some(baseline + slack),
                    without_baseline: false,
                }
            }
            (Some(_), None) => Self { probe, least: bounds.at_least, most: bounds.at_most, without_baseline: true },
            (None, _) => Self { probe, least: bounds.at_least, most: bounds.at_most, without_baseline: false },
        }
    }
}

/// What a value of a probe tells of the time that it covers, seen from the bounds that it is measured by.
pub(super) fn tells(probe: &Probe, least: Option<f64>, most: Option<f64>) -> Tells {
    let Source::CloudWatch(metric) = &probe.source else { return Tells::Part };
    match (&metric.statistic, least, most) {
        (Statistic::Maximum, None, Some(_)) | (Statistic::Minimum, Some(_), None) => Tells::Worst,
        (Statistic::Maximum, Some(_), None) | (Statistic::Minimum, None, Some(_)) => Tells::Best,
        (
            Statistic::Average
            | Statistic::Sum
            | Statistic::SampleCount
            | Statistic::Percentile(_)
            | Statistic::Maximum
            | Statistic::Minimum,
            ..,
        ) => Tells::Part,
    }
}

/// How one probe came back.
struct Back {
    took: Took,
    looks: usize,
    unknown: usize,
}

impl Back {
    fn of(plan: &Plan, goal: &Goal<'_>, seen: &Seen<'_>, over: Between) -> Self {
        let experiment = &plan.scope.experiment;
        let outs = seen.of(goal.probe).and_then(|value: Value| value.is_out(goal.least, goal.most));
        let after: Vec<(Interval, Option<bool>)> =
            outs.entries().into_iter().filter(|(covers, _)| covers.to() > over.earliest()).collect();
        let longest = after.iter().map(|(covers, _)| covers.milliseconds()).max().unwrap_or(0);
        let pace = experiment.recovery.check_every.max(plan.scope.pacing.every);
        let pace = i64::try_from(pace.as_millis()).unwrap_or(i64::MAX).max(longest);
        let rule = Rule {
            tells: tells(goal.probe, goal.least, goal.most),
            good_samples: NonZeroU16::new(experiment.recovery.good_samples).unwrap_or(NonZeroU16::MIN),
            may_be_out: goal.probe.tolerance.in_samples.map_or(0.0, |share| 1.0 - share.get() / 100.0),
            // Looking takes its time as well; where a whole look is missing, there is a hole.
            every: pace.saturating_mul(2).saturating_sub(1),
        };
        let unknown = after.iter().filter(|(_, out)| out.is_none()).count();
        Self { took: recovery::recovery(&rule, &outs, over), looks: after.len(), unknown }
    }
}

impl Recovery {
    pub(super) fn of(plan: &Plan, times: &Times, seen: &Seen<'_>) -> Self {
        let experiment = &plan.scope.experiment;
        let goals: Vec<Goal<'_>> = experiment.steady_state.iter().map(|probe| Goal::of(plan, probe)).collect();
        let without_baseline = goals.iter().filter(|goal| goal.without_baseline);
        let mut recovery = Self {
            rule: experiment.recovery,
            without_baseline: without_baseline.map(|goal| goal.probe.name.to_string()).collect(),
            over: times.over,
            took: None,
            watched: 0,
            looks: 0,
            unknown: 0,
            behind: Vec::new(),
        };
        let Some(over) = times.over else { return recovery };
        let backs: Vec<(&Goal<'_>, Back)> = goals.iter().map(|goal| (goal, Back::of(plan, goal, seen, over))).collect();
        recovery.watched = seen.last().map_or(0, |last| millis(last).saturating_sub(over.latest()).max(0));
        recovery.looks = backs.iter().map(|(_, back)| back.looks).min().unwrap_or(0);
        recovery.unknown = backs.iter().map(|(_, back)| back.unknown).max().unwrap_or(0);
        let behind = backs.iter().filter(|(_, back)| back.took.at_most.is_none());
        recovery.behind = behind.map(|(goal, _)| goal.probe.name.to_string()).collect();
        // All of them must be back, so the slowest decides.
        recovery.took = backs.into_iter().map(|(_, back)| back.took).reduce(|one, other| Took {
            at_least: one.at_least.max(other.at_least),
            at_most: one.at_most.zip(other.at_most).map(|(one, other)| one.max(other)),
        });
        recovery
    }

    /// When the system was back, at the earliest and at the latest. `None` where that is not known.
    pub(super) fn back(&self) -> Option<(i64, Option<i64>)> {
        let (over, took) = self.over.zip(self.took)?;
        // A system that was never seen to be down may have been well when the fault ended.
        let earliest = if took.at_least > 0 { over.latest().saturating_add(took.at_least) } else { over.earliest() };
        Some((earliest, took.at_most.map(|most| over.earliest().saturating_add(most).max(earliest))))
    }

    /// Whether the system was back within a time.
    pub(super) fn within(&self, limit: Span) -> Holds {
        let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
        match self.took.map(|took| took.within(limit)) {
            Some(Answer::Yes) => Holds::Yes,
            Some(Answer::No) => Holds::No,
            Some(Answer::Unknown) | None => Holds::Unknown,
        }
    }

    /// The recovery, as a value.
    pub(super) fn time(&self) -> RecoveryTime {
        match (self.took, self.within(self.rule.within)) {
            (_, Holds::No) => RecoveryTime::NotRecovered { watched: span(self.watched) },
            (Some(Took { at_least, at_most: Some(at_most) }), Holds::Yes | Holds::Unknown) => {
                recovered(at_least, at_most)
            }
            (Some(Took { at_most: None, .. }) | None, Holds::Yes | Holds::Unknown) => RecoveryTime::Unknown,
        }
    }

    /// What the samples after the faults say.
    pub(super) fn finding(&self) -> Finding {
        let mut text = self.seen();
        if self.looks > 0 {
            text.push_str(&format!("; it was given {}", self.rule.within.rounded()));
            match self.rule.tolerance_of_baseline {
                Some(share) => text.push_str(&format!("; good is within {share} of the baseline")),
                None => text.push_str("; good is within every probe's tolerance"),
            }
        }
        if !self.without_baseline.is_empty() {
            let names = names(&self.without_baseline);
            text.push_str(&format!("; no baseline to compare with, so by their tolerance: {names}"));
        }
        Finding::new(self.within(self.rule.within), "recovery", text)
    }

    /// When it was back, in words.
    pub(super) fn seen(&self) -> String {
        if self.over.is_none() {
            return "nothing shows when the faults were over".to_owned();
        }
        let Some(took) = self.took.filter(|_| self.looks > 0) else {
            return "no sample was taken after the faults".to_owned();
        };
        let unknown = if self.unknown == 0 { String::new() } else { format!(", {} unknown", self.unknown) };
        let looks = format!("{}{unknown}", counted(self.looks, "sample"));
        match took.at_most {
            Some(at_most) => format!("back {} ({looks})", recovered(took.at_least, at_most)),
            None => {
                let behind = names(&self.behind);
                let at_least = if took.at_least > 0 {
                    format!(", and still down after {}", length(took.at_least))
                } else {
                    String::new()
                };
                let watched = length(self.watched);
                format!("not seen to be back in the {watched} that it was watched ({looks}){at_least}: {behind}")
            }
        }
    }
}

fn recovered(at_least: i64, at_most: i64) -> RecoveryTime {
    RecoveryTime::Recovered { at_least: span(at_least), at_most: span(at_most) }
}

fn span(milliseconds: i64) -> Span {
    Span::millis(u64::try_from(milliseconds).unwrap_or(0))
}
