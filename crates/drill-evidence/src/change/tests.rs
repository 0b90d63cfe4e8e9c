use proptest::prelude::*;

use super::*;
use crate::sequential::{Rule, Scale};

fn reference(scale: Scale, middle: f64, values: u32) -> Reference {
    let values: Vec<f64> = (0..values).map(|at| middle * (1.0 + 0.1 * (f64::from(at) * 2.4).sin())).collect();
    Reference::of(&values, scale).unwrap()
}

fn change(during: &[f64], ended: Ended) -> Change {
    Change::of(&reference(Scale::Positive, 100.0, 60), during, ended, 0.05).unwrap()
}

#[test]
fn a_change_is_told_as_a_multiple_of_what_was_before() {
    let Factor { low, likely, high } = change(&[195.0, 205.0, 200.0, 198.0, 202.0], Ended::AsPlanned).factor().unwrap();

    assert!((1.98..2.03).contains(&likely), "{likely}");
    assert!(low < likely && likely < high && low > 1.7 && high < 2.4, "{low} to {high}");
}

#[test]
fn a_run_that_was_stopped_knows_less_than_one_that_went_to_its_end() {
    let values = [200.0; 6];
    let (planned, stopped) =
        (change(&values, Ended::AsPlanned).factor().unwrap(), change(&values, Ended::Stopped).factor().unwrap());

    assert!(stopped.low < planned.low && planned.high < stopped.high, "{planned:?} {stopped:?}");
}

#[test]
fn worse_not_worse_and_unknown_are_three_answers() {
    for (value, datapoints, expected) in [
        (100.0, 60, Answer::Yes),
        (150.0, 60, Answer::No),
        (125.0, 60, Answer::Unknown),
        (124.0, 60, Answer::Unknown),
        (100.0, 1, Answer::Yes),
        (118.0, 1, Answer::Unknown),
    ] {
        let change = change(&vec![value; datapoints], Ended::AsPlanned);
        assert_eq!(change.is_within(Worse::Up, 0.25), expected, "{datapoints} of {value}");
    }
}

#[test]
fn a_change_within_one_bound_and_beyond_the_other_is_beyond() {
    let halved = change(&[50.0; 60], Ended::AsPlanned);

    assert_eq!(halved.is_within(Worse::Up, 0.25), Answer::Yes);
    assert_eq!(halved.is_within(Worse::Down, 0.25), Answer::No);
    assert_eq!(halved.is_within(Worse::Either, 0.25), Answer::No);
    assert_eq!(change(&[100.0; 60], Ended::AsPlanned).is_within(Worse::Either, 0.25), Answer::Yes);
}

#[test]
fn without_a_value_of_the_fault_there_is_no_change_to_tell() {
    let before = reference(Scale::Positive, 100.0, 60);

    assert_eq!(Change::of(&before, &[], Ended::AsPlanned, 0.05), None);
    assert_eq!(Change::of(&before, &[f64::NAN, -1.0], Ended::AsPlanned, 0.05), None);
}

#[test]
fn few_datapoints_do_not_rule_out_much_time() {
    for (out, taken, vif, expected) in [
        (0, 12, 1.0, 0.221),
        (0, 12, 4.0, 0.632),
        (0, 60, 4.0, 0.181),
        (3, 60, 1.0, 0.124),
        (12, 12, 1.0, 1.0),
        (0, 0, 1.0, 1.0),
    ] {
        let found = out_at_most(out, taken, vif, 0.05);
        assert!((found - expected).abs() < 1e-3, "{out} of {taken}, repeated {vif} times: {found}");
    }
}

const RULE: Rule = Rule { worse: Worse::Up, by: 0.0, alpha: 0.05 };

#[test]
fn a_longer_run_sees_a_smaller_change_and_a_guard_a_larger_one() {
    let before = reference(Scale::Positive, 100.0, 180);
    let smallest = |asked, datapoints| Plan::new(before, RULE, asked).smallest(datapoints).unwrap();

    assert!(smallest(Asked::AtTheEnd, 60.0) < smallest(Asked::AtTheEnd, 12.0));
    assert!(smallest(Asked::AtTheEnd, 60.0) < smallest(Asked::Always, 60.0));
    assert_eq!(Plan::new(before, RULE, Asked::AtTheEnd).smallest(0.0), None);
}

#[test]
fn the_smallest_change_is_seen_with_a_chance_of_four_in_five() {
    for (worse, scale, middle) in [
        (Worse::Up, Scale::Positive, 100.0),
        (Worse::Down, Scale::Positive, 100.0),
        (Worse::Up, Scale::Count, 50.0),
        (Worse::Down, Scale::Percent, 60.0),
    ] {
        for by in [0.0, 0.1] {
            let plan = Plan::new(reference(scale, middle, 180), Rule { worse, by, ..RULE }, Asked::AtTheEnd);
            let factor = plan.smallest(30.0).unwrap();

            assert!((plan.power(factor, 30.0) - 0.8).abs() < 1e-3, "{worse:?} {scale:?}: {factor}");
            assert_eq!(factor > 1.0, worse == Worse::Up, "{worse:?} {scale:?}: {factor}");
            assert!(
                plan.datapoints_for(factor).is_some_and(|needed| (30..=31).contains(&needed)),
                "{worse:?} {scale:?}"
            );
        }
    }
}

#[test]
fn what_is_within_the_margin_is_never_seen_however_long_one_looks() {
    let plan = Plan::new(reference(Scale::Positive, 100.0, 60), Rule { by: 0.25, ..RULE }, Asked::AtTheEnd);

    assert_eq!(plan.datapoints_for(1.2), None);
    assert_eq!(plan.datapoints_for(1.26), None, "the reference is too short");
    assert!(plan.datapoints_for(2.0).is_some());
    assert!(plan.power(1.2, 1e6) < 0.05);
}

#[test]
fn a_change_that_has_no_room_on_the_scale_is_not_promised() {
    let high: Vec<f64> = (0..60).map(|at| 90.0 + 9.0 * (f64::from(at) * 2.4).sin()).collect();
    let plan = Plan::new(Reference::of(&high, Scale::Percent).unwrap(), RULE, Asked::AtTheEnd);

    assert_eq!(plan.smallest(1.0), None, "no percentage is that much above 90");
}

proptest! {
    #[test]
    fn the_test_and_the_interval_of_a_stopped_run_agree(values in prop::collection::vec(50.0_f64..300.0, 1..40), by in 0.0_f64..0.5) {
        let before: Vec<f64> = (0..60).map(|at| 100.0 * (1.0 + 0.1 * (f64::from(at) * 2.4).sin())).collect();
        let mut test = Degraded::new(&before, Scale::Positive, Rule { by, ..RULE }, 0).unwrap();
        for (at, value) in (0..).zip(&values) {
            test.take(crate::interval::Interval::look(at, 1), Some(*value));
        }

        let change = Change::seen_by(&test, Ended::Stopped, 0.05).unwrap();

        prop_assert_eq!(test.is_worse(), change.is_within(Worse::Up, by) == Answer::No);
        prop_assert_eq!(change, Change::of(test.reference(), &values, Ended::Stopped, 0.05).map(|of| Change { difference: change.difference, radius: change.radius, ..of }).unwrap());
    }

    #[test]
    fn one_more_datapoint_out_never_rules_out_more(out in 0_usize..20, good in 0_usize..200, vif in 1.0_f64..20.0) {
        let taken = out + good + 1;
        let (fewer, more) = (out_at_most(out, taken, vif, 0.05), out_at_most(out + 1, taken, vif, 0.05));

        prop_assert!(fewer <= more + 1e-12 && fewer >= out as f64 / taken as f64 - 1e-12 && more <= 1.0);
    }
}
