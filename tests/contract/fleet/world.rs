//! The in-memory world, made as the suite wants it.

use std::time::Duration;

use drill_model::ids::{AlarmName, GroupName, InstanceId};
use drill_model::observation::AlarmState;
use drill_world::{HostSpec, Metric, Simulation};
use jiff::Timestamp;

use crate::suite::{ALARMS, Case, Facts};

/// Plays a case to its end; time is what it waits for.
pub fn play(case: Case) {
    let simulation = Simulation::new(1);
    let facts = facts(&simulation);
    simulation.pass(Duration::from_secs(180));
    simulation.play(case.run(&simulation.world, &facts)).unwrap();
}

fn facts(simulation: &Simulation) -> Facts {
    let spec = |service: &str| HostSpec::new().tag("Service", service).ready("staging");
    let orders = (0..3).map(|_| simulation.hosts.add(&spec("orders"))).collect();
    simulation.hosts.add(&spec("orders-2"));
    let group = GroupName::try_from("orders-group").unwrap();
    simulation.hosts.add_group(&group, 2, &spec("grouped"));
    let inside = simulation.hosts.add(&spec("inside"));
    let zone = |letter: char| format!("{}{letter}", simulation.world.home().region);
    let subnet = |zone: String, service: &str, inside: &[InstanceId]| {
        simulation.world.add_subnet(&zone, &[("Service", service), ("StormdrillReady", "staging")], inside)
    };
    let subnets = [subnet(zone('a'), "orders", std::slice::from_ref(&inside)), subnet(zone('b'), "orders-2", &[])];
    for (name, state) in ALARMS {
        let state = match state {
            "ALARM" => AlarmState::InAlarm,
            "OK" => AlarmState::Ok,
            _ => AlarmState::InsufficientData,
        };
        simulation.world.set_alarm(&AlarmName::try_from(name).unwrap(), state);
    }
    let minute = Timestamp::from_second(simulation.now().as_second().div_euclid(60) * 60).unwrap();
    let latency = Metric::new("Orders", "Latency").with("Service", "orders");
    for (step, value) in [0.0, 10.0, 20.0, 30.0, 40.0, 50.0].into_iter().enumerate() {
        let at = minute + Duration::from_secs(10) * u32::try_from(step).unwrap();
        simulation.world.put_metric(&latency, at, value);
    }
    let home = simulation.world.home();
    Facts { orders, group, subnets, inside: home.instance(&inside), home, minute }
}
