use std::time::Duration;

use drill_model::experiment::{CloudWatchProbe, HttpProbe};
use drill_model::faults::FaultKind;
use drill_model::host::Document;
use drill_phases::ports::{Class, Datapoint, HostHarm, Http, HttpReading, Metrics, Prometheus};
use drill_world::{Datum, HostsView, Metric, Simulation};
use jiff::Timestamp;
use serde_json::json;

use super::fixture::{intended, latency, order, orders};

fn probe(statistic: &str, period: &str) -> CloudWatchProbe {
    let probe = json!({
        "namespace": "Orders", "metric": "Latency", "dimensions": {"Service": "orders"},
        "statistic": statistic, "period": period,
    });
    serde_json::from_value(probe).unwrap()
}

fn metric() -> Metric {
    Metric::new("Orders", "Latency").with("Service", "orders")
}

fn read(simulation: &Simulation, probe: CloudWatchProbe, from: Timestamp, to: Timestamp) -> Vec<Datapoint> {
    simulation.play(simulation.world.metrics(&[probe], from, to)).unwrap().unwrap().remove(0)
}

/// 45 ms, and 100 more while packets of any host are late.
fn service(view: &HostsView, _: Timestamp) -> Vec<Datum> {
    let late = if view.any(Document::Fault(FaultKind::NetworkLatency)) { 100.0 } else { 0.0 };
    vec![Datum { metric: metric(), value: 45.0 + late }]
}

#[test]
fn datapoints_come_newest_first_and_the_end_is_not_among_them() {
    let (simulation, _) = orders(0);
    let start = simulation.now();
    for second in 0..30 {
        simulation.world.put_metric(&metric(), start + Duration::from_secs(second), 1.0);
    }
    simulation.pass(Duration::from_secs(60));

    let points = read(&simulation, probe("Sum", "10s"), start, start + Duration::from_secs(20));

    let expected = [10, 0].map(|second| Datapoint { at: start + Duration::from_secs(second), value: 10.0 });
    assert_eq!(points, expected);
}

#[test]
fn a_metric_with_other_dimensions_is_another_metric() {
    let (simulation, _) = orders(0);
    let start = simulation.now();
    simulation.world.put_metric(&Metric::new("Orders", "Latency"), start, 1.0);
    simulation.pass(Duration::from_secs(60));

    assert_eq!(read(&simulation, probe("Average", "10s"), start, simulation.now()), []);
}

#[test]
fn what_is_measured_is_published_later() {
    let (simulation, _) = orders(0);
    simulation.world.timing(|timing| timing.publishing = Duration::from_secs(120));
    let start = simulation.now();
    simulation.world.put_metric(&metric(), start, 1.0);

    simulation.pass(Duration::from_secs(119));
    assert_eq!(read(&simulation, probe("Average", "10s"), start, simulation.now()), []);
    simulation.pass(Duration::from_secs(1));
    assert_eq!(read(&simulation, probe("Average", "10s"), start, simulation.now()).len(), 1);
}

#[test]
fn a_model_measures_what_was_so_at_each_instant_whenever_it_is_read() {
    let (simulation, hosts) = orders(1);
    simulation.world.model(service);
    let start = simulation.now();

    simulation.pass(Duration::from_secs(60));
    simulation
        .play(async {
            intended(&simulation, &hosts, latency()).await;
            simulation.world.harm_hosts(&order(simulation.now(), &hosts)).await.unwrap();
        })
        .unwrap();
    simulation.pass(Duration::from_secs(600));

    let mut points = read(&simulation, probe("Maximum", "60s"), start, start + Duration::from_secs(240));
    points.reverse();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    // The dead man ends it two minutes after it began, and a moment.
    assert_eq!(values, [45.0, 145.0, 145.0, 145.0]);
    let after = read(&simulation, probe("Maximum", "60s"), start + Duration::from_secs(240), simulation.now());
    assert!(after.iter().all(|point| point.value == 45.0), "{after:?}");
}

#[test]
fn an_empty_span_is_refused() {
    let (simulation, _) = orders(0);
    let now = simulation.now();

    let error = simulation.play(simulation.world.metrics(&[probe("Sum", "10s")], now, now)).unwrap().unwrap_err();

    assert_eq!(error.class, Class::Refused);
}

#[test]
fn there_is_no_prometheus_and_no_http_until_somebody_answers() {
    let (simulation, _) = orders(0);
    let world = &simulation.world;
    let get: HttpProbe = serde_json::from_value(json!({"url": "http://orders/health"})).unwrap();

    simulation
        .play(async {
            assert_eq!(world.prometheus("up", simulation.now()).await.unwrap_err().message, "no prometheus here");
            assert_eq!(world.http(&get).await.unwrap_err().class, Class::Missing);
            world.answer_prometheus(|query, _| query.parse().map_err(|_| "one number, please".to_owned()));
            world.answer_http(|_| async { Ok(HttpReading::Answered { status: 200, millis: 3.0 }) });
            assert_eq!(world.prometheus("7", simulation.now()).await, Ok(7.0));
            assert_eq!(world.prometheus("up", simulation.now()).await.unwrap_err().message, "one number, please");
            assert_eq!(world.http(&get).await, Ok(HttpReading::Answered { status: 200, millis: 3.0 }));
        })
        .unwrap();
}
