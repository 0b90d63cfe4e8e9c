//! Runs with many targets: what is done in batches takes its time.

use std::time::Duration;

use drill_world::{At, Disturbance, HostSpec, Kind, Method};
use stormdrill_tests::stage::{Stage, experiment};

use crate::aborts::is_clean;

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 300s }";

/// A stage with this many order hosts, all of them targets.
fn crowd(hosts: usize) -> (Stage, String) {
    let stage = Stage::new();
    for _ in stage.orders.len()..hosts {
        stage.sim.hosts.add(&HostSpec::new().ready("staging").tag("Service", "orders"));
    }
    (stage, experiment(SLOW, STOP).replace("count: 1 ", &format!("count: {hosts} ")))
}

/// Every order takes this long: the fourth batch comes 75 s after the first.
fn take_time(stage: &Stage) {
    for nth in 1..=4 {
        let kind = Kind::Slow(Duration::from_secs(25));
        stage.sim.world.disturb(Disturbance { at: At::Nth(Method::HarmHosts, nth), kind });
    }
}

#[test]
fn of_many_targets_only_those_whose_turn_has_come_are_written_down() {
    let (stage, experiment) = crowd(120);
    stage.sim.world.disturb(Disturbance { at: At::Nth(Method::HarmHosts, 2), kind: Kind::Refused });

    let journey = stage.play(&experiment);

    is_clean(&stage, &journey);
    assert_eq!(stage.rows(&journey).len(), 100, "two batches of three");
}

#[test]
fn the_last_of_many_targets_has_as_much_time_as_the_first() {
    let (stage, experiment) = crowd(200);
    take_time(&stage);

    let journey = stage.play(&experiment);

    let rows = stage.rows(&journey);
    let landed = rows.iter().filter(|row| row.state.landed().is_some()).count();
    assert_eq!((rows.len(), landed), (200, 200));
    assert_eq!(stage.objections(), Vec::<String>::new());
}

#[test]
fn a_target_whose_turn_comes_late_is_looked_at_again() {
    let (stage, experiment) = crowd(200);
    take_time(&stage);
    // The first look is at all of them.
    stage.sim.world.disturb(Disturbance { at: At::Nth(Method::See, 2), kind: Kind::Refused });

    let journey = stage.play(&experiment);

    is_clean(&stage, &journey);
    assert_eq!(stage.rows(&journey).len(), 150, "three batches of four");
}

#[test]
fn the_more_targets_the_more_time_there_is_to_put_them_back() {
    let (stage, experiment) = crowd(2000);
    // Forty commands: 156 s, after which the clock would have rung for a run with few targets.
    for nth in 1..=40 {
        let kind = Kind::Slow(Duration::from_millis(3900));
        stage.sim.world.disturb(Disturbance { at: At::Nth(Method::Revert, nth), kind });
    }

    let journey = stage.play(&experiment);

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
}
