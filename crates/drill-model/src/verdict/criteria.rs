//! What else must be true at the end. Every criterion gets a finding, and one that cannot be evaluated is never a yes.

use super::faults::{Times, Window};
use super::recovery::Recovery;
use super::seen::Seen;
use super::words::{counted, number};
use super::{Finding, Holds};
use crate::experiment::{Criterion, Probe, Source};
use crate::observation::Stage;
use crate::plan::Scope;

/// A finding for each criterion of the experiment.
pub(super) fn findings(scope: &Scope, times: &Times, recovery: &Recovery, seen: &[Seen<'_>]) -> Vec<Finding> {
    let finding = |criterion: &Criterion| match criterion {
        Criterion::RecoveryTimeAtMost(limit) => {
            Finding::new(recovery.within(*limit), criterion.to_string(), recovery.seen())
        }
        Criterion::AvailabilityAtLeast { least, of } => {
            let probe = scope.experiment.steady_state.iter().find(|probe| probe.name == *of);
            let (holds, text) = match (probe, &times.window) {
                (None, _) => (Holds::Unknown, format!("the steady state has no probe `{of}`")),
                (_, None) => (Holds::Unknown, "nothing was seen to land".to_owned()),
                (Some(probe), Some(window)) => {
                    let min_samples = usize::from(scope.experiment.observe.min_samples.max(1));
                    Availability::of(probe, window, recovery, seen, min_samples).at_least(*least, min_samples)
                }
            };
            Finding::new(holds, criterion.to_string(), text)
        }
    };
    scope.experiment.success.iter().map(finding).collect()
}

/// A probe from the first landing to recovery.
///
/// When the system was back may be known only as an interval, so the mean must hold for every end that is possible. A
/// system that was back at once is still looked at for the fewest samples that say anything, and no longer: good samples
/// from after the recovery would hide the bad ones before it.
struct Availability {
    /// Each sample up to the last possible end.
    values: Vec<Option<f64>>,
    /// How many samples there are at least.
    shortest: usize,
    range: (Option<f64>, Option<f64>),
}

impl Availability {
    fn of(probe: &Probe, window: &Window, recovery: &Recovery, seen: &[Seen<'_>], min_samples: usize) -> Self {
        let (earliest, latest) = (recovery.earliest(), recovery.latest());
        let mut values = Vec::new();
        let mut shortest = 0;
        for sample in
            seen.iter().filter(|sample| sample.stage != Stage::Baseline && window.from <= sample.since(&probe.name))
        {
            if values.len() >= min_samples && latest.is_some_and(|latest| latest < sample.at) {
                break;
            }
            values.push(sample.reading(&probe.name).ok());
            if values.len() <= min_samples || earliest.is_none_or(|earliest| sample.at <= earliest) {
                shortest = values.len();
            }
        }
        Self { values, shortest, range: range(&probe.source) }
    }

    fn at_least(&self, least: f64, min_samples: usize) -> (Holds, String) {
        let known: Vec<f64> = self.values.iter().copied().flatten().collect();
        let unknown = self.values.len() - known.len();
        let mut text = match crate::observation::mean(&known) {
            Some(mean) => {
                format!(
                    "mean {} of {} from the first landing to recovery",
                    number(mean),
                    counted(known.len(), "sample")
                )
            }
            None => "no known sample from the first landing to recovery".to_owned(),
        };
        if unknown > 0 {
            text.push_str(&format!("; {} unknown", counted(unknown, "sample")));
        }
        let enough = self.values.iter().take(self.shortest).flatten().count() >= min_samples;
        if !enough {
            text.push_str(&format!("; {min_samples} known are needed"));
            return (Holds::Unknown, text);
        }
        let (lowest, highest) = self.range;
        let lows = self.means(|value| match (value, lowest) {
            (Some(value), Some(lowest)) => Some(value.max(lowest)),
            (Some(value), None) => Some(value),
            (None, bound) => bound,
        });
        let highs = self.means(|value| match (value, highest) {
            (Some(value), Some(highest)) => Some(value.min(highest)),
            (Some(value), None) => Some(value),
            (None, bound) => bound,
        });
        let holds = if lows.iter().all(|low| low.is_some_and(|low| low >= least)) {
            Holds::Yes
        } else if highs.iter().all(|high| high.is_some_and(|high| high < least)) {
            Holds::No
        } else {
            Holds::Unknown
        };
        if unknown > 0 && holds == Holds::Unknown {
            text.push_str(", and they may be anything");
        }
        (holds, text)
    }

    /// The mean up to each possible end; `None` where it cannot be told.
    fn means(&self, bound: impl Fn(Option<f64>) -> Option<f64>) -> Vec<Option<f64>> {
        let mut sum = Some(0.0);
        let mut means = Vec::new();
        for (index, value) in self.values.iter().enumerate() {
            sum = sum.zip(bound(*value)).map(|(sum, value)| sum + value);
            if index + 1 >= self.shortest {
                #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 samples")]
                means.push(sum.map(|sum| sum / (index + 1) as f64).filter(|mean| mean.is_finite()));
            }
        }
        means
    }
}

/// What a source's value can be at all, known or not.
const fn range(source: &Source) -> (Option<f64>, Option<f64>) {
    match source {
        Source::HostHealth(_) => (Some(0.0), Some(100.0)),
        Source::Alarm(_) => (Some(0.0), Some(1.0)),
        // Milliseconds or yes and no; a number of instances.
        Source::Http(_) | Source::Capacity(_) => (Some(0.0), None),
        Source::CloudWatch(_) | Source::Prometheus(_) => (None, None),
    }
}
