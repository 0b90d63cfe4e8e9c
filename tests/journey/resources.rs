//! Faults on resources that are no hosts, and what ends them when nothing of ours is left.

use std::time::Duration;

use drill_model::faults::ec2::InstanceState;
use drill_phases::ports::Class;
use drill_world::Outage;
use serde_json::json;
use stormdrill_tests::stage::{Stage, document, experiment};

const STOP: &str = "  stop_when: none";
const DARK: &str = "  - { name: dark, kind: subnet-partition, on: zone-a, traffic: all, duration: 60s }";
const OFF: &str = "  - { name: off, kind: instance-stop, on: orders, duration: 60s }";

#[test]
fn a_subnet_that_was_cut_off_is_as_it_was() {
    for traffic in ["all", "other-zones", "{ port: 5432 }"] {
        let stage = Stage::new();

        let journey = stage.play(&experiment(&DARK.replace("all", traffic), STOP));

        assert_eq!(journey.verdict(), "supported", "{traffic}: {:#?}", journey.run);
        assert_eq!(stage.objections(), Vec::<String>::new(), "{traffic}");
        let rows = stage.rows(&journey);
        assert!(rows.iter().all(|row| row.state.landed().is_some()), "{traffic}: {rows:#?}");
    }
}

/// Plays a run in which nothing of ours answers any more after the fault has landed: no function, no table, no machine.
fn abandoned(fault: &str) -> Stage {
    let stage = Stage::new();
    let now = stage.sim.now();
    let outage = Outage {
        api: "",
        actor: None,
        // Prepare takes half a minute for its baseline; the fault lasts for a minute from then on.
        from: now + Duration::from_secs(60),
        until: now + Duration::from_secs(86_400),
        class: Class::Transient,
    };
    stage.sim.world.outage(outage);
    let world = stage.sim.world.clone();
    let input =
        json!({ "experiment": document(&experiment(fault, STOP)), "environment": "staging", "requested_by": "ada" });
    drop(stage.start("run", input));
    drop(world);
    stage
}

#[test]
fn with_nothing_of_ours_left_a_subnet_is_let_through_again() {
    let stage = abandoned(DARK);

    assert!(!stage.sim.world.open_rows().is_empty(), "the fault was there when everything went");
    assert!(!stage.sim.world.is_cut(&stage.subnet));
}

#[test]
fn with_nothing_of_ours_left_a_stopped_instance_runs_again() {
    let stage = abandoned(OFF);

    assert!(!stage.sim.world.open_rows().is_empty(), "the fault was there when everything went");
    let states: Vec<InstanceState> = stage.sim.world.instances().into_iter().map(|instance| instance.state).collect();
    assert!(states.iter().all(|state| *state == InstanceState::Running), "{states:?}");
}

#[test]
fn what_is_done_to_a_subnet_and_to_a_host_in_it_is_refused_together() {
    let stage = Stage::new();
    let both =
        format!("{DARK}\n  - {{ name: pause, kind: process-pause, on: orders, process: orders, duration: 60s }}");

    // All four hosts, so that one of the subnet is among them.
    let text = experiment(&both, STOP).replacen("pick: { count: 1 }", "pick: { count: 4 }", 1);
    let journey = stage.play(&text);

    assert_eq!(journey.verdict(), "refused");
    assert!(format!("{:?}", journey.run.ending).contains("is a part of"), "{:#?}", journey.run.ending);
}
