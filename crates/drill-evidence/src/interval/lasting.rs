//! Something that began and ended, seen by somebody who was not there at either moment.

use super::Interval;

/// An instant that is not known better than to lie from `earliest` to `latest`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Between<T = i64> {
    earliest: T,
    latest: T,
}

impl<T: Copy + Ord> Between<T> {
    /// The two in any order: a clock that went back must not make a time certain.
    pub fn new(one: T, other: T) -> Self {
        Self { earliest: one.min(other), latest: one.max(other) }
    }

    /// An instant that is known.
    pub const fn at(instant: T) -> Self {
        Self { earliest: instant, latest: instant }
    }

    /// The first of several.
    pub fn first(of: impl IntoIterator<Item = Self>) -> Option<Self> {
        of.into_iter().reduce(|one, other| Self {
            earliest: one.earliest.min(other.earliest),
            latest: one.latest.min(other.latest),
        })
    }

    /// The last of several.
    pub fn last(of: impl IntoIterator<Item = Self>) -> Option<Self> {
        of.into_iter().reduce(|one, other| Self {
            earliest: one.earliest.max(other.earliest),
            latest: one.latest.max(other.latest),
        })
    }

    /// It did not come before this.
    pub const fn earliest(self) -> T {
        self.earliest
    }

    /// It had come by this.
    pub const fn latest(self) -> T {
        self.latest
    }
}

/// What began at one instant and ended at another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lasting<T = i64> {
    /// When it began: a fault, between the intent that was written and the look that saw it land.
    pub onset: Between<T>,
    /// When it ended: a fault, between the order to undo it, or the target's own word, and the look that saw it gone.
    pub end: Between<T>,
}

/// Where a sample lies, seen from something that lasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// All of its time is certainly in it.
    Inside,
    /// Some of its time may be in it, and not all of it certainly is.
    Touches,
    /// None of its time can be in it.
    Outside,
}

impl<T: Copy + Ord> Lasting<T> {
    /// What happens at an instant and lasts no longer.
    pub const fn once(onset: Between<T>) -> Self {
        Self { onset, end: onset }
    }

    /// For as long as this it was there for sure; `None` when no instant is certain.
    pub fn certainly(self) -> Option<Interval<T>> {
        Interval::new(self.onset.latest, self.end.earliest)
    }

    /// For no longer than this it was there; `None` when it cannot have been there at all.
    pub fn possibly(self) -> Option<Interval<T>> {
        Interval::new(self.onset.earliest, self.end.latest)
    }

    /// Where a sample of this interval lies.
    pub fn place(self, sample: Interval<T>) -> Place {
        if self.certainly().is_some_and(|certain| certain.covers(sample)) {
            Place::Inside
        } else if self.possibly().is_some_and(|possible| possible.meets(sample)) {
            Place::Touches
        } else {
            Place::Outside
        }
    }
}
