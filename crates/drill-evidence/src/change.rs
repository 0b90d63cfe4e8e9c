//! What a report says of a probe whatever the verdict: how it changed, how small a change this run could have seen, and how
//! much time out of tolerance it cannot rule out.
//!
//! A change is an interval: of the t distribution when the run went to its planned end, and wider when it was stopped because
//! of what was seen. "Not worse" and "worse" are two one-sided questions (Schuirmann 1987), with an unknown between them.

mod power;

pub use self::power::{Asked, Plan};

use crate::Answer;
use crate::numbers::share_at_most;
use crate::sequential::comparison::Comparison;
use crate::sequential::reference::Sums;
use crate::sequential::{Degraded, Reference, Worse, margins};

/// How a run ended, as far as its samples know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    /// At the time that was planned.
    AsPlanned,
    /// At a time that depends on what was seen.
    Stopped,
}

/// How a probe changed from before to during the fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    reference: Reference,
    datapoints: f64,
    difference: f64,
    radius: f64,
}

/// A change as multiples of what was before: 1 is no change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// It changed at least to this.
    pub low: f64,
    /// It changed most likely to this.
    pub likely: f64,
    /// It changed at most to this; infinite when nothing can be said.
    pub high: f64,
}

impl Change {
    /// Between a reference and the values of distinct datapoints of the fault; what has no place on the scale is left out.
    /// The truth lies beyond each of the bounds with a probability of at most `alpha`. `None` without any value.
    pub fn of(reference: &Reference, during: &[f64], ended: Ended, alpha: f64) -> Option<Self> {
        let scaled: Vec<f64> = during.iter().filter_map(|value| reference.scale().of(*value)).collect();
        if scaled.is_empty() {
            return None;
        }
        Some(Self::from(
            *reference,
            Comparison::new(reference.sums, Sums::of(&scaled), reference.vif()),
            scaled.len() as f64,
            ended,
            alpha,
        ))
    }

    /// What a test was told of so far.
    pub fn seen_by(test: &Degraded, ended: Ended, alpha: f64) -> Option<Self> {
        Some(Self::from(*test.reference(), test.comparison()?, test.taken(), ended, alpha))
    }

    fn from(reference: Reference, comparison: Comparison, datapoints: f64, ended: Ended, alpha: f64) -> Self {
        let radius = match ended {
            Ended::AsPlanned => comparison.at_the_end(alpha),
            Ended::Stopped => comparison.any_time(alpha),
        };
        Self { reference, datapoints, difference: comparison.difference, radius }
    }

    /// How many datapoints of the fault it is of.
    pub const fn datapoints(&self) -> f64 {
        self.datapoints
    }

    /// How many independent datapoints those are worth.
    pub fn worth(&self) -> f64 {
        self.datapoints / self.reference.vif()
    }

    /// As multiples of what was before; `None` when that was nothing.
    pub fn factor(&self) -> Option<Factor> {
        let before = self.reference.middle();
        let of = |difference: f64| self.reference.scale().back(self.reference.sums.mean + difference) / before;
        (before > 0.0).then(|| Factor {
            low: of(self.difference - self.radius),
            likely: of(self.difference),
            high: of(self.difference + self.radius),
        })
    }

    /// Whether it got worse by no more than a share `by` of what it was.
    pub fn is_within(&self, worse: Worse, by: f64) -> Answer {
        let (up, down) = margins(&self.reference, by);
        let one = |difference: f64, margin: f64| match (difference - self.radius, difference + self.radius) {
            (_, high) if high < margin => Answer::Yes,
            (low, _) if low > margin => Answer::No,
            (_, _) => Answer::Unknown,
        };
        match (worse, one(self.difference, up), one(-self.difference, down)) {
            (Worse::Up, up, _) => up,
            (Worse::Down, _, down) => down,
            (Worse::Either, Answer::Yes, Answer::Yes) => Answer::Yes,
            (Worse::Either, Answer::No, _) | (Worse::Either, _, Answer::No) => Answer::No,
            (Worse::Either, Answer::Unknown, _) | (Worse::Either, _, Answer::Unknown) => Answer::Unknown,
        }
    }
}

/// The largest share of the time that a probe may have been out of tolerance, when `out` of `taken` datapoints were: it is not
/// exceeded with confidence `1 - alpha`.
///
/// `vif` is how many datapoints tell as much as one independent one: [`Reference::vif`]. None of 12 independent ones leaves
/// 22 %; none of 12 that repeat each other four times leaves 63 %.
pub fn out_at_most(out: usize, taken: usize, vif: f64, alpha: f64) -> f64 {
    let vif = vif.max(1.0);
    share_at_most(out as f64 / vif, taken as f64 / vif, alpha)
}

#[cfg(test)]
mod tests;
