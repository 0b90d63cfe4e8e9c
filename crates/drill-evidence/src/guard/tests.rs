use proptest::prelude::*;

use super::*;

fn rule(in_a_row: u16, unknown: u16, every: i64) -> Rule {
    let count = |count| NonZeroU16::new(count).unwrap();
    Rule { in_a_row: count(in_a_row), unknown: count(unknown), every, settles: 0, from: 0 }
}

/// Looks of one second, one after the other: `X` beyond the limit, `.` within it, `?` unknown, a space for none at all.
fn looks(text: &str) -> (Series<bool>, i64) {
    let series = (0..).zip(text.chars()).filter_map(|(at, look)| {
        let value = match look {
            'X' => Some(true),
            '.' => Some(false),
            '?' => None,
            _ => return None,
        };
        Some((Interval::look(at * 1000, 100), value))
    });
    (series.collect(), text.chars().count() as i64 * 1000)
}

fn after(text: &str) -> Standing {
    let (series, now) = looks(text);
    standing(&rule(3, 3, 1000), &series, now)
}

fn breached(first: i64, last: i64) -> Standing {
    Standing::Breached { first: Interval::look(first * 1000, 100), last: Interval::look(last * 1000, 100) }
}

#[test]
fn so_many_in_a_row_stop_a_run() {
    for (text, expected) in [
        ("", Standing::Watching { in_a_row: 0, unknown: 0 }),
        ("XX", Standing::Watching { in_a_row: 2, unknown: 0 }),
        ("XX.XX", Standing::Watching { in_a_row: 2, unknown: 0 }),
        ("..XXX", breached(2, 4)),
        ("XXX....", breached(0, 2)),
    ] {
        assert_eq!(after(text), expected, "{text}");
    }
}

#[test]
fn every_third_value_missing_disarms_no_guard() {
    assert_eq!(after("XX?X"), breached(0, 3), "asked and not answered");
    assert_eq!(after("XX X"), breached(0, 3), "never asked");
    assert_eq!(after("X?X?"), Standing::Watching { in_a_row: 2, unknown: 2 });
    assert_eq!(after("X?X?X"), breached(0, 4));
}

#[test]
fn half_unknown_is_blind() {
    for (text, expected) in [
        ("??", Standing::Watching { in_a_row: 0, unknown: 2 }),
        ("???", Standing::Blind { unknown: 3, of: 3 }),
        ("..?.?.?", Standing::Blind { unknown: 3, of: 5 }),
        (".?.?..?", Standing::Watching { in_a_row: 0, unknown: 2 }),
        (".    ", Standing::Blind { unknown: 4, of: 5 }),
        ("???..", Standing::Blind { unknown: 3, of: 5 }),
        ("???...", Standing::Watching { in_a_row: 0, unknown: 2 }),
    ] {
        assert_eq!(after(text), expected, "{text}");
    }
}

#[test]
fn a_hole_that_blinds_breaks_the_row() {
    assert_eq!(after("XX   X"), Standing::Blind { unknown: 3, of: 5 });
    assert_eq!(after("XX???X"), Standing::Blind { unknown: 3, of: 5 });
    let nine_minutes: Series<bool> =
        [0, 240_000, 540_000].map(|at| (Interval::look(at, 100), Some(true))).into_iter().collect();
    assert!(
        matches!(standing(&rule(3, 3, 5000), &nine_minutes, 540_100), Standing::Blind { .. }),
        "three looks in nine minutes"
    );
}

fn minute(at: i64) -> Interval {
    Interval::new(at * 60_000, (at + 1) * 60_000).unwrap()
}

#[test]
fn one_datapoint_that_is_looked_at_three_times_is_one() {
    let read = [(minute(0), Some(true)); 3].into_iter().collect();

    assert_eq!(standing(&rule(3, 3, 60_000), &read, 75_000), Standing::Watching { in_a_row: 1, unknown: 0 });
}

#[test]
fn a_datapoint_from_before_the_fault_stops_nothing() {
    let read = [-3, -2, -1].map(|at| (minute(at), Some(true))).into_iter().collect();

    assert_eq!(standing(&rule(3, 3, 60_000), &read, 5000), Standing::Watching { in_a_row: 0, unknown: 0 });
}

#[test]
fn a_restated_value_counts_as_what_it_is_now() {
    let mut read: Series<bool> = [(minute(0), true), (minute(1), false), (minute(2), true)]
        .map(|(at, value)| (at, Some(value)))
        .into_iter()
        .collect();
    assert_eq!(standing(&rule(3, 3, 60_000), &read, 185_000), Standing::Watching { in_a_row: 1, unknown: 0 });

    read.tell(minute(1), Some(true));

    assert_eq!(standing(&rule(3, 3, 60_000), &read, 185_000), Standing::Breached { first: minute(0), last: minute(2) });
}

#[test]
fn a_source_that_repeats_its_last_datapoint_for_ever_is_blind() {
    let read: Series<bool> = [(minute(0), Some(false)); 20].into_iter().collect();
    let rule = Rule { settles: 30_000, ..rule(3, 3, 60_000) };

    let at = |now| standing(&rule, &read, now);

    assert_eq!(at(150_000), Standing::Watching { in_a_row: 0, unknown: 0 }, "the second minute is due by now");
    assert_eq!(at(150_001), Standing::Watching { in_a_row: 0, unknown: 1 });
    assert_eq!(at(271_000), Standing::Blind { unknown: 3, of: 4 });
}

#[test]
fn a_look_that_comes_a_little_late_is_not_missing() {
    let late: Series<bool> = [0, 6400, 12_800].map(|at| (Interval::look(at, 300), Some(true))).into_iter().collect();

    assert!(matches!(standing(&rule(3, 3, 5000), &late, 13_100), Standing::Breached { .. }));
}

#[test]
fn extreme_instants_are_no_reason_to_fail() {
    let read: Series<bool> = [(Interval::new(i64::MIN, i64::MAX).unwrap(), Some(true))].into_iter().collect();
    let rule = Rule { from: i64::MIN, every: 0, settles: i64::MAX, ..rule(1, 1, 0) };

    assert!(matches!(standing(&rule, &read, i64::MAX), Standing::Breached { .. }));
    assert!(matches!(standing(&Rule { settles: 0, ..rule }, &Series::default(), i64::MAX), Standing::Blind { .. }));
}

proptest! {
    /// The promise: while every value that is known is beyond the limit, the run is stopped in bounded time, whatever is lost.
    #[test]
    fn no_pattern_of_losses_disarms_a_guard(text in "[X? ]{60}", in_a_row in 1_u16..6, unknown in 1_u16..5) {
        let rule = rule(in_a_row, unknown, 1000);
        let window = 2 * usize::from(unknown) - 1;
        let bound = window * usize::from(in_a_row.div_ceil(unknown)) + window + 1;

        let stopped = (1..=bound).any(|length| {
            let (series, now) = looks(&text[..length]);
            !matches!(standing(&rule, &series, now), Standing::Watching { .. })
        });

        prop_assert!(stopped, "{}", &text[..bound]);
    }

    #[test]
    fn a_value_that_turns_out_to_be_good_stops_no_run_that_goes_on(text in "[X.?]{0,15}X[X.?]{0,15}", nth in 0_usize..30) {
        let (series, now) = looks(&text);
        let beyond: Vec<usize> = text.match_indices('X').map(|(at, _)| at).collect();
        let at = beyond[nth % beyond.len()];
        let breached = |standing| matches!(standing, Standing::Breached { .. });
        let before = breached(standing(&rule(3, 3, 1000), &series, now));
        let mut better = text;
        better.replace_range(at..=at, ".");

        let (series, now) = looks(&better);

        prop_assert!(before || !breached(standing(&rule(3, 3, 1000), &series, now)), "{better}");
    }

    #[test]
    fn the_order_in_which_datapoints_are_read_does_not_matter(text in "[X.?]{1,20}", seed in any::<u64>()) {
        let (series, now) = looks(&text);
        let mut reads = series.entries();
        let length = reads.len();
        for at in 0..length {
            reads.swap(at, (seed as usize).wrapping_mul(at + 7) % length);
        }
        let twice = reads.iter().chain(&reads).copied().collect();

        prop_assert_eq!(standing(&rule(3, 3, 1000), &twice, now), standing(&rule(3, 3, 1000), &series, now));
    }
}
