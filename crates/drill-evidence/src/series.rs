//! Distinct datapoints, in the order of time, each with the last value that was read.

use std::collections::BTreeMap;

use crate::interval::{Interval, Times};

/// What was read of a source, looks and repeated reads folded together.
///
/// A datapoint is the time that it tells of. Read again, it is the same one, and the last value counts. A read that brought
/// nothing says nothing against a value that was read before, and a look that failed is forgotten once a datapoint tells of its
/// time after all.
#[derive(Debug, Clone, PartialEq)]
pub struct Series<V>(BTreeMap<(i64, i64), Option<V>>);

/// A datapoint and the time that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paced<V> {
    /// What it tells of.
    pub covers: Interval,
    /// Until the next one is due.
    pub stands_for: Interval,
    /// What it says; `None` when it is not known.
    pub value: Option<V>,
}

/// How often samples are due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    every: i64,
    later: Option<(i64, i64)>,
}

impl Pace {
    /// The same, and another one for what begins at this instant or later.
    #[must_use]
    pub const fn then(self, from: i64, every: i64) -> Self {
        Self { later: Some((from, every)), ..self }
    }

    fn at(self, instant: i64) -> i64 {
        self.later.filter(|(from, _)| *from <= instant).map_or(self.every, |(_, every)| every)
    }
}

impl From<i64> for Pace {
    /// One sample in so many milliseconds.
    fn from(every: i64) -> Self {
        Self { every, later: None }
    }
}

impl<V> Default for Series<V> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<V: Copy> Series<V> {
    /// Takes what a read said of an interval; `None` when it was due and is not known.
    pub fn tell(&mut self, covers: Interval, value: Option<V>) {
        let held = self.0.entry((covers.to(), covers.from())).or_insert(value);
        if value.is_some() {
            *held = value;
        }
    }

    /// The datapoints in the order in which they end, and the looks that stayed unknown.
    pub fn entries(&self) -> Vec<(Interval, Option<V>)> {
        let all = || self.0.iter().filter_map(|((to, from), value)| Some((Interval::new(*from, *to)?, *value)));
        let known: Times = all().filter(|(_, value)| value.is_some()).map(|(covers, _)| covers).collect();
        all().filter(|(covers, value)| value.is_some() || !known.covers(*covers)).collect()
    }

    /// The same, each with the time that it stands for: what it covers, and on to the next one, for its pace at most.
    ///
    /// A look covers a moment, and stands for the time until the next look is due. A slow look covers more than that, and
    /// stands for all of it.
    pub fn paced(&self, pace: impl Into<Pace>) -> Vec<Paced<V>> {
        let pace = pace.into();
        let entries = self.entries();
        let nexts = entries.iter().skip(1).map(|(next, _)| next.from()).chain([i64::MAX]);
        let paced = entries.iter().zip(nexts).map(|((covers, value), next)| {
            let until = covers.from().saturating_add(pace.at(covers.from())).min(next).max(covers.to());
            Paced { covers: *covers, stands_for: Interval::new(covers.from(), until).unwrap_or(*covers), value: *value }
        });
        paced.collect()
    }

    /// The datapoints that are known.
    pub fn known(&self) -> Vec<(Interval, V)> {
        self.0.iter().filter_map(|((to, from), value)| Some((Interval::new(*from, *to)?, (*value)?))).collect()
    }

    /// The same with values that say less: `None` where nothing can be said.
    pub fn and_then<U: Copy>(&self, of: impl Fn(V) -> Option<U>) -> Series<U> {
        Series(self.0.iter().map(|(covers, value)| (*covers, value.and_then(&of))).collect())
    }

    /// The same with other values: what a value says of a tolerance, for example.
    pub fn map<U: Copy>(&self, of: impl Fn(V) -> U) -> Series<U> {
        self.and_then(|value| Some(of(value)))
    }
}

/// In the order in which they were read.
impl<V: Copy> FromIterator<(Interval, Option<V>)> for Series<V> {
    fn from_iter<I: IntoIterator<Item = (Interval, Option<V>)>>(reads: I) -> Self {
        let mut series = Self::default();
        for (covers, value) in reads {
            series.tell(covers, value);
        }
        series
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(at: i64) -> Interval {
        Interval::new(at * 60, at * 60 + 60).unwrap()
    }

    #[test]
    fn a_datapoint_is_one_however_often_it_is_read_and_the_last_value_counts() {
        let series: Series<f64> =
            [(minute(1), Some(120.0)), (minute(0), Some(1.0)), (minute(1), Some(900.0)), (minute(1), None)]
                .into_iter()
                .collect();

        assert_eq!(series.entries(), [(minute(0), Some(1.0)), (minute(1), Some(900.0))]);
        assert_eq!(series.map(|value| value > 100.0).known(), [(minute(0), false), (minute(1), true)]);
    }

    #[test]
    fn a_look_stands_for_the_time_until_the_next_one_is_due() {
        let looks: Series<bool> = [(0, 1), (1000, 1), (2000, 30_000), (40_000, 1)]
            .map(|(at, took)| (Interval::look(at, took), Some(true)))
            .into_iter()
            .collect();

        let until: Vec<i64> = looks.paced(1000).iter().map(|look| look.stands_for.to()).collect();

        assert_eq!(until, [1000, 2000, 32_000, 41_000]);

        let later: Vec<i64> =
            looks.paced(Pace::from(1000).then(40_000, 5000)).iter().map(|look| look.stands_for.to()).collect();
        assert_eq!(later, [1000, 2000, 32_000, 45_000]);
    }

    #[test]
    fn a_look_that_failed_is_forgotten_once_its_time_is_told_of() {
        let look = Interval::look(70, 5);
        let mut series: Series<f64> = [(minute(0), Some(1.0)), (look, None)].into_iter().collect();
        assert_eq!(series.entries(), [(minute(0), Some(1.0)), (look, None)]);

        series.tell(minute(1), Some(2.0));

        assert_eq!(series.entries(), [(minute(0), Some(1.0)), (minute(1), Some(2.0))]);
    }
}
