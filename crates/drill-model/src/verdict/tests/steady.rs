//! The probes while something was broken, and the criteria on their means.

use super::super::fixture::{AVAILABILITY, LATENCY, Story, at, held, watched_until};
use super::super::{Holds, Verdict};
use crate::experiment::Criterion;
use crate::ledger::State;
use crate::observation::Stage;
use crate::quantity::Percent;
use jiff::SignedDuration;

fn check(story: &Story, about: &str, holds: Holds, says: &str) {
    let judgement = story.judge();
    let found = judgement.about(about);
    assert_eq!(found.0, holds, "{}", found.1);
    assert!(found.1.contains(says), "{:?} does not say {says:?}", found.1);
}

fn in_share(mut story: Story, percent: f64) -> Story {
    story.experiment().steady_state[0].tolerance.in_samples = Some(Percent::try_from(percent).unwrap());
    story
}

#[test]
fn one_sample_out_of_tolerance_is_a_no_and_names_the_worst_with_its_time() {
    let story = held().showing(LATENCY, &[(20, 250.0), (40, 240.0)]);

    check(
        &story,
        LATENCY,
        Holds::No,
        "10 of 12 samples in tolerance (at most 200), 2 out; worst 250 at 2026-03-02T10:00:20Z",
    );
}

#[test]
fn the_worst_value_is_the_one_farthest_out_on_either_side() {
    check(&held().showing(AVAILABILITY, &[(20, 70.0), (40, 50.0)]), AVAILABILITY, Holds::No, "worst 50 at");
    let with = |low, high| {
        let mut story = held().showing(LATENCY, &[(20, low), (40, high)]);
        story.experiment().steady_state[0].tolerance.at_least = Some(100.0);
        story
    };
    check(&with(50.0, 240.0), LATENCY, Holds::No, "worst 50 at");
    check(&with(70.0, 240.0), LATENCY, Holds::No, "worst 240 at");
}

#[test]
fn the_samples_from_the_first_landing_to_the_last_end_count() {
    for early in [0, 1] {
        let mut story = held();
        let late = 1 - early;
        story.ledger[early].ends_at = at(32);
        if let State::Undone { landed, .. } = &mut story.ledger[late].state {
            *landed = Some(at(22));
        }

        check(&story, LATENCY, Holds::Yes, "12 of 12 samples");
    }
}

#[test]
fn the_bound_itself_is_in_tolerance() {
    check(&held().showing(LATENCY, &[(20, 200.0)]), LATENCY, Holds::Yes, "worst 200 at");
    check(&held().showing(LATENCY, &[(20, 200.000_1)]), LATENCY, Holds::No, "worst 200.0001 at");
}

#[test]
fn an_unknown_sample_is_neither_in_nor_out() {
    check(
        &held().blind(LATENCY, &[20]),
        LATENCY,
        Holds::Unknown,
        "11 of 12 samples in tolerance (at most 200), 1 unknown (no datapoint)",
    );
}

#[test]
fn a_share_of_the_samples_is_a_yes_only_if_every_unknown_sample_may_be_out() {
    // 12 samples, 75 %: 9 must be in.
    check(&in_share(held().blind(LATENCY, &[5, 10, 15]), 75.0), LATENCY, Holds::Yes, "3 unknown");
    check(&in_share(held().blind(LATENCY, &[5, 10, 15, 20]), 75.0), LATENCY, Holds::Unknown, "4 unknown");
}

#[test]
fn a_share_of_the_samples_is_a_no_only_if_every_unknown_sample_may_be_in() {
    let out = [(25, 900.0), (30, 900.0), (35, 900.0)];
    check(&in_share(held().showing(LATENCY, &out), 75.0), LATENCY, Holds::Yes, "3 out");
    check(
        &in_share(held().showing(LATENCY, &out).blind(LATENCY, &[5]), 75.0),
        LATENCY,
        Holds::Unknown,
        "3 out, 1 unknown",
    );
    let more = held().showing(LATENCY, &out).showing(LATENCY, &[(40, 900.0)]).blind(LATENCY, &[5]);
    check(&in_share(more, 75.0), LATENCY, Holds::No, "4 out, 1 unknown");
}

#[test]
fn too_few_known_samples_say_nothing_good() {
    let mut story = in_share(held().blind(LATENCY, &[5, 10, 15]), 50.0);
    story.experiment().observe.min_samples = 10;
    check(&story, LATENCY, Holds::Unknown, "9 known and 10 are needed");

    story.experiment().observe.min_samples = 9;
    check(&story, LATENCY, Holds::Yes, "in tolerance");
}

#[test]
fn too_few_known_samples_still_show_a_breach() {
    let mut story = held().showing(LATENCY, &[(20, 900.0)]);
    story.experiment().observe.min_samples = 100;

    check(&story, LATENCY, Holds::No, "1 out");
}

#[test]
fn samples_before_the_landing_and_after_the_end_do_not_count() {
    let mut story = held().showing(LATENCY, &[(5, 900.0), (60, 900.0)]);
    story.samples[0].at = at(1);
    story.samples[11].at = at(63);

    check(&story, LATENCY, Holds::Yes, "10 of 10 samples");
}

#[test]
fn samples_of_other_stages_do_not_count() {
    let mut story = held().showing(LATENCY, &[(5, 900.0)]);
    story.samples[0].stage = Stage::Baseline;

    check(&story, LATENCY, Holds::Yes, "11 of 11 samples");
}

#[test]
fn a_probe_of_which_there_is_no_sample_says_nothing() {
    let mut story = held();
    for sample in &mut story.samples {
        sample.readings.retain(|reading| reading.probe.as_str() != LATENCY);
    }

    check(&story, LATENCY, Holds::Unknown, "12 unknown (not sampled)");
}

#[test]
fn a_tolerance_without_bounds_is_no_pass() {
    let mut story = held();
    story.experiment().steady_state[0].tolerance.at_most = None;

    check(&story, LATENCY, Holds::Unknown, "no bounds");
}

#[test]
fn a_pass_says_what_it_may_have_missed() {
    let mut story = held();
    check(&story, LATENCY, Holds::Yes, "a breach shorter than 5s may have been missed");

    story.samples.retain(|sample| sample.at != at(20) && sample.at != at(25));
    check(&story, LATENCY, Holds::Yes, "a breach shorter than 15s may have been missed");
}

#[test]
fn what_nobody_looked_at_before_the_first_and_after_the_last_sample_is_told_too() {
    let mut story = held();
    story.samples.retain(|sample| sample.at >= at(50));
    check(&story, LATENCY, Holds::Yes, "a breach shorter than 48s may have been missed");

    let mut story = held();
    story.samples.retain(|sample| sample.at <= at(20) || sample.stage == Stage::Recovery);
    check(&story, LATENCY, Holds::Yes, "a breach shorter than 42s may have been missed");
}

#[test]
fn the_period_of_a_metric_hides_what_is_shorter() {
    let mut story = held();
    if let crate::experiment::Source::CloudWatch(metric) = &mut story.experiment().steady_state[0].source {
        metric.period = crate::quantity::Span::seconds(60);
    }

    check(&story, LATENCY, Holds::Yes, "a breach shorter than 1m may have been missed");
}

const CRITERION: &str = "mean of availability at least 99";

#[test]
fn availability_is_the_mean_from_the_first_landing_to_recovery() {
    // 12 samples in the fault and the first good one after it: 13.
    check(&held(), CRITERION, Holds::Yes, "mean 100 of 13 samples");
    let low = held().showing(AVAILABILITY, &[(5, 86.0)]);
    check(&low, CRITERION, Holds::No, "mean 98.923077 of 13 samples");
}

#[test]
fn good_samples_from_after_the_recovery_do_not_mend_the_mean() {
    let story = watched_until(held(), 460).showing(AVAILABILITY, &[(5, 86.0)]);

    check(&story, CRITERION, Holds::No, "of 13 samples");
}

#[test]
fn a_recovery_of_unknown_time_leaves_the_mean_unknown_unless_it_does_not_matter() {
    let unseen: Vec<i64> = (7..35).map(|tens| tens * 10).collect();
    let with = |lowest| watched_until(held(), 360).showing(AVAILABILITY, &[(5, lowest)]).blind(LATENCY, &unseen);

    // To 70 s the mean is 98.9, to 350 s it is 99.7.
    check(&with(86.0), CRITERION, Holds::Unknown, "of 41 samples");
    check(&with(99.0), CRITERION, Holds::Yes, "of 41 samples");
    check(&with(0.0), CRITERION, Holds::No, "of 41 samples");
}

#[test]
fn a_mean_that_is_just_the_least_is_enough() {
    let all: Vec<(i64, f64)> = (1..=12).map(|fives| (fives * 5, 99.0)).chain([(70, 99.0)]).collect();

    check(&held().showing(AVAILABILITY, &all), CRITERION, Holds::Yes, "mean 99 of 13 samples");
}

#[test]
fn what_was_before_the_landing_is_not_in_the_mean() {
    let mut story = held().showing(AVAILABILITY, &[(5, 0.0)]);
    story.samples[0].at = at(1);

    check(&story, CRITERION, Holds::Yes, "mean 100 of 12 samples");
}

#[test]
fn an_unknown_sample_may_have_been_the_lowest_there_is() {
    check(&held().blind(AVAILABILITY, &[20]), CRITERION, Holds::Unknown, "1 sample unknown");
    let mut lenient = held().blind(AVAILABILITY, &[20]);
    lenient.experiment().success =
        vec![Criterion::AvailabilityAtLeast { least: 92.0, of: AVAILABILITY.try_into().unwrap() }];
    check(&lenient, "mean of availability at least 92", Holds::Yes, "1 sample unknown");
}

#[test]
fn an_unknown_sample_of_an_unbounded_value_may_be_anything() {
    let mut story = held().blind(LATENCY, &[20]);
    story.experiment().success = vec![Criterion::AvailabilityAtLeast { least: 1.0, of: LATENCY.try_into().unwrap() }];

    check(&story, "mean of order-latency-p99 at least 1", Holds::Unknown, "1 sample unknown, and they may be anything");
}

#[test]
fn a_mean_of_too_few_samples_is_no_availability() {
    let mut story = held();
    story.experiment().observe.min_samples = 16;
    check(&story, CRITERION, Holds::Yes, "mean 100 of 16 samples");

    story.experiment().observe.min_samples = 17;
    check(&story, CRITERION, Holds::Unknown, "17 known are needed");
}

#[test]
fn an_availability_of_no_probe_is_unknown() {
    let mut story = held();
    story.experiment().success = vec![Criterion::AvailabilityAtLeast { least: 1.0, of: "nothing".try_into().unwrap() }];

    check(&story, "mean of nothing at least 1", Holds::Unknown, "no probe `nothing`");
    assert_eq!(story.verdict(), Verdict::Inconclusive);
}

#[test]
fn a_value_that_tells_of_the_time_before_the_landing_is_no_sample_of_the_fault() {
    let mut story = held().showing(LATENCY, &[(5, 900.0)]);
    for sample in &mut story.samples {
        sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(10));
    }

    // The first two looks are at the time before, and the first after the fault is at its end.
    check(&story, LATENCY, Holds::Yes, "11 of 11 samples");
}

#[test]
fn a_datapoint_that_is_looked_at_twice_counts_once() {
    let mut story = held();
    for sample in &mut story.samples {
        sample.readings[0].since = Some(at(5));
    }

    assert!(story.judge().about(LATENCY).1.contains("known and"), "{}", story.judge().about(LATENCY).1);
}
