//! Shares and means of a time, weighted by the time that a sample stands for.
//!
//! Counting samples weighs a second like a minute: slow looks and sparse ones are too light. Here each instant weighs the
//! same. A sample that may belong to the fault counts when it is out of tolerance, and does not count for it when it is in.

use crate::Answer;
use crate::interval::{Cover, Exposure, Interval, Place, Times};
use crate::series::{Pace, Paced, Series};

/// A value, and whether it is out of tolerance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// The value.
    pub value: f64,
    /// True when it is out of tolerance.
    pub out: bool,
}

/// A sample that counts for a time or against it.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// What it tells of.
    pub covers: Interval,
    /// What it says; `None` when it is not known.
    pub value: Option<Judged>,
    /// How much of the exposure it stands for.
    pub times: Times,
}

/// The samples that count, and for how much of an exposure.
///
/// One that may belong to the fault counts when it is out or not known, and does not count when it is in.
pub fn counted(seen: &Series<Judged>, exposure: &Exposure, pace: impl Into<Pace>) -> Vec<Counted> {
    let of = |Paced { covers, stands_for, value }: Paced<Judged>| {
        let value = value.filter(|value| value.value.is_finite());
        let time = match (exposure.place(covers), value.map(|value| value.out)) {
            (Place::Inside, Some(false)) => exposure.certain(),
            (Place::Inside | Place::Touches, Some(true) | None) => exposure.possible(),
            (Place::Touches, Some(false)) | (Place::Outside, _) => return None,
        };
        Some(Counted { covers, value, times: time.intersection(&Times::from(stands_for)) })
    };
    seen.paced(pace).into_iter().filter_map(of).collect()
}

/// How much of a time was out of tolerance, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OutOfTolerance {
    /// All samples of this time say so.
    pub at_least: i64,
    /// One of the samples says so: samples that share time may differ.
    pub at_most: i64,
    /// How much of the exposure the samples that count stand for.
    pub cover: Cover,
    /// How long they stand for in all.
    pub known: i64,
    /// For how much more there were samples that are not known.
    pub unknown: i64,
    /// All that was certainly exposed, and what counted beside it.
    pub all: i64,
}

impl OutOfTolerance {
    /// The share of the known time that was out of tolerance, at least and at most; `None` when nothing is known.
    pub fn share(self) -> Option<(f64, f64)> {
        let of = |out: i64| out as f64 / self.known as f64;
        (self.known > 0).then(|| (of(self.at_least), of(self.at_most)))
    }

    /// Whether no more than this share was out. No, if even the rest in tolerance would not make up for it. Yes, if enough of the
    /// exposure is covered and every sample that is not known may be out: it may be the harm that made its read fail.
    pub fn within(self, may_be_out: f64) -> Answer {
        let more = |out: i64, of: i64| out as f64 > may_be_out * of as f64 + 1e-9 * of.max(1) as f64;
        // Where nothing may be out, one sample is a breach, whatever others say of the same time.
        let breached = may_be_out <= 0.0 && self.at_most > 0;
        if breached || more(self.at_least, self.all) {
            Answer::No
        } else if self.cover.is_enough()
            && !more(self.at_most.saturating_add(self.unknown), self.known.saturating_add(self.unknown))
        {
            Answer::Yes
        } else {
            Answer::Unknown
        }
    }
}

/// How much of an exposure was out of tolerance.
pub fn out_of_tolerance(seen: &Series<Judged>, exposure: &Exposure, pace: impl Into<Pace>) -> OutOfTolerance {
    let counted = counted(seen, exposure, pace);
    let union = |which: fn(Option<Judged>) -> bool| {
        let those = counted.iter().filter(|sample| which(sample.value));
        those.flat_map(|sample| sample.times.intervals()).copied().collect::<Times>()
    };
    let out = union(|value| value.is_some_and(|value| value.out));
    let good = union(|value| value.is_some_and(|value| !value.out));
    let known = good.union(&out);
    let unknown = union(|value| value.is_none()).minus(&known);
    OutOfTolerance {
        at_least: out.minus(&good).milliseconds(),
        at_most: out.milliseconds(),
        cover: Cover::of(&known, exposure.certain()),
        known: known.milliseconds(),
        unknown: unknown.milliseconds(),
        all: known.union(&unknown).union(exposure.certain()).milliseconds(),
    }
}

/// The sum that a mean is of, each value weighted by the time that it stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sum {
    weight: f64,
    sum: f64,
    known: i64,
    unknown: i64,
    cover: Cover,
}

/// The smallest and the largest value that there can be; `None` where there is no bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// No value is smaller.
    pub least: Option<f64>,
    /// No value is larger.
    pub most: Option<f64>,
}

impl Sum {
    /// The mean of the time that is known; `None` when nothing is.
    pub fn mean(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// How much of the exposure is known.
    pub const fn cover(self) -> Cover {
        self.cover
    }

    /// For how much more there were samples that are not known, in milliseconds.
    pub const fn unknown(self) -> i64 {
        self.unknown
    }

    /// Whether the mean is at least this. No, if all that is not known at its largest would not lift it so far. Yes, if enough
    /// of the exposure is covered and every sample that is not known at its smallest would not pull it below.
    pub fn at_least(self, limit: f64, bounds: Bounds) -> Answer {
        let Some(mean) = self.mean() else { return Answer::Unknown };
        let with = |unknown: i64, bound: Option<f64>| {
            let (known, more) = (self.known as f64, unknown as f64);
            if unknown > 0 { bound.map(|bound| (mean * known + bound * more) / (known + more)) } else { Some(mean) }
        };
        let untold = self.cover.of.saturating_sub(self.cover.covered).max(self.unknown);
        if with(untold, bounds.most).is_some_and(|most| most < limit) {
            Answer::No
        } else if self.cover.is_enough() && with(self.unknown, bounds.least).is_some_and(|least| least >= limit) {
            Answer::Yes
        } else {
            Answer::Unknown
        }
    }
}

/// The sum over an exposure, each value weighted by the time that it stands for.
pub fn sum(seen: &Series<Judged>, exposure: &Exposure, pace: impl Into<Pace>) -> Sum {
    let (mut weight, mut sum, mut known, mut blind) = (0.0, 0.0, Times::none(), Times::none());
    for Counted { value, times, covers: _ } in counted(seen, exposure, pace) {
        match value {
            Some(value) => {
                let milliseconds = times.milliseconds() as f64;
                weight += milliseconds;
                sum += milliseconds * value.value;
                known = known.union(&times);
            }
            None => blind = blind.union(&times),
        }
    }
    let cover = Cover::of(&known, exposure.certain());
    Sum { weight, sum, cover, unknown: blind.minus(&known).milliseconds(), known: known.milliseconds() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::interval::{Between, Lasting};

    fn series(samples: &[(i64, i64, f64)]) -> Series<Judged> {
        let of = |(from, to, value): &(i64, i64, f64)| {
            (Interval::new(*from, *to).unwrap(), Some(Judged { value: *value, out: *value < 90.0 }))
        };
        samples.iter().map(of).collect()
    }

    const PERCENT: Bounds = Bounds { least: Some(0.0), most: Some(100.0) };

    fn looks(samples: &[(i64, i64, f64)]) -> Series<Judged> {
        series(&samples.iter().map(|(at, took, value)| (*at, at + took, *value)).collect::<Vec<_>>())
    }

    fn time(from: i64, to: i64) -> Exposure {
        Exposure::known(Interval::new(from, to).into_iter().collect())
    }

    fn fault(onset: (i64, i64), end: (i64, i64)) -> Exposure {
        Exposure::of_fault(&[Lasting { onset: Between::new(onset.0, onset.1), end: Between::new(end.0, end.1) }])
    }

    #[test]
    fn a_slow_look_weighs_as_long_as_it_took() {
        // 30 s of one good look a second, then one that takes 30 s and fails.
        let mut samples: Vec<(i64, i64, f64)> = (0..30).map(|second| (second * 1000, 50, 100.0)).collect();
        samples.push((30_000, 30_000, 0.0));
        let samples = looks(&samples);

        let out = out_of_tolerance(&samples, &time(0, 60_000), 1000);

        assert_eq!(out.share(), Some((0.5, 0.5)));
        assert_eq!((out.within(0.1), out.within(0.5)), (Answer::No, Answer::Yes));
        assert_eq!(sum(&samples, &time(0, 60_000), 1000).mean(), Some(50.0));
    }

    #[test]
    fn a_minute_weighs_more_than_a_second() {
        // 60 s at 100 every 5 s, then 300 s at 0 every 60 s.
        let samples: Vec<(i64, i64, f64)> = (0..12)
            .map(|at| (at * 5, at * 5 + 5, 100.0))
            .chain((0..5).map(|at| (60 + at * 60, 120 + at * 60, 0.0)))
            .collect();

        let sum = sum(&series(&samples), &time(0, 360), 1);

        assert!((sum.mean().unwrap() - 100.0 / 6.0).abs() < 1e-9, "{sum:?}");
        assert_eq!(sum.cover(), Cover { covered: 360, of: 360 });
    }

    #[test]
    fn samples_that_were_due_and_not_taken_are_not_a_pass() {
        let three_of_twelve = series(&[(45, 50, 100.0), (50, 55, 100.0), (55, 60, 100.0)]);

        let out = out_of_tolerance(&three_of_twelve, &time(0, 60), 5);

        assert_eq!(out.cover, Cover { covered: 15, of: 60 });
        assert_eq!(out.within(0.0), Answer::Unknown);
        let mean = sum(&three_of_twelve, &time(0, 60), 5);
        assert_eq!((mean.mean(), mean.at_least(99.0, PERCENT)), (Some(100.0), Answer::Unknown));
    }

    #[test]
    fn little_cover_is_enough_for_a_no_that_the_rest_cannot_turn() {
        let down = series(&[(0, 30, 0.0)]);

        assert_eq!(out_of_tolerance(&down, &time(0, 60), 5).within(0.4), Answer::No);
        assert_eq!(out_of_tolerance(&down, &time(0, 60), 5).within(0.5), Answer::Unknown);
    }

    #[test]
    fn the_harm_between_the_kill_and_the_look_that_saw_it_counts_and_good_news_from_there_does_not() {
        let exposure = fault((0, 12), (60, 65));
        let rest = [(12, 24, 100.0), (24, 36, 100.0), (36, 48, 100.0), (48, 60, 100.0)];
        let with = |first| out_of_tolerance(&series(&[&[first][..], &rest].concat()), &exposure, 12);

        let down = with((0, 12, 0.0));
        let fine = with((0, 12, 100.0));

        assert_eq!((down.at_most, down.known, down.within(0.0)), (12, 60, Answer::No));
        assert_eq!((fine.at_most, fine.known, fine.within(0.0)), (0, 48, Answer::Yes));
    }

    #[test]
    fn the_datapoint_in_which_the_fault_ended_does_not_count_for_it() {
        let exposure = fault((2, 2), (62, 62));

        assert_eq!(out_of_tolerance(&series(&[(60, 120, 100.0)]), &exposure, 60).cover.covered, 0);
        assert_eq!(out_of_tolerance(&series(&[(60, 120, 0.0)]), &exposure, 60).at_most, 2);
    }

    #[test]
    fn the_gap_between_two_faults_is_not_the_fault() {
        let exposure = Exposure::of_faults(&[time(0, 10), time(50, 60)]);
        let samples: Vec<(i64, i64, f64)> =
            (0..12).map(|at| (at * 5, at * 5 + 5, if (2..10).contains(&at) { 100.0 } else { 0.0 })).collect();

        assert_eq!(out_of_tolerance(&series(&samples), &exposure, 5).share(), Some((1.0, 1.0)));
    }

    #[test]
    fn samples_that_share_time_and_differ_leave_it_open() {
        let rates = series(&[(0, 50, 100.0), (10, 60, 0.0)]);

        let out = out_of_tolerance(&rates, &time(0, 60), 10);

        assert_eq!((out.at_least, out.at_most, out.known), (10, 50, 60));
        assert_eq!((out.within(0.1), out.within(0.5), out.within(0.9)), (Answer::No, Answer::Unknown, Answer::Yes));
        // Good news of the same time takes nothing back where nothing may be out.
        let covered = out_of_tolerance(&series(&[(0, 30, 0.0), (0, 60, 100.0)]), &time(0, 60), 10);
        assert_eq!((covered.at_least, covered.within(0.0)), (0, Answer::No));
    }

    #[test]
    fn a_sample_that_is_not_known_may_have_been_out() {
        let with = |unknown: bool| -> Series<Judged> {
            let read = |at: i64| {
                let value = (at != 7 || !unknown).then_some(Judged { value: 100.0, out: at < 1 });
                (Interval::new(at * 5, at * 5 + 5).unwrap(), value)
            };
            (0..20).map(read).collect()
        };
        let told = |unknown| out_of_tolerance(&with(unknown), &time(0, 100), 5);

        assert_eq!((told(false).within(0.05), told(true).within(0.05)), (Answer::Yes, Answer::Unknown));
        assert_eq!((told(true).unknown, told(true).within(0.1)), (5, Answer::Yes));
        assert_eq!(told(false).within(0.04), Answer::No);
        assert_eq!(told(true).within(0.04), Answer::No, "even if the unknown one was in");
    }

    #[test]
    fn what_nobody_knows_may_make_up_for_what_was_out() {
        // 6 of 57 known ones are out, and 3 more seconds there was nothing: a tenth, or a little more.
        let samples: Vec<(i64, i64, f64)> = (0..57).map(|at| (at, at + 1, if at < 6 { 0.0 } else { 100.0 })).collect();

        assert_eq!(out_of_tolerance(&series(&samples), &time(0, 60), 1).within(0.1), Answer::Unknown);
    }

    #[test]
    fn a_mean_is_at_least_a_limit_only_if_what_is_not_known_could_not_change_it() {
        let mean = |samples: &[(i64, i64, f64)]| sum(&series(samples), &time(0, 100), 5);

        assert_eq!(mean(&[(0, 95, 99.0)]).at_least(99.0, PERCENT), Answer::Yes, "a twentieth is not covered");
        assert_eq!(mean(&[(0, 89, 99.0)]).at_least(99.0, PERCENT), Answer::Unknown, "more than a tenth is not");
        assert_eq!(mean(&[(0, 50, 0.0)]).at_least(50.1, PERCENT), Answer::No, "even if the rest is at 100");
        assert_eq!(mean(&[(0, 50, 0.0)]).at_least(50.0, PERCENT), Answer::Unknown);
        let unbounded = Bounds { least: None, most: None };
        assert_eq!(mean(&[(0, 95, 0.0)]).at_least(1.0, unbounded), Answer::Unknown);
        let failed = mean(&[(0, 95, 100.0), (95, 100, f64::NAN)]);
        assert_eq!((failed.unknown(), failed.at_least(95.0, PERCENT)), (5, Answer::Yes));
        assert_eq!(failed.at_least(95.1, PERCENT), Answer::Unknown, "the read that failed may have been at 0");
    }

    #[test]
    fn without_exposure_or_samples_nothing_is_known() {
        let nothing = out_of_tolerance(&series(&[]), &time(0, 60), 5);
        assert_eq!((nothing.share(), nothing.within(1.0)), (None, Answer::Unknown));
        assert_eq!(out_of_tolerance(&series(&[(0, 60, 100.0)]), &time(0, 0), 5).within(1.0), Answer::Unknown);
        assert_eq!(sum(&series(&[(0, 60, f64::NAN)]), &time(0, 60), 5).mean(), None);
    }

    proptest! {
        /// A system that was out or in, second by second; some of it was sampled. What is known is true of what is known.
        #[test]
        fn what_is_told_of_the_share_is_true(truth in prop::collection::vec(any::<bool>(), 60), taken in prop::collection::vec(any::<bool>(), 60)) {
            let samples: Series<Judged> = (0..)
                .zip(truth.iter().zip(&taken))
                .filter(|(_, (_, taken))| **taken)
                .map(|(at, (out, _))| (Interval::new(at, at + 1).unwrap(), Some(Judged { value: 0.0, out: *out })))
                .collect();
            let really = truth.iter().filter(|out| **out).count() as f64 / 60.0;

            let told = out_of_tolerance(&samples, &time(0, 60), 1);

            prop_assert!(told.at_least as f64 / 60.0 <= really);
            prop_assert!((told.at_least + 60 - told.known) as f64 / 60.0 >= really);
            if taken.iter().all(|taken| *taken) {
                prop_assert_eq!(told.within(0.5), if really > 0.5 { Answer::No } else { Answer::Yes });
            } else if told.within(0.5) == Answer::No && !told.cover.is_at_least(90) {
                prop_assert!(really > 0.5);
            }
        }
    }
}
