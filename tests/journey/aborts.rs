//! Runs that end early: a stop condition, the lever, blindness, an error, a person, a death.

use std::time::Duration;

use drill_model::run::{Ending, Status};
use drill_phases::ports::Class;
use drill_world::{At, Disturbance, First, Kind, Method, Outage};
use stormdrill_tests::stage::{Journey, Stage, experiment};

const STOP: &str = "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 300s }";
const FROZEN: &str = "  - { name: frozen, kind: process-pause, on: database, process: database, duration: 300s }";

pub(crate) fn is_clean(stage: &Stage, journey: &Journey) {
    assert_eq!(journey.verdict(), "aborted", "{:#?}", journey.run);
    assert_eq!(stage.objections(), Vec::<String>::new());
    assert_eq!(journey.run.status, Status::Judged);
}

#[test]
fn a_stop_condition_aborts_long_before_the_fault_would_end() {
    let stage = Stage::new();

    let journey = stage.play(&experiment(FROZEN, STOP));

    is_clean(&stage, &journey);
    assert!(matches!(journey.run.ending, Some(Ending::Breached { .. })), "{:?}", journey.run.ending);
    let broken = journey.run.clean_at.unwrap().duration_since(journey.run.armed.unwrap().from);
    assert!(broken.as_secs() < 60, "{broken:?}");
}

#[test]
fn the_lever_aborts() {
    let stage = Stage::new();
    let world = stage.sim.world.clone();
    stage.sim.world.spawn(async move {
        world.sleep(Duration::from_secs(90)).await;
        world.pull_lever("a real incident");
    });

    let journey = stage.play(&experiment(SLOW, STOP));

    is_clean(&stage, &journey);
    assert!(matches!(journey.run.ending, Some(Ending::Lever { .. })), "{:?}", journey.run.ending);
}

#[test]
fn metrics_that_are_missing_for_too_long_abort() {
    let stage = Stage::new();
    let from = stage.sim.now() + Duration::from_secs(90);
    let outage = Outage {
        api: "cloudwatch:",
        actor: None,
        from,
        until: from + Duration::from_secs(120),
        class: Class::Transient,
    };
    stage.sim.world.outage(outage);

    let journey = stage.play(&experiment(SLOW, STOP));

    is_clean(&stage, &journey);
    assert!(matches!(journey.run.ending, Some(Ending::Blind { .. })), "{:?}", journey.run.ending);
}

#[test]
fn an_order_that_is_refused_after_its_intent_is_rolled_back() {
    let stage = Stage::new();
    stage.sim.world.disturb(Disturbance { at: At::Nth(Method::HarmHosts, 1), kind: Kind::Refused });

    let journey = stage.play(&experiment(SLOW, STOP));

    is_clean(&stage, &journey);
    assert!(journey.execution.ended.path.iter().any(|state| state == "Rollback"));
}

#[test]
fn where_nothing_was_broken_no_recovery_is_waited_for() {
    let stage = Stage::new();
    stage.sim.world.disturb(Disturbance { at: At::Nth(Method::Intend, 1), kind: Kind::Refused });

    let journey = stage.play(&experiment(SLOW, STOP));

    is_clean(&stage, &journey);
    assert_eq!(stage.rows(&journey), Vec::new());
    let looks = journey.execution.ended.path.iter().filter(|state| *state == "Validate").count();
    assert_eq!(looks, 1);
}

#[test]
fn a_stopped_execution_is_cleaned_by_the_event() {
    check_stop(Method::Metrics, 8, false, First::Zombie);
}

#[test]
fn a_stopped_execution_whose_event_is_lost_is_cleaned_by_the_clock() {
    check_stop(Method::Metrics, 8, true, First::Zombie);
}

#[test]
fn an_inject_that_outlives_its_execution_breaks_nothing_that_stays() {
    for first in [First::Janitor, First::Zombie] {
        check_stop(Method::HarmHosts, 1, false, first);
        check_stop(Method::Intend, 1, false, first);
    }
}

fn check_stop(method: Method, nth: u64, event_lost: bool, first: First) {
    let stage = Stage::new();
    stage.sim.world.disturb(Disturbance { at: At::Nth(method, nth), kind: Kind::Stop { first, event_lost } });

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.execution.ended.status, drill_machine::Status::Aborted);
    is_clean(&stage, &journey);
}

#[test]
fn a_store_that_is_away_for_an_hour_leaves_nothing_on_the_hosts() {
    let stage = Stage::new();
    let from = stage.sim.now() + Duration::from_secs(90);
    let until = from + Duration::from_secs(600);
    stage.sim.world.outage(Outage { api: "dynamodb:", actor: None, from, until, class: Class::Transient });

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(stage.objections(), Vec::<String>::new());
    assert_ne!(journey.verdict(), "supported");
}

#[test]
fn an_agent_that_is_gone_during_the_rollback_does_not_keep_the_fault() {
    let stage = Stage::new();
    let (hosts, ids, world) = (stage.sim.hosts.clone(), stage.orders.clone(), stage.sim.world.clone());
    stage.sim.world.spawn(async move {
        world.sleep(Duration::from_secs(120)).await;
        for id in &ids {
            hosts.agent_offline(id, true);
        }
        world.pull_lever("a real incident");
        world.sleep(Duration::from_secs(900)).await;
        for id in &ids {
            hosts.agent_offline(id, false);
        }
    });

    let journey = stage.play(&experiment(SLOW, STOP));

    // The dead man took the fault away at its time; the rows are closed when the host says so.
    assert_eq!(stage.objections(), Vec::<String>::new());
    assert!(["aborted", "stuck"].contains(&journey.verdict().as_str()), "{}", journey.verdict());
}

#[test]
fn what_cannot_be_undone_is_stuck_and_never_anything_else() {
    let stage = Stage::new();
    let world = stage.sim.world.clone();
    for id in &stage.orders {
        stage.sim.hosts.quirks(id, |quirks| {
            quirks.stubborn = 10_000;
            quirks.no_dead_man = true;
        });
    }

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.verdict(), "stuck");
    assert_eq!(journey.execution.ended.path.last().map(String::as_str), Some("Stuck"));
    assert!(journey.execution.ended.path.iter().any(|state| state == "Page"));
    assert!(world.notices().iter().any(|notice| notice.subject.contains("STUCK")));
    assert!(!world.leftovers().is_empty());
}

#[test]
fn targets_that_could_not_be_given_back_are_given_back_by_a_later_sweep() {
    let stage = Stage::new();
    let lost = Kind::Stop { first: First::Janitor, event_lost: true };
    stage.sim.world.disturb(Disturbance { at: At::Nth(Method::LatestSamples, 3), kind: lost });
    // Whoever closes the last row dies before it frees the targets, and so does the next one.
    for nth in [1, 2] {
        stage.sim.world.disturb(Disturbance { at: At::Nth(Method::Release, nth), kind: Kind::KilledBefore });
    }

    let journey = stage.play(&experiment(SLOW, STOP));

    is_clean(&stage, &journey);
    assert_eq!(stage.sim.world.disturbed().len(), 3, "{:?}", stage.sim.world.disturbed());
    assert!(journey.run.given_back_at.is_some());
}
