//! Runs that go their whole way: supported, refuted, inconclusive, invalid.

use std::time::Duration;

use drill_model::faults::ec2::InstanceState;
use drill_model::ids::InstanceId;
use drill_model::ledger::State;
use drill_model::verdict::{RecoveryTime, Verdict};
use drill_phases::ports::Class;
use drill_world::{HostSpec, Outage};
use stormdrill_tests::stage::{Stage, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";

const WHOLE_WAY: [&str; 14] = [
    "Prepare",
    "Prepared",
    "Announce",
    "Inject",
    "Injected",
    "Observe",
    "Decide",
    "Recover",
    "Recovered",
    "Validate",
    "Validated",
    "Report",
    "Outcome",
    "Supported",
];

fn check(fault: &str, verdict: &str) -> Stage {
    let stage = Stage::new();

    let journey = stage.play(&experiment(fault, STOP));

    assert_eq!(journey.verdict(), verdict, "{:#?}", journey.run.judgement);
    assert_eq!(stage.objections(), Vec::<String>::new());
    stage
}

#[test]
fn a_fault_that_the_service_survives_supports_the_hypothesis() {
    let stage = Stage::new();

    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
    let journey = stage.play(&experiment(fault, STOP));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run.judgement);
    let mut path = journey.path();
    path.dedup();
    let path: Vec<_> = path.into_iter().filter(|state| WHOLE_WAY.contains(state)).collect();
    assert_eq!(path[..7], WHOLE_WAY[..7]);
    assert_eq!(path.last(), Some(&"Supported"));
    assert_eq!(stage.objections(), Vec::<String>::new());
    let rows = stage.rows(&journey);
    assert!(rows.iter().all(|row| matches!(row.state, State::Undone { landed: Some(_), .. })), "{rows:#?}");
}

#[test]
fn a_turn_that_has_nothing_to_look_at_waits_and_does_not_come_back_at_once() {
    let stage = Stage::new();

    // Looks are due every 5 s, and this fault lands after a second: it ends half a second after one.
    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 59500ms }";
    let journey = stage.play(&experiment(fault, STOP));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run.judgement);
    let turns = journey.execution.ended.path.iter().filter(|state| *state == "Observe").count();
    assert_eq!(turns, 13, "one for each look from 0 s to 60 s");
}

#[test]
fn a_report_that_could_not_be_stored_is_stored_when_it_can_be() {
    let stage = Stage::new();
    let from = stage.sim.now();
    let until = from + Duration::from_secs(900);
    stage.sim.world.outage(Outage { api: "s3:", actor: None, from, until, class: Class::Transient });

    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
    let journey = stage.play(&experiment(fault, STOP));

    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Unreported"));
    assert_eq!(journey.run.judgement.as_ref().map(|judgement| judgement.verdict), Some(Verdict::Supported));
    assert!(journey.run.reported_at.is_some_and(|at| at > until), "{:?}", journey.run.reported_at);
    let files: Vec<String> = stage.sim.world.reports(&journey.run.id).into_keys().collect();
    assert_eq!(files, ["junit.xml", "report.html", "report.json", "report.md"]);
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn every_host_fault_comes_and_goes() {
    for fault in [
        "kind: process-kill, process: orders, signal: term",
        "kind: process-pause, process: orders",
        "kind: service-stop, service: orders",
        "kind: cpu-stress, load: 80%",
        "kind: memory-stress, fill: 50%",
        "kind: io-stress, workers: 2, megabytes: 64",
        "kind: disk-fill, fill: 90%",
        "kind: network-latency, delay: 100ms",
        "kind: network-loss, loss: 7%, direction: egress",
        "kind: network-blackhole, direction: egress, port: 5432",
    ] {
        check(&format!("  - {{ name: harm, on: orders, duration: 60s, {fault} }}"), "supported");
    }
}

#[test]
fn a_stopped_instance_is_started_again() {
    let stage = check("  - { name: off, kind: instance-stop, on: orders, duration: 60s }", "supported");

    let states = stage_states(&stage);
    assert!(states.iter().all(|state| *state == InstanceState::Running));
}

fn stage_states(stage: &Stage) -> Vec<InstanceState> {
    stage.sim.world.instances().into_iter().map(|instance| instance.state).collect()
}

#[test]
fn a_rebooted_instance_is_seen_to_have_booted() {
    check("  - { name: boot, kind: instance-reboot, on: orders, duration: 120s }", "supported");
}

#[test]
fn a_terminated_instance_stays_so_and_the_rest_serves() {
    check(
        "  - { name: gone, kind: instance-terminate, on: orders, irreversible: accepted, duration: 60s }",
        "supported",
    );
}

#[test]
fn a_probe_outside_its_tolerance_refutes_the_hypothesis() {
    let stage = Stage::new();

    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
    let journey = stage.play(&experiment(fault, STOP).replace("at_most: 200", "at_most: 120"));

    assert_eq!(journey.verdict(), "refuted");
    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Refuted"));
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn a_fault_that_does_not_land_is_never_a_pass() {
    let stage = Stage::new();
    for id in &stage.orders {
        stage.sim.hosts.quirks(id, |quirks| quirks.never_lands = true);
    }

    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
    let journey = stage.play(&experiment(fault, STOP));

    assert_eq!(journey.verdict(), "invalid");
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn a_host_that_says_nothing_is_never_a_pass() {
    let stage = Stage::new();
    let quiet = |id: &InstanceId, mute: bool| stage.sim.hosts.quirks(id, |quirks| quirks.mute = mute);

    let fault = "  - { name: gone, kind: instance-stop, on: orders, duration: 60s }\n  - { name: slow, kind: network-latency, on: database, delay: 100ms, duration: 30s }";
    // Every host is heard by the canary; then the database falls silent, and its fault cannot be seen to land.
    let database = stage.sim.hosts.add(&HostSpec::new());
    quiet(&database, true);
    let journey = stage.play(&experiment(fault, STOP));

    assert_ne!(journey.verdict(), "refuted");
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn the_first_drill_needs_no_metric_and_is_supported() {
    let stage = Stage::new();
    // The stage's hosts have other names.
    let hello = include_str!("../../experiments/hello/experiment.yaml").replace("order-service", "orders");

    let journey = stage.play(&hello);

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn the_recovery_is_measured() {
    let stage = Stage::new();

    let fault = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
    let journey = stage.play(&experiment(fault, STOP));

    let recovery = journey.run.judgement.unwrap().recovery;
    assert!(matches!(recovery, RecoveryTime::Recovered { at_most, .. } if at_most.as_seconds() <= 40), "{recovery:?}");
}
