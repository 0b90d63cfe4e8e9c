use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::faults::ec2::InstanceState;
use drill_model::ids::{GroupName, InstanceId};
use drill_phases::ports::{Class, Groups};
use drill_world::{HostSpec, Simulation};

use super::fixture::{Instances as _, set};

fn fleet() -> (Simulation, GroupName, Vec<InstanceId>) {
    let simulation = Simulation::new(1);
    let name = GroupName::try_from("orders").unwrap();
    let spec = HostSpec::new().tag("Service", "orders").ready("staging");
    let members = simulation.hosts.add_group(&name, 3, &spec);
    (simulation, name, members)
}

fn in_service(simulation: &Simulation, name: &GroupName) -> u32 {
    simulation.play(simulation.world.group(name)).unwrap().unwrap().in_service
}

fn running(simulation: &Simulation) -> BTreeSet<InstanceId> {
    let instances = simulation.world.instances().into_iter();
    instances.filter(|instance| instance.state == InstanceState::Running).map(|instance| instance.id).collect()
}

#[test]
fn a_member_that_dies_is_replaced_by_another() {
    let (simulation, name, members) = fleet();

    simulation.play(simulation.world.terminate(&set(&members[..1]))).unwrap().unwrap();
    assert_eq!(in_service(&simulation, &name), 2);
    simulation.pass(Duration::from_secs(36));

    assert_eq!(in_service(&simulation, &name), 3);
    let new: Vec<InstanceId> = running(&simulation).difference(&set(&members)).cloned().collect();
    assert_eq!(new.len(), 1);
    let instances = simulation.world.instances();
    let described = instances.iter().find(|instance| instance.id == new[0]).unwrap();
    assert_eq!(described.tags["Service"], "orders");
    assert_eq!(described.group, Some(name));
}

#[test]
fn a_member_that_is_stopped_is_terminated_and_replaced() {
    let (simulation, name, members) = fleet();

    simulation.play(simulation.world.stop(&set(&members[..1]))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(60));

    assert_eq!(in_service(&simulation, &name), 3);
    let instances = simulation.world.instances();
    let stopped = instances.iter().find(|instance| instance.id == members[0]).unwrap();
    assert_eq!(stopped.state, InstanceState::Terminated);
}

#[test]
fn several_losses_are_replaced_once_each() {
    let (simulation, name, members) = fleet();

    simulation.play(simulation.world.terminate(&set(&members))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(120));

    assert_eq!(in_service(&simulation, &name), 3);
    assert_eq!(running(&simulation).len(), 3);
}

#[test]
fn a_suspended_group_replaces_nothing() {
    let (simulation, name, members) = fleet();
    simulation.hosts.suspend_group(&name, true);

    simulation.play(simulation.world.terminate(&set(&members[..1]))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(120));
    assert_eq!(in_service(&simulation, &name), 2);
    simulation.hosts.suspend_group(&name, false);
    simulation.pass(Duration::from_secs(20));

    assert_eq!(in_service(&simulation, &name), 3);
}

#[test]
fn a_group_that_does_not_exist_is_missing() {
    let (simulation, _, _) = fleet();
    let other = GroupName::try_from("billing").unwrap();

    let error = simulation.play(simulation.world.group(&other)).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Missing);
}
