//! How the system came back, and what is said when that is not known.

use super::super::fixture::{AVAILABILITY, LATENCY, Story, at, held, watched_until};
use super::super::{Holds, RecoveryTime, Verdict};
use crate::observation::{Sample, Stage};
use crate::quantity::{Percent, Span};

fn check(story: &Story, holds: Holds, recovery: RecoveryTime) {
    let judgement = story.judge();
    assert_eq!((judgement.about("recovery").0, judgement.recovery), (holds, recovery), "{:#?}", judgement.findings);
}

const fn recovered(at_least: u64, at_most: u64) -> RecoveryTime {
    RecoveryTime::Recovered { at_least: Span::seconds(at_least), at_most: Span::seconds(at_most) }
}

fn within_of_baseline(mut story: Story, percent: f64) -> Story {
    story.experiment().recovery.tolerance_of_baseline = Some(Percent::try_from(percent).unwrap());
    story
}

#[test]
fn recovery_counts_from_the_end_of_the_last_fault_to_the_first_of_the_good_samples() {
    let mut story = held();
    check(&story, Holds::Yes, recovered(0, 8));

    story.ledger[1].since = at(68);
    check(&story, Holds::Yes, recovered(0, 8));
    check(&held().showing(LATENCY, &[(70, 900.0)]), Holds::Yes, recovered(5, 18));
}

#[test]
fn a_relapse_starts_the_recovery_anew() {
    check(&held().showing(LATENCY, &[(80, 900.0)]), Holds::Yes, recovered(15, 28));
}

#[test]
fn every_probe_must_be_back() {
    check(&held().showing(AVAILABILITY, &[(70, 10.0)]), Holds::Yes, recovered(5, 18));
}

#[test]
fn a_fault_that_happens_once_counts_from_its_call() {
    check(&held().happening_once(), Holds::Yes, recovered(0, 5));
    check(&held().happening_once().showing(LATENCY, &[(5, 900.0), (10, 900.0)]), Holds::Yes, recovered(8, 15));
}

#[test]
fn the_latest_of_several_faults_decides() {
    for once in [0, 1] {
        let mut story = held();
        story.ledger[once].change =
            super::super::fixture::change(r#"{"kind": "instance-terminate", "irreversible": "accepted"}"#);

        check(&story, Holds::Yes, recovered(0, 8));
    }
}

#[test]
fn a_sample_at_the_very_instant_counts() {
    let mut story = held();
    for row in &mut story.ledger {
        row.since = at(70);
    }

    check(&story, Holds::Yes, recovered(0, 8));
}

#[test]
fn samples_from_before_the_faults_were_gone_do_not_count() {
    let mut story = held();
    for row in &mut story.ledger {
        row.since = at(85);
    }

    // It may have ended just after the look of 70 s or of 80 s, and the next look shows that it was back.
    check(&story, Holds::Yes, recovered(0, 10));
}

#[test]
fn a_system_that_stays_down_for_the_time_it_is_given_has_not_recovered() {
    let down: Vec<(i64, f64)> = (7..38).map(|tens| (tens * 10, 900.0)).collect();

    let story = watched_until(held(), 370).showing(LATENCY, &down);

    check(&story, Holds::No, RecoveryTime::NotRecovered { watched: Span::seconds(305) });
    assert_eq!(story.verdict(), Verdict::Refuted);
    assert_eq!(
        story.judge().about("recovery").1,
        "not seen to be back in the 5 min 5 s that it was watched (31 samples), and still down after 5 min 5 s: \
         order-latency-p99; it was given 5 min; good is within every probe's tolerance"
    );

    // Nobody looked after its time was over: between two looks nothing is known.
    let watched_for_less = watched_until(held(), 360).showing(LATENCY, &down[..30]);
    check(&watched_for_less, Holds::Unknown, RecoveryTime::Unknown);
}

#[test]
fn looks_that_take_long_themselves_do_not_cut_the_watch_short() {
    let down: Vec<(i64, f64)> = (7..11).map(|tens| (tens * 10, 900.0)).collect();
    let mut story = held().showing(LATENCY, &down);
    let last = story.samples[15].clone();
    story.samples.retain(|sample| sample.stage == Stage::Fault);
    // Ten seconds between two looks, and three for each; time is up at 365 s.
    let looks = (0..=23).map(|number| Sample { number, at: at(68 + 13 * i64::from(number)), ..last.clone() });
    story.samples.extend(looks);

    check(&story, Holds::No, RecoveryTime::NotRecovered { watched: Span::seconds(302) });
}

#[test]
fn a_system_that_is_back_too_late_has_not_recovered() {
    let down: Vec<(i64, f64)> = (7..38).map(|tens| (tens * 10, 900.0)).collect();

    let story = watched_until(held(), 400).showing(LATENCY, &down);

    check(&story, Holds::No, RecoveryTime::NotRecovered { watched: Span::seconds(335) });
    assert!(story.judge().about("recovery").1.starts_with("back 5 min 5 s to 5 min 18 s after"));
}

#[test]
fn a_watch_that_was_cut_short_says_neither() {
    let down: Vec<(i64, f64)> = (7..11).map(|tens| (tens * 10, 900.0)).collect();

    check(&held().showing(LATENCY, &down), Holds::Unknown, RecoveryTime::Unknown);
}

#[test]
fn one_good_sample_where_two_are_needed_is_not_back() {
    let story = held().showing(LATENCY, &[(70, 900.0), (80, 900.0), (90, 900.0)]);
    check(&story, Holds::Unknown, RecoveryTime::Unknown);

    let all: Vec<(i64, f64)> = (7..38).map(|tens| (tens * 10, 900.0)).collect();
    let story = watched_until(held(), 380).showing(LATENCY, &all);
    check(&story, Holds::No, RecoveryTime::NotRecovered { watched: Span::seconds(315) });
}

#[test]
fn an_unknown_sample_is_not_a_good_one() {
    check(&held().blind(LATENCY, &[70, 80]), Holds::Yes, recovered(0, 28));
    check(&held().blind(LATENCY, &[70, 80, 90, 100]), Holds::Unknown, RecoveryTime::Unknown);
    check(&held().blind(LATENCY, &[100]), Holds::Unknown, RecoveryTime::Unknown);
}

#[test]
fn a_system_that_may_have_been_back_in_time_is_not_said_to_be_late() {
    let seconds: Vec<i64> = (7..37).map(|tens| tens * 10).collect();

    check(&watched_until(held(), 400).blind(LATENCY, &seconds), Holds::Unknown, recovered(0, 308));
}

#[test]
fn a_system_of_which_nothing_is_known_at_the_end_is_not_said_to_be_down() {
    let down: Vec<(i64, f64)> = (7..35).map(|tens| (tens * 10, 900.0)).collect();

    let story = watched_until(held(), 360).showing(LATENCY, &down).blind(LATENCY, &[350, 360]);

    check(&story, Holds::Unknown, RecoveryTime::Unknown);
}

#[test]
fn no_sample_after_the_faults_is_unknown() {
    let mut story = held();
    story.samples.retain(|sample| sample.stage == Stage::Fault);

    check(&story, Holds::Unknown, RecoveryTime::Unknown);
    assert_eq!(story.verdict(), Verdict::Inconclusive);
}

#[test]
fn only_the_harmful_direction_from_the_baseline_counts() {
    // Both baselines are 100; latency has an upper bound, availability a lower one.
    let with = |probe, value| within_of_baseline(held().showing(probe, &[(90, value)]), 30.0);
    check(&with(LATENCY, 130.0), Holds::Yes, recovered(0, 8));
    check(&with(LATENCY, 130.1), Holds::Unknown, RecoveryTime::Unknown);
    check(&with(LATENCY, 0.0), Holds::Yes, recovered(0, 8));
    check(&with(AVAILABILITY, 70.0), Holds::Yes, recovered(0, 8));
    check(&with(AVAILABILITY, 69.9), Holds::Unknown, RecoveryTime::Unknown);
    check(&with(AVAILABILITY, 500.0), Holds::Yes, recovered(0, 8));
}

#[test]
fn with_two_bounds_both_directions_from_the_baseline_count() {
    let with = |value| {
        let mut story = within_of_baseline(held().showing(LATENCY, &[(90, value)]), 30.0);
        story.experiment().steady_state[0].tolerance.at_least = Some(0.0);
        story
    };

    check(&with(70.0), Holds::Yes, recovered(0, 8));
    check(&with(69.0), Holds::Unknown, RecoveryTime::Unknown);
    check(&with(131.0), Holds::Unknown, RecoveryTime::Unknown);
}

#[test]
fn without_a_baseline_the_tolerance_decides_and_that_is_said() {
    let zero = crate::observation::Finite::try_from(0.0).unwrap();
    for mean in [None, Some(zero)] {
        let with = |value| {
            let mut story = within_of_baseline(held().showing(LATENCY, &[(70, value)]), 10.0);
            story.plan.as_mut().unwrap().baseline[0].mean = mean;
            story
        };

        check(&with(200.0), Holds::Yes, recovered(0, 8));
        check(&with(201.0), Holds::Yes, recovered(5, 18));
        assert!(
            with(200.0)
                .judge()
                .about("recovery")
                .1
                .contains("no baseline to compare with, so by their tolerance: order-latency-p99")
        );
    }
}

#[test]
fn a_recovery_slower_than_the_criterion_is_a_no_of_its_own() {
    let story = watched_until(held(), 160).showing(
        LATENCY,
        &[(70, 900.0), (80, 900.0), (90, 900.0), (100, 900.0), (110, 900.0), (120, 900.0), (130, 900.0)],
    );

    check(&story, Holds::Yes, recovered(65, 78));
    assert_eq!(story.judge().about("recovered within 1m").0, Holds::No);
    assert_eq!(story.verdict(), Verdict::Refuted);
}

#[test]
fn a_recovery_that_may_have_met_the_criterion_is_unknown() {
    let story = watched_until(held(), 160).blind(LATENCY, &[70, 80, 90, 100, 110, 120]);

    assert_eq!(story.judge().about("recovered within 1m").0, Holds::Unknown);
}

#[test]
fn a_recovery_that_may_have_met_the_criterion_just_so_is_unknown() {
    let mut story = watched_until(held(), 160).showing(LATENCY, &[(70, 900.0), (80, 900.0)]).blind(LATENCY, &[90]);
    let limits = [38_000, 37_999, 15_000, 14_999];
    story.experiment().success =
        limits.map(|limit| crate::experiment::Criterion::RecoveryTimeAtMost(Span::millis(limit))).into();

    let judgement = story.judge();

    // Bad at 80 s and good at 100 s, when it was gone between 62 s and 65 s.
    let expected = [Holds::Yes, Holds::Unknown, Holds::Unknown, Holds::No];
    for (limit, holds) in limits.into_iter().zip(expected) {
        let limit = Span::millis(limit);
        assert_eq!(judgement.about(&format!("recovered within {limit}")).0, holds, "{limit}");
    }
}

#[test]
fn the_time_of_the_criterion_itself_is_enough() {
    let mut story = held();
    story.experiment().success = vec![crate::experiment::Criterion::RecoveryTimeAtMost(Span::seconds(8))];
    assert_eq!(story.judge().about("recovered within 8s").0, Holds::Yes);

    story.experiment().success = vec![crate::experiment::Criterion::RecoveryTimeAtMost(Span::millis(7_999))];
    assert_eq!(story.judge().about("recovered within 7s999ms").0, Holds::Unknown);
}

#[test]
fn a_value_from_the_time_of_the_fault_does_not_show_that_it_is_over() {
    let mut story = held();
    story.samples[12].readings[0].since = Some(at(55));

    check(&story, Holds::Yes, recovered(0, 18));
}
