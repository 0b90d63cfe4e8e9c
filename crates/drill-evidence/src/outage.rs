//! How long something was out of tolerance: at least, and at most.

use crate::interval::{Interval, Times};
use crate::recovery::Tells;
use crate::series::Series;

/// A time out of tolerance, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Outage {
    /// It was out for at least this.
    pub at_least: i64,
    /// It was out for at most this.
    pub at_most: i64,
}

/// How long it was out in a window; `true` is out of tolerance.
///
/// From the last good datapoint before a run of bad ones to the first good one after it, it may have been out; between the
/// first and the last bad one it was, as long as no hole of more than `every` and nothing unknown lies between them. Where
/// nothing is known for longer than `every`, it may have been out.
pub fn out_of_tolerance(seen: &Series<bool>, window: Interval, tells: Tells, every: i64) -> Outage {
    let entries: Vec<(Interval, Option<bool>)> =
        seen.entries().into_iter().filter(|(covers, _)| window.meets(*covers)).collect();
    let window_times = Times::from(window);
    let certain: Times =
        runs(&entries, every).into_iter().filter_map(|(first, last)| certainly(first, last, tells)).collect();
    Outage {
        at_least: certain.intersection(&window_times).milliseconds(),
        at_most: possible(&entries, window, tells, every).intersection(&window_times).milliseconds(),
    }
}

/// The runs of datapoints that are out, each as its first and its last.
fn runs(entries: &[(Interval, Option<bool>)], every: i64) -> Vec<(Interval, Interval)> {
    let mut runs: Vec<(Interval, Interval)> = Vec::new();
    let mut goes_on = false;
    for (covers, out) in entries {
        match out {
            Some(true) => {
                match runs.last_mut() {
                    Some((_, last)) if goes_on && covers.from().saturating_sub(last.to()) <= every => *last = *covers,
                    Some(_) | None => runs.push((*covers, *covers)),
                }
                goes_on = true;
            }
            Some(false) | None => goes_on = false,
        }
    }
    runs
}

/// It was out at some instant of the first and at some instant of the last, or in all of both.
fn certainly(first: Interval, last: Interval, tells: Tells) -> Option<Interval> {
    match tells {
        Tells::Part | Tells::Worst => Interval::new(first.to(), last.from()),
        Tells::Best => Interval::new(first.from(), last.to()),
    }
}

/// Everything but what was good: what lies between two good datapoints that are near each other, and of a good one as much as
/// it tells of.
fn possible(entries: &[(Interval, Option<bool>)], window: Interval, tells: Tells, every: i64) -> Times {
    let known: Vec<(Interval, bool)> = entries.iter().filter_map(|(covers, out)| Some((*covers, (*out)?))).collect();
    let mut fine = Vec::new();
    for (at, (covers, _)) in known.iter().enumerate().filter(|(_, (_, out))| !out) {
        let before = at.checked_sub(1).and_then(|at| known.get(at));
        let after = known.get(at + 1);
        // At either end of the window a good datapoint stands for what is nearer than `every`.
        let begins = before.map_or(window.from(), |(covers, _)| covers.to());
        let ends = after.map_or(window.to(), |(covers, _)| covers.from());
        let good = |other: Option<&(Interval, bool)>| other.is_none_or(|(_, out)| !out);
        let good_before = good(before) && covers.from().saturating_sub(begins) <= every;
        let good_after = good(after) && ends.saturating_sub(covers.to()) <= every;
        fine.extend(Interval::new(begins, covers.from()).filter(|_| good_before));
        fine.extend(Interval::new(covers.to(), ends).filter(|_| good_after));
        let all_of_it = match tells {
            Tells::Worst => true,
            Tells::Part | Tells::Best => good_before && good_after,
        };
        fine.extend(all_of_it.then_some(*covers));
    }
    Times::from(window).minus(&fine.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Datapoints of 10 s: `X` out, `.` in, `?` unknown, a space for none.
    fn told(text: &str, tells: Tells) -> (i64, i64) {
        let seen = (0..)
            .zip(text.chars())
            .filter(|(_, letter)| *letter != ' ')
            .map(|(at, letter)| {
                let out = match letter {
                    'X' => Some(true),
                    '.' => Some(false),
                    _ => None,
                };
                (Interval::new(at * 10, at * 10 + 10).unwrap(), out)
            })
            .collect();
        let window = Interval::new(0, text.len() as i64 * 10).unwrap();
        let outage = out_of_tolerance(&seen, window, tells, 5);
        (outage.at_least, outage.at_most)
    }

    #[test]
    fn an_outage_lies_between_what_is_certain_and_what_is_possible() {
        for (text, some, worst, best) in [
            ("....", (0, 0), (0, 0), (0, 0)),
            (".X..", (0, 30), (0, 10), (10, 30)),
            ("..XXX..", (10, 50), (10, 30), (30, 50)),
            ("XXXX", (20, 40), (20, 40), (40, 40)),
            (".X.X.", (0, 50), (0, 20), (20, 50)),
            (".X?X.", (0, 50), (0, 30), (20, 50)),
            (". ..", (0, 30), (0, 10), (0, 30)),
            ("    ", (0, 40), (0, 40), (0, 40)),
        ] {
            assert_eq!(told(text, Tells::Part), some, "{text}");
            assert_eq!(told(text, Tells::Worst), worst, "{text}");
            assert_eq!(told(text, Tells::Best), best, "{text}");
        }
    }

    #[test]
    fn looks_stand_for_the_time_between_them() {
        let look = |at: i64, out| (Interval::look(at, 1), Some(out));
        let seen = [look(0, false), look(10, false), look(20, true), look(30, true), look(40, false), look(50, false)]
            .into_iter()
            .collect();
        let window = Interval::new(0, 55).unwrap();

        assert_eq!(out_of_tolerance(&seen, window, Tells::Part, 10), Outage { at_least: 9, at_most: 31 });
    }

    proptest! {
        /// One outage, told of by extremes without a loss: the truth lies between the bounds.
        #[test]
        fn the_truth_is_between_the_bounds(from in 0_i64..200, length in 0_i64..100, kind in 0..2) {
            let truth = Interval::new(from, (from + length).min(200));
            let seen = (0..20).map(|at| {
                let covers = Interval::new(at * 10, at * 10 + 10).unwrap();
                let out = truth.and_then(|truth| truth.intersection(covers)).map_or(0, Interval::milliseconds);
                (covers, Some(if kind == 0 { out > 0 } else { out == 10 }))
            });
            let tells = [Tells::Worst, Tells::Best][kind as usize];

            let told = out_of_tolerance(&seen.collect(), Interval::new(0, 200).unwrap(), tells, 5);

            let really = truth.map_or(0, Interval::milliseconds);
            prop_assert!(told.at_least <= really, "{told:?} {really}");
            // The best of a datapoint hides an outage that no datapoint lies in.
            prop_assert!(told.at_most >= really || (kind == 1 && told.at_most == 0 && really < 20), "{told:?} {really}");
        }
    }
}
