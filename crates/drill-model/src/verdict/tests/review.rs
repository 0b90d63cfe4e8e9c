//! Cases of a review: each is a story that a careless rule judges wrongly.

use super::super::fixture::{AVAILABILITY, LATENCY, Story, at, change, held};
use super::super::{Holds, RecoveryTime, Verdict};
use crate::experiment::{Criterion, PrometheusProbe, Source};
use crate::ledger::{Gone, State};
use crate::observation::{Reading, Sample, Stage};
use crate::quantity::{Percent, Span};
use jiff::SignedDuration;

fn never(story: &Story, verdict: Verdict, why: &str) {
    let judgement = story.judge();
    assert_ne!(judgement.verdict, verdict, "{why}: {judgement:#?}");
}

/// A sample: in which stage, at which second, the latency, the availability.
type Row = (Stage, i64, f64, f64);

fn in_fault(second: i64) -> Row {
    (Stage::Fault, second, 120.0, 100.0)
}

fn after(second: i64) -> Row {
    (Stage::Recovery, second, 120.0, 100.0)
}

fn down(stage: Stage, second: i64) -> Row {
    (stage, second, 9000.0, 0.0)
}

fn with_samples(mut story: Story, rows: impl IntoIterator<Item = Row>) -> Story {
    let template = story.samples[0].clone();
    let mut numbers = std::collections::BTreeMap::new();
    let sample = |(stage, second, latency, availability)| {
        let number = numbers.entry(stage).or_insert(0_u32);
        let mut sample = Sample { stage, number: *number, at: at(second), ..template.clone() };
        *number += 1;
        for (reading, value) in sample.readings.iter_mut().zip([latency, availability]) {
            reading.reading = Reading::from_number(value);
        }
        sample
    };
    story.samples = rows.into_iter().map(sample).collect();
    story
}

fn landed(story: &mut Story, row: usize, second: i64) {
    if let State::Undone { landed, .. } = &mut story.ledger[row].state {
        *landed = Some(at(second));
    }
}

fn gone(how: Gone) -> Story {
    let mut story = held();
    for row in &mut story.ledger {
        row.state = State::undone(Some(at(2)), how);
    }
    story
}

fn in_share(story: &mut Story, share: f64) {
    for probe in &mut story.experiment().steady_state {
        probe.tolerance.in_samples = Some(Percent::try_from(share).unwrap());
    }
}

fn availability_at_least(least: f64) -> Vec<Criterion> {
    vec![Criterion::AvailabilityAtLeast { least, of: AVAILABILITY.try_into().unwrap() }]
}

fn recovered_within(seconds: u64) -> Vec<Criterion> {
    vec![Criterion::RecoveryTimeAtMost(Span::seconds(seconds))]
}

#[test]
fn three_of_twelve_samples_are_no_pass() {
    let mut story = held();
    story.samples.retain(|sample| sample.stage == Stage::Recovery || sample.at >= at(50));

    never(&story, Verdict::Supported, "nobody looked for 48 of 60 s");
}

#[test]
fn a_fault_that_landed_four_seconds_before_its_end_is_no_drill() {
    let mut story = held();
    story.scope().pacing.every = Span::seconds(1);
    for row in [0, 1] {
        landed(&mut story, row, 58);
    }
    let story = with_samples(story, (0..=62).map(in_fault).chain([after(70), after(80)]));

    never(&story, Verdict::Supported, "asked for 60 s of fault, had 4 s");
}

#[test]
fn a_second_target_that_was_hit_one_second_before_the_end_was_not_hit() {
    let mut story = held();
    landed(&mut story, 1, 61);

    never(&story, Verdict::Supported, "for 59 of 60 s the fault was on one of two targets");
}

#[test]
fn a_fault_that_the_host_had_nothing_of_at_the_end_was_gone_before() {
    never(&gone(Gone::Absent), Verdict::Supported, "it was gone at an unknown instant before");
}

#[test]
fn a_target_that_disappeared_under_a_fault_had_it_for_an_unknown_time() {
    never(&gone(Gone::TargetGone), Verdict::Supported, "both targets disappeared at an unknown instant");
}

#[test]
fn the_harm_between_the_kill_and_the_look_that_saw_it_counts() {
    // Killed at 0 s, all of it down until 10 s, the answer read at 12 s.
    let mut story = held()
        .happening_once()
        .showing(AVAILABILITY, &[(5, 0.0), (10, 0.0)])
        .showing(LATENCY, &[(5, 9000.0), (10, 9000.0)]);
    for row in [0, 1] {
        landed(&mut story, row, 12);
    }
    story.experiment().success = [recovered_within(5), availability_at_least(99.0)].concat();

    assert_eq!(story.verdict(), Verdict::Refuted, "{:#?}", story.judge());
}

#[test]
fn a_reboot_is_broken_from_the_call_and_not_from_the_boot() {
    // The call at 0 s, the kernel boots at 40 s, the service is up at 55 s.
    let during = (1..=12).map(|n| if n < 8 { down(Stage::Fault, n * 5) } else { in_fault(n * 5) });
    let mut story = with_samples(held().happening_once(), during.chain((7..=10).map(|n| after(n * 10))));
    for row in &mut story.ledger {
        row.change = change(r#"{"kind": "instance-reboot"}"#);
        row.state = State::undone(Some(at(40)), Gone::Converged);
    }

    assert_eq!(story.verdict(), Verdict::Refuted, "it was at 0 from the call to the boot: {:#?}", story.judge());
}

#[test]
fn the_gap_between_two_faults_is_no_time_of_a_fault() {
    // One from 2 s to 12 s, the other from 52 s to 62 s. Whenever anything was broken, a sample was out.
    let mut story = held();
    story.ledger[0].ends_at = at(12);
    story.ledger[0].since = at(13);
    landed(&mut story, 1, 52);
    in_share(&mut story, 60.0);
    story.experiment().success.clear();
    let story = story
        .showing(LATENCY, &[(5, 900.0), (10, 900.0), (55, 900.0), (60, 900.0)])
        .showing(AVAILABILITY, &[(5, 0.0), (10, 0.0), (55, 0.0), (60, 0.0)]);

    never(&story, Verdict::Supported, "none of the samples with a fault was in tolerance; the gap had 8 of 12");
}

#[test]
fn a_look_that_takes_long_weighs_as_long_as_it_took() {
    // 30 s of one good look a second, then one of 30 s that fails.
    let mut story = held();
    in_share(&mut story, 90.0);
    story.experiment().success = availability_at_least(90.0);
    story.scope().pacing.every = Span::seconds(1);
    let looks = (2..=31).map(in_fault).chain([down(Stage::Fault, 32)]);
    let mut story = with_samples(story, looks.chain((7..=10).map(|n| after(n * 10))));
    for reading in &mut story.samples[30].readings {
        (reading.since, reading.until) = (Some(at(32)), Some(at(62)));
    }

    assert_eq!(story.verdict(), Verdict::Refuted, "down for 30 of 60 s: {:#?}", story.judge());

    // Without a word of how long it took, 29 s are unknown.
    for reading in &mut story.samples[30].readings {
        (reading.since, reading.until) = (None, None);
    }
    never(&story, Verdict::Supported, "nobody looked for 29 of 60 s");
}

#[test]
fn a_mean_does_not_weigh_a_second_like_a_minute() {
    // 60 s of fault at 100, looked at every 5 s, then 300 s at 0, looked at every 60 s: the truth is 17.
    let mut story = held();
    story.experiment().recovery.check_every = Span::seconds(60);
    story.experiment().recovery.within = Span::seconds(600);
    story.experiment().success = availability_at_least(60.0);
    let broken = (0..5).map(|n| down(Stage::Recovery, 66 + n * 60));
    let back = (5..8).map(|n| after(66 + n * 60));
    let story = with_samples(story, (1..=12).map(|n| in_fault(n * 5)).chain(broken).chain(back));

    assert_eq!(story.judge().about("mean of availability at least 60").0, Holds::No, "{:#?}", story.judge());
}

#[test]
fn one_datapoint_that_is_looked_at_twice_is_not_two_good_samples() {
    let mut story = held();
    story.samples.truncate(14);
    for sample in [12, 13] {
        story.samples[sample].readings[0].since = Some(at(66));
    }

    let recovery = story.judge().recovery;

    assert!(!matches!(recovery, RecoveryTime::Recovered { .. }), "{recovery:?}");
}

#[test]
fn a_fault_that_is_seen_to_be_gone_late_does_not_hide_how_long_it_took_to_be_back() {
    // The host's own timer removed it at 62 s, nobody could ask until 600 s, and the system was down until 500 s.
    let mut story = held();
    for row in &mut story.ledger {
        row.since = at(600);
    }
    let broken = (7..=50).map(|n| down(Stage::Recovery, n * 10));
    let mut story =
        with_samples(story, (1..=12).map(|n| in_fault(n * 5)).chain(broken).chain([after(610), after(620)]));
    story.experiment().success = recovered_within(60);

    assert_ne!(story.judge().about("recovered within 1m").0, Holds::Yes, "{:#?}", story.judge());
}

#[test]
fn between_two_looks_nothing_is_known() {
    // Gone at 65 s at the latest, and the first look at 70 s is good.
    let mut story = held();
    story.experiment().success = recovered_within(4);

    never(&story, Verdict::Refuted, "no look was ever bad");
}

#[test]
fn a_first_datapoint_that_comes_late_does_not_refute() {
    // Datapoints of 60 s: the first whole one after the fault is of 120 s to 180 s.
    let mut story = held();
    if let Source::CloudWatch(metric) = &mut story.experiment().steady_state[0].source {
        metric.period = Span::seconds(60);
    }
    let mut story = with_samples(story, (1..=12).map(|n| in_fault(n * 5)).chain((7..=25).map(|n| after(n * 10))));
    for sample in &mut story.samples {
        let second = sample.at.as_second() - at(0).as_second();
        sample.readings[0].since = Some(at((second - 65).div_euclid(60) * 60));
    }

    assert_ne!(story.judge().about("recovered within 1m").0, Holds::No, "{:#?}", story.judge());
}

#[test]
fn one_look_right_after_the_fault_is_not_all_of_the_time_to_recover() {
    let mut story = held();
    story.experiment().recovery.within = Span::seconds(300);
    story.experiment().recovery.check_every = Span::seconds(300);
    story.experiment().recovery.good_samples = 1;
    story.experiment().success.clear();
    let look = (Stage::Recovery, 66, 900.0, 100.0);
    let story = with_samples(story, (1..=12).map(|n| in_fault(n * 5)).chain([look]));

    never(&story, Verdict::Refuted, "for 299 s of its time nobody looked");
}

#[test]
fn noise_that_the_tolerance_allows_is_no_relapse() {
    // Killed at 2 s and back at once; one of sixteen samples is out at 60 s.
    let mut story = held().happening_once().showing(LATENCY, &[(60, 201.0)]);
    story.experiment().steady_state[0].tolerance.in_samples = Some(Percent::try_from(90.0).unwrap());
    story.experiment().success = recovered_within(30);

    assert_eq!(story.judge().about("recovered within 30s").0, Holds::Yes, "{:#?}", story.judge());
    never(&story, Verdict::Refuted, "what was out is no more than the author called enough");
}

#[test]
fn what_was_out_before_the_fault_is_not_the_faults_doing() {
    // One of five out before, two of twelve with the fault.
    let mut story = held().showing(LATENCY, &[(25, 390.0), (50, 390.0)]);
    let template = story.samples[0].clone();
    story.samples.extend((0..5).map(|number| {
        let mut sample = template.clone();
        (sample.stage, sample.number, sample.at) = (Stage::Baseline, number, at(-60 + 5 * i64::from(number)));
        sample.readings[0].reading = Reading::from_number(if number == 4 { 390.0 } else { 150.0 });
        sample
    }));

    never(&story, Verdict::Refuted, "p = 0.8: the fault changed nothing");
}

#[test]
fn requests_that_timed_out_are_known_to_be_slower_than_the_limit() {
    let mut story = held();
    for second in 1..=12 {
        *story.reading(LATENCY, second * 5) = Reading::MoreThan(2000.0.try_into().unwrap());
    }

    assert_eq!(story.verdict(), Verdict::Refuted, "{:#?}", story.judge());
}

#[test]
fn one_host_of_many_that_refused_does_not_hide_a_breach() {
    let mut story = held().showing(LATENCY, &[(20, 900.0), (25, 900.0)]).showing(AVAILABILITY, &[(20, 0.0), (25, 0.0)]);
    story.ledger[1].state = State::NeverMade { why: "no netem".into() };

    assert_eq!(story.verdict(), Verdict::Refuted, "{:#?}", story.judge());
}

#[test]
fn the_recovery_of_what_happens_once_counts_from_the_call() {
    let mut story = held().happening_once();
    for row in [0, 1] {
        landed(&mut story, row, 30);
    }
    let story = story.showing(LATENCY, &[(5, 900.0), (10, 900.0), (15, 900.0), (20, 900.0), (25, 900.0)]);

    let RecoveryTime::Recovered { at_most, .. } = story.judge().recovery else { panic!("{:#?}", story.judge()) };
    assert!(at_most >= Span::seconds(25), "it was bad until 25 s: {at_most}");
}

#[test]
fn a_rate_over_five_minutes_does_not_tell_of_five_seconds() {
    let mut story = held();
    story.experiment().steady_state[0].source =
        Source::Prometheus(PrometheusProbe { query: "sum(rate(http_requests_total{code=~\"5..\"}[5m]))".into() });
    for sample in &mut story.samples {
        sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(300));
    }

    let judgement = story.judge();
    assert!(!judgement.about(LATENCY).1.contains("shorter than 5 s"), "{judgement:#?}");
    assert_eq!(judgement.about(LATENCY).0, Holds::Unknown);
}

#[test]
fn how_old_the_values_are_is_told() {
    // Every value is 15 s old when it is read: of the fault's 2 s to 62 s they tell of 5 s to 50 s only.
    let mut story = held();
    for sample in &mut story.samples {
        sample.readings[0].since = Some(sample.at - SignedDuration::from_secs(15));
    }
    story.samples.retain(|sample| sample.stage == Stage::Fault || sample.at >= at(80));

    let judgement = story.judge();
    let (holds, text) = judgement.about(LATENCY);
    assert_eq!(holds, Holds::Unknown);
    assert!(text.contains("known for 45 s of 1 min"), "{text}");
}
