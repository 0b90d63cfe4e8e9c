//! What samples say, and of which time: a reading that does not say it can be believed too much.

use std::time::Duration;

use drill_model::faults::FaultKind;
use drill_model::host::Document;
use drill_model::observation::{AlarmState, ProbeReading, Reading, Sample, Stage as Part};
use drill_phases::ports::{Clock as _, HttpReading, Runs as _};
use drill_world::{HostPlane as _, Metric};
use jiff::{SignedDuration, Timestamp};
use stormdrill_tests::stage::{Journey, Stage, experiment};

const LATE: Document = Document::Fault(FaultKind::NetworkLatency);
const STOP: &str = "  stop_when: none";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
/// Every way to look at something.
const LOOKS: &str = "
steady_state:
  - { name: page, http: { url: 'http://orders/', measure: milliseconds, timeout: 2s }, tolerance: { at_most: 5000 } }
  - { name: other-page, http: { url: 'http://orders/other' }, tolerance: { at_least: 1 } }
  - { name: errors, prometheus: { query: 'sum(rate(errors[20s]))' }, covers: 20s, tolerance: { at_most: 5 } }
  - { name: budget, alarm: { name: budget }, covers: 40s, tolerance: { at_most: 0 } }
  - { name: healthy, host_health: { of: orders }, covers: 30s, tolerance: { at_least: 50 } }
";

fn samples(stage: &Stage, journey: &Journey, part: Part) -> Vec<Sample> {
    let read = stage.sim.play(stage.sim.world.samples(&journey.run.id));
    let all = read.expect("it is read").expect("the store answers");
    all.into_iter().filter(|sample| sample.stage == part).collect()
}

/// Of how much time a reading tells, and how long before its sample that ends.
fn tells(sample: &Sample, reading: &ProbeReading) -> (SignedDuration, SignedDuration) {
    let (since, until) = (reading.since.expect("it says since when"), reading.until.expect("it says until when"));
    (until.duration_since(since), sample.at.duration_since(until))
}

#[test]
fn every_reading_says_of_which_time_it_tells_and_slow_looks_wait_side_by_side() {
    let stage = Stage::new();
    let (world, clock) = (stage.sim.world.clone(), stage.sim.world.clone());
    stage.sim.world.set_alarm(&"budget".parse().expect("a name"), AlarmState::Ok);
    world.answer_prometheus(|_, _| Ok(0.0));
    let slow = stage.sim.hosts.clone();
    world.answer_http(move |probe| {
        let (world, hosts) = (clock.clone(), slow.clone());
        async move {
            world.sleep(Duration::from_secs(2)).await;
            let is_late = hosts.view().tagged("Service", "orders").any(|host| host.has(LATE));
            Ok(match probe.url.ends_with("other") {
                false if is_late => HttpReading::NoAnswer,
                true | false => HttpReading::Answered { status: 200, millis: 2_000.0 },
            })
        }
    });
    let text = experiment(SLOW, STOP);
    let (head, tail) = text.split_once("\nsteady_state:").expect("it has probes");
    let (_, tail) = tail.split_once("guards:").expect("it has guards");

    let journey = stage.play(&format!("{head}{LOOKS}guards:{tail}"));

    let during = samples(&stage, &journey, Part::Fault);
    assert!(during.len() > 10, "{}", during.len());
    for sample in &during {
        let [page, other, errors, budget, healthy] = sample.readings.as_slice() else { panic!("{sample:?}") };
        assert!(matches!(page.reading, Reading::MoreThan(limit) if limit.get() == 2_000.0), "{:?}", page.reading);
        let seconds = SignedDuration::from_secs;
        assert_eq!(tells(sample, page), (seconds(2), seconds(-2)));
        assert_eq!(tells(sample, other), (seconds(2), seconds(-2)));
        assert_eq!(tells(sample, errors), (seconds(20), seconds(0)));
        assert_eq!(tells(sample, budget), (seconds(40), seconds(0)));
        assert_eq!(tells(sample, healthy), (seconds(30), seconds(0)));
    }
}

#[test]
fn a_metric_that_is_sampled_less_often_than_it_is_published_is_told_without_a_gap() {
    let stage = Stage::new();
    let text = experiment(SLOW, STOP).replace("period: 5s", "period: 1s");

    let journey = stage.play(&text);

    let mut told: Vec<Timestamp> = samples(&stage, &journey, Part::Fault)
        .iter()
        .flat_map(|sample| &sample.readings)
        .filter(|reading| reading.probe.as_str() == "latency")
        .flat_map(|reading| reading.earlier.iter().map(|point| point.since).chain(reading.since))
        .collect();
    let count = told.len();
    told.sort();
    told.dedup();
    assert_eq!(told.len(), count, "each datapoint once");
    let gaps = told.windows(2).filter(|pair| pair[1].duration_since(pair[0]) != SignedDuration::from_secs(1)).count();
    assert!(count >= 60 && gaps == 0, "{count} datapoints, {gaps} gaps");
}

#[test]
fn the_plan_knows_how_late_a_metric_is_published_and_the_run_waits_for_the_last_value() {
    let stage = Stage::new();
    stage.sim.world.timing(|timing| timing.publishing = Duration::from_secs(9));

    let journey = stage.play(&experiment(SLOW, STOP));

    let read = stage.sim.play(stage.sim.world.plan(&journey.run.id));
    let plan = read.expect("it is read").expect("the store answers");
    let late = plan.baseline[0].published_after.expect("it was measured");
    // A datapoint comes when the first of its seconds is published, and is restated until the last one is.
    assert!((5..=14).contains(&late.as_seconds()), "{late}");
    let clean_at = journey.run.clean_at.expect("it was cleaned");
    let last = samples(&stage, &journey, Part::Recovery).pop().expect("somebody looked");
    assert!(
        last.at.duration_since(clean_at)
            >= SignedDuration::from_secs(5) + SignedDuration::from_millis(late.as_millis() as i64),
        "{} {clean_at}",
        last.at
    );
}

/// The experiment, with its latency read from a queue of values that stand here.
fn with_history(stage: &Stage, value: impl Fn(i64) -> f64, tolerance: &str) -> String {
    let now = stage.sim.world.now();
    for second in (0..7_200).step_by(10) {
        let at = now - Duration::from_secs(second);
        stage.sim.world.put_metric(&Metric::new("Orders", "Waiting"), at, value(second as i64));
    }
    experiment(SLOW, STOP)
        .replace("metric: Latency, statistic: p99, period: 5s", "metric: Waiting, statistic: Average, period: 10s")
        .replace("tolerance: { at_most: 200 }", tolerance)
}

#[test]
fn what_has_a_history_is_looked_at_once() {
    let stage = Stage::new();
    let text = with_history(&stage, |_| 50.0, "tolerance: { at_most: 200 }");
    let began = stage.sim.world.now();

    let journey = stage.play(&text);

    let read = stage.sim.play(stage.sim.world.plan(&journey.run.id));
    let plan = read.expect("it is read").expect("the store answers");
    let known: Vec<u32> = plan.baseline.iter().map(|baseline| baseline.known).collect();
    assert_eq!(known, [180, 180], "of a quarter of an hour, and of half an hour");
    assert_eq!(samples(&stage, &journey, Part::Baseline).len(), 1);
    assert!(plan.made_at.duration_since(began) < SignedDuration::from_secs(5));
}

#[test]
fn what_was_out_of_tolerance_too_often_in_its_history_is_not_broken_further() {
    let out_for_a_while = |second: i64| if (600..700).contains(&second) { 900.0 } else { 50.0 };
    for (tolerance, is_refused) in [("{ at_most: 200 }", true), ("{ at_most: 200, in_samples: 90% }", false)] {
        let stage = Stage::new();
        let text = with_history(&stage, out_for_a_while, &format!("tolerance: {tolerance}"));

        let journey = stage.play(&text);

        let said = format!("{:?}", journey.run.ending);
        // Nothing is measured there while the fault lasts, so that no verdict of it is good.
        assert_eq!(journey.verdict() == "refused", is_refused, "{said}");
        assert_eq!(said.contains("out: 10, of: 180"), is_refused, "{said}");
    }
}

/// A value that is about 50, and not the same twice.
fn noisy(second: i64) -> f64 {
    let mixed = (second as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    45.0 + 10.0 * (mixed >> 40) as f64 / f64::from(1 << 24)
}

/// What waits is measured while the run goes on, so much more while the fault is there.
fn measured_on(stage: &Stage, factor: f64) {
    let (world, hosts) = (stage.sim.world.clone(), stage.sim.hosts.clone());
    stage.sim.world.spawn(async move {
        for second in 0..3_600 {
            let is_late = hosts.view().tagged("Service", "orders").any(|host| host.has(LATE));
            let value = noisy(-second) * if is_late { factor } else { 1.0 };
            world.put_metric(&Metric::new("Orders", "Waiting"), world.now(), value);
            world.sleep(Duration::from_secs(1)).await;
        }
    });
}

const WORSE: &str = "  stop_when: [{ probe: latency, degraded: { by: 10%, alpha: 0.05 } }]";
const LONG: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 900s }";

#[test]
fn a_run_is_stopped_when_a_probe_is_worse_than_its_history_and_its_plan_says_what_it_can_see() {
    for (factor, verdict) in [(1.0, "supported"), (2.0, "aborted")] {
        let stage = Stage::new();
        let text = with_history(&stage, noisy, "tolerance: { at_most: 200 }");
        measured_on(&stage, factor);

        let journey = stage.play(&text.replace(STOP, WORSE).replace(SLOW, LONG));

        let said = format!("{:?}", journey.run.ending);
        assert_eq!(journey.verdict(), verdict, "{said}");
        assert_eq!(said.contains("worse than before by more than 10% (x"), factor > 1.0, "{said}");
        let read = stage.sim.play(stage.sim.world.plan(&journey.run.id));
        let plan = read.expect("it is read").expect("the store answers");
        let power = plan.baseline[1].power.expect("it has a history").to_string();
        assert!(power.starts_with("in 15 min a change to x1."), "{power}");
    }
}

#[test]
fn a_condition_that_could_not_see_the_end_of_the_tolerance_is_refused() {
    let stage = Stage::new();
    let text = with_history(&stage, noisy, "tolerance: { at_most: 56 }");
    measured_on(&stage, 1.0);

    let journey = stage.play(&text.replace(STOP, WORSE));

    assert_eq!(journey.verdict(), "refused");
    let said = format!("{:?}", journey.run.ending);
    assert!(said.contains("leaves its tolerance at x1.1"), "{said}");
}
