//! Whether a probe stayed in its tolerance while something was broken.
//!
//! Each instant of the fault weighs the same. Yes means: even if every sample that is not known was out. No means: even if
//! everything that is not known was in.

use drill_evidence::before::chance_of;
use drill_evidence::interval::{ENOUGH, Interval};
use drill_evidence::series::Series;
use drill_evidence::weighted::{self, Counted, Judged, OutOfTolerance};
use drill_evidence::{Answer, interval};

use super::recovery::tells;
use super::resolution::Resolution;
use super::seen::Seen;
use super::times::{Times, instant};
use super::words::{apart, capped, counted, length, number, percent};
use super::{Finding, Holds};
use crate::experiment::{Probe, Tolerance};
use crate::plan::Scope;

/// A probe that was out before the fault as often as with it, as far as chance goes, is not the fault's doing: so likely it
/// must be for that, one in twenty.
const BY_CHANCE: f64 = 0.05;

/// What a probe showed while a fault was there.
pub(super) fn finding(scope: &Scope, probe: &Probe, times: &Times, seen: &Seen<'_>) -> Finding {
    let about = probe.name.as_str();
    let Tolerance { at_least, at_most, in_samples } = probe.tolerance;
    if at_least.is_none() && at_most.is_none() {
        return Finding::unknown(about, "its tolerance has no bounds: nothing could be out of it");
    }
    let judged = judged(seen, probe);
    let every = pace(scope);
    let counted = weighted::counted(&judged, &times.exposure, every);
    if counted.is_empty() {
        return Finding::unknown(about, format!("no sample was taken during the fault ({})", probe.tolerance));
    }
    let out = weighted::out_of_tolerance(&judged, &times.exposure, every);
    let may_be_out = in_samples.map_or(0.0, |share| 1.0 - share.get() / 100.0);
    let count = Count::of(&counted);
    let needed = usize::from(scope.experiment.observe.min_samples.max(1));
    let before = Count::of_series(&before(seen, probe));

    let mut text =
        count.text(&probe.tolerance, seen.why_unknown(probe, |covers| times.exposure.possible().meets(covers)));
    text.push_str(&told(probe, &counted, &out));
    if let Some(mean) = weighted::sum(&judged, &times.exposure, every).mean() {
        text.push_str(&format!(", mean {}", number(mean)));
    }
    let holds = match out.within(may_be_out) {
        Answer::No if before.as_often(count) => {
            let of = before.inside + before.outside;
            text.push_str(&format!(
                "; before the fault {} of {of} were out as well, so it is not blamed on the fault",
                before.outside
            ));
            Holds::Unknown
        }
        Answer::No => Holds::No,
        Answer::Yes if count.known() >= needed => Holds::Yes,
        Answer::Yes | Answer::Unknown => Holds::Unknown,
    };
    if holds == Holds::Unknown && out.cover.of > 0 && !out.cover.is_enough() {
        text.push_str(&format!("; too little is known: {ENOUGH} % of the time is needed"));
    }
    if count.known() < needed {
        text.push_str(&format!("; {} known and {needed} are needed", count.known()));
    }
    if holds == Holds::Yes {
        let resolution = Resolution::of(&times.exposure, &counted, tells(probe, at_least, at_most));
        text.push_str(&format!("; {resolution}"));
    }
    Finding::new(holds, about, text)
}

/// How often samples are due while something is broken.
pub(super) fn pace(scope: &Scope) -> i64 {
    i64::try_from(scope.pacing.every.as_millis()).unwrap_or(i64::MAX)
}

/// What a probe showed from the first fault on, and whether that is out of its tolerance.
pub(super) fn judged(seen: &Seen<'_>, probe: &Probe) -> Series<Judged> {
    judge(&seen.of(probe), probe)
}

/// What it showed before anything was broken.
fn before(seen: &Seen<'_>, probe: &Probe) -> Series<Judged> {
    judge(&seen.before(probe), probe)
}

fn judge(series: &Series<super::seen::Value>, probe: &Probe) -> Series<Judged> {
    let Tolerance { at_least, at_most, in_samples: _ } = probe.tolerance;
    series.and_then(|value| Some(Judged { value: value.number(), out: value.is_out(at_least, at_most)? }))
}

/// How much is known, for how much of it it was out, and the worst of it.
fn told(probe: &Probe, counted: &[Counted], out: &OutOfTolerance) -> String {
    let mut text = String::new();
    if let (true, Some((low, high))) = (probe.tolerance.in_samples.is_some() && out.at_most > 0, out.share()) {
        let share = if high - low < 0.005 { percent(high) } else { format!("{} to {}", percent(low), percent(high)) };
        text.push_str(&format!(", {share} of the time"));
    }
    let interval::Cover { covered, of } = out.cover;
    if of == 0 {
        text.push_str("; no time is certain in which every target had the fault");
    } else if covered < of {
        text.push_str(&format!("; known for {} of {}", length(covered), length(of)));
    }
    if let Some((covers, worst)) = worst(&probe.tolerance, counted) {
        text.push_str(&format!("; worst {} at {:.0}", apart(worst, &probe.tolerance), instant(covers.from())));
    }
    text
}

/// How many samples were in tolerance, out of it, and unknown.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    inside: usize,
    outside: usize,
    unknown: usize,
}

impl Count {
    fn of(samples: &[Counted]) -> Self {
        Self::sum(samples.iter().map(|sample| sample.value))
    }

    fn of_series(series: &Series<Judged>) -> Self {
        Self::sum(series.entries().into_iter().map(|(_, value)| value))
    }

    fn sum(values: impl Iterator<Item = Option<Judged>>) -> Self {
        values.fold(Self::default(), |mut count, value| {
            match value {
                Some(Judged { out: false, .. }) => count.inside += 1,
                Some(Judged { out: true, .. }) => count.outside += 1,
                None => count.unknown += 1,
            }
            count
        })
    }

    const fn known(self) -> usize {
        self.inside + self.outside
    }

    /// Whether this was before the fault, and what was out during it is no more than chance makes of the same.
    fn as_often(self, during: Self) -> bool {
        self.outside > 0 && chance_of(during.outside, during.known(), self.outside, self.known()) > BY_CHANCE
    }

    fn text(self, tolerance: &Tolerance, why: Option<&str>) -> String {
        let taken = counted(self.known() + self.unknown, "sample");
        let mut text = format!("{} of {taken} in tolerance ({tolerance})", self.inside);
        if self.unknown > 0 {
            text.push_str(&format!(", {} unknown ({})", self.unknown, capped(why.unwrap_or("not sampled"))));
        }
        if self.outside > 0 {
            text.push_str(&format!(", {} out", self.outside));
        }
        text
    }
}

/// The value that is farthest out of tolerance, or nearest to being so.
fn worst(tolerance: &Tolerance, counted: &[Counted]) -> Option<(Interval, f64)> {
    let badness = |value: f64| {
        let above = tolerance.at_most.map_or(f64::NEG_INFINITY, |most| value - most);
        let below = tolerance.at_least.map_or(f64::NEG_INFINITY, |least| least - value);
        above.max(below)
    };
    counted
        .iter()
        .filter_map(|sample| Some((sample.covers, sample.value?.value)))
        .reduce(|worst, next| if badness(next.1).total_cmp(&badness(worst.1)).is_gt() { next } else { worst })
}
