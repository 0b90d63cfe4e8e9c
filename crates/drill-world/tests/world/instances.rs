use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::faults::ec2::InstanceState;
use drill_model::ids::InstanceId;
use drill_phases::ports::{Class, Sees as _};
use drill_world::{HostSpec, Simulation};
use serde_json::json;

use super::fixture::{Instances as _, orders, set};

fn seen(simulation: &Simulation, id: &InstanceId) -> Option<InstanceState> {
    let only = set(std::slice::from_ref(id));
    let found = simulation.play(simulation.world.describe(&only)).unwrap().unwrap();
    found.first().map(|instance| instance.state)
}

#[test]
fn a_change_is_seen_after_a_while_and_not_before() {
    let (simulation, hosts) = orders(1);
    let id = &hosts[0];

    simulation.play(simulation.world.stop(&set(&hosts))).unwrap().unwrap();
    assert_eq!(seen(&simulation, id), Some(InstanceState::Running));
    simulation.pass(Duration::from_secs(1));
    assert_eq!(seen(&simulation, id), Some(InstanceState::Stopping));
    simulation.pass(Duration::from_secs(8));
    assert_eq!(seen(&simulation, id), Some(InstanceState::Stopped));
    simulation.play(simulation.world.boot(&set(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(1));
    assert_eq!(seen(&simulation, id), Some(InstanceState::Pending));
    simulation.pass(Duration::from_secs(15));
    assert_eq!(seen(&simulation, id), Some(InstanceState::Running));
}

#[test]
fn a_terminated_instance_is_seen_for_an_hour() {
    let (simulation, hosts) = orders(1);

    simulation.play(simulation.world.terminate(&set(&hosts))).unwrap().unwrap();
    simulation.pass(Duration::from_secs(3600));
    assert_eq!(seen(&simulation, &hosts[0]), Some(InstanceState::Terminated));
    simulation.pass(Duration::from_secs(10));

    assert_eq!(seen(&simulation, &hosts[0]), None);
}

#[test]
fn verbs_can_be_repeated() {
    let (simulation, hosts) = orders(1);
    let ids = set(&hosts);

    simulation
        .play(async {
            let world = &simulation.world;
            world.boot(&ids).await.unwrap();
            world.stop(&ids).await.unwrap();
            world.stop(&ids).await.unwrap();
            world.sleep(Duration::from_secs(10)).await;
            world.stop(&ids).await.unwrap();
            world.terminate(&ids).await.unwrap();
            world.terminate(&ids).await.unwrap();
            world.reboot(&ids).await.unwrap();
        })
        .unwrap();
}

#[test]
fn an_instance_on_its_way_down_cannot_be_started_yet() {
    let (simulation, hosts) = orders(1);
    let ids = set(&hosts);

    let error = simulation
        .play(async {
            simulation.world.stop(&ids).await.unwrap();
            simulation.world.boot(&ids).await.unwrap_err()
        })
        .unwrap();

    assert_eq!(error.class, Class::Transient);
    assert!(error.message.contains("IncorrectInstanceState"), "{error}");
}

#[test]
fn an_instance_that_does_not_exist_is_missing_and_none_is_changed() {
    let (simulation, mut hosts) = orders(1);
    hosts.push(InstanceId::try_from("i-0abc1234").unwrap());

    let error = simulation.play(simulation.world.stop(&set(&hosts))).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Missing);
    assert_eq!(simulation.world.instances()[0].state, InstanceState::Running);
}

#[test]
fn the_role_that_harms_is_fenced_off_and_the_role_that_heals_is_not() {
    let simulation = Simulation::new(1);
    let strange = simulation.hosts.add(&HostSpec::new());
    let protected = simulation.hosts.add(&HostSpec::new().ready("staging").protected());
    for id in [strange, protected] {
        let ids = set(&[id]);

        let refused = simulation.play(simulation.world.stop(&ids)).unwrap().unwrap_err();
        let rehearsed = simulation.play(simulation.world.may_stop(&ids)).unwrap().unwrap_err();
        simulation.play(simulation.world.may_start(&ids)).unwrap().unwrap();

        assert_eq!([refused.class, rehearsed.class], [Class::Refused, Class::Refused]);
    }
}

#[test]
fn termination_protection_spares_its_zone_and_only_its_zone() {
    let simulation = Simulation::new(1);
    let ready = HostSpec::new().ready("staging");
    let protected = simulation.hosts.add(&ready.clone().termination_protection());
    let beside = simulation.hosts.add(&ready);
    let elsewhere = simulation.hosts.add(&ready.clone().zone("b"));

    let ids = set(&[protected.clone(), beside.clone(), elsewhere.clone()]);
    let error = simulation.play(simulation.world.terminate(&ids)).unwrap().unwrap_err();
    simulation.pass(Duration::from_secs(20));

    assert_eq!(error.class, Class::Refused);
    let states: BTreeMap<InstanceId, InstanceState> =
        simulation.world.instances().into_iter().map(|instance| (instance.id, instance.state)).collect();
    let expected =
        [(protected, InstanceState::Running), (beside, InstanceState::Running), (elsewhere, InstanceState::Terminated)];
    assert_eq!(states, expected.into());
}

#[test]
fn a_selector_must_match_in_every_part_and_the_order_means_nothing() {
    let (simulation, hosts) = orders(20);
    simulation.hosts.add(&HostSpec::new().tag("Service", "billing").ready("staging"));
    let find = |selector: serde_json::Value| {
        let selector = serde_json::from_value(selector).unwrap();
        let found = simulation.play(simulation.world.find(&selector)).unwrap().unwrap();
        found.into_iter().filter_map(|seen| seen.id.instance()).collect::<Vec<_>>()
    };

    let mut once = find(json!({"kind": "ec2-instance", "tags": {"Service": "orders"}}));
    let again = find(json!({"kind": "ec2-instance", "tags": {"Service": "orders"}}));
    let narrow = find(json!({"kind": "ec2-instance", "tags": {"Service": "orders"}, "ids": [hosts[3]]}));
    let nobody = find(json!({"kind": "ec2-instance", "tags": {"Service": "billing"}, "ids": [hosts[3]]}));

    assert_ne!(once, again);
    once.sort();
    assert_eq!(once, hosts);
    assert_eq!(narrow, [hosts[3].clone()]);
    assert_eq!(nobody, []);
}

#[test]
fn a_large_fleet_takes_pages_and_no_call_for_each() {
    let (simulation, hosts) = orders(2_500);

    simulation.play(simulation.world.describe(&set(&hosts))).unwrap().unwrap();

    assert_eq!(simulation.world.calls(), [("ec2:DescribeInstances", 3)].into());
}

#[test]
fn health_is_unknown_until_the_checks_have_passed() {
    let (simulation, hosts) = orders(1);
    let healthy = || simulation.world.instances()[0].healthy;

    assert_eq!(healthy(), Some(true));
    simulation.play(simulation.world.reboot(&set(&hosts))).unwrap().unwrap();
    assert_eq!(healthy(), None);
    simulation.pass(Duration::from_secs(13));
    assert_eq!(healthy(), None);
    simulation.pass(Duration::from_secs(5));
    assert_eq!(healthy(), Some(true));
}
