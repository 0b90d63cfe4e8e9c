use proptest::prelude::*;

use super::*;

fn rule(good_samples: u16, may_be_out: f64) -> Rule {
    Rule { tells: Tells::Part, good_samples: NonZeroU16::new(good_samples).unwrap(), may_be_out, every: 10 }
}

/// Datapoints of 10 s from 0 on: `X` out of tolerance, `.` in it, `?` unknown, a space for none.
fn datapoints(text: &str) -> Series<bool> {
    let values = (0..).zip(text.chars()).filter_map(|(at, letter)| {
        let out = match letter {
            'X' => Some(true),
            '.' => Some(false),
            '?' => None,
            _ => return None,
        };
        Some((Interval::new(at * 10, at * 10 + 10).unwrap(), out))
    });
    values.collect()
}

fn took(at_least: i64, at_most: impl Into<Option<i64>>) -> Took {
    Took { at_least, at_most: at_most.into() }
}

fn back(rule: &Rule, text: &str) -> Took {
    recovery(rule, &datapoints(text), Between::at(0))
}

#[test]
fn a_recovery_lies_between_the_last_datapoint_out_and_the_end_of_the_first_of_a_row() {
    for (text, expected) in [
        ("XXX..", took(20, 40)),
        ("...", took(0, 10)),
        ("XXX.", took(20, None)),
        ("XXX", took(20, None)),
        ("", took(0, None)),
        (".X..", took(10, 30)),
        ("X?..", took(0, 30)),
        ("X??..", took(0, 40)),
        ("X   ..", took(0, 50)),
        ("X.?..", took(0, 40)),
        ("X.  ..", took(0, 50)),
        ("..XX", took(30, None)),
    ] {
        assert_eq!(back(&rule(2, 0.0), text), expected, "{text}");
    }
}

#[test]
fn what_is_unknown_after_a_row_may_be_a_relapse_and_may_be_none() {
    assert_eq!(back(&rule(2, 0.0), "X..?"), took(0, None));
    assert_eq!(back(&rule(2, 0.0), "X..  ."), took(0, 20), "a hole is not a read that failed");
    assert_eq!(back(&rule(2, 0.0), "X..?.."), took(0, 50));
    assert_eq!(back(&rule(2, 0.1), "X..?.........."), took(0, 20), "one of ten may be out");
    assert_eq!(back(&rule(2, 0.0), "X..?X"), took(40, None));
}

#[test]
fn a_look_that_took_no_time_tells_of_its_instant() {
    let looks = [70, 80].map(|at| (Interval::look(at, 0), Some(false))).into_iter().collect();

    assert_eq!(recovery(&rule(2, 0.0), &looks, Between::new(62, 65)), took(0, 8));
}

#[test]
fn a_fault_that_may_have_ended_between_two_looks_is_over_by_the_next_one() {
    let looks = |last: i64| (7..=last).map(|tens| (Interval::look(tens * 10, 0), Some(false))).collect();
    let told = |last| recovery(&rule(2, 0.0), &looks(last), Between::new(62, 85));

    assert_eq!(told(9), took(0, 10), "it may have ended just after 70 or 80, and made harm until the next look");
    assert_eq!(told(8), took(0, None), "nothing tells of the time after it was seen gone");
}

proptest! {
    /// What becomes unknown never makes it shorter than it may have been, nor longer than it was seen to be.
    #[test]
    fn knowing_less_makes_the_interval_wider(
        outs in prop::collection::vec(any::<bool>(), 1..30), gone in any::<prop::sample::Index>(), good_samples in 1_u16..4,
        may_be_out in prop_oneof![Just(0.0), Just(0.1), Just(0.4)],
    ) {
        let told = |unknown: Option<usize>| -> Took {
            let all = outs.iter().enumerate().map(|(at, out)| {
                let from = i64::try_from(at).unwrap() * 10;
                (Interval::new(from, from + 10).unwrap(), (Some(at) != unknown).then_some(*out))
            });
            recovery(&rule(good_samples, may_be_out), &all.collect(), Between::at(0))
        };
        let (more, less) = (told(None), told(Some(gone.index(outs.len()))));

        prop_assert!(less.at_least <= more.at_least, "{more:?}, then {less:?}");
        prop_assert!(less.at_most.is_none_or(|less| more.at_most.is_some_and(|more| less >= more)), "{more:?}, then {less:?}");
    }
}

#[test]
fn one_datapoint_out_that_the_rule_allows_is_no_relapse() {
    let text = "...........X...";

    assert_eq!(back(&rule(2, 0.0), text), took(110, 130));
    assert_eq!(back(&rule(2, 0.1), text), took(0, 10));
    assert_eq!(back(&rule(2, 0.1), "XX.......X........"), took(10, 30), "two of ten are too many, one of ten is not");
    assert_eq!(back(&rule(2, 0.1), "XX.....XX.........."), took(80, 100));
    assert_eq!(back(&rule(2, 0.1), ".X...."), took(10, 30), "one of six is more than a tenth");
}

#[test]
fn a_datapoint_read_twice_is_one_of_a_row() {
    let once = Interval::new(10, 20).unwrap();
    let seen = [(once, Some(false)), (once, Some(false))].into_iter().collect();

    assert_eq!(recovery(&rule(2, 0.0), &seen, Between::at(0)), took(0, None));
}

#[test]
fn a_fault_that_is_seen_gone_late_widens_the_recovery_and_moves_nothing() {
    // The fault may have been gone at any time from 2 to 55; out until 50.
    assert_eq!(recovery(&rule(2, 0.0), &datapoints("XXXXX..."), Between::new(2, 55)), took(0, 58));
    assert_eq!(recovery(&rule(2, 0.0), &datapoints("XXXXX..."), Between::new(2, 12)), took(28, 58));
}

#[test]
fn a_good_datapoint_that_began_in_the_fault_shows_nothing() {
    assert_eq!(recovery(&rule(1, 0.0), &datapoints("..."), Between::at(5)), took(0, 15));
    assert_eq!(recovery(&rule(1, 0.0), &datapoints("X.."), Between::at(5)), took(0, 15));
}

#[test]
fn an_extreme_says_more_than_an_average() {
    let of = |tells| back(&Rule { tells, ..rule(2, 0.0) }, "XXX..");

    assert_eq!((of(Tells::Worst), of(Tells::Best)), (took(20, 30), took(30, 40)));
}

#[test]
fn whether_it_was_fast_enough_is_compared_as_an_interval() {
    let recovered = took(0, 5);
    assert_eq!((recovered.within(4), recovered.within(5)), (Answer::Unknown, Answer::Yes));
    assert_eq!(took(20, None).within(20), Answer::Unknown, "one look, and nothing after");
    assert_eq!(took(20, None).within(19), Answer::No);
}

#[test]
fn a_detection_is_no_earlier_than_its_onset() {
    assert_eq!(detection(Between::new(0, 12), 20), took(8, 20));
    assert_eq!(detection(Between::new(0, 12), 5), took(0, 5));
}

proptest! {
    /// One outage that ends at `truth` after the fault; looks and extremes tell of it exactly. Whatever is read, and however
    /// late the end of the fault is seen, the truth is in the interval, and no answer is wrong.
    #[test]
    fn the_truth_is_never_outside(
        truth in 0_i64..200, phase in 0_i64..10, before in 0_i64..40, seen_late in 0_i64..60, lost in prop::collection::vec(0..4, 60),
        good_samples in 1_u16..4, limit in 0_i64..250, kind in 0..3,
    ) {
        let mut series = Series::default();
        for (at, lost) in (0..).zip(&lost) {
            let from = at * 10 - 40 + phase;
            // Down from -20 on, until `truth`.
            let down = |from: i64, to: i64| Interval::new(-20, truth).and_then(|down| down.intersection(Interval::new(from, to)?));
            let covers = Interval::new(from, from + 10).unwrap();
            let (covers, out) = match kind {
                0 => (Interval::look(from, 1), down(from, from + 1).is_some()),
                1 => (covers, down(from, from + 10).is_some()),
                _ => (covers, down(from, from + 10).is_some_and(|down| down.milliseconds() == 10)),
            };
            match lost {
                0 => {}
                1 => series.tell(covers, None),
                _ => series.tell(covers, Some(out)),
            }
        }
        let tells = [Tells::Part, Tells::Worst, Tells::Best][kind as usize];

        let took = recovery(&Rule { tells, ..rule(good_samples, 0.0) }, &series, Between::new(-before.min(19), seen_late));

        // The fault ended somewhere from -before to seen_late: the shortest and the longest that the recovery can have been.
        let (shortest, longest) = ((truth - seen_late).max(0), truth + before.min(19));
        prop_assert!(took.at_least <= shortest, "{took:?}, and it was {shortest} to {longest}");
        prop_assert!(took.at_most.is_none_or(|most| most >= longest), "{took:?}, and it was {shortest} to {longest}");
        match took.within(limit) {
            Answer::Yes => prop_assert!(longest <= limit),
            Answer::No => prop_assert!(shortest > limit),
            Answer::Unknown => {}
        }
    }

    #[test]
    fn losing_a_datapoint_never_makes_the_interval_narrower(text in "[X.?]{1,25}", at in 0_usize..25, good_samples in 1_u16..4) {
        let at = at % text.len();
        let mut less = text.clone();
        less.replace_range(at..=at, "?");

        let (more_known, less_known) = (back(&rule(good_samples, 0.0), &text), back(&rule(good_samples, 0.0), &less));

        prop_assert!(less_known.at_least <= more_known.at_least, "{text} {more_known:?}, {less} {less_known:?}");
        // A datapoint out that is lost may hide a relapse, so only a good one is lost here.
        if text.as_bytes()[at] == b'.' {
            prop_assert!(less_known.at_most.is_none_or(|most| more_known.at_most.is_some_and(|known| most >= known)));
        }
    }
}
