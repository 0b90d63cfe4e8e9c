use proptest::prelude::*;

use super::*;

fn interval(from: i64, to: i64) -> Interval {
    Interval::new(from, to).unwrap()
}

fn times(intervals: &[(i64, i64)]) -> Times {
    intervals.iter().filter_map(|(from, to)| Interval::new(*from, *to)).collect()
}

fn lasting(onset: (i64, i64), end: (i64, i64)) -> Lasting {
    Lasting { onset: Between::new(onset.0, onset.1), end: Between::new(end.0, end.1) }
}

#[test]
fn an_interval_has_its_beginning_and_not_its_end() {
    let minute = interval(0, 60);

    assert!(minute.contains(0) && minute.contains(59) && !minute.contains(60));
    assert_eq!(Interval::new(60, 60), None);
    assert!(!minute.meets(interval(60, 120)));
    assert_eq!(minute.intersection(interval(30, 90)), Some(interval(30, 60)));
}

#[test]
fn a_look_takes_at_least_a_millisecond() {
    assert_eq!(Interval::look(5, 0), interval(5, 6));
    assert_eq!(Interval::look(5, 30), interval(5, 35));
    assert_eq!(Interval::look(i64::MAX, 30).milliseconds(), 1);
}

#[test]
fn the_gap_between_two_intervals_is_in_no_union_of_them() {
    let both = times(&[(52, 62), (2, 12), (12, 14), (5, 6)]);

    assert_eq!(both.intervals(), [interval(2, 14), interval(52, 62)]);
    assert_eq!((both.milliseconds(), both.hull()), (22, Some(interval(2, 62))));
    assert!(!both.contains(30) && !both.meets(interval(14, 52)) && both.meets(interval(13, 52)));
}

#[test]
fn a_fault_is_certain_between_the_look_that_saw_it_land_and_the_order_to_undo_it() {
    let fault = lasting((0, 12), (60, 65));

    assert_eq!((fault.certainly(), fault.possibly()), (Some(interval(12, 60)), Some(interval(0, 65))));
    assert_eq!(fault.place(interval(12, 60)), Place::Inside);
    assert_eq!(fault.place(interval(5, 10)), Place::Touches, "the harm between the kill and the look that saw it");
    assert_eq!(fault.place(interval(60, 120)), Place::Touches, "the datapoint in which it ended");
    assert_eq!(fault.place(interval(-60, 0)), Place::Outside);
}

#[test]
fn what_may_have_ended_before_it_was_seen_to_land_is_never_certain() {
    assert_eq!(lasting((0, 30), (20, 40)).certainly(), None);
    assert_eq!(Lasting::once(Between::new(0, 12)).certainly(), None);
    assert_eq!(Lasting::once(Between::new(0, 12)).possibly(), Some(interval(0, 12)));
    assert_eq!(Between::new(12, 0), Between::new(0, 12), "a clock that went back makes nothing certain");
}

#[test]
fn exposure_is_the_time_of_all_targets_together() {
    let first = lasting((0, 2), (62, 65));
    let late = lasting((0, 61), (62, 65));

    let exposure = Exposure::of_fault(&[first, late]);

    assert_eq!(exposure.certain(), &times(&[(61, 62)]));
    assert_eq!(exposure.possible(), &times(&[(0, 65)]));
    assert_eq!(exposure.place(interval(5, 10)), Place::Touches);
    assert!(!Cover::of_length(exposure.certain(), 60).is_at_least(90), "1 of 60 s");
    assert!(Exposure::<i64>::of_fault(&[]).possible().is_empty());
}

#[test]
fn several_faults_are_exposed_to_without_the_gap_between_them() {
    let faults = [(2, 12), (52, 62)].map(|(from, to)| Exposure::of_fault(&[lasting((from, from), (to, to))]));

    let both = Exposure::of_faults(&faults);

    assert_eq!(both.certain(), &times(&[(2, 12), (52, 62)]));
    assert_eq!(both.place(interval(20, 30)), Place::Outside);
    assert_eq!(both.place(interval(10, 55)), Place::Touches);
}

#[test]
fn a_cover_is_compared_to_the_millisecond() {
    let cover = |covered, of| Cover { covered, of };

    assert!(cover(54_000, 60_000).is_at_least(90));
    assert!(!cover(53_999, 60_000).is_at_least(90));
    assert!(!cover(0, 0).is_at_least(0), "of nothing, nothing is known");
    assert_eq!(cover(3, 12).share(), Some(0.25));
    assert_eq!(cover(0, 0).share(), None);
    assert!(cover(i64::MAX, i64::MAX).is_at_least(100));
}

#[test]
fn samples_that_were_due_and_not_taken_cover_nothing() {
    let fault = times(&[(2_000, 62_000)]);
    let taken = times(&[(50_000, 55_000), (55_000, 60_000), (60_000, 65_000)]);

    assert_eq!(Cover::of(&taken, &fault), Cover { covered: 12_000, of: 60_000 });
}

#[test]
fn a_set_may_be_of_anything_that_has_an_order_and_moves_to_another_clock() {
    let words: Times<&str> =
        [Interval::new("apple", "cherry"), Interval::new("banana", "date")].into_iter().flatten().collect();
    assert_eq!(words.hull(), Interval::new("apple", "date"));

    let nanoseconds = Times::from(Interval::new(1_500_000_i128, 9_700_000).unwrap());
    assert_eq!(nanoseconds.map(|at| (at / 1_000_000) as i64), times(&[(1, 9)]));
}

/// A set as the instants from 0 to 40 that are in it: slow, and plainly right.
fn instants(set: &Times) -> Vec<bool> {
    (0..40).map(|at| set.intervals().iter().any(|interval| interval.contains(at))).collect()
}

prop_compose! {
    fn any_times()(bounds in prop::collection::vec((0_i64..40, 1_i64..12), 0..8)) -> Times {
        bounds.into_iter().filter_map(|(from, length)| Interval::new(from, (from + length).min(40))).collect()
    }
}

proptest! {
    #[test]
    fn sets_are_what_their_instants_are(one in any_times(), other in any_times(), from in 0_i64..39, length in 1_i64..20) {
        let (a, b) = (instants(&one), instants(&other));
        let each = |of: fn(bool, bool) -> bool| -> Vec<bool> { a.iter().zip(&b).map(|(a, b)| of(*a, *b)).collect() };

        prop_assert_eq!(instants(&one.union(&other)), each(|a, b| a || b));
        prop_assert_eq!(instants(&one.intersection(&other)), each(|a, b| a && b));
        prop_assert_eq!(instants(&one.minus(&other)), each(|a, b| a && !b));
        prop_assert_eq!(one.milliseconds(), a.iter().filter(|inside| **inside).count() as i64);

        let asked = interval(from, (from + length).min(40));
        let mut within = (asked.from()..asked.to()).map(|at| a[at as usize]);
        prop_assert_eq!(one.covers(asked), within.clone().all(|inside| inside));
        prop_assert_eq!(one.meets(asked), within.any(|inside| inside));
        prop_assert_eq!(one.contains(from), a[from as usize]);
    }

    #[test]
    fn intervals_of_a_set_are_in_order_and_apart(one in any_times(), other in any_times()) {
        for set in [one.union(&other), one.intersection(&other), one.minus(&other)] {
            prop_assert!(set.intervals().windows(2).all(|pair| pair[0].to() < pair[1].from()));
        }
    }

    /// Whenever it really began and ended, what is certain is in it and what is possible is around it.
    #[test]
    fn certain_is_never_more_than_the_truth_and_possible_never_less(
        began in 0_i64..20, before in 0_i64..10, seen in 0_i64..10, lasted in 0_i64..20, sent in 0_i64..10, gone in 0_i64..10,
    ) {
        let ended = began + lasted;
        let told = lasting((began - before, began + seen), ((ended - sent).max(began - before), ended + gone));
        let truth: Times = Interval::new(began, ended).into_iter().collect();

        let (certain, possible): (Times, Times) = (told.certainly().into_iter().collect(), told.possibly().into_iter().collect());

        prop_assert!(certain.minus(&truth).is_empty());
        prop_assert!(truth.minus(&possible).is_empty());
    }
}
