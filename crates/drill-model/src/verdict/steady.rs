//! Whether a probe stayed in its tolerance while something was broken.
//!
//! Yes means: even if every unknown sample was out. No means: even if every unknown sample was in.

use jiff::Timestamp;

use super::faults::Window;
use super::resolution::Resolution;
use super::seen::Seen;
use super::words::{capped, counted, number};
use super::{Finding, Holds};
use crate::experiment::{Probe, Tolerance};
use crate::observation::{Stage, mean};
use crate::plan::Scope;

/// What a probe showed from the first landing to the end of the last fault.
pub(super) fn finding(scope: &Scope, probe: &Probe, window: &Window, seen: &[Seen<'_>]) -> Finding {
    // A value that tells of the time before the landing tells nothing of the fault.
    let during = seen
        .iter()
        .filter(|sample| sample.stage != Stage::Baseline && window.contains(sample.since(&probe.name)))
        .filter(|sample| sample.stage == Stage::Fault || sample.since(&probe.name) < sample.at);
    let mut count = Count::default();
    let mut known: Vec<(Timestamp, f64)> = Vec::new();
    let mut why = None;
    let mut datapoint = None;
    for sample in during {
        match sample.reading(&probe.name) {
            // Looking twice at one datapoint is not seeing twice as much.
            Ok(_) if datapoint == Some(sample.since(&probe.name)) => {}
            Ok(value) => {
                datapoint = Some(sample.since(&probe.name)).filter(|since| *since < sample.at);
                known.push((sample.at, value));
                *(if probe.tolerance.admits(value) { &mut count.inside } else { &mut count.outside }) += 1;
            }
            Err(reason) => {
                count.unknown += 1;
                why = why.or(Some(reason));
            }
        }
    }
    let about = probe.name.as_str();
    if count.taken() == 0 {
        return Finding::unknown(about, format!("no sample was taken during the fault ({})", probe.tolerance));
    }
    if probe.tolerance.at_least.is_none() && probe.tolerance.at_most.is_none() {
        return Finding::unknown(about, "its tolerance has no bounds: nothing could be out of it");
    }
    let needed = usize::from(scope.experiment.observe.min_samples.max(1));
    let holds = count.holds(&probe.tolerance, needed);

    let mut text =
        format!("{} of {} in tolerance ({})", count.inside, counted(count.taken(), "sample"), probe.tolerance);
    if count.outside > 0 {
        text.push_str(&format!(", {} out", count.outside));
    }
    if count.unknown > 0 {
        text.push_str(&format!(", {} unknown ({})", count.unknown, capped(why.unwrap_or("not sampled"))));
    }
    if let Some((at, worst)) = worst(&probe.tolerance, &known) {
        text.push_str(&format!("; worst {} at {at:.0}", number(worst)));
    }
    let values: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    if let Some(mean) = mean(&values) {
        text.push_str(&format!(", mean {}", number(mean)));
    }
    if known.len() < needed {
        text.push_str(&format!("; {} known and {needed} are needed", known.len()));
    }
    if holds == Holds::Yes {
        let resolution = Resolution::of(probe, window, known.iter().map(|(at, _)| *at));
        text.push_str(&format!("; {resolution}"));
    }
    Finding::new(holds, about, text)
}

/// How many samples were in tolerance, out of it, and unknown.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    inside: usize,
    outside: usize,
    unknown: usize,
}

impl Count {
    const fn taken(self) -> usize {
        self.inside + self.outside + self.unknown
    }

    fn holds(self, tolerance: &Tolerance, min_samples: usize) -> Holds {
        let share = tolerance.in_samples.map_or(100.0, crate::quantity::Percent::get);
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 samples")]
        let enough = |inside: usize| inside as f64 * 100.0 >= share * self.taken() as f64;
        if !enough(self.inside + self.unknown) {
            Holds::No
        } else if enough(self.inside) && self.inside + self.outside >= min_samples {
            Holds::Yes
        } else {
            Holds::Unknown
        }
    }
}

/// The value that is farthest out of tolerance, or nearest to being so.
fn worst(tolerance: &Tolerance, known: &[(Timestamp, f64)]) -> Option<(Timestamp, f64)> {
    let badness = |value: f64| {
        let above = tolerance.at_most.map_or(f64::NEG_INFINITY, |most| value - most);
        let below = tolerance.at_least.map_or(f64::NEG_INFINITY, |least| least - value);
        above.max(below)
    };
    known.iter().copied().reduce(
        |worst, next| {
            if badness(next.1).total_cmp(&badness(worst.1)).is_gt() { next } else { worst }
        },
    )
}
