//! A set of instants, as the intervals that it is made of.

use super::Interval;

/// A set of instants: intervals in order that do not touch each other. Gaps stay gaps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Times<T = i64>(Vec<Interval<T>>);

impl<T> Times<T> {
    /// No instant at all.
    pub const fn none() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Ord> Times<T> {
    /// The intervals, in order.
    pub fn intervals(&self) -> &[Interval<T>] {
        &self.0
    }

    /// True when no instant is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when the instant is in it.
    pub fn contains(&self, instant: T) -> bool {
        self.0[..self.begun_by(instant)].last().is_some_and(|last| last.contains(instant))
    }

    /// True when the whole interval is in it.
    pub fn covers(&self, interval: Interval<T>) -> bool {
        self.0[..self.begun_by(interval.from())].last().is_some_and(|last| last.covers(interval))
    }

    /// True when an instant of the interval is in it.
    pub fn meets(&self, interval: Interval<T>) -> bool {
        let after = self.0.partition_point(|mine| mine.to() <= interval.from());
        self.0.get(after).is_some_and(|mine| mine.meets(interval))
    }

    /// From the first instant to the last, gaps included.
    pub fn hull(&self) -> Option<Interval<T>> {
        Interval::new(self.0.first()?.from(), self.0.last()?.to())
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut mine, mut others) = (self.0.as_slice(), other.0.as_slice());
        let mut both = Vec::new();
        while let ([first, rest @ ..], [second, others_rest @ ..]) = (mine, others) {
            both.extend(first.intersection(*second));
            if first.to() <= second.to() { mine = rest } else { others = others_rest }
        }
        Self(both)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for interval in &self.0 {
            let mut from = interval.from();
            let begin = other.0.partition_point(|taken| taken.to() <= from);
            for taken in other.0[begin..].iter().take_while(|taken| taken.from() < interval.to()) {
                left.extend(Interval::new(from, taken.from()));
                from = taken.to();
            }
            left.extend(Interval::new(from, interval.to()));
        }
        Self(left)
    }

    /// What is in all of them; nothing when there are none.
    pub fn common<'a>(sets: impl IntoIterator<Item = &'a Self>) -> Self
    where
        T: 'a,
    {
        let mut sets = sets.into_iter();
        let first = sets.next().cloned().unwrap_or(Self::none());
        sets.fold(first, |common, set| common.intersection(set))
    }

    /// The same on another clock; `clock` must keep the order.
    pub fn map<U: Copy + Ord>(&self, clock: impl Fn(T) -> U) -> Times<U> {
        self.0.iter().filter_map(|interval| interval.map(&clock)).collect()
    }

    /// How many of the intervals begin at the instant or before it.
    fn begun_by(&self, instant: T) -> usize {
        self.0.partition_point(|interval| interval.from() <= instant)
    }
}

impl Times {
    /// How long it is, without the gaps.
    pub fn milliseconds(&self) -> i64 {
        self.0.iter().fold(0, |sum, interval| sum.saturating_add(interval.milliseconds()))
    }
}

/// The union: in any order, with any overlap. Intervals that touch become one.
impl<T: Copy + Ord> FromIterator<Interval<T>> for Times<T> {
    fn from_iter<I: IntoIterator<Item = Interval<T>>>(intervals: I) -> Self {
        let mut sorted: Vec<Interval<T>> = intervals.into_iter().collect();
        sorted.sort_unstable();
        let mut joined: Vec<Interval<T>> = Vec::with_capacity(sorted.len());
        for interval in sorted {
            match joined.last_mut() {
                Some(last) if interval.from <= last.to => last.to = last.to.max(interval.to),
                Some(_) | None => joined.push(interval),
            }
        }
        Self(joined)
    }
}

impl<T: Copy + Ord> From<Interval<T>> for Times<T> {
    fn from(interval: Interval<T>) -> Self {
        Self(vec![interval])
    }
}
