//! The sweep ring: a whole run, with call n failing, for every n and every way to fail. Nothing may be left.
//!
//! A run is played once and its calls are counted; then it is played again for each call and each kind of failure, time
//! passes, and the oracle of the world is asked. A method of a port that no run ever calls fails the ring.

mod pairs;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_local::Controls;
use drill_world::{At, Disturbance, First, Kind, Method};
use stormdrill_tests::stage::{Journey, Stage, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";

/// What is played. Together they call every method that a phase or the janitor calls.
const SCENARIOS: [(&str, &str); 5] = [
    ("a host fault", "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 20s }"),
    ("an instance that is stopped", "  - { name: off, kind: instance-stop, on: orders, duration: 30s }"),
    (
        "an instance that is terminated, and one that is rebooted",
        "  - { name: gone, kind: instance-terminate, on: orders, irreversible: accepted, duration: 20s }\n  - { name: boot, kind: instance-reboot, on: database, duration: 20s }",
    ),
    (
        "a fault that is aborted",
        "  - { name: frozen, kind: process-pause, on: database, process: database, duration: 60s }",
    ),
    ("a subnet that is cut off", "  - { name: dark, kind: subnet-partition, on: zone-a, traffic: all, duration: 20s }"),
];

/// Every way to fail, once.
fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("refused", Kind::Refused),
        ("throttled", Kind::Throttled),
        ("reply lost after the effect", Kind::LostReply),
        ("delivered twice", Kind::DeliveredTwice),
        ("killed before", Kind::KilledBefore),
        ("killed after", Kind::KilledAfter),
        ("stopped, the janitor first", Kind::Stop { first: First::Janitor, event_lost: false }),
        ("stopped, the zombie first", Kind::Stop { first: First::Zombie, event_lost: false }),
        ("stopped, and the event lost", Kind::Stop { first: First::Zombie, event_lost: true }),
        ("a minute late", Kind::Slow(Duration::from_secs(60))),
        ("a stale read", Kind::StaleRead),
    ]
}

/// Plays a scenario in which these things go wrong.
fn play(fault: &str, disturbances: &[Disturbance]) -> (Stage, Journey) {
    let stage = Stage::new();
    let journey = play_on(&stage, fault, disturbances, &Controls::default());
    (stage, journey)
}

/// Plays a scenario on a stage of its own, every function called as the controls say.
fn play_on(stage: &Stage, fault: &str, disturbances: &[Disturbance], controls: &Controls) -> Journey {
    for disturbance in disturbances {
        stage.sim.world.disturb(*disturbance);
    }
    // Short faults with short datapoints: what is covered of them is enough for a verdict, and there are few calls.
    let text = experiment(fault, STOP)
        .replace("observe: { every: 5s }", "observe: { every: 5s, baseline_samples: 1, min_samples: 1 }")
        .replace("period: 5s", "period: 1s");
    stage.play_with(&text, controls)
}

/// What speaks against the promises at the end of a run that was disturbed. It never shows more than the one that was
/// not, and its end is always told.
fn objections(stage: &Stage, journey: &Journey, undisturbed: &str) -> Vec<String> {
    let mut all = stage.objections();
    match journey.verdict().as_str() {
        "supported" if undisturbed == "supported" => {}
        "aborted" | "refused" | "inconclusive" | "invalid" | "stuck" | "refuted" => {}
        other => all.push(format!("the verdict is {other}")),
    }
    all
}

/// The calls to disturb, by number. The sweep asks every minute whether anything is overdue: a few of those are enough.
fn numbers(stage: &Stage) -> Vec<(u64, Method)> {
    let mut asked = 0;
    let mut all: Vec<(u64, Method)> =
        (1..).zip(stage.sim.world.call_log()).map(|(at, call)| (at, call.method)).collect();
    all.retain(|(_, method)| {
        asked += u32::from(*method == Method::Overdue);
        *method != Method::Overdue || asked <= 3
    });
    all
}

fn sweep(scenario: usize) {
    let (name, fault) = SCENARIOS[scenario];
    let (stage, journey) = play(fault, &[]);
    let undisturbed = journey.verdict();
    assert_eq!(stage.objections(), Vec::<String>::new(), "{name}, undisturbed");
    assert!(
        ["supported", "aborted"].contains(&undisturbed.as_str()),
        "{name}: {undisturbed}: {:#?}",
        journey.run.judgement
    );
    let calls = numbers(&stage);

    let mut all: Vec<String> = Vec::new();
    let mut played = 0;
    for (number, method) in &calls {
        for (how, kind) in kinds() {
            let (stage, journey) = play(fault, &[Disturbance { at: At::Call(*number), kind }]);
            if !stage.sim.world.disturbed().iter().any(|hit| hit.applied) {
                continue;
            }
            played += 1;
            let here = format!("{name}: call {number} ({method:?}) {how}");
            let told = objections(&stage, &journey, &undisturbed);
            all.extend(told.into_iter().map(|objection| format!("{here}: {objection}")));
        }
    }
    assert!(all.is_empty(), "{} objections to {played} disturbed runs: {:#?}", all.len(), &all[..all.len().min(20)]);
    println!("{name}: {} calls, {played} disturbed runs", calls.len());
}

#[test]
fn whatever_fails_once_a_host_fault_is_gone() {
    sweep(0);
}

#[test]
fn whatever_fails_once_a_stopped_instance_runs_again() {
    sweep(1);
}

#[test]
fn whatever_fails_once_what_happens_once_is_not_done_twice() {
    sweep(2);
}

#[test]
fn whatever_fails_once_an_aborted_fault_is_gone() {
    sweep(3);
}

#[test]
fn whatever_fails_once_a_subnet_is_whole_again() {
    sweep(4);
}

#[test]
fn every_method_of_the_ports_is_swept() {
    let mut hit: BTreeSet<Method> = BTreeSet::new();
    let mut all: BTreeMap<Method, u64> = BTreeMap::new();
    for (_, fault) in SCENARIOS {
        let (stage, _) = play(fault, &[]);
        all = stage.sim.world.coverage();
        hit.extend(all.iter().filter(|(_, times)| **times > 0).map(|(method, _)| *method));
    }
    // Stored experiments, task tokens, alarms, Prometheus, HTTP and groups are called by journeys of their own: they
    // come before anything is broken, or are samples, whose failure is a reading that is unknown.
    let elsewhere = [
        Method::Experiment,
        Method::KeepToken,
        Method::Token,
        Method::Resume,
        Method::Alarms,
        Method::Prometheus,
        Method::Http,
        Method::Group,
        Method::Overdue,
    ];

    let missed: Vec<&Method> =
        all.keys().filter(|method| !hit.contains(*method) && !elsewhere.contains(method)).collect();

    assert!(missed.is_empty(), "no scenario calls {missed:?}");
}
