//! How long it took: to see that something was wrong, and to be back. Both as intervals.
//!
//! Between two datapoints nothing is known, and neither the end of a fault nor the moment of a recovery is seen when it
//! happens. So a recovery lies between two times, and whether it was fast enough has three answers.

use std::num::NonZeroU16;

use crate::Answer;
use crate::interval::{Between, Interval};
use crate::series::Series;

/// What a datapoint tells of the time that it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tells {
    /// Of some instant of it: a look. Of some mixture of it: an average, a percentile, a sum.
    Part,
    /// Of the worst of it, such as the maximum where more is worse: when it is in tolerance, all of its time was.
    Worst,
    /// Of the best of it, such as the minimum where more is worse: when it is out of tolerance, all of its time was.
    Best,
}

/// When a system is back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// What a datapoint tells of.
    pub tells: Tells,
    /// So many datapoints in tolerance in a row.
    pub good_samples: NonZeroU16,
    /// The share of datapoints that may be out of tolerance in a healthy system: 0.1 for `in_samples: 90%`.
    pub may_be_out: f64,
    /// The longest time between two datapoints in a row, in milliseconds: the period or the pace, whichever is longer.
    pub every: i64,
}

/// How long something took, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Took {
    /// It took at least this.
    pub at_least: i64,
    /// It took at most this; `None` when it was not over while anybody looked.
    pub at_most: Option<i64>,
}

impl Took {
    /// Whether it took no longer than the limit.
    pub fn within(self, limit: i64) -> Answer {
        Answer::at_most(self.at_least, self.at_most, limit)
    }
}

/// From the onset to the instant at which it was noticed: the abort, or the first datapoint out of tolerance that was read.
pub fn detection(onset: Between, noticed: i64) -> Took {
    let since = |instant: i64| noticed.saturating_sub(instant).max(0);
    Took { at_least: since(onset.latest()), at_most: Some(since(onset.earliest())) }
}

/// From the end of a fault to the recovery; of a fault that happens once, from its onset. `true` is out of tolerance.
///
/// The upper end is the first datapoint of the first row that no relapse follows, with everything unknown taken for bad: that
/// and a hole break the row. The lower end is the last datapoint out of tolerance before it, with everything unknown taken for
/// good. So knowing less makes it wider. A relapse is not one datapoint but more of them than the rule allows, in a window that
/// is long enough to hold one that is allowed.
pub fn recovery(rule: &Rule, seen: &Series<bool>, end: Between) -> Took {
    let after: Vec<(Interval, Option<bool>)> =
        seen.entries().into_iter().filter(|(covers, out)| tells_of_after(*covers, *out, end)).collect();
    let outs = |unknown: bool| -> Vec<bool> { after.iter().map(|(_, out)| out.unwrap_or(unknown)).collect() };
    let back_from = without_relapse(rule, &outs(false));
    let last_out = after[..back_from].iter().rev().find(|(_, out)| *out == Some(true)).map(|(covers, _)| covers);
    let at_least = last_out.map_or(0, |covers| {
        let still_out = match rule.tells {
            Tells::Part | Tells::Worst => covers.from(),
            Tells::Best => covers.to(),
        };
        still_out.saturating_sub(end.latest()).max(0)
    });
    let not_before = after.get(without_relapse(rule, &outs(true))).map(|(covers, _)| covers.from());
    let back = |covers: Interval| match rule.tells {
        // A look that took no time tells of its instant.
        Tells::Part | Tells::Best if covers.milliseconds() > 1 => covers.to(),
        Tells::Worst | Tells::Part | Tells::Best => covers.from(),
    };
    let at_most = not_before.and_then(|from| {
        let first = first_row(rule, &after, from)?;
        let good = after.iter().filter(|(covers, out)| covers.from() >= first.from() && *out == Some(false));
        let good: Vec<Interval> = good.map(|(covers, _)| *covers).collect();
        // The fault may have ended just after any of those that began before it was seen gone: the next one shows it.
        let before_gone = good.iter().enumerate().filter(|(_, covers)| covers.from() < end.latest());
        let later = before_gone.map(|(at, covers)| Some(back(*good.get(at + 1)?).saturating_sub(covers.from())));
        let longest = later.collect::<Option<Vec<i64>>>()?.into_iter().max().unwrap_or(0);
        Some(back(first).saturating_sub(end.earliest()).max(longest).max(at_least))
    });
    Took { at_least, at_most }
}

/// One that began before the fault can have been gone may be good for what was before; one that is out counts.
fn tells_of_after(covers: Interval, out: Option<bool>, end: Between) -> bool {
    match out {
        Some(false) => covers.from() >= end.earliest(),
        Some(true) | None => covers.to() > end.earliest(),
    }
}

/// The first place from which on no window holds more datapoints out of tolerance than the rule allows.
fn without_relapse(rule: &Rule, outs: &[bool]) -> usize {
    let good = usize::from(rule.good_samples.get());
    // The shortest window in which one datapoint may be out.
    let holds_one = if rule.may_be_out > 0.0 { (1.0 / rule.may_be_out - 1e-9).ceil().min(1e6) as usize } else { 1 };
    let window = good.max(holds_one);
    let too_many = |outs: &[bool]| {
        let count = outs.iter().filter(|out| **out).count();
        count as f64 > rule.may_be_out * outs.len() as f64 + 1e-9
    };
    let after_the_last = outs.windows(window).rposition(too_many).map_or(0, |last| last + 1);
    let mut from = after_the_last;
    // What is left after the last whole window is judged as it is.
    while from < outs.len() && (outs[from] || (outs.len() - from < window && too_many(&outs[from..]))) {
        from += 1;
    }
    from
}

/// The first datapoint of the first row that begins at this instant or later.
fn first_row(rule: &Rule, after: &[(Interval, Option<bool>)], from: i64) -> Option<Interval> {
    let mut row: Option<(Interval, Interval, u16)> = None;
    for (covers, out) in after.iter().filter(|(covers, _)| covers.from() >= from) {
        row = match (out, row) {
            (Some(true) | None, _) => None,
            (Some(false), Some((first, last, count))) if covers.from().saturating_sub(last.to()) <= rule.every => {
                Some((first, *covers, count + 1))
            }
            (Some(false), Some(_) | None) => Some((*covers, *covers, 1)),
        };
        if let Some((first, _, count)) = row
            && count >= rule.good_samples.get()
        {
            return Some(first);
        }
    }
    None
}

#[cfg(test)]
mod tests;
