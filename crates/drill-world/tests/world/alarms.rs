use std::time::Duration;

use drill_model::ids::AlarmName;
use drill_model::observation::AlarmState;
use drill_phases::ports::Metrics;
use drill_world::{Alarm, Comparison, Metric, Missing, Simulation};
use serde_json::json;

use super::fixture::orders;

fn name() -> AlarmName {
    AlarmName::try_from("orders-errors").unwrap()
}

fn state(simulation: &Simulation) -> AlarmState {
    let readings = simulation.play(simulation.world.alarms(&[name()])).unwrap().unwrap();
    assert_eq!(readings.len(), 1);
    readings.into_iter().next().unwrap().state
}

/// More than half an error in two of the last three periods of ten seconds.
fn errors(missing: Missing) -> Alarm {
    let metric = json!({"namespace": "Orders", "metric": "Errors", "statistic": "Average", "period": "10s"});
    Alarm {
        metric: serde_json::from_value(metric).unwrap(),
        comparison: Comparison::Above,
        threshold: 0.5,
        breaching: 2,
        periods: 3,
        missing,
    }
}

/// The service measures this value every second for this long.
fn measure(simulation: &Simulation, value: f64, seconds: u64) {
    let start = simulation.now();
    for second in 0..seconds {
        simulation.world.put_metric(&Metric::new("Orders", "Errors"), start + Duration::from_secs(second), value);
    }
    simulation.pass(Duration::from_secs(seconds));
}

#[test]
fn an_alarm_that_nobody_made_is_missing() {
    let (simulation, _) = orders(0);
    assert_eq!(state(&simulation), AlarmState::Missing);

    simulation.world.set_alarm(&name(), AlarmState::InAlarm);
    assert_eq!(state(&simulation), AlarmState::InAlarm);
    simulation.world.delete_alarm(&name());

    assert_eq!(state(&simulation), AlarmState::Missing);
}

#[test]
fn an_alarm_needs_as_many_breaches_as_it_says() {
    let (simulation, _) = orders(0);
    simulation.world.add_alarm(&name(), errors(Missing::Missing));
    assert_eq!(state(&simulation), AlarmState::InsufficientData);

    measure(&simulation, 0.0, 60);
    assert_eq!(state(&simulation), AlarmState::Ok);
    measure(&simulation, 1.0, 12);
    assert_eq!(state(&simulation), AlarmState::Ok);
    measure(&simulation, 1.0, 20);
    assert_eq!(state(&simulation), AlarmState::InAlarm);
    measure(&simulation, 0.0, 60);
    assert_eq!(state(&simulation), AlarmState::Ok);
}

#[test]
fn an_alarm_that_ignores_missing_data_stays_as_it_was() {
    let (simulation, _) = orders(0);
    simulation.world.add_alarm(&name(), errors(Missing::Ignore));
    measure(&simulation, 1.0, 60);

    simulation.pass(Duration::from_secs(3600));

    assert_eq!(state(&simulation), AlarmState::InAlarm);
}

#[test]
fn an_alarm_without_data_for_long_knows_nothing() {
    let (simulation, _) = orders(0);
    simulation.world.add_alarm(&name(), errors(Missing::Missing));
    measure(&simulation, 1.0, 60);

    simulation.pass(Duration::from_secs(3600));

    assert_eq!(state(&simulation), AlarmState::InsufficientData);
}

#[test]
fn an_alarm_stays_as_it_was_on_old_data_for_a_while() {
    let (simulation, _) = orders(0);
    simulation.world.add_alarm(&name(), errors(Missing::Missing));
    measure(&simulation, 0.0, 60);

    simulation.pass(Duration::from_secs(35));

    assert_eq!(state(&simulation), AlarmState::Ok);
}
