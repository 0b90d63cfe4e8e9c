//! When a run must stop: a condition that held for so many samples, or data that was missing for too many.
//!
//! What counts are distinct datapoints that began after the fault had landed, each with the last value that was read of it; and
//! looks, each once. A sample that is lost neither makes a row nor breaks it; when half of them are lost, the run is blind.

mod degraded;
mod seen;

use std::num::NonZeroU16;

use drill_evidence::guard::{self, Rule, Standing};
use drill_model::experiment::{Experiment, Probe, Source, StopCondition, Trigger};
use drill_model::ledger::Row;
use drill_model::observation::{Reading, Sample};
use drill_model::plan::Plan;
use drill_model::quantity::Span;
use drill_model::run::{Armed, Ending};
use jiff::Timestamp;

use self::seen::{Seen, Watched};
use crate::compare;

/// From one look to the next the machine may need so much more than what is asked for: a wait of whole seconds, the choice, the
/// start of a function.
const TURN: Span = Span::seconds(2);

/// The stop conditions of a run, with the time that they look at.
pub(super) struct Guards<'run> {
    plan: &'run Plan,
    watched: Watched,
    /// What was sampled before the fault, where a condition compares with it.
    before: Vec<Sample>,
}

impl<'run> Guards<'run> {
    /// `before` are the samples of the baseline; they are needed where a condition compares with them, and empty elsewhere.
    pub(super) fn of(plan: &'run Plan, rows: &[Row], armed: Armed, before: Vec<Sample>) -> Self {
        Self { plan, watched: Watched::of(rows, armed.from), before }
    }

    /// How many samples back the conditions look: to the beginning of a row in which as many are lost as may be, and over the
    /// whole fault where one compares it with before.
    pub(super) fn memory(&self) -> u32 {
        let experiment = &self.plan.scope.experiment;
        if compares(experiment) {
            return u32::MAX;
        }
        let row = experiment.guards.stop_when.conditions().iter().map(|condition| condition.for_samples.get()).max();
        let lost = u64::from(experiment.observe.unknown_samples);
        let datapoints = u64::from(row.unwrap_or(1)) * (lost + 1) + 2 * lost;
        let reach = |probe| self.every(Some(probe)).as_millis() * datapoints + self.settles(Some(probe)).as_millis();
        let longest = experiment.steady_state.iter().map(reach).max().unwrap_or_default();
        let samples = longest.div_ceil(self.plan.scope.pacing.every.as_millis().max(1)) + 1;
        u32::try_from(samples).unwrap_or(u32::MAX)
    }

    /// Why the run must stop after the last of these samples, with the words for it.
    pub(super) fn reason(&self, samples: &[Sample]) -> Option<(Ending, String)> {
        let at = samples.last()?.at;
        if let Some(stops) = self.degraded(samples, at) {
            return Some(stops);
        }
        let conditions = self.plan.scope.experiment.guards.stop_when.conditions();
        let standings: Vec<(&StopCondition, Standing, String)> = conditions
            .iter()
            .map(|condition| {
                let (probe, seen) = self.condition(condition, samples);
                (condition, self.standing(probe, condition.for_samples, &seen), seen.why)
            })
            .collect();
        let breached = standings.iter().find(|(_, standing, _)| matches!(standing, Standing::Breached { .. }));
        if let Some((condition, ..)) = breached {
            let text = format!("{condition}{}", shown(condition, samples.last()?));
            return Some((Ending::Breached { condition: text.clone(), at }, text));
        }
        let blind = standings.into_iter().find_map(|(condition, standing, why)| {
            let Standing::Blind { unknown, of } = standing else { return None };
            Some(format!("whether to stop on «{condition}» was unknown in {unknown} of the last {of} samples: {why}"))
        });
        let what = blind.or_else(|| self.blind(samples))?;
        Some((Ending::Blind { what: what.clone(), at }, what))
    }

    /// Why the run must stop because a probe is worse than before, or because nobody can tell.
    fn degraded(&self, samples: &[Sample], at: Timestamp) -> Option<(Ending, String)> {
        let experiment = &self.plan.scope.experiment;
        experiment.guards.stop_when.conditions().iter().find_map(|condition| {
            let Trigger::Degraded(name, degraded) = &condition.trigger else { return None };
            let probe = experiment.steady_state.iter().find(|probe| probe.name == *name)?;
            let before: Vec<f64> = compare::values(probe, &self.before).iter().filter_map(compare::number).collect();
            match degraded::worse(experiment, probe, *degraded, &before, &self.watched, samples) {
                Ok(worse) => worse.map(|by| {
                    let text = format!("{condition}{by}");
                    (Ending::Breached { condition: text.clone(), at }, text)
                }),
                Err(why) => {
                    let what = format!("whether to stop on «{condition}» is unknown: {why}");
                    Some((Ending::Blind { what: what.clone(), at }, what))
                }
            }
        })
    }

    fn condition(&self, condition: &StopCondition, samples: &[Sample]) -> (Option<&'run Probe>, Seen) {
        let name = match &condition.trigger {
            Trigger::Alarm(name) => return (None, Seen::of_alarm(name, &self.watched, samples)),
            // It is no row of datapoints; that the probe can be read is looked at with the other probes.
            Trigger::Degraded(..) => return (None, Seen::default()),
            Trigger::AboveBaseline(name, _) | Trigger::BelowBaseline(name, _) | Trigger::Outside(name, _) => name,
        };
        let probe = self.plan.scope.experiment.steady_state.iter().find(|probe| probe.name == *name);
        let seen = probe.map_or_else(Seen::default, |probe| {
            let beyond = |reading: &Reading| seen::is_beyond(&condition.trigger, self.plan.baseline(name), reading);
            Seen::of_probe(probe, self.plan.scope.pacing.every, &self.watched, samples, beyond)
        });
        (probe, seen)
    }

    /// A probe that cannot be read any more, whether a condition is about it or not.
    fn blind(&self, samples: &[Sample]) -> Option<String> {
        self.plan.scope.experiment.steady_state.iter().find_map(|probe| {
            let known = |reading: &Reading| match reading {
                Reading::Known(_) | Reading::MoreThan(_) => Some(false),
                Reading::Unknown(_) => None,
            };
            let seen = Seen::of_probe(probe, self.plan.scope.pacing.every, &self.watched, samples, known);
            let Standing::Blind { unknown, of } = self.standing(Some(probe), NonZeroU16::MAX, &seen) else {
                return None;
            };
            Some(format!("probe {} was unknown in {unknown} of the last {of} samples: {}", probe.name, seen.why))
        })
    }

    fn standing(&self, probe: Option<&Probe>, in_a_row: NonZeroU16, seen: &Seen) -> Standing {
        let rule = Rule {
            in_a_row,
            unknown: NonZeroU16::new(self.plan.scope.experiment.observe.unknown_samples).unwrap_or(NonZeroU16::MIN),
            every: millis(self.every(probe)),
            settles: millis(self.settles(probe)),
            from: seen.from,
        };
        guard::standing(&rule, &seen.series, seen.now)
    }

    /// From one datapoint or look to the next.
    fn every(&self, probe: Option<&Probe>) -> Span {
        let pace = self.pace();
        match probe.map(|probe| &probe.source) {
            Some(Source::CloudWatch(metric)) => metric.period.max(pace),
            Some(
                Source::Alarm(_)
                | Source::Prometheus(_)
                | Source::Http(_)
                | Source::Capacity(_)
                | Source::HostHealth(_),
            )
            | None => pace,
        }
    }

    /// From one look to the next: a look at a page that does not answer keeps the next one waiting.
    fn pace(&self) -> Span {
        let timeout = |probe: &Probe| match &probe.source {
            Source::Http(http) => http.timeout,
            Source::CloudWatch(_)
            | Source::Alarm(_)
            | Source::Prometheus(_)
            | Source::Capacity(_)
            | Source::HostHealth(_) => Span::ZERO,
        };
        let slowest = self.plan.scope.experiment.steady_state.iter().map(timeout).max();
        self.plan.scope.pacing.every.max(slowest.unwrap_or(Span::ZERO)).plus(TURN)
    }

    /// So long after its end a datapoint is read at the latest: when it has settled and somebody looks.
    fn settles(&self, probe: Option<&Probe>) -> Span {
        match probe {
            Some(probe) if matches!(probe.source, Source::CloudWatch(_)) => self.plan.settling(probe).plus(self.pace()),
            Some(_) | None => Span::ZERO,
        }
    }
}

/// Whether a condition compares the fault with what was before it.
pub(super) fn compares(experiment: &Experiment) -> bool {
    let conditions = experiment.guards.stop_when.conditions();
    conditions.iter().any(|condition| matches!(condition.trigger, Trigger::Degraded(..)))
}

fn millis(span: Span) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn shown(condition: &StopCondition, sample: &Sample) -> String {
    condition
        .trigger
        .probe()
        .and_then(|probe| sample.reading(probe).number())
        .map_or_else(String::new, |value| format!(" (now {value:.4})",))
}

#[cfg(test)]
mod tests;
