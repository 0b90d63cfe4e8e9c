//! An example of every field, for the help of complaints. A test checks each against the schema.
//!
//! Those of a fault's parameters are in the fault's own file, as `#[schemars(example = …)]`; the others are below.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use crate::faults::Fault;

/// A line that shows how a field is written; `around` are the fields that it stands in, innermost first.
pub(super) fn of(field: &str, around: &[&str]) -> Option<&'static str> {
    let inside = |section: &str| around.contains(&section);
    let parameter = inside("faults").then(|| parameters().get(field)).flatten();
    parameter.map(String::as_str).or_else(|| {
        let fits = |(section, name, _): &&(Option<&str>, &str, &str)| *name == field && section.is_none_or(&inside);
        EXAMPLES.iter().find(fits).map(|(_, _, example)| *example)
    })
}

/// How each parameter of a fault is written: `delay: 100ms`.
pub(super) fn parameters() -> &'static BTreeMap<String, String> {
    static PARAMETERS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        let mut found = BTreeMap::new();
        collect(schemars::schema_for!(Fault).as_value(), &mut found);
        found
    })
}

/// The first example of each property that has one.
fn collect(schema: &Value, found: &mut BTreeMap<String, String>) {
    match schema {
        Value::Object(fields) => {
            for (name, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
                if let Some(example) = property.get("examples").and_then(|examples| examples.get(0)) {
                    found.entry(name.clone()).or_insert_with(|| format!("{name}: {}", flow(example)));
                }
            }
            fields.values().for_each(|part| collect(part, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| collect(part, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A value as YAML on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if text.parse::<f64>().is_err() => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// Where (anywhere when absent), which field, how it is written. The more particular come first.
pub(super) const EXAMPLES: &[(Option<&str>, &str, &str)] = &[
    (None, "id", "id: order-service-latency"),
    (None, "title", "title: Order service survives a slow network"),
    (None, "hypothesis", "hypothesis: Orders stay under 200 ms while one host is slow."),
    (None, "environments", "environments: [staging]"),
    (
        None,
        "targets",
        "targets: { order-hosts: { kind: ec2-instance, tags: { Service: orders }, pick: { count: 1 } } }",
    ),
    (None, "dependencies", "dependencies: { database: { host: 10.0.0.7, port: 5432 } }"),
    (
        None,
        "steady_state",
        "steady_state: [{ name: healthy, host_health: { of: order-hosts }, covers: 2m, tolerance: { at_least: 75 } }]",
    ),
    (None, "guards", "guards: { stop_when: [{ alarm: orders-error-budget }], max_blast_radius: 30% }"),
    (None, "observe", "observe: { every: 5s }"),
    (None, "recovery", "recovery: { within: 5m }"),
    (None, "success", "success: [{ recovery_time_at_most: 5m }]"),
    (None, "notify", "notify: { topic: default }"),
    (None, "topic", "topic: default"),
    (Some("windows"), "faults", "faults: [network-latency]"),
    (Some("windows"), "days", "days: mon-fri"),
    (Some("windows"), "from", "from: \"17:00\""),
    (Some("windows"), "to", "to: \"08:00\""),
    (Some("windows"), "zone", "zone: Europe/Berlin"),
    (Some("windows"), "calendar", "calendar: nyse"),
    (Some("windows"), "on_holidays", "on_holidays: closed"),
    (None, "faults", "faults: [{ name: one-host-stops, kind: instance-stop, on: order-hosts, duration: 2m }]"),
    (Some("targets"), "kind", "kind: ec2-instance"),
    (Some("targets"), "tags", "tags: { Service: orders }"),
    (Some("targets"), "ids", "ids: [i-0123456789abcdef0]"),
    (None, "group", "group: orders-asg"),
    (None, "pick", "pick: { count: 1 }"),
    (None, "count", "count: 1"),
    (Some("max_blast_radius"), "percent", "percent: 25"),
    (None, "percent", "percent: 25"),
    (Some("steady_state"), "name", "name: order-latency-p99"),
    (Some("faults"), "name", "name: slow-network"),
    (Some("faults"), "kind", "kind: network-latency"),
    (Some("faults"), "on", "on: order-hosts"),
    (Some("faults"), "duration", "duration: 60s"),
    (Some("faults"), "after", "after: slow-network"),
    (Some("faults"), "delay_start", "delay_start: 30s"),
    (Some("faults"), "cidrs", "cidrs: [10.0.0.0/8]"),
    (Some("faults"), "dependency", "dependency: database"),
    (None, "host", "host: 10.0.0.7"),
    (None, "port", "port: 5432"),
    (
        Some("steady_state"),
        "cloudwatch",
        "cloudwatch: { namespace: Orders, metric: Latency, statistic: p99, period: 10s }",
    ),
    (None, "namespace", "namespace: Orders"),
    (None, "metric", "metric: Latency"),
    (None, "dimensions", "dimensions: { Service: orders }"),
    (None, "statistic", "statistic: p99"),
    (None, "period", "period: 10s"),
    (Some("steady_state"), "alarm", "alarm: { name: orders-error-budget }"),
    (Some("alarm"), "name", "name: orders-error-budget"),
    (Some("steady_state"), "prometheus", "prometheus: { query: avg(up) * 100 }"),
    (None, "query", "query: avg(up) * 100"),
    (Some("steady_state"), "http", "http: { url: \"https://orders.example.com/health\" }"),
    (None, "url", "url: \"https://orders.example.com/health\""),
    (None, "measure", "measure: milliseconds"),
    (None, "status", "status: 200"),
    (None, "timeout", "timeout: 2s"),
    (Some("steady_state"), "capacity", "capacity: { group: orders-asg }"),
    (Some("steady_state"), "host_health", "host_health: { of: order-hosts }"),
    (Some("success"), "of", "of: availability"),
    (None, "of", "of: order-hosts"),
    (Some("steady_state"), "covers", "covers: 3m"),
    (Some("steady_state"), "settles", "settles: 120s"),
    (Some("steady_state"), "missing", "missing: zero"),
    (Some("steady_state"), "tolerance", "tolerance: { at_most: 200 }"),
    (None, "at_least", "at_least: 99.0"),
    (None, "at_most", "at_most: 200"),
    (None, "in_samples", "in_samples: 90%"),
    (None, "stop_when", "stop_when: [{ alarm: orders-error-budget }]"),
    (Some("stop_when"), "alarm", "alarm: orders-error-budget"),
    (Some("stop_when"), "probe", "probe: order-latency-p99"),
    (None, "above_baseline", "above_baseline: 2.0x"),
    (None, "below_baseline", "below_baseline: 0.5x"),
    (None, "above", "above: 500"),
    (None, "below", "below: 90"),
    (None, "degraded", "degraded: { by: 10% }"),
    (None, "by", "by: 10%"),
    (None, "alpha", "alpha: 0.05"),
    (None, "for_samples", "for_samples: 3"),
    (None, "min_healthy", "min_healthy: { count: 2 }"),
    (None, "max_blast_radius", "max_blast_radius: 30%"),
    (None, "windows", "windows: [{ days: mon-fri, from: \"10:00\", to: \"16:00\", zone: Europe/Berlin }]"),
    (None, "approval", "approval: { within: 1h }"),
    (None, "on_early_end", "on_early_end: continue"),
    (None, "every", "every: 5s"),
    (None, "baseline_samples", "baseline_samples: 5"),
    (None, "min_samples", "min_samples: 3"),
    (None, "unknown_samples", "unknown_samples: 3"),
    (None, "within", "within: 5m"),
    (None, "tolerance_of_baseline", "tolerance_of_baseline: 10%"),
    (None, "check_every", "check_every: 10s"),
    (None, "good_samples", "good_samples: 2"),
    (None, "recovery_time_at_most", "recovery_time_at_most: 5m"),
    (None, "availability_at_least", "availability_at_least: 99.0, of: availability"),
];
