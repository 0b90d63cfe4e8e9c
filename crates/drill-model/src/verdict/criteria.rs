//! What else must be true at the end. Every criterion gets a finding, and one that cannot be evaluated is never a yes.

use drill_evidence::Answer;
use drill_evidence::interval::{ENOUGH, Interval};
use drill_evidence::series::{Pace, Series};
use drill_evidence::weighted::{self, Bounds, Judged, Sum};

use super::recovery::Recovery;
use super::seen::Seen;
use super::steady::{judged, pace};
use super::times::Times;
use super::words::{length, number};
use super::{Finding, Holds};
use crate::experiment::{Criterion, Probe, Source};
use crate::plan::Scope;

/// So many possible ends are tried; where there are more of them, nobody knows when the system was back.
const MOST_ENDS: usize = 500;

/// A finding for each criterion of the experiment.
pub(super) fn findings(scope: &Scope, times: &Times, recovery: &Recovery, seen: &Seen<'_>) -> Vec<Finding> {
    let finding = |criterion: &Criterion| match criterion {
        Criterion::RecoveryTimeAtMost(limit) => {
            Finding::new(recovery.within(*limit), criterion.to_string(), recovery.seen())
        }
        Criterion::AvailabilityAtLeast { least, of } => {
            let probe = scope.experiment.steady_state.iter().find(|probe| probe.name == *of);
            let (holds, text) = match probe {
                None => (Holds::Unknown, format!("the steady state has no probe `{of}`")),
                Some(_) if times.is_empty() => (Holds::Unknown, "nothing was seen to land".to_owned()),
                Some(probe) => Availability::of(scope, probe, times, recovery, seen)
                    .map_or_else(nothing_known, |availability| availability.at_least(*least)),
            };
            Finding::new(holds, criterion.to_string(), text)
        }
    };
    scope.experiment.success.iter().map(finding).collect()
}

fn nothing_known() -> (Holds, String) {
    (Holds::Unknown, "nothing shows when the system was back".to_owned())
}

/// A probe from the first fault to recovery.
///
/// When the system was back is only known as an interval, so an answer must be the same for every end that is possible. A
/// system that was back at once is still looked at for the fewest samples that say anything, and no longer: good samples
/// from after the recovery would hide the bad ones before it. While faults are put back nobody can tell whether they are
/// there: what was out then counts, and what was in does not.
struct Availability {
    /// Up to each possible end, the last of them last. Empty when there are too many.
    sums: Vec<Sum>,
    bounds: Bounds,
    min_samples: usize,
    /// Fewer known samples than are needed.
    too_few: bool,
}

impl Availability {
    fn of(scope: &Scope, probe: &Probe, times: &Times, recovery: &Recovery, seen: &Seen<'_>) -> Option<Self> {
        let (earliest, latest) = recovery.back()?;
        let over = times.over?;
        let bounds = bounds(&probe.source);
        let seen: Series<Judged> =
            judged(seen, probe).map(|judged| Judged { value: clamped(judged.value, bounds), ..judged });
        let every = pace(scope);
        let check_every = i64::try_from(scope.experiment.recovery.check_every.as_millis()).unwrap_or(i64::MAX);
        // The last look before the end stands for the time until the first one after it.
        let pace = Pace::from(every).then(over.earliest().saturating_sub(every), check_every.max(every));

        let all = times.span_from(i64::MIN, i64::MAX)?;
        let counted = weighted::counted(&seen, &all, pace);
        // The first sample is not due at the very beginning: within one pace it stands for the time before it.
        let landed = all.certain().hull().map_or(i64::MAX, Interval::from);
        let first = counted.iter().map(|sample| sample.covers.from()).find(|from| landed <= *from);
        let from = first.filter(|first| first.saturating_sub(landed) <= every).unwrap_or(i64::MIN);
        let min_samples = usize::from(scope.experiment.observe.min_samples.max(1));
        let known = counted.iter().filter(|sample| sample.value.is_some());
        let enough = known.filter_map(|sample| Some(sample.times.hull()?.to())).nth(min_samples - 1);
        let fewest = enough.unwrap_or(i64::MAX);
        let last = counted.iter().filter_map(|sample| Some(sample.times.hull()?.to())).max().unwrap_or(earliest);
        let (first, latest) = (earliest.max(fewest).min(last), latest.unwrap_or(last).max(fewest).min(last));
        let between = counted.iter().filter_map(|sample| Some(sample.times.hull()?.to()));
        let between = between.filter(|end| first < *end && *end < latest);
        let ends: Vec<i64> = [first].into_iter().chain(between).chain([latest]).collect();
        let ends = if ends.len() > MOST_ENDS { &ends[ends.len() - 1..] } else { &ends };
        let sum = |end: &i64| Some(weighted::sum(&seen, &times.span_from(from, *end)?, pace));
        let sums = ends.iter().filter_map(sum).collect();
        Some(Self { sums, bounds, min_samples, too_few: enough.is_none() })
    }

    fn at_least(&self, least: f64) -> (Holds, String) {
        let Some(last) = self.sums.last() else { return nothing_known() };
        let Some(mean) = last.mean() else {
            return (Holds::Unknown, "no known sample from the first fault to recovery".to_owned());
        };
        let cover = last.cover();
        let mut text = format!("mean {} over {} from the first fault to recovery", number(mean), length(cover.of));
        if cover.covered < cover.of {
            text.push_str(&format!("; known for {}", length(cover.covered)));
        }
        if !cover.is_enough() {
            text.push_str(&format!(", and {ENOUGH} % are needed"));
        }
        if self.too_few {
            text.push_str(&format!("; {} known samples are needed", self.min_samples));
            return (Holds::Unknown, text);
        }
        let mut answers = self.sums.iter().map(|sum| sum.at_least(least, self.bounds));
        let holds = match answers.next() {
            Some(Answer::Yes) if answers.all(|answer| answer == Answer::Yes) => Holds::Yes,
            Some(Answer::No) if answers.all(|answer| answer == Answer::No) => Holds::No,
            Some(Answer::Yes | Answer::No | Answer::Unknown) | None => Holds::Unknown,
        };
        if holds == Holds::Unknown && last.unknown() > 0 {
            text.push_str(&format!("; samples of {} failed and may be anything", length(last.unknown())));
        }
        (holds, text)
    }
}

/// What a source's value can be at all, known or not.
const fn bounds(source: &Source) -> Bounds {
    let (least, most) = match source {
        Source::HostHealth(_) => (Some(0.0), Some(100.0)),
        Source::Alarm(_) => (Some(0.0), Some(1.0)),
        // Milliseconds or yes and no; a number of instances.
        Source::Http(_) | Source::Capacity(_) => (Some(0.0), None),
        Source::CloudWatch(_) | Source::Prometheus(_) => (None, None),
    };
    Bounds { least, most }
}

fn clamped(value: f64, bounds: Bounds) -> f64 {
    value.max(bounds.least.unwrap_or(f64::NEG_INFINITY)).min(bounds.most.unwrap_or(f64::INFINITY))
}
