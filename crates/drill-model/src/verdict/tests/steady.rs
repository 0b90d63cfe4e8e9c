//! The probes while something was broken, and the criteria on their means.

use super::super::fixture::{AVAILABILITY, LATENCY, Story, at, held, watched_until};
use super::super::{Holds, Verdict};
use crate::experiment::Criterion;
use crate::ledger::State;
use crate::observation::{Datapoint, Reading, Stage};
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
        "10 of 12 samples in tolerance (at most 200), 2 out; known for 57 s of 1 min; worst 250 at 2026-03-02T10:00:20Z",
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
fn the_samples_for_which_every_target_had_the_fault_count() {
    let mut story = held();
    // One lost it at 32 s, and the other had it from 22 s on.
    story.ledger[0].since = at(32);
    if let State::Undone { landed, .. } = &mut story.ledger[1].state {
        *landed = Some(at(22));
    }

    check(&story, LATENCY, Holds::Unknown, "2 of 2 samples in tolerance (at most 200); known for 7 s of 10 s");
    // One that may belong to the fault counts against it when it is out.
    check(
        &story.showing(LATENCY, &[(10, 900.0)]),
        LATENCY,
        Holds::No,
        "2 of 3 samples in tolerance (at most 200), 1 out",
    );
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
fn a_share_of_the_time_is_a_yes_only_if_every_unknown_sample_may_be_out() {
    // The first sample stands for the 5 s from 5 s on, the last one for the 2 s from 60 s on: 57 s. Of them 54 s are needed.
    check(&in_share(held().blind(LATENCY, &[60]), 90.0), LATENCY, Holds::Yes, "1 unknown");
    check(&in_share(held().blind(LATENCY, &[60]), 99.0), LATENCY, Holds::Unknown, "1 unknown");
}

#[test]
fn a_share_of_the_time_is_a_no_only_if_all_that_is_unknown_may_be_in() {
    let out = [(25, 900.0), (30, 900.0), (35, 900.0)];
    // 15 s of 57 s are out, and of 3 s nothing is known.
    check(&in_share(held().showing(LATENCY, &out), 73.0), LATENCY, Holds::Yes, "3 out, 26.3 % of the time");
    check(&in_share(held().showing(LATENCY, &out), 74.5), LATENCY, Holds::Unknown, "3 out, 26.3 % of the time");
    check(&in_share(held().showing(LATENCY, &out), 76.0), LATENCY, Holds::No, "3 out, 26.3 % of the time");
}

#[test]
fn too_few_known_samples_say_nothing_good() {
    let mut story = held();
    story.experiment().observe.min_samples = 13;
    check(&story, LATENCY, Holds::Unknown, "12 known and 13 are needed");

    story.experiment().observe.min_samples = 12;
    check(&story, LATENCY, Holds::Yes, "in tolerance");
}

#[test]
fn too_few_known_samples_still_show_a_breach() {
    let mut story = held().showing(LATENCY, &[(20, 900.0)]);
    story.experiment().observe.min_samples = 100;

    check(&story, LATENCY, Holds::No, "1 out");
}

#[test]
fn samples_before_the_call_and_after_the_end_do_not_count() {
    let mut story = held().showing(LATENCY, &[(5, 900.0), (60, 900.0)]);
    story.samples[0].at = at(-1);
    story.samples[11].at = at(65);

    check(&story, LATENCY, Holds::Unknown, "10 of 10 samples in tolerance (at most 200); known for 50 s of 1 min");
}

#[test]
fn a_sample_that_may_belong_to_the_fault_counts_when_it_is_out_and_not_when_it_is_in() {
    // The call is made at 0 s and seen to have landed at 2 s; it is put back from 62 s on and gone at 65 s.
    for second in [1, 63] {
        let with = |value| {
            let mut story = held().showing(LATENCY, &[(5, value)]);
            story.samples[0].at = at(second);
            story
        };

        check(&with(900.0), LATENCY, Holds::No, "1 out");
        check(&with(100.0), LATENCY, Holds::Unknown, "11 of 11 samples");
    }
}

#[test]
fn samples_of_other_stages_do_not_count() {
    let mut story = held().showing(LATENCY, &[(60, 900.0)]);
    story.samples[11].stage = Stage::Baseline;

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
    check(&held(), LATENCY, Holds::Yes, "a breach shorter than 5 s may have been missed");

    let mut story = held();
    story.samples.retain(|sample| sample.at != at(60));
    check(&story, LATENCY, Holds::Yes, "a breach shorter than 7 s may have been missed");
}

#[test]
fn samples_that_were_due_and_not_taken_are_no_pass() {
    let mut story = held();
    story.samples.retain(|sample| sample.at != at(20));
    check(&story, LATENCY, Holds::Unknown, "11 of 11 samples in tolerance (at most 200); known for 52 s of 1 min");

    let mut story = held();
    story.samples.retain(|sample| sample.at >= at(50));
    check(
        &story,
        LATENCY,
        Holds::Unknown,
        "known for 12 s of 1 min; worst 120 at 2026-03-02T10:00:50Z, mean 120; too little is known: 90 % of the time",
    );
}

#[test]
fn the_time_that_a_value_covers_hides_what_is_shorter() {
    let mut story = held();
    for sample in &mut story.samples {
        sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(3));
        sample.readings[0].until = Some(sample.at + SignedDuration::from_secs(9));
    }

    check(&story, LATENCY, Holds::Yes, "a breach shorter than 17 s may have been missed");
}

const CRITERION: &str = "mean of availability at least 99";

#[test]
fn availability_is_the_mean_from_the_first_landing_to_recovery() {
    check(&held(), CRITERION, Holds::Yes, "mean 100 over 1 min 2 s from the first fault to recovery");
    // 5 s of 57 s at 88: the mean is 98.95 at the end of the fault, and 99.03 where the system was back at the latest.
    let low = held().showing(AVAILABILITY, &[(5, 88.0)]);
    check(&low, CRITERION, Holds::Unknown, "mean 99.03");
    // The rest of the time at 100 would not mend it.
    check(&held().showing(AVAILABILITY, &[(5, 0.0)]), CRITERION, Holds::No, "mean 91.94");
}

#[test]
fn good_samples_from_after_the_recovery_do_not_mend_the_mean() {
    let story = watched_until(held(), 460).showing(AVAILABILITY, &[(5, 80.0)]);

    check(&story, CRITERION, Holds::No, "mean 98.39 over 1 min 2 s");
}

#[test]
fn a_recovery_of_unknown_time_leaves_the_mean_unknown_unless_it_does_not_matter() {
    let unseen: Vec<i64> = (7..35).map(|tens| tens * 10).collect();
    let with = |lowest| watched_until(held(), 360).showing(AVAILABILITY, &[(5, lowest)]).blind(LATENCY, &unseen);

    // To 62 s the mean is 98.8, to 350 s it is 99.8.
    check(&with(86.0), CRITERION, Holds::Unknown, "mean 99.8 over 5 min 42 s");
    check(&with(99.0), CRITERION, Holds::Yes, "over 5 min 42 s");
    check(&with(0.0), CRITERION, Holds::No, "over 5 min 42 s");
}

#[test]
fn what_happens_once_is_looked_at_from_the_call_to_recovery_and_for_the_fewest_samples() {
    check(&held().happening_once(), CRITERION, Holds::Yes, "mean 100 over 15 s from the first fault to recovery");
    // Back between 5 s and 10 s: the good samples after it count only as far as the fewest reach.
    let down = held().happening_once().showing(AVAILABILITY, &[(5, 0.0)]);
    check(&down, CRITERION, Holds::No, "mean 66.67 over 15 s");
}

#[test]
fn a_mean_that_is_just_the_least_is_enough() {
    let all: Vec<(i64, f64)> = (1..=12).map(|fives| (fives * 5, 99.0)).chain([(70, 99.0)]).collect();

    check(&held().showing(AVAILABILITY, &all), CRITERION, Holds::Yes, "mean 99 over 1 min 2 s");
}

#[test]
fn what_was_before_the_call_is_not_in_the_mean() {
    let mut story = held().showing(AVAILABILITY, &[(60, 0.0)]);
    story.samples[11].at = at(-1);

    check(
        &story,
        CRITERION,
        Holds::Unknown,
        "mean 100 over 1 min 2 s from the first fault to recovery; known for 55 s",
    );
}

#[test]
fn an_unknown_sample_may_have_been_the_lowest_there_is() {
    let with = |least| {
        let mut story = held().blind(AVAILABILITY, &[5]);
        story.experiment().success =
            vec![Criterion::AvailabilityAtLeast { least, of: AVAILABILITY.try_into().unwrap() }];
        story
    };

    check(&with(99.0), CRITERION, Holds::Unknown, "known for 57 s; samples of 5 s failed and may be anything");
    check(&with(91.0), "mean of availability at least 91", Holds::Yes, "known for 57 s");
}

#[test]
fn an_unknown_sample_of_an_unbounded_value_may_be_anything() {
    let mut story = held().blind(LATENCY, &[5]);
    story.experiment().success = vec![Criterion::AvailabilityAtLeast { least: 1.0, of: LATENCY.try_into().unwrap() }];

    check(&story, "mean of order-latency-p99 at least 1", Holds::Unknown, "failed and may be anything");
}

#[test]
fn a_mean_of_too_few_samples_is_no_availability() {
    let mut story = held();
    story.experiment().observe.min_samples = 16;
    check(&story, CRITERION, Holds::Yes, "mean 100 over 1 min 42 s");

    story.experiment().observe.min_samples = 17;
    check(&story, CRITERION, Holds::Unknown, "17 known samples are needed");
}

#[test]
fn an_availability_of_no_probe_is_unknown() {
    let mut story = held();
    story.experiment().success = vec![Criterion::AvailabilityAtLeast { least: 1.0, of: "nothing".try_into().unwrap() }];

    check(&story, "mean of nothing at least 1", Holds::Unknown, "no probe `nothing`");
    assert_eq!(story.verdict(), Verdict::Inconclusive);
}

#[test]
fn a_value_that_tells_of_the_time_before_the_fault_is_no_sample_of_it() {
    let mut story = held().showing(LATENCY, &[(5, 900.0)]);
    for sample in &mut story.samples {
        sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(10));
    }

    // It tells of the 5 s that ended with the call. The next one ended after it, and is good: it does not count.
    check(&story, LATENCY, Holds::Unknown, "10 of 10 samples in tolerance (at most 200); known for 50 s of 1 min");
}

#[test]
fn the_last_value_that_was_read_of_a_datapoint_counts() {
    let of_one_datapoint = |first, second| {
        let mut story = held().showing(LATENCY, &[(20, first), (25, second)]);
        for sample in &mut story.samples {
            sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(5));
        }
        story.samples[4].readings[0].since = story.samples[3].readings[0].since;
        story
    };

    check(&of_one_datapoint(120.0, 900.0), LATENCY, Holds::No, "9 of 10 samples in tolerance (at most 200), 1 out");
    check(&of_one_datapoint(900.0, 120.0), LATENCY, Holds::Unknown, "10 of 10 samples");
}

#[test]
fn a_datapoint_that_a_later_sample_took_along_fills_the_hole_and_restates() {
    let fives = |story: &mut Story| {
        for sample in &mut story.samples {
            sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(5));
            sample.readings[0].until = Some(sample.at);
        }
    };
    let datapoint =
        |since, value| Datapoint { since: at(since), until: at(since + 5), reading: Reading::from_number(value) };
    let with = |earlier: Vec<Datapoint>| {
        let mut story = held();
        fives(&mut story);
        story.samples.retain(|sample| sample.at != at(30));
        story.samples[8].readings[0].earlier = earlier;
        story
    };

    check(&with(vec![]), LATENCY, Holds::Unknown, "10 of 10 samples in tolerance (at most 200); known for 50 s");
    check(
        &with(vec![datapoint(25, 120.0)]),
        LATENCY,
        Holds::Yes,
        "11 of 11 samples in tolerance (at most 200); known for 55 s",
    );
    check(&with(vec![datapoint(20, 900.0)]), LATENCY, Holds::No, "1 out");
}

#[test]
fn what_was_out_before_as_often_is_not_blamed_on_the_fault() {
    let with = |before: usize, during: &[(i64, f64)]| {
        let mut story = held().showing(LATENCY, during);
        let template = story.samples[0].clone();
        story.samples.extend((0..5).map(|number| {
            let mut sample = template.clone();
            (sample.stage, sample.number, sample.at) = (Stage::Baseline, number, at(-60 + 5 * i64::from(number)));
            let value = if number < u32::try_from(before).unwrap() { 390.0 } else { 150.0 };
            sample.readings[0].reading = Reading::from_number(value);
            sample
        }));
        story
    };
    let twice = [(25, 390.0), (50, 390.0)];
    let all: Vec<(i64, f64)> = (1..=12).map(|fives| (fives * 5, 390.0)).collect();

    check(&with(1, &twice), LATENCY, Holds::Unknown, "before the fault 1 of 5 were out as well");
    check(&with(0, &twice), LATENCY, Holds::No, "2 out");
    check(&with(1, &all), LATENCY, Holds::No, "12 out");
}

#[test]
fn an_answer_that_did_not_come_in_time_is_out_where_the_limit_is_no_longer() {
    let with = |waited: f64| {
        let mut story = held();
        *story.reading(LATENCY, 20) = Reading::MoreThan(waited.try_into().unwrap());
        story
    };

    check(&with(2000.0), LATENCY, Holds::No, "1 out; known for 57 s of 1 min; worst 2000");
    check(&with(200.0), LATENCY, Holds::No, "1 out");
    check(&with(199.0), LATENCY, Holds::Unknown, "1 unknown");
}

#[test]
fn a_datapoint_that_is_looked_at_twice_counts_once() {
    let mut story = held();
    for sample in &mut story.samples {
        sample.readings[0].since = Some(at(5));
    }

    assert!(story.judge().about(LATENCY).1.contains("known and"), "{}", story.judge().about(LATENCY).1);
}
