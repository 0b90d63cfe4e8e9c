use std::time::Duration;

use drill_model::ledger::{Gone, State};
use drill_model::run::{Armed, Ending, Run, Status};
use drill_phases::ports::{ClearClock, HostHarm, HostHeal, Leases, Ledger, Runs, Step};
use drill_world::{HostSpec, Simulation};

use super::fixture::{
    Instances as _, intended, latency, nothing, order, orders, revert, row, run, run_id, set, stopping, whole,
    with_word,
};

const A_WHILE: Duration = Duration::from_secs(3);

/// The one violation there is, and that it says this.
fn check(simulation: &Simulation, said: &str) {
    let violations = simulation.world.violations();
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert!(violations[0].contains(said), "{violations:?}");
}

#[test]
fn a_change_without_an_intent_is_a_violation() {
    let (simulation, hosts) = orders(1);

    simulation.play(simulation.world.stop(&set(&hosts))).unwrap().unwrap();
    check(&simulation, "ec2:StopInstances");

    let (simulation, hosts) = orders(1);
    simulation.play(simulation.world.harm_hosts(&order(simulation.now(), &hosts))).unwrap().unwrap();
    check(&simulation, "without an intent");
    simulation.pass(A_WHILE);
    assert_eq!(simulation.world.violations().len(), 2, "the landing is another");
}

#[test]
fn a_change_with_its_intent_is_none() {
    let (simulation, hosts) = orders(2);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            simulation.world.sleep(A_WHILE).await;
            simulation.world.revert(&revert(&hosts)).await.unwrap();
            simulation.world.sleep(A_WHILE).await;
            let rows = simulation.world.rows(&run_id()).await.unwrap();
            let to = State::undone(None, Gone::Reverted);
            let steps: Vec<Step> = rows.into_iter().map(|row| Step { row, to: to.clone() }).collect();
            simulation.world.advance(&steps, simulation.now()).await.unwrap();
            simulation.world.release(&run_id(), &whole(&hosts)).await.unwrap();
        })
        .unwrap();
    simulation.pass(Duration::from_secs(3600));

    assert_eq!(simulation.world.violations(), nothing());
    assert_eq!(simulation.world.leftovers(), nothing());
}

#[test]
fn everything_that_is_left_is_listed() {
    let (simulation, hosts) = orders(1);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            simulation.world.sleep(A_WHILE).await;
        })
        .unwrap();

    let left = simulation.world.leftovers();
    for word in ["alive", "ledger row", "leased", "clock"] {
        assert_eq!(with_word(left.clone(), word).len(), 1, "{word}: {left:?}");
    }
}

#[test]
fn a_row_that_is_closed_while_the_fault_is_there_is_a_violation() {
    let (simulation, hosts) = orders(1);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            simulation.world.sleep(A_WHILE).await;
            let row = simulation.world.rows(&run_id()).await.unwrap().remove(0);
            let to = State::undone(None, Gone::Absent);
            simulation.world.advance(&[Step { row, to }], simulation.now()).await.unwrap();
        })
        .unwrap();

    check(&simulation, "is still there");
}

#[test]
fn a_fault_that_lands_after_its_row_was_closed_is_a_violation() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.agent_offline(&hosts[0], true);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
            let row = simulation.world.rows(&run_id()).await.unwrap().remove(0);
            let to = State::NeverMade { why: "the agent is offline".to_owned() };
            simulation.world.advance(&[Step { row, to }], simulation.now()).await.unwrap();
        })
        .unwrap();
    simulation.hosts.agent_offline(&hosts[0], false);
    simulation.pass(A_WHILE);

    check(&simulation, "landed when its row was never made");
}

#[test]
fn a_fault_that_outlives_its_deadline_and_grace_is_a_violation() {
    let (simulation, hosts) = orders(1);
    simulation.hosts.quirks(&hosts[0], |quirks| quirks.no_dead_man = true);

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
        })
        .unwrap();
    simulation.pass(Duration::from_secs(179));
    assert_eq!(simulation.world.violations(), nothing());
    simulation.pass(Duration::from_secs(2));

    check(&simulation, "after its deadline");
}

#[test]
fn an_instance_that_stays_stopped_is_left_and_then_a_violation() {
    let (simulation, hosts) = orders(1);

    simulation
        .play(async {
            intended(&simulation, &hosts, stopping()).await;
            simulation.world.stop(&set(&hosts)).await.unwrap();
        })
        .unwrap();
    simulation.pass(Duration::from_secs(600));
    assert_eq!(with_word(simulation.world.leftovers(), "does not run").len(), 1);
    assert_eq!(simulation.world.violations(), nothing());
    simulation.pass(Duration::from_secs(200));

    check(&simulation, "after its deadline");
}

#[test]
fn an_instance_that_was_started_again_is_not_left() {
    let (simulation, hosts) = orders(1);

    simulation
        .play(async {
            intended(&simulation, &hosts, stopping()).await;
            simulation.world.stop(&set(&hosts)).await.unwrap();
            simulation.world.sleep(Duration::from_secs(10)).await;
            simulation.world.boot(&set(&hosts)).await.unwrap();
            simulation.world.sleep(Duration::from_secs(20)).await;
        })
        .unwrap();

    assert_eq!(with_word(simulation.world.leftovers(), "does not run"), nothing());
    assert_eq!(simulation.world.violations(), nothing());
}

#[test]
fn healing_what_was_never_touched_is_a_violation() {
    let (simulation, hosts) = orders(1);

    simulation.play(simulation.world.boot(&set(&hosts))).unwrap().unwrap();
    check(&simulation, "no run meant to change");

    let (simulation, hosts) = orders(1);
    simulation.play(simulation.world.revert(&revert(&hosts))).unwrap().unwrap();
    check(&simulation, "no run meant to change");
}

#[test]
fn harming_a_target_of_another_environment_is_a_violation() {
    let simulation = Simulation::new(1);
    let id = simulation.hosts.add(&HostSpec::new().ready("production"));
    let hosts = [id];

    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            assert_eq!(simulation.world.run(&run_id()).await.unwrap().environment.unwrap().as_str(), "staging");
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
        })
        .unwrap();

    check(&simulation, "did not opt in for staging");
}

#[test]
fn a_change_without_an_alarm_clock_is_a_violation() {
    let (simulation, hosts) = orders(1);

    simulation
        .play(async {
            let world = &simulation.world;
            world.create_run(&run(&simulation, "injecting")).await.unwrap();
            world.lease(&run_id(), &whole(&hosts)).await.unwrap();
            world.intend(&run_id(), &[row(simulation.now(), &hosts[0], stopping())]).await.unwrap();
            world.stop(&set(&hosts)).await.unwrap();
        })
        .unwrap();

    // Nothing else would end it, either.
    let violations = simulation.world.violations();
    assert_eq!(violations.len(), 2, "{violations:?}");
    assert!(violations[0].contains("nothing would undo it"), "{violations:?}");
    assert!(violations[1].contains("no alarm clock"), "{violations:?}");
}

#[test]
fn giving_back_what_is_not_clean_is_a_violation() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    simulation.play(simulation.world.release(&run_id(), &whole(&hosts))).unwrap().unwrap();
    check(&simulation, "gives back a lease");

    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    simulation.play(simulation.world.clear_clock(&run_id())).unwrap().unwrap();
    check(&simulation, "gives back its alarm clock");
}

#[test]
fn a_record_that_goes_back_is_a_violation() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let clean = simulation.play(world.create_run(&run(&simulation, "clean"))).unwrap().unwrap();

    simulation.play(world.save_run(&Run { status: Status::Injecting, ..clean })).unwrap().unwrap();

    check(&simulation, "went from Clean to Injecting");
}

#[test]
fn a_deadline_that_is_extended_and_an_ending_that_is_replaced_are_violations() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let armed = Armed { from: simulation.now(), deadline: simulation.now() + A_WHILE };
    let first = Run { armed: Some(armed), ending: Some(Ending::Completed), ..run(&simulation, "observing") };
    let stored = simulation.play(world.create_run(&first)).unwrap().unwrap();

    let later = Armed { deadline: armed.deadline + A_WHILE, ..armed };
    let changed = Run { armed: Some(later), ending: Some(Ending::DryRun), ..stored };
    simulation.play(world.save_run(&changed)).unwrap().unwrap();

    let violations = world.violations();
    assert_eq!(violations.len(), 2, "{violations:?}");
    assert!(violations[0].contains("armed again") && violations[1].contains("lost the reason"), "{violations:?}");
}

#[test]
fn a_violation_tells_who_and_when() {
    let (simulation, hosts) = orders(1);

    simulation.play(simulation.world.named("inject").stop(&set(&hosts))).unwrap().unwrap();

    let violation = simulation.world.violations().remove(0);
    assert!(violation.starts_with(&format!("{} inject: ", simulation.now())), "{violation}");
}

#[test]
fn a_run_that_is_over_and_holds_a_target_is_a_violation() {
    let (simulation, hosts) = orders(1);
    let world = &simulation.world;
    let record = simulation.play(world.create_run(&run(&simulation, "rolling-back"))).unwrap().unwrap();
    world.held_by(&run_id(), &whole(&hosts));

    simulation.play(world.save_run(&Run { status: Status::Clean, ..record })).unwrap().unwrap();

    check(&simulation, "is over and still holds");
}
