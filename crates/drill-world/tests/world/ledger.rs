use std::time::Duration;

use drill_model::ids::{InstanceId, RunId};
use drill_model::ledger::{Gone, Row, State};
use drill_phases::ports::{Class, Leases, Ledger, Runs, Step};
use drill_world::Simulation;

use super::fixture::{home, intended, latency, orders, row, run, run_id, whole};

fn rows(simulation: &Simulation) -> Vec<Row> {
    simulation.play(simulation.world.rows(&run_id())).unwrap().unwrap()
}

fn advance(simulation: &Simulation, row: &Row, to: State) {
    let steps = [Step { row: row.clone(), to }];
    simulation.play(simulation.world.advance(&steps, simulation.now())).unwrap().unwrap();
}

/// An intent that is refused, and why.
fn refused(simulation: &Simulation, targets: &[InstanceId]) -> (Class, String) {
    let now = simulation.now();
    let rows: Vec<Row> = targets.iter().map(|target| row(now, target, latency())).collect();
    let error = simulation.play(simulation.world.intend(&run_id(), &rows)).unwrap().unwrap_err();
    assert_eq!(simulation.play(simulation.world.rows(&run_id())).unwrap().unwrap(), []);
    (error.class, error.message)
}

#[test]
fn an_intent_needs_a_run_that_is_injecting() {
    let (simulation, hosts) = orders(1);
    assert_eq!(refused(&simulation, &hosts).0, Class::Conflict);

    simulation.play(simulation.world.create_run(&run(&simulation, "rolling-back"))).unwrap().unwrap();
    let (class, what) = refused(&simulation, &hosts);

    assert_eq!(class, Class::Conflict);
    assert!(what.contains("not injecting"), "{what}");
}

#[test]
fn an_intent_needs_every_lease_and_a_lever_that_is_not_pulled() {
    let (simulation, hosts) = orders(2);
    let world = &simulation.world;
    simulation.play(world.create_run(&run(&simulation, "injecting"))).unwrap().unwrap();
    simulation.play(world.lease(&run_id(), &whole(&hosts[..1]))).unwrap().unwrap();

    assert!(refused(&simulation, &hosts).1.contains("does not hold the lease"));
    simulation.play(world.lease(&run_id(), &whole(&hosts))).unwrap().unwrap();
    world.pull_lever("trading is down");
    let (class, what) = refused(&simulation, &hosts);

    assert_eq!(class, Class::Conflict);
    assert!(what.contains("trading is down"), "{what}");
}

#[test]
fn a_transaction_takes_at_most_a_batch() {
    let (simulation, hosts) = orders(51);
    simulation.play(simulation.world.create_run(&run(&simulation, "injecting"))).unwrap().unwrap();
    simulation.play(simulation.world.lease(&run_id(), &whole(&hosts))).unwrap().unwrap();

    assert_eq!(refused(&simulation, &hosts).0, Class::Refused);
}

#[test]
fn an_intent_that_is_there_stays_as_it_is() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let first = rows(&simulation);

    simulation.pass(Duration::from_secs(5));
    let again = row(simulation.now(), &hosts[0], latency());
    simulation.play(simulation.world.intend(&run_id(), &[again])).unwrap().unwrap();

    assert_eq!(rows(&simulation), first);
}

#[test]
fn a_closed_row_stays_closed() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let open = rows(&simulation).remove(0);
    let closed = State::undone(None, Gone::Absent);

    advance(&simulation, &open, closed.clone());
    advance(&simulation, &open, State::Landed { at: simulation.now() });

    assert_eq!(rows(&simulation)[0].state, closed);
}

#[test]
fn a_step_repeated_changes_nothing() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let open = rows(&simulation).remove(0);
    let at = simulation.now();

    advance(&simulation, &open, State::Landed { at });
    let landed = rows(&simulation);
    simulation.pass(Duration::from_secs(5));
    advance(&simulation, &open, State::Landed { at: simulation.now() });

    assert_eq!(rows(&simulation), landed);
    assert_eq!(landed[0].since, at);
}

#[test]
fn the_index_of_what_is_overdue_lies_behind() {
    let (simulation, hosts) = orders(1);
    simulation.world.timing(|timing| timing.index = Duration::from_secs(10));
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let open = rows(&simulation).remove(0);
    let overdue = || {
        let late = open.deadline + Duration::from_secs(1);
        simulation.play(simulation.world.overdue(late)).unwrap().unwrap().into_iter().collect::<Vec<RunId>>()
    };

    assert_eq!(overdue(), []);
    simulation.pass(Duration::from_secs(10));
    assert_eq!(overdue(), [run_id()]);
    advance(&simulation, &open, State::undone(None, Gone::Absent));
    assert_eq!(overdue(), [run_id()]);
    simulation.pass(Duration::from_secs(10));
    assert_eq!(overdue(), []);
}

#[test]
fn only_what_is_past_its_deadline_is_overdue() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let deadline = rows(&simulation)[0].deadline;
    simulation.pass(Duration::from_secs(10));

    assert!(simulation.play(simulation.world.overdue(deadline)).unwrap().unwrap().is_empty());
}

#[test]
fn leases_are_taken_all_at_once_or_not_at_all() {
    let (simulation, hosts) = orders(3);
    let other = RunId::try_from("run-2").unwrap();
    let world = &simulation.world;
    simulation.play(world.create_run(&run(&simulation, "injecting"))).unwrap().unwrap();
    world.held_by(&other, &whole(&hosts[2..]));
    simulation.play(world.lease(&run_id(), &whole(&hosts[..1]))).unwrap().unwrap();

    let error = simulation.play(world.lease(&run_id(), &whole(&hosts))).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert!(error.message.contains(hosts[2].as_str()) && error.message.contains("run-2"), "{error}");
    let others = simulation.play(world.holders(&other, &whole(&hosts))).unwrap().unwrap();
    assert_eq!(others, [(home().instance(&hosts[0]), run_id())]);
}

#[test]
fn a_run_gives_back_only_what_is_its_own() {
    let (simulation, hosts) = orders(2);
    let other = RunId::try_from("run-2").unwrap();
    let world = &simulation.world;
    world.held_by(&other, &whole(&hosts[1..]));
    world.held_by(&run_id(), &whole(&hosts[..1]));

    simulation.play(world.release(&run_id(), &whole(&hosts))).unwrap().unwrap();

    let held = simulation.play(world.holders(&run_id(), &whole(&hosts))).unwrap().unwrap();
    assert_eq!(held, [(home().instance(&hosts[1]), other)]);
}
