//! Time as intervals: what a sample covers, when a fault certainly was there, and when it possibly was.
//!
//! An [`Interval`] has a beginning and no end of its own: `[from, to)`. [`Times`] is any set of instants that intervals can
//! make. A fault begins and ends at instants that are known to lie between two others: a [`Between`] each, together a
//! [`Lasting`]. Sets are made of anything that has an order, a timestamp for example; lengths are milliseconds.

mod exposure;
mod lasting;
mod times;

pub use self::exposure::{Cover, ENOUGH, Exposure};
pub use self::lasting::{Between, Lasting, Place};
pub use self::times::Times;

/// The instants from `from` on and before `to`. It is never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Interval<T = i64> {
    from: T,
    to: T,
}

impl<T: Copy + Ord> Interval<T> {
    /// `None` when no instant lies between the two.
    pub fn new(from: T, to: T) -> Option<Self> {
        (from < to).then_some(Self { from, to })
    }

    /// Its first instant.
    pub const fn from(self) -> T {
        self.from
    }

    /// The first instant after it.
    pub const fn to(self) -> T {
        self.to
    }

    /// True when the instant lies in it.
    pub fn contains(self, instant: T) -> bool {
        self.from <= instant && instant < self.to
    }

    /// What lies in both.
    pub fn intersection(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// True when the whole of the other lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// True when an instant lies in both.
    pub fn meets(self, other: Self) -> bool {
        self.intersection(other).is_some()
    }

    /// The same on another clock; `clock` must keep the order. `None` when nothing is left of it there.
    pub fn map<U: Copy + Ord>(self, clock: impl Fn(T) -> U) -> Option<Interval<U>> {
        Interval::new(clock(self.from), clock(self.to))
    }
}

impl Interval {
    /// The moment at which somebody looked, for as long as the answer took; at least a millisecond.
    pub fn look(at: i64, took: i64) -> Self {
        let from = at.min(i64::MAX - 1);
        Self { from, to: from.saturating_add(took.max(1)) }
    }

    /// Its length.
    pub fn milliseconds(self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

#[cfg(test)]
mod tests;
