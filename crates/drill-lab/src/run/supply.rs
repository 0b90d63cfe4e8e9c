//! What the lab measures, given to the world: metrics as they come, PromQL, GET requests.

use std::collections::BTreeMap;
use std::time::Duration;

use drill_model::experiment::HttpProbe;
use drill_phases::ports::HttpReading;
use drill_world::{Metric, World};

use crate::clock;
use crate::lab::{Lab, Measured};

/// The share of orders that were answered is a metric of its own, made of these.
const REQUESTS: &str = "Requests";
const FAILED: [&str; 2] = ["Errors", "Dropped"];
const AVAILABILITY: &str = "Availability";

/// Connects what the lab measures with the world that is asked for it.
pub(super) fn connect(lab: &Lab, world: &World) {
    let mut measurements = lab.measurements();
    let metrics = world.clone();
    tokio::task::spawn_local(async move {
        let mut seconds: BTreeMap<jiff::Timestamp, Second> = BTreeMap::new();
        while let Some(measured) = measurements.recv().await {
            let metric = metric(&measured.namespace, &measured.metric, &measured.dimensions);
            for value in &measured.values {
                metrics.put_metric(&metric, measured.at, *value);
            }
            if let Some((at, share)) = note(&mut seconds, &measured) {
                let availability = metric_named(&metric, AVAILABILITY);
                metrics.put_metric(&availability, at, share);
            }
        }
    });
    let prometheus = lab.clone();
    world.answer_prometheus(move |query, _| {
        let value = prometheus.prometheus(query).map_err(|error| error.to_string())?;
        value.single().map_err(|error| error.to_string())
    });
    let http = lab.clone();
    world.answer_http(move |probe: HttpProbe| {
        let lab = http.clone();
        async move {
            Ok(match lab.http_get(&probe.url, probe.timeout.into()).await {
                Ok(reading) => {
                    HttpReading::Answered { status: reading.status, millis: reading.elapsed.as_secs_f64() * 1e3 }
                }
                Err(_) => HttpReading::NoAnswer,
            })
        }
    });
}

/// What is known of one second.
#[derive(Default)]
struct Second {
    requests: Option<f64>,
    failed: BTreeMap<String, f64>,
}

/// Notes a measurement; when all of its second are there, the share of orders that were answered, in percent.
fn note(seconds: &mut BTreeMap<jiff::Timestamp, Second>, measured: &Measured) -> Option<(jiff::Timestamp, f64)> {
    let sum: f64 = measured.values.iter().sum();
    let second = seconds.entry(measured.at).or_default();
    if measured.metric == REQUESTS {
        second.requests = Some(sum);
    } else if FAILED.contains(&measured.metric.as_str()) {
        second.failed.insert(measured.metric.clone(), sum);
    } else {
        return None;
    }
    let (Some(requests), true) = (second.requests, second.failed.len() == FAILED.len()) else { return None };
    let failed: f64 = second.failed.values().sum();
    let at = measured.at;
    *seconds = seconds.split_off(&at);
    seconds.remove(&at);
    // A second without orders says nothing about how they are answered.
    (requests > 0.0).then(|| (at, ((requests - failed) / requests * 100.0).max(0.0)))
}

fn metric(namespace: &str, name: &str, dimensions: &BTreeMap<String, String>) -> Metric {
    dimensions.iter().fold(Metric::new(namespace, name), |metric, (name, value)| metric.with(name, value))
}

fn metric_named(of: &Metric, name: &str) -> Metric {
    metric(&of.namespace, name, &of.dimensions)
}

/// A fleet that has only just started is slow: what it does in this time is no baseline.
const WARMING_UP: Duration = Duration::from_secs(5);

/// What was measured while the fleet started is no history of a fleet that serves.
pub(super) fn forget_the_start(world: &World) {
    world.forget_metrics(clock::now() - WARMING_UP);
}

/// Waits until the fleet serves: orders are accepted, none fails, and that for some seconds on end.
pub(super) async fn serving(lab: &Lab, patience: Duration) -> Result<(), String> {
    let give_up = clock::instant() + patience;
    let mut since = None;
    while clock::instant() < give_up {
        let good = lab.glance().is_some_and(|glance| glance.accepted > 0 && glance.errors + glance.dropped == 0);
        since = good.then(|| since.unwrap_or_else(clock::instant));
        if since.is_some_and(|since| since.elapsed() >= WARMING_UP) {
            return Ok(());
        }
        clock::pause(Duration::from_millis(250)).await;
    }
    let seen = lab.glance().map_or_else(|| "the client measured nothing".to_owned(), |glance| format!("{glance:?}"));
    Err(format!("the order service was not up after {} s: {seen}", patience.as_secs()))
}
