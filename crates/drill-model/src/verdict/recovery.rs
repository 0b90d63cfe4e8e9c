//! How the system came back after the faults, as an interval: never earlier than `earliest`, seen to be back at `latest`.
//!
//! A look is good when every probe is known and good. Back means: good from then on to the last look, often enough.

use jiff::Timestamp;

use super::faults::Times;
use super::seen::Seen;
use super::words::{counted, millis_between, names};
use super::{Finding, Holds, RecoveryTime};
use crate::experiment::Probe;
use crate::observation::Stage;
use crate::plan::Plan;
use crate::quantity::Span;

/// What the samples after the faults show.
pub(super) struct Recovery {
    rule: crate::experiment::Recovery,
    measures: bool,
    without_baseline: Vec<String>,
    /// From when it counts.
    over: Option<Timestamp>,
    looks: Vec<(Timestamp, Look)>,
    /// The longest time from one look after the faults to the next, in milliseconds: looking takes its time as well.
    pace: u64,
    /// Which probes were not good when not all were, the last time.
    behind: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Good,
    Bad,
    Unknown,
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

    fn look(&self, sample: &Seen<'_>, over: Timestamp) -> Look {
        match sample.reading(&self.probe.name) {
            Err(_) => Look::Unknown,
            // It tells of the time when something was still broken.
            Ok(_) if sample.since(&self.probe.name) < over => Look::Unknown,
            Ok(value) => {
                let good = self.least.is_none_or(|least| value >= least) && self.most.is_none_or(|most| value <= most);
                if good { Look::Good } else { Look::Bad }
            }
        }
    }
}

impl Recovery {
    pub(super) fn of(plan: &Plan, times: &Times, seen: &[Seen<'_>]) -> Self {
        let experiment = &plan.scope.experiment;
        let goals: Vec<Goal<'_>> = experiment.steady_state.iter().map(|probe| Goal::of(plan, probe)).collect();
        let over = times.over.unwrap_or(Timestamp::MAX);
        let after = seen.iter().filter(|sample| sample.stage != Stage::Baseline && over <= sample.at);
        let look = |sample: &Seen<'_>| {
            goals.iter().map(|goal| goal.look(sample, over)).fold(Look::Good, |all, one| match (all, one) {
                (Look::Bad, _) | (_, Look::Bad) => Look::Bad,
                (Look::Unknown, _) | (_, Look::Unknown) => Look::Unknown,
                (Look::Good, Look::Good) => Look::Good,
            })
        };
        let looks: Vec<(Timestamp, Look, &Seen<'_>)> = after.map(|sample| (sample.at, look(sample), sample)).collect();
        let last_not_good = looks.iter().rev().find(|(_, look, _)| *look != Look::Good);
        let behind = last_not_good.map_or_else(Vec::new, |(_, _, sample)| {
            let not_good = goals.iter().filter(|goal| goal.look(sample, over) != Look::Good);
            not_good.map(|goal| goal.probe.name.to_string()).collect()
        });
        let after: Vec<Timestamp> =
            seen.iter().filter(|sample| sample.stage == Stage::Recovery).map(|sample| sample.at).collect();
        let gaps = after.windows(2).map(|two| millis_between(two[0], two[1]));
        Self {
            pace: gaps.fold(experiment.recovery.check_every.as_millis(), u64::max),
            rule: experiment.recovery,
            measures: !goals.is_empty(),
            without_baseline: goals
                .iter()
                .filter(|goal| goal.without_baseline)
                .map(|goal| goal.probe.name.to_string())
                .collect(),
            over: times.over,
            looks: looks.into_iter().map(|(at, look, _)| (at, look)).collect(),
            behind,
        }
    }

    fn last_run(&self, of: impl Fn(Look) -> bool) -> &[(Timestamp, Look)] {
        let length = self.looks.iter().rev().take_while(|(_, look)| of(*look)).count();
        &self.looks[self.looks.len() - length..]
    }

    /// When it was seen to be back, if it was.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        let good = self.last_run(|look| look == Look::Good);
        (self.measures && good.len() >= usize::from(self.rule.good_samples.max(1)))
            .then(|| good.first())?
            .map(|look| look.0)
    }

    /// When it was back at the earliest, if every unknown look was a good one; `None` when the last look was bad.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        self.last_run(|look| look != Look::Bad).first().map(|look| look.0)
    }

    fn after(&self, at: Timestamp) -> u64 {
        self.over.map_or(0, |over| millis_between(over, at))
    }

    fn watched(&self) -> u64 {
        self.looks.last().map_or(0, |(at, _)| self.after(*at))
    }

    /// Whether the system was back within a time.
    pub(super) fn within(&self, limit: Span) -> Holds {
        let limit = limit.as_millis();
        if !self.measures || self.looks.is_empty() {
            return Holds::Unknown;
        }
        match (self.latest(), self.earliest()) {
            (Some(latest), _) if self.after(latest) <= limit => Holds::Yes,
            (_, Some(earliest)) if self.after(earliest) > limit => Holds::No,
            (Some(_), _) => Holds::Unknown,
            (None, _) => {
                // At this pace the next look would have come too late: it had its time.
                let whole = self.watched().saturating_add(self.pace) > limit;
                let known = self.last_run(|look| look != Look::Bad).iter().all(|(_, look)| *look == Look::Good);
                if whole && known { Holds::No } else { Holds::Unknown }
            }
        }
    }

    /// The recovery, as a value.
    pub(super) fn time(&self) -> RecoveryTime {
        match (self.latest(), self.within(self.rule.within)) {
            (_, Holds::No) => RecoveryTime::NotRecovered { watched: Span::millis(self.watched()) },
            (Some(latest), Holds::Yes | Holds::Unknown) => {
                RecoveryTime::Recovered { after: Span::millis(self.after(latest)) }
            }
            (None, Holds::Yes | Holds::Unknown) => RecoveryTime::Unknown,
        }
    }

    /// What the samples after the faults say.
    pub(super) fn finding(&self) -> Finding {
        let mut text = self.seen();
        if !self.looks.is_empty() {
            text.push_str(&format!("; it was given {}", self.rule.within));
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
        if self.looks.is_empty() {
            return "no sample was taken after the faults".to_owned();
        }
        let watched = Span::millis(self.watched());
        let good = self.last_run(|look| look == Look::Good).len();
        let unknown = self.looks.iter().filter(|(_, look)| *look == Look::Unknown).count();
        let unknown = if unknown == 0 { String::new() } else { format!(", {unknown} unknown") };
        match self.latest() {
            Some(latest) => {
                let after = Span::millis(self.after(latest));
                format!("back {after} after the faults were over and good since ({}{unknown})", counted(good, "sample"))
            }
            None => {
                let needed = self.rule.good_samples.max(1);
                let behind = match self.behind.as_slice() {
                    [] => String::new(),
                    some => format!(" (last not good: {})", names(some)),
                };
                format!(
                    "not seen to be back: watched for {watched}, of {needed} good samples in a row there were {good}{unknown}{behind}"
                )
            }
        }
    }
}
