//! A guard: stop when so many datapoints in a row are beyond a limit, or when it can no longer be seen whether they are.
//!
//! It counts distinct datapoints of the fault and not looks, and is computed anew from all that is stored, so that a value
//! that is restated counts as what it is now. What is unknown, or was due and never taken, neither makes a row nor breaks it:
//! otherwise a source that loses every third value would disarm the guard for ever. `u` of them among the last `2u - 1` make
//! it blind, which breaks every row: fewer than half are never more than a nuisance, and half of them are a reason to stop.

use std::collections::VecDeque;
use std::num::NonZeroU16;

use crate::interval::Interval;
use crate::series::Series;

/// When a guard stops a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// So many datapoints in a row that are beyond the limit.
    pub in_a_row: NonZeroU16,
    /// So many unknown ones, `u`, among the last `2u - 1`.
    pub unknown: NonZeroU16,
    /// Milliseconds from the beginning of one datapoint to that of the next: the period, or the pace of the looks with all
    /// that a turn takes, whichever is longer.
    pub every: i64,
    /// Milliseconds after its end at which a datapoint can be read at the latest.
    pub settles: i64,
    /// A datapoint that begins earlier is not the fault's: when the intent of the first fault was written.
    pub from: i64,
}

/// How a guard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Go on.
    Watching {
        /// So many in a row are beyond the limit, just now.
        in_a_row: u16,
        /// So many of the last `2u - 1` are unknown.
        unknown: u16,
    },
    /// Stop: there was such a row.
    Breached {
        /// The first datapoint of it.
        first: Interval,
        /// The datapoint that completed it.
        last: Interval,
    },
    /// Stop: it cannot be seen.
    Blind {
        /// So many are unknown.
        unknown: u16,
        /// Of so many.
        of: u16,
    },
}

/// How a guard stands at `now`. `true` is a value beyond the limit.
pub fn standing(rule: &Rule, seen: &Series<bool>, now: i64) -> Standing {
    let mut watch = Watch { rule, window: VecDeque::new(), unknown: 0, row: 0, first: None };
    let every = rule.every.max(1);
    let mut before: Option<Interval> = None;
    for (covers, value) in seen.entries().into_iter().filter(|(covers, _)| covers.from() >= rule.from) {
        let missing = match before {
            // Rounded: a look that comes a little late is not a look that is missing.
            Some(before) => (covers.from().saturating_sub(before.from()).saturating_add(every / 2)) / every - 1,
            None => covers.from().saturating_sub(rule.from) / every,
        };
        watch.take_missing(missing);
        if let Some(last) = watch.take(covers, value) {
            return Standing::Breached { first: watch.first.unwrap_or(last), last };
        }
        before = Some(covers);
    }
    let due_since = before.map_or(rule.from.saturating_add(every), Interval::to);
    watch.take_missing((now.saturating_sub(rule.settles).saturating_sub(due_since).saturating_sub(1)) / every);
    let of = u16::try_from(watch.window.len()).unwrap_or(u16::MAX);
    match watch.is_blind() {
        true => Standing::Blind { unknown: watch.unknown, of },
        false => Standing::Watching { in_a_row: watch.row, unknown: watch.unknown },
    }
}

struct Watch<'r> {
    rule: &'r Rule,
    /// Of the last `2u - 1`, which are unknown.
    window: VecDeque<bool>,
    unknown: u16,
    row: u16,
    first: Option<Interval>,
}

impl Watch<'_> {
    /// The datapoint, if it completes a row.
    fn take(&mut self, covers: Interval, value: Option<bool>) -> Option<Interval> {
        self.slide(value.is_none());
        match value {
            Some(true) => {
                self.first = if self.row == 0 { Some(covers) } else { self.first };
                self.row += 1;
            }
            Some(false) => self.row = 0,
            None if self.is_blind() => self.row = 0,
            None => {}
        }
        (self.row >= self.rule.in_a_row.get()).then_some(covers)
    }

    fn take_missing(&mut self, missing: i64) {
        // More of them than the window holds say no more.
        for _ in 0..missing.clamp(0, i64::from(self.rule.unknown.get()) * 2) {
            self.slide(true);
        }
        if self.is_blind() {
            self.row = 0;
        }
    }

    fn slide(&mut self, unknown: bool) {
        self.window.push_back(unknown);
        self.unknown += u16::from(unknown);
        if self.window.len() >= usize::from(self.rule.unknown.get()) * 2 {
            self.unknown -= u16::from(self.window.pop_front().unwrap_or(false));
        }
    }

    const fn is_blind(&self) -> bool {
        self.unknown >= self.rule.unknown.get()
    }
}

#[cfg(test)]
mod tests;
