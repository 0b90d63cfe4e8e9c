use proptest::prelude::*;

use super::*;

/// A reference of 60 values around `middle`, that wanders within a tenth.
fn before(middle: f64) -> Vec<f64> {
    (0..60).map(|at| middle * (1.0 + 0.1 * (f64::from(at) * 2.4).sin())).collect()
}

const UP: Rule = Rule { worse: Worse::Up, by: 0.0, alpha: 0.05 };

fn datapoint(at: i64) -> Interval {
    Interval::new(at * 60, at * 60 + 60).unwrap()
}

fn told(rule: Rule, values: &[f64]) -> Degraded {
    let mut test = Degraded::new(&before(100.0), Scale::Positive, rule, 0).unwrap();
    for (at, value) in (0..).zip(values) {
        assert_eq!(test.take(datapoint(at), Some(*value)), Took::New);
    }
    test
}

#[test]
fn a_datapoint_counts_once_and_its_last_value_counts() {
    let mut test = told(UP, &[100.0]);

    assert_eq!(test.take(datapoint(0), Some(100.0)), Took::Repeated);
    assert_eq!(test.take(datapoint(0), Some(900.0)), Took::Restated);
    assert_eq!(test, told(UP, &[900.0]));
    assert_eq!(test.take(datapoint(1), Some(900.0)), Took::New);
    assert_eq!(test.take(datapoint(0), Some(100.0)), Took::Late, "all that is stored has to be told again");
    assert_eq!(test.again(), told(UP, &[]));
}

#[test]
fn what_is_missing_says_nothing() {
    let mut test = told(UP, &[100.0]);
    let same = test;

    for nothing in [None, Some(f64::NAN), Some(f64::INFINITY), Some(0.0), Some(-1.0)] {
        assert_eq!(test.take(datapoint(1), nothing), Took::Unknown);
    }
    assert_eq!(test, same);
    assert_eq!(test.take(datapoint(5), Some(100.0)), Took::New, "a hole is no reason to stop counting");
}

#[test]
fn a_datapoint_that_began_before_the_fault_or_shares_time_does_not_count() {
    let mut test = Degraded::new(&before(100.0), Scale::Positive, UP, 30).unwrap();

    assert_eq!(test.take(datapoint(0), Some(9000.0)), Took::Early);
    assert_eq!(test.take(datapoint(1), Some(100.0)), Took::New);
    assert_eq!(test.take(Interval::new(90, 150).unwrap(), Some(9000.0)), Took::Overlapping);
    assert!((test.taken() - 1.0).abs() < f64::EPSILON);
}

#[test]
fn a_value_that_is_worse_by_less_than_the_margin_never_stops_a_run() {
    let values = [115.0; 200];

    assert!(told(UP, &values).is_worse());
    assert!(!told(Rule { by: 0.2, ..UP }, &values).is_worse());
    assert!(told(Rule { by: 0.2, ..UP }, &[140.0; 200]).is_worse());
}

#[test]
fn worse_is_a_direction() {
    for (value, up, down) in [(200.0, true, false), (50.0, false, true), (100.0, false, false)] {
        let says = |worse| told(Rule { worse, ..UP }, &[value; 30]).is_worse();

        assert_eq!((says(Worse::Up), says(Worse::Down), says(Worse::Either)), (up, down, up || down), "{value}");
    }
}

#[test]
fn without_a_datapoint_nothing_is_worse() {
    assert!(!told(UP, &[]).is_worse());
}

#[test]
fn values_that_cannot_be_compared_with_are_no_reference() {
    let reference = |values: &[f64]| Reference::of(values, Scale::Positive);
    let ramp: Vec<f64> = (1..=60).map(f64::from).collect();

    assert_eq!(reference(&before(100.0)[..29]), Err(Unfit::TooFew(29)));
    assert_eq!(reference(&[0.1; 180]), Err(Unfit::Constant(0.1)));
    assert!(matches!(reference(&[f64::NAN; 60]), Err(Unfit::NotOnTheScale(_))));
    assert_eq!(reference(&[0.0; 60]), Err(Unfit::NotOnTheScale(0.0)));
    assert!(matches!(reference(&ramp), Err(Unfit::Correlated(_))), "one long way up");
    assert_eq!(Reference::of(&[0.0; 60], Scale::Count), Err(Unfit::Constant(0.0)), "no error was ever seen");
}

#[test]
fn a_reference_that_changed_while_nothing_was_broken_is_refused() {
    let mut values = before(100.0);
    for value in &mut values[40..] {
        *value *= 2.0;
    }

    let refused = Degraded::new(&values, Scale::Positive, UP, 0);

    let Err(Unfit::Unsteady { first, last }) = refused else { panic!("{refused:?}") };
    assert!((95.0..105.0).contains(&first) && (190.0..210.0).contains(&last), "{first} to {last}");
    let within = Degraded::new(&values, Scale::Positive, Rule { by: 1.5, ..UP }, 0);
    assert!(matches!(within, Err(Unfit::Correlated(_))), "within the margin, and yet one step: {within:?}");
}

#[test]
fn few_looks_or_looks_that_all_fail_are_no_reference() {
    assert_eq!(Failing::new(&[false; 29], 0.0, 0.05), Err(FailingUnfit::TooFew(29)));
    assert!(matches!(Failing::new(&[true; 60], 0.0, 0.05), Err(FailingUnfit::NothingLeft(_))));
    let none_failed = Failing::new(&[false; 180], 0.0, 0.05).unwrap();
    assert!((0.02..0.03).contains(&none_failed.before()), "{}", none_failed.before());
    assert!(!none_failed.is_worse());
}

proptest! {
    #[test]
    fn one_pass_with_restated_datapoints_is_the_same_as_the_last_values_told_once(
        values in prop::collection::vec((1.0_f64..1000.0, prop::option::of(1.0_f64..1000.0)), 1..40),
    ) {
        let mut passed = Degraded::new(&before(100.0), Scale::Positive, UP, 0).unwrap();
        for (at, (value, restated)) in (0..).zip(&values) {
            passed.take(datapoint(at), Some(*value));
            passed.take(datapoint(at), *restated);
        }
        let last: Vec<f64> = values.iter().map(|(value, restated)| restated.unwrap_or(*value)).collect();

        prop_assert_eq!(passed, told(UP, &last));
    }

    #[test]
    fn the_unit_of_a_positive_value_does_not_matter(
        values in prop::collection::vec(50.0_f64..400.0, 1..60), unit in 0.001_f64..1000.0,
    ) {
        let here: Vec<f64> = before(100.0).iter().map(|value| value * unit).collect();
        let rule = Rule { by: 0.1, ..UP };
        let mut other = Degraded::new(&here, Scale::Positive, rule, 0).unwrap();
        for (at, value) in (0..).zip(&values) {
            other.take(datapoint(at), Some(value * unit));
        }

        let (one, two) = (told(rule, &values).comparison().unwrap(), other.comparison().unwrap());
        prop_assert!((one.difference - two.difference).abs() < 1e-9 && (one.error - two.error).abs() < 1e-9);
    }
}
