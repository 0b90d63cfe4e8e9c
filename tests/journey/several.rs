//! Several faults in one run, several runs at once, one run started twice.

use std::time::Duration;

use drill_model::ids::RunId;
use drill_model::ledger::State;
use drill_model::refusal::Refusal;
use drill_model::run::Ending;
use drill_world::Method;
use serde_json::json;
use stormdrill_tests::stage::{Stage, document, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";

#[test]
fn faults_one_after_another_are_each_put_back_in_their_time() {
    let stage = Stage::new();
    let faults = format!(
        "{SLOW}\n  - {{ name: dark, kind: network-blackhole, on: orders, direction: egress, port: 5432, duration: 60s, after: slow }}"
    );

    let journey = stage.play(&experiment(&faults, STOP));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
    let rows = stage.rows(&journey);
    let landed =
        |name: &str| rows.iter().find(|row| row.fault.as_str() == name).and_then(|row| row.state.landed()).unwrap();
    let since = |name: &str| rows.iter().find(|row| row.fault.as_str() == name).map(|row| row.since).unwrap();
    assert!(landed("dark") >= landed("slow"));
    assert!(since("slow") < since("dark"), "the first fault is gone before the second ends");
}

#[test]
fn a_fault_that_starts_late_starts_late() {
    let stage = Stage::new();
    let faults = format!(
        "{SLOW}\n  - {{ name: busy, kind: cpu-stress, on: orders, load: 50%, duration: 30s, delay_start: 20s }}"
    );

    let journey = stage.play(&experiment(&faults, STOP));

    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
    let rows = stage.rows(&journey);
    let busy = rows.iter().find(|row| row.fault.as_str() == "busy").unwrap();
    let armed = journey.run.armed.unwrap().from;
    assert!(busy.intended_at.duration_since(armed).as_secs() >= 20);
    assert!(rows.iter().all(|row| matches!(row.state, State::Undone { .. })));
}

#[test]
fn a_fault_that_starts_later_asks_again_who_is_left() {
    let stage = Stage::new();
    let faults = format!(
        "{SLOW}\n  - {{ name: busy, kind: cpu-stress, on: orders, load: 50%, duration: 30s, delay_start: 30s }}"
    );
    let (hosts, world, orders) = (stage.sim.hosts.clone(), stage.sim.world.clone(), stage.orders.clone());
    stage.sim.world.spawn(async move {
        // The first fault has begun, and the second one has not.
        while world.coverage().get(&Method::HarmHosts).is_none_or(|orders| *orders == 0) {
            world.sleep(Duration::from_secs(1)).await;
        }
        for id in &orders {
            hosts.set_healthy(id, Some(false));
        }
    });

    let journey = stage.play(&experiment(&faults, "  stop_when: none\n  min_healthy: { count: 2 }"));

    assert_eq!(journey.verdict(), "aborted", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
    let ending = format!("{:?}", journey.run.ending);
    assert!(ending.contains("left with 0 targets known to be healthy"), "{ending}");
    let begun: Vec<String> = stage.rows(&journey).iter().map(|row| row.fault.to_string()).collect();
    assert_eq!(begun, ["slow"]);
}

#[test]
fn a_start_repeated_is_one_run() {
    let stage = Stage::new();
    let input =
        json!({ "experiment": document(&experiment(SLOW, STOP)), "environment": "staging", "requested_by": "ada" });

    let first = stage.start("nightly-1", input.clone());
    let harm = stage.sim.world.coverage()[&drill_world::Method::HarmHosts];
    let second = stage.start("nightly-1", input);

    assert_eq!(first.verdict(), "supported");
    assert_eq!(second.run.judgement, first.run.judgement);
    assert_eq!(stage.sim.world.coverage()[&drill_world::Method::HarmHosts], harm, "nothing is broken a second time");
}

#[test]
fn a_target_has_one_owner() {
    use drill_phases::ports::Holding;
    let stage = Stage::new();
    let other = RunId::try_from("other").unwrap();
    let home = stage.sim.world.home();
    let whole = stage.orders.iter().map(|id| home.instance(id)).collect();
    let all = Holding { whole, shares: [].into() };
    stage.sim.world.held_by(&other, &all);

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "refused");
    let Some(Ending::Refused { reasons }) = &journey.run.ending else { panic!("{:?}", journey.run.ending) };
    let held = |reason: &Refusal| matches!(reason, Refusal::InUse { holder, .. } if *holder == other);
    assert!(!reasons.is_empty() && reasons.iter().all(held), "{reasons:?}");
}

#[test]
fn no_call_is_made_for_each_target() {
    let calls = |hosts: usize| {
        let stage = Stage::new();
        let host = drill_world::HostSpec::new().ready("staging").tag("Service", "many");
        for _ in 0..hosts {
            stage.sim.hosts.add(&host);
        }
        let text = experiment(SLOW, STOP)
            .replace("tags: { Service: orders }, pick: { count: 1 }", "tags: { Service: many }, pick: { percent: 50 }");
        let journey = stage.play(&text);
        assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run);
        stage.sim.world.calls()["ssm:SendCommand"]
    };

    let (few, many) = (calls(20), calls(1_000));

    // Probe, fault, revert, and the looks while the fault lasts: one command each for up to 50 hosts. Few hosts are looked at
    // every 15 s, many every 20 s.
    assert_eq!(few, 3 + 4);
    assert_eq!(many, 10 * (3 + 3));
}

#[test]
fn other_faults_are_watched_while_an_instance_takes_minutes_to_come_back() {
    let stage = Stage::new();
    stage.sim.hosts.timing(|timing| timing.boot = Duration::from_secs(240));
    let faults = "  - { name: off, kind: instance-stop, on: database, duration: 60s }
  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 10m }";
    let world = stage.sim.world.clone();
    stage.sim.world.spawn(async move {
        world.sleep(Duration::from_secs(120)).await;
        world.pull_lever("a real incident");
    });

    let journey = stage.play(&experiment(faults, "  stop_when: none"));

    assert!(matches!(journey.run.ending, Some(Ending::Lever { .. })), "{:#?}", journey.run.ending);
    let armed = journey.run.armed.unwrap().from;
    let rows = stage.rows(&journey);
    let slow = rows.iter().find(|row| row.fault.as_str() == "slow").unwrap();
    assert!(slow.since.duration_since(armed).as_secs() < 240, "{}", slow.since.duration_since(armed));
    assert_eq!(stage.objections(), Vec::<String>::new());
}
