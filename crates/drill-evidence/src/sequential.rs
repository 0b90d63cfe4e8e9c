//! Has a probe got worse than it was before the fault? A test that may be asked after every datapoint.
//!
//! A plain limit on the newest value cries wolf more often the longer it is asked; a test of fixed length may be asked once.
//! [`Degraded`] is asked any number of times, and calls a probe worse that is not with a probability of at most `alpha` over
//! the whole run. It is one pass with a handful of numbers.
//!
//! It is a sequential t-test: a Gaussian mixture over effect sizes with the right-Haar prior on the noise, which gives an
//! e-value (Lai 1976; Gönen, Johnson, Lu and Westfall 2005; Grünwald, de Heide and Koolen 2024; Pérez-Ortiz, Lardy, de Heide
//! and Grünwald 2024; Wang and Ramdas 2025). It stops where the e-value passes its bound (Robbins 1970; Howard, Ramdas,
//! McAuliffe and Sekhon 2021; always-valid tests as in Johari, Koomen, Pekelis and Walsh 2022, Lindon, Sanden and Shirikian
//! 2022). Samples that follow each other repeat each other: their number is divided by the variance inflation of the reference
//! (Bayley and Hammersley 1946; Geyer 1992; long-run variance in a sequence as in Waudby-Smith, Arbour, Sinha, Kennedy and
//! Ramdas 2024).
//!
//! # How far the promise goes
//!
//! The bound is exact for independent Gaussian values on the scale. For others it is by simulation, in `tests/simulation`: at an
//! `alpha` of 0.05 at most 0.03 of healthy runs of 600 datapoints are stopped, with autocorrelation up to 0.9 for values and
//! 0.6 for counts. It breaks where noise is slower than the reference is long: a drift under counting noise (autocorrelation
//! 0.9, 60 datapoints of reference) stops about a tenth of healthy runs. The same test shows that, too.

pub(crate) mod comparison;
pub(crate) mod reference;
mod scale;
mod share;

pub use self::reference::{FEWEST, Reference, Unfit};
pub use self::scale::{Scale, Worse};
pub use self::share::{Failing, FailingUnfit};

use self::comparison::Comparison;
use self::reference::Sums;
use crate::interval::Interval;

/// What counts as degraded: `degraded: { by: 10%, alpha: 0.05 }`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// In which direction it is worse.
    pub worse: Worse,
    /// By how much of what it was, at least: 0.1 for a tenth.
    pub by: f64,
    /// The probability of a false alarm that is accepted. Several conditions share it: `0.05 / m` for each of `m`.
    pub alpha: f64,
}

/// The test, with what it was told so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Degraded {
    reference: Reference,
    rule: Rule,
    up: f64,
    down: f64,
    /// A datapoint that begins earlier is not the fault's.
    from: i64,
    sums: Sums,
    last: Option<Last>,
}

/// The newest datapoint, and the sums without it: until the next one comes, it may be restated.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Last {
    covers: Interval,
    value: f64,
    without: Sums,
}

/// What became of a datapoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Took {
    /// It is new and counts.
    New,
    /// It is the newest one, with another value: the new value counts.
    Restated,
    /// It is the newest one, once more.
    Repeated,
    /// It is not known, or has no place on the scale: it says nothing.
    Unknown,
    /// It began before the fault.
    Early,
    /// It shares time with the newest one: it does not count.
    Overlapping,
    /// It is older than the newest one. If it is new, or has another value, begin again from all that is stored.
    Late,
}

impl Degraded {
    /// Nothing told yet. `before` are the values of distinct datapoints, oldest first; a datapoint of the fault begins at
    /// `from` or later, when the last target of the first fault had been seen to have it.
    pub fn new(before: &[f64], scale: Scale, rule: Rule, from: i64) -> Result<Self, Unfit> {
        let reference = Reference::unchecked(before, scale)?;
        let (up, down) = margins(&reference, rule.by);
        let margin = match rule.worse {
            Worse::Up => up,
            Worse::Down => down,
            Worse::Either => up.max(down),
        };
        // A step or a drift is correlated as well: the plainer reason first.
        reference.is_steady(before, margin)?;
        reference.is_told_apart()?;
        Ok(Self { reference, rule, up, down, from, sums: Sums::NONE, last: None })
    }

    /// The same test, told of nothing.
    #[must_use]
    pub const fn again(self) -> Self {
        Self { sums: Sums::NONE, last: None, ..self }
    }

    /// Takes a datapoint; those of one look oldest first.
    pub fn take(&mut self, covers: Interval, value: Option<f64>) -> Took {
        let Some(value) = value.and_then(|value| self.reference.scale().of(value)) else { return Took::Unknown };
        if covers.from() < self.from {
            return Took::Early;
        }
        let (took, without) = match self.last {
            Some(last) if last.covers == covers && last.value == value => return Took::Repeated,
            Some(last) if last.covers == covers => (Took::Restated, last.without),
            Some(last) if covers.to() <= last.covers.to() => return Took::Late,
            Some(last) if covers.from() < last.covers.to() => return Took::Overlapping,
            Some(_) | None => (Took::New, self.sums),
        };
        self.sums = without.and(value);
        self.last = Some(Last { covers, value, without });
        took
    }

    /// True when the probe is worse than before by more than the rule allows.
    pub fn is_worse(&self) -> bool {
        let Some(comparison) = self.comparison() else { return false };
        let Rule { worse, alpha, by: _ } = self.rule;
        let (up, down) =
            (|alpha| comparison.is_beyond(self.up, alpha), |alpha| comparison.mirrored().is_beyond(self.down, alpha));
        match worse {
            Worse::Up => up(alpha),
            Worse::Down => down(alpha),
            Worse::Either => up(alpha / 2.0) || down(alpha / 2.0),
        }
    }

    /// How many datapoints count so far.
    pub const fn taken(&self) -> f64 {
        self.sums.n
    }

    /// What it was before.
    pub const fn reference(&self) -> &Reference {
        &self.reference
    }

    /// What is asked.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    pub(crate) fn comparison(&self) -> Option<Comparison> {
        (self.sums.n >= 1.0).then(|| Comparison::new(self.reference.sums, self.sums, self.reference.vif()))
    }
}

/// By how much on the scale a value of the reference goes up, and down, when it is worse by a share `by` of itself.
pub(crate) fn margins(reference: &Reference, by: f64) -> (f64, f64) {
    let (scale, mean) = (reference.scale(), reference.plain_mean);
    (scale.margin_up(mean, by), scale.margin_down(mean, by))
}

#[cfg(test)]
mod tests;
