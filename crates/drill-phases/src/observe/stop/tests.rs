use drill_model::ledger::State;
use drill_model::observation::{AlarmReading, AlarmState, Datapoint, Finite, ProbeReading, Stage};
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::fixtures::{self, at};

const GUARDS: &str = "
  stop_when:
    - { probe: latency, above_baseline: 2.0x, for_samples: 3 }
    - { alarm: budget }";
const LIMIT: &str = "
  stop_when:
    - { probe: latency, above: 500, for_samples: 3 }";

fn sample(at: Timestamp, latency: ProbeReading, alarm: AlarmState) -> Sample {
    Sample {
        stage: Stage::Fault,
        number: 0,
        at,
        readings: vec![latency],
        alarms: vec![AlarmReading { alarm: "budget".parse().unwrap(), state: alarm }],
        faults: Vec::new(),
    }
}

fn reading(value: Option<f64>) -> Reading {
    value.map_or_else(|| Reading::unknown("no datapoint"), Reading::from_number)
}

fn told(reading: Reading, since: Timestamp, until: Timestamp) -> ProbeReading {
    let probe = "latency".parse().unwrap();
    ProbeReading { probe, reading, since: Some(since), until: Some(until), earlier: Vec::new() }
}

/// Looks, one every five seconds.
fn looks(values: &[Option<f64>], alarm: AlarmState) -> Vec<Sample> {
    let look = |(number, value): (i64, &Option<f64>)| {
        let at = at(5 * number);
        sample(at, told(reading(*value), at, at), alarm.clone())
    };
    (0..).zip(values).map(look).collect()
}

/// A sample at this second, whose newest datapoint is of the minute that begins at `since`.
fn of_minute(second: i64, value: f64, since: i64) -> Sample {
    sample(at(second), told(reading(Some(value)), at(since), at(since + 60)), AlarmState::Ok)
}

/// A plan whose probe is read from CloudWatch, in minutes.
fn in_minutes() -> Plan {
    let mut plan = fixtures::plan(LIMIT, 100.0);
    let probe = json!({
        "name": "latency",
        "cloudwatch": { "namespace": "Orders", "metric": "Latency", "statistic": "p99", "period": "60s" },
        "tolerance": { "at_most": 500.0 },
    });
    plan.scope.experiment.steady_state = vec![serde_json::from_value(probe).unwrap()];
    plan
}

/// How the run is stopped after these samples. Its fault landed at the second 0.
fn stops(plan: &Plan, samples: &[Sample]) -> Option<Ending> {
    let rows = [fixtures::row(plan, State::Landed { at: at(0) })];
    Guards::of(plan, &rows, Armed { from: at(0), deadline: at(3600) }, Vec::new())
        .reason(samples)
        .map(|(ending, _)| ending)
}

fn check(latencies: &[Option<f64>], alarm: AlarmState) -> Option<Ending> {
    stops(&fixtures::plan(GUARDS, 100.0), &looks(latencies, alarm))
}

fn is_breached(ending: Option<Ending>) -> bool {
    matches!(ending, Some(Ending::Breached { .. }))
}

fn is_blind(ending: Option<Ending>) -> bool {
    matches!(ending, Some(Ending::Blind { .. }))
}

#[test]
fn a_breach_stops_only_after_so_many_samples_in_a_row() {
    assert_eq!(check(&[Some(201.0), Some(201.0)], AlarmState::Ok), None);
    assert_eq!(check(&[Some(201.0), Some(199.0), Some(201.0), Some(201.0)], AlarmState::Ok), None);
    assert!(is_breached(check(&[Some(201.0); 3], AlarmState::Ok)));
}

#[test]
fn exactly_the_limit_is_no_breach() {
    assert_eq!(check(&[Some(200.0); 5], AlarmState::Ok), None);
}

#[test]
fn an_alarm_stops_at_once_and_so_does_one_that_is_gone() {
    assert!(is_breached(check(&[Some(1.0)], AlarmState::InAlarm)));
    assert!(is_breached(check(&[Some(1.0)], AlarmState::Missing)));
}

#[test]
fn data_that_is_missing_for_three_samples_stops_the_run() {
    assert_eq!(check(&[None, None], AlarmState::Ok), None);
    assert!(is_blind(check(&[None, None, None], AlarmState::Ok)));
    assert!(is_blind(check(&[Some(1.0); 3], AlarmState::InsufficientData)));
}

#[test]
fn a_lost_sample_neither_breaks_nor_completes_a_row() {
    assert_eq!(check(&[Some(201.0), None, Some(201.0)], AlarmState::Ok), None);
    assert!(is_breached(check(&[Some(201.0), None, Some(201.0), Some(201.0)], AlarmState::Ok)));
}

#[test]
fn an_outage_whose_every_third_value_is_missing_is_stopped() {
    let values: Vec<Option<f64>> = (0..600).map(|n| (n % 3 != 2).then_some(9000.0)).collect();

    let samples = looks(&values, AlarmState::Ok);

    let stopped = (1..=samples.len()).find(|taken| stops(&fixtures::plan(LIMIT, 100.0), &samples[..*taken]).is_some());
    assert_eq!(stopped, Some(4), "two bad, one lost, one bad");
}

#[test]
fn so_many_unknown_of_the_last_ones_is_blind_although_they_are_not_in_a_row() {
    let lost = |lost: &[usize]| -> Vec<Option<f64>> { (0..9).map(|n| (!lost.contains(&n)).then_some(1.0)).collect() };

    assert_eq!(check(&lost(&[2, 5, 8]), AlarmState::Ok), None, "three of seven");
    assert!(is_blind(check(&lost(&[4, 6, 8]), AlarmState::Ok)), "three of five");
}

#[test]
fn one_datapoint_that_is_looked_at_three_times_is_one() {
    let samples: Vec<Sample> = (0..3).map(|n| of_minute(65 + 5 * n, 600.0, 0)).collect();

    assert_eq!(stops(&in_minutes(), &samples), None);
    let three = [of_minute(65, 600.0, 0), of_minute(125, 600.0, 60), of_minute(185, 600.0, 120)];
    assert!(is_breached(stops(&in_minutes(), &three)));
}

#[test]
fn a_datapoint_from_before_the_fault_stops_nothing() {
    let samples: Vec<Sample> = (0..3).map(|n| of_minute(60 * n + 5, 600.0, 60 * n - 60)).collect();

    assert_eq!(stops(&in_minutes(), &samples), None, "the first of the three began before the fault");
}

#[test]
fn three_looks_in_nine_minutes_are_no_row() {
    let far_apart = |second| sample(at(second), told(reading(Some(600.0)), at(second), at(second)), AlarmState::Ok);

    let samples = [0, 240, 540].map(far_apart);

    assert!(is_blind(stops(&fixtures::plan(LIMIT, 100.0), &samples)));
}

#[test]
fn a_value_that_is_restated_counts_as_what_it_is_now() {
    let mut third = of_minute(185, 600.0, 120);
    let restated = |value: f64| Datapoint { since: at(60), until: at(120), reading: reading(Some(value)) };
    third.readings[0].earlier = vec![restated(100.0)];
    let samples = [of_minute(65, 600.0, 0), of_minute(125, 600.0, 60), third.clone()];
    assert_eq!(stops(&in_minutes(), &samples), None, "the second one turned out to be good");

    third.readings[0].earlier = vec![restated(600.0)];
    let samples = [of_minute(65, 600.0, 0), of_minute(125, 100.0, 60), third];
    assert!(is_breached(stops(&in_minutes(), &samples)), "the second one turned out to be bad");
}

#[test]
fn a_datapoint_that_came_late_is_part_of_the_row() {
    let mut last = of_minute(185, 600.0, 120);
    last.readings[0].earlier = vec![Datapoint { since: at(60), until: at(120), reading: reading(Some(600.0)) }];

    assert!(is_breached(stops(&in_minutes(), &[of_minute(65, 600.0, 0), last])));
}

#[test]
fn a_request_that_was_not_answered_in_time_is_beyond_a_limit_that_is_shorter() {
    let silent = |millis: f64| -> Vec<Sample> {
        let more = Reading::MoreThan(Finite::try_from(millis).unwrap());
        (0..3).map(|n| sample(at(5 * n), told(more.clone(), at(5 * n), at(5 * n + 2)), AlarmState::Ok)).collect()
    };

    assert!(is_breached(stops(&fixtures::plan(LIMIT, 100.0), &silent(2000.0))));
    assert!(is_blind(stops(&fixtures::plan(LIMIT, 100.0), &silent(400.0))), "it may be 450 or 600");
}

#[test]
fn while_another_fault_is_made_nobody_looks_and_nothing_is_lost() {
    let plan = fixtures::plan(LIMIT, 100.0);
    let second = |from, to| {
        let mut row = fixtures::row(&plan, State::Landed { at: at(to) });
        row.intended_at = at(from);
        row
    };
    let samples: Vec<Sample> =
        [0, 5, 125].map(|s| sample(at(s), told(reading(Some(1.0)), at(s), at(s)), AlarmState::Ok)).to_vec();
    let armed = Armed { from: at(0), deadline: at(3600) };

    let stops = |rows: &[Row]| Guards::of(&plan, rows, armed, Vec::new()).reason(&samples).map(|(ending, _)| ending);

    assert_eq!(stops(&[second(0, 0), second(7, 124)]), None);
    assert!(is_blind(stops(&[second(0, 0)])));
}

#[test]
fn it_remembers_as_many_samples_as_a_row_of_minutes_may_be_long() {
    let plan = in_minutes();
    let guards = Guards::of(&plan, &[], Armed { from: at(0), deadline: at(3600) }, Vec::new());

    // Three minutes and three lost between each two, and the six of a window, as they are sampled every five seconds.
    assert!((18 * 12..25 * 12).contains(&guards.memory()), "{}", guards.memory());
}

/// Noise that is the same each time: a positive value around `middle`, a fifth of it up or down, rarely more.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn around(&mut self, middle: f64) -> f64 {
        let sum: f64 = (0..12).map(|_| self.next()).sum();
        middle * (0.2 * (sum - 6.0)).exp()
    }
}

/// After how many datapoints of a fault that makes the probe so much worse the run is stopped, if it is within so many.
fn stopped_after(seed: u64, factor: f64, datapoints: i64) -> Option<i64> {
    let mut plan = in_minutes();
    let condition = json!([{ "probe": "latency", "degraded": { "by": "10%", "alpha": 0.05 } }]);
    plan.scope.experiment.guards.stop_when = serde_json::from_value(condition).unwrap();
    let mut noise = Noise(seed);
    let before = (-180..0).map(|n| of_minute(60 * n + 60, noise.around(100.0), 60 * n)).collect();
    let rows = [fixtures::row(&plan, State::Landed { at: at(0) })];
    let guards = Guards::of(&plan, &rows, Armed { from: at(0), deadline: at(36_000) }, before);
    let mut samples = Vec::new();
    (1..=datapoints).find(|n| {
        samples.push(of_minute(60 * n, noise.around(100.0 * factor), 60 * n - 60));
        is_breached(guards.reason(&samples).map(|(ending, _)| ending))
    })
}

#[test]
fn a_condition_on_what_was_before_stops_few_healthy_runs_and_most_that_got_worse() {
    let runs = 100;
    let stopped = |factor: f64| (0..runs).filter(|seed| stopped_after(seed + 1, factor, 60).is_some()).count();

    let (healthy, slightly, worse) = (stopped(1.0), stopped(1.05), stopped(1.5));

    println!("of {runs} runs of 60 datapoints: {healthy} stopped as before, {slightly} at x1.05, {worse} at x1.5");
    assert!(healthy <= 5 && slightly <= 5, "{healthy} and {slightly}: more than one in twenty");
    assert!(worse >= 95, "{worse}");
}

#[test]
fn a_condition_on_what_was_before_needs_something_from_before() {
    let mut plan = in_minutes();
    let condition = json!([{ "probe": "latency", "degraded": { "by": "10%" } }]);
    plan.scope.experiment.guards.stop_when = serde_json::from_value(condition).unwrap();

    assert!(is_blind(stops(&plan, &[of_minute(65, 100.0, 0)])));
}
