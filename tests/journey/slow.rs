//! Hosts and instances that take their time: a run waits for what is on its way, and its end is the regular one.

use std::time::Duration;

use crate::holds::after_landing;
use drill_model::ledger::State;
use drill_model::run::Ending;
use drill_world::Kind;
use drill_world::{At, Disturbance, Method};
use stormdrill_tests::stage::{Journey, Stage, experiment};

const STOP: &str = "  stop_when: none";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";

/// Nothing is left, every change is put back, and nobody aborted anything.
fn regular(stage: &Stage, journey: &Journey) {
    assert_eq!(stage.objections(), Vec::<String>::new());
    assert_eq!(journey.run.ending, Some(Ending::Completed), "{:?}", journey.path());
    assert!(!journey.path().contains(&"Rollback"), "{:?}", journey.path());
    let rows = stage.rows(journey);
    assert!(rows.iter().all(|row| matches!(row.state, State::Undone { .. })), "{rows:#?}");
}

#[test]
fn a_host_that_gets_every_order_late_is_heard() {
    for seconds in [25, 60, 110] {
        let stage = Stage::new();
        let world = stage.sim.world.clone();
        after_landing(&stage, 10, move |_| world.timing(|timing| timing.delivery = Duration::from_secs(seconds)));

        let journey = stage.play(&experiment(SLOW, STOP));

        regular(&stage, &journey);
    }
}

#[test]
fn a_run_that_ends_while_its_hosts_get_orders_late_ends_regularly() {
    let stage = Stage::new();
    stage.sim.world.timing(|timing| timing.delivery = Duration::from_secs(25));

    let journey = stage.play(&experiment(SLOW, STOP));

    regular(&stage, &journey);
}

#[test]
fn a_late_host_does_not_end_the_other_faults_of_its_run() {
    let stage = Stage::new();
    stage.sim.world.timing(|timing| timing.delivery = Duration::from_secs(25));
    let more = "\n  - { name: slower, kind: network-latency, on: database, delay: 100ms, duration: 200s }";

    let journey = stage.play(&experiment(&format!("{SLOW}{more}"), STOP));

    regular(&stage, &journey);
}

#[test]
fn an_instance_that_takes_minutes_to_start_ends_its_run_regularly() {
    let stage = Stage::new();
    stage.sim.hosts.timing(|timing| {
        timing.stopping = Duration::from_secs(70);
        timing.boot = Duration::from_secs(200);
    });

    let journey = stage.play(&experiment("  - { name: off, kind: instance-stop, on: orders, duration: 30s }", STOP));

    regular(&stage, &journey);
}

#[test]
fn an_undo_that_is_refused_goes_to_rollback_at_once() {
    let stage = Stage::new();
    stage.sim.hosts.timing(|timing| timing.boot = Duration::from_secs(60));
    for nth in 1..=12 {
        stage.sim.world.disturb(Disturbance { at: At::Nth(Method::Heal, nth), kind: Kind::Refused });
    }

    let journey = stage.play(&experiment("  - { name: off, kind: instance-stop, on: orders, duration: 30s }", STOP));

    assert_eq!(stage.objections(), Vec::<String>::new());
    let path = journey.path();
    assert!(path.contains(&"Rollback"), "{path:?}");
    let recovered = path.iter().filter(|state| **state == "Recover").count();
    assert_eq!(recovered, 1, "{path:?}");
}
