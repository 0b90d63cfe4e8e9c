use std::time::Duration;

use drill_model::host::Capability;
use drill_model::ids::InstanceId;
use drill_phases::ports::{CommandId, HostAnswer, HostAnswers, HostCommand, HostHarm, HostHeal, HostProbe};
use drill_world::{HostSpec, Simulation};
use jiff::SignedDuration;

use super::fixture::{
    Instances as _, intended, kill, latency, look, nothing, order, orders, revert, said, set, with_word,
};

const A_WHILE: Duration = Duration::from_secs(3);

/// One host like this one, with the intent to slow its network.
fn host(spec: &HostSpec) -> (Simulation, InstanceId) {
    let simulation = Simulation::new(1);
    let id = simulation.hosts.add(&spec.clone().ready("staging"));
    simulation.play(intended(&simulation, std::slice::from_ref(&id), latency())).unwrap();
    (simulation, id)
}

fn one(simulation: &Simulation, command: &CommandId) -> String {
    simulation.play(said(simulation, command)).unwrap().remove(0)
}

/// What the host says to an order that harms.
fn harmed(simulation: &Simulation, order: &HostCommand) -> String {
    let command = simulation.play(simulation.world.harm_hosts(order)).unwrap().unwrap();
    simulation.pass(A_WHILE);
    one(simulation, &command)
}

fn reverted(simulation: &Simulation, id: &InstanceId) -> String {
    let command = simulation.play(simulation.world.revert(&revert(std::slice::from_ref(id)))).unwrap().unwrap();
    simulation.pass(A_WHILE);
    one(simulation, &command)
}

fn probed(simulation: &Simulation, id: &InstanceId) -> drill_model::host::HostReport {
    let world = &simulation.world;
    let command = simulation.play(world.probe(&look(std::slice::from_ref(id)))).unwrap().unwrap();
    simulation.pass(A_WHILE);
    let answers = simulation.play(world.answers(&command)).unwrap().unwrap();
    match answers.into_iter().next() {
        Some((_, HostAnswer::Report(report))) => *report,
        other => panic!("{other:?}"),
    }
}

fn alive(simulation: &Simulation) -> Vec<String> {
    with_word(simulation.world.leftovers(), "alive")
}

#[test]
fn the_same_order_twice_is_there_already() {
    let (simulation, id) = host(&HostSpec::new());
    let order = order(simulation.now(), std::slice::from_ref(&id));

    assert_eq!(harmed(&simulation, &order), "landed");
    assert_eq!(harmed(&simulation, &order), "already");
}

#[test]
fn another_order_of_the_same_unit_is_told_that_it_is_there() {
    let (simulation, id) = host(&HostSpec::new());
    let mut order = order(simulation.now(), std::slice::from_ref(&id));

    harmed(&simulation, &order);
    order.parameters.insert("DelayMs".to_owned(), "200".to_owned());

    assert_eq!(harmed(&simulation, &order), "residue/other-order");
}

#[test]
fn a_revert_is_for_ever_repeatable_and_the_unit_does_not_start_again() {
    let (simulation, id) = host(&HostSpec::new());
    let order = order(simulation.now(), std::slice::from_ref(&id));

    harmed(&simulation, &order);

    assert_eq!(reverted(&simulation, &id), "reverted");
    assert_eq!(reverted(&simulation, &id), "absent/revert");
    assert_eq!(harmed(&simulation, &order), "refused/tombstone");
    assert_eq!(alive(&simulation), nothing());
}

#[test]
fn a_revert_of_nothing_forbids_the_late_start() {
    let (simulation, id) = host(&HostSpec::new());

    assert_eq!(reverted(&simulation, &id), "absent/never-started");
    assert_eq!(harmed(&simulation, &order(simulation.now(), std::slice::from_ref(&id))), "refused/tombstone");
}

#[test]
fn a_start_after_its_last_moment_is_refused() {
    let (simulation, id) = host(&HostSpec::new());
    let order = order(simulation.now(), std::slice::from_ref(&id));

    simulation.pass(Duration::from_secs(31));

    assert_eq!(harmed(&simulation, &order), "refused/too-late");
}

#[test]
fn a_start_after_its_deadline_is_refused() {
    let (simulation, id) = host(&HostSpec::new());
    let mut order = order(simulation.now(), std::slice::from_ref(&id));

    // By a clock that may be a minute behind.
    order.parameters.insert("Deadline".to_owned(), (simulation.now().as_second() - 61).to_string());

    assert_eq!(harmed(&simulation, &order), "refused/deadline-passed");
}

#[test]
fn a_host_judges_the_last_moment_by_its_own_clock() {
    let (ahead, id) = host(&HostSpec::new().skew(SignedDuration::from_secs(45)));
    assert_eq!(harmed(&ahead, &order(ahead.now(), std::slice::from_ref(&id))), "refused/too-late");
    let before = ahead.now().as_second();
    assert_eq!(probed(&ahead, &id).time, Some(before + 45));

    let (behind, id) = host(&HostSpec::new().skew(SignedDuration::from_secs(-45)));
    let order = order(behind.now(), std::slice::from_ref(&id));
    behind.pass(Duration::from_secs(40));
    assert_eq!(harmed(&behind, &order), "landed");
}

#[test]
fn the_dead_man_fires_at_the_deadline_and_not_before() {
    let (simulation, id) = host(&HostSpec::new());
    let start = simulation.now();

    harmed(&simulation, &order(start, std::slice::from_ref(&id)));
    simulation.pass_until(start + Duration::from_secs(119));
    assert_eq!(alive(&simulation).len(), 1);
    simulation.pass_until(start + Duration::from_secs(121));

    assert_eq!(alive(&simulation), nothing());
    assert_eq!(reverted(&simulation, &id), "absent/dead-man");
}

#[test]
fn the_dead_man_needs_no_true_clock() {
    let (simulation, id) = host(&HostSpec::new().skew(SignedDuration::from_secs(-86_400)));
    let start = simulation.now();

    harmed(&simulation, &order(start, std::slice::from_ref(&id)));
    simulation.pass_until(start + Duration::from_secs(121));

    assert_eq!(alive(&simulation), nothing());
}

#[test]
fn what_a_fault_needs_and_a_host_lacks_is_refused_before_anything_is_touched() {
    let (simulation, id) = host(&HostSpec::new().without(Capability::Netem));
    assert_eq!(harmed(&simulation, &order(simulation.now(), std::slice::from_ref(&id))), "refused/no-netem");
    assert_eq!(reverted(&simulation, &id), "absent/never-started");

    let (simulation, id) = host(&HostSpec::new().foreign_queue());
    assert_eq!(harmed(&simulation, &order(simulation.now(), std::slice::from_ref(&id))), "refused/foreign-qdisc");
    assert_eq!(probed(&simulation, &id).root_qdisc.as_deref(), Some("foreign"));

    let (simulation, id) = host(&HostSpec::new().runs(&["billing"]));
    let kill = kill(simulation.now(), std::slice::from_ref(&id));
    assert_eq!(harmed(&simulation, &kill), "refused/no-match");
}

#[test]
fn a_fault_that_does_not_land_is_put_back() {
    let (simulation, id) = host(&HostSpec::new());
    simulation.hosts.quirks(&id, |quirks| quirks.never_lands = true);

    assert_eq!(harmed(&simulation, &order(simulation.now(), std::slice::from_ref(&id))), "failed/not-seen");
    assert_eq!(alive(&simulation), nothing());
}

#[test]
fn a_revert_that_does_not_succeed_says_so_and_the_fault_stays() {
    let (simulation, id) = host(&HostSpec::new());
    simulation.hosts.quirks(&id, |quirks| quirks.stubborn = 1);

    harmed(&simulation, &order(simulation.now(), std::slice::from_ref(&id)));

    assert_eq!(reverted(&simulation, &id), "residue/not-gone");
    assert_eq!(alive(&simulation).len(), 1);
    assert_eq!(reverted(&simulation, &id), "reverted");
}

#[test]
fn a_reboot_clears_what_is_alive_and_keeps_what_is_buried() {
    let (simulation, hosts) = orders(1);
    simulation.play(intended(&simulation, &hosts, latency())).unwrap();
    let order = order(simulation.now(), &hosts);

    harmed(&simulation, &order);
    let before = probed(&simulation, &hosts[0]);
    assert_eq!(before.units.map(|units| units.len()), Some(1));
    reverted(&simulation, &hosts[0]);
    simulation.play(simulation.world.reboot(&set(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(14));

    let after = probed(&simulation, &hosts[0]);
    assert_eq!(after.units, Some(Vec::new()));
    assert!(after.booted > before.booted, "{:?} {:?}", after.booted, before.booted);
    assert_eq!(harmed(&simulation, &order), "refused/tombstone");
}

#[test]
fn a_killed_process_comes_back_and_its_unit_stays_until_its_end() {
    let (simulation, id) = host(&HostSpec::new().runs(&["orders"]));
    let start = simulation.now();
    let kill = kill(start, std::slice::from_ref(&id));
    let runs = |at| {
        use drill_world::HostPlane as _;
        simulation.hosts.view().hosts[&id].runs("orders", at)
    };

    let command = simulation.play(simulation.world.harm_hosts(&kill)).unwrap().unwrap();
    simulation.pass(Duration::from_secs(2));

    assert!(!runs(simulation.now()));
    assert!(runs(start + Duration::from_secs(5)));
    assert_eq!(one(&simulation, &command), "landed");
    assert_eq!(harmed(&simulation, &kill), "already");
}
