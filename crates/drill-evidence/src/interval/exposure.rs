//! Exposure: the time for which every target of a fault had it. Cover: how much of a time samples tell of.

use super::{Interval, Lasting, Place, Times};

/// When a run's faults were there, for sure and at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure<T = i64> {
    certain: Times<T>,
    possible: Times<T>,
}

impl<T: Copy + Ord> Exposure<T> {
    /// One fault: certain while *all* of its targets had it, possible while *one* of them may have. No targets, no exposure.
    pub fn of_fault(targets: &[Lasting<T>]) -> Self {
        let each: Vec<Times<T>> = targets.iter().map(|target| target.certainly().into_iter().collect()).collect();
        Self {
            certain: Times::common(&each),
            possible: targets.iter().filter_map(|target| target.possibly()).collect(),
        }
    }

    /// Several faults, one after the other or together. The gap between two faults is not the fault.
    pub fn of_faults(faults: &[Self]) -> Self {
        let none = Self { certain: Times::none(), possible: Times::none() };
        faults.iter().fold(none, |all, fault| Self {
            certain: all.certain.union(&fault.certain),
            possible: all.possible.union(&fault.possible),
        })
    }

    /// A time that is known to the millisecond.
    pub fn known(time: Times<T>) -> Self {
        Self { possible: time.clone(), certain: time }
    }

    /// Certain for one time, and possible for another that holds the first.
    pub fn between(certain: Times<T>, possible: Times<T>) -> Self {
        Self { possible: possible.union(&certain), certain }
    }

    /// For as long as this every target of a fault had it.
    pub const fn certain(&self) -> &Times<T> {
        &self.certain
    }

    /// At any other time no target had a fault.
    pub const fn possible(&self) -> &Times<T> {
        &self.possible
    }

    /// Where a sample of this interval lies.
    pub fn place(&self, sample: Interval<T>) -> Place {
        if self.certain.covers(sample) {
            Place::Inside
        } else if self.possible.meets(sample) {
            Place::Touches
        } else {
            Place::Outside
        }
    }
}

/// So many in a hundred of a time are enough to speak of all of it.
///
/// Landing, putting back and the pace of sampling cost seconds at both ends of every fault, so all of it is never known. A
/// tenth is what a minute loses to them; an outage that hides in more than that is no detail.
pub const ENOUGH: u8 = 90;

/// How much of a time is known about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cover {
    /// Milliseconds that are covered.
    pub covered: i64,
    /// Milliseconds that there are.
    pub of: i64,
}

impl Cover {
    /// How much of `time` lies in `known`.
    pub fn of(known: &Times, time: &Times) -> Self {
        Self { covered: known.intersection(time).milliseconds(), of: time.milliseconds() }
    }

    /// How much of a length that was asked for was had.
    pub fn of_length(had: &Times, asked: i64) -> Self {
        Self { covered: had.milliseconds().min(asked), of: asked }
    }

    /// From 0 to 1; nothing is no share of nothing.
    pub fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.covered as f64 / self.of as f64)
    }

    /// True when enough of it is covered to speak of all of it: [`ENOUGH`].
    pub fn is_enough(self) -> bool {
        self.is_at_least(ENOUGH)
    }

    /// True when at least so many in a hundred are covered, to the millisecond. Nothing at all never is.
    pub fn is_at_least(self, percent: u8) -> bool {
        self.of > 0 && i128::from(self.covered) * 100 >= i128::from(self.of) * i128::from(percent)
    }
}
