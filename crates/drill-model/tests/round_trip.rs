//! What is written is what is read: every kind of fault, whole experiments, and the digest that an approval binds to.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::Experiment;
use drill_model::faults::{FaultKind, FaultSpec};
use drill_model::ids::{Environment, RunId};
use drill_model::pick::Seed;
use drill_model::plan::{Digest, Pacing, Scope};
use drill_model::quantity::Span;
use drill_model::read;
use proptest::prelude::*;
use serde_json::Value;

const WHOLE: &str = include_str!("whole.yaml");

/// Some with as little as they need, some with all that they take. Every kind is on its page, too.
const FAULTS: [&str; 29] = [
    "kind: subnet-partition, traffic: all",
    "kind: subnet-partition, traffic: other-zones, after: other",
    "kind: subnet-partition, traffic: { port: 5432 }",
    "kind: process-kill, process: orderd",
    "kind: process-kill, process: orderd, signal: term, after: other, delay_start: 1m30s",
    "kind: process-pause, process: orderd",
    "kind: process-pause, process: .x_y-z, delay_start: 5ms",
    "kind: service-stop, service: order-service",
    "kind: service-stop, service: getty@tty1.service",
    "kind: cpu-stress, load: 80%",
    "kind: cpu-stress, load: 100%, workers: 4",
    "kind: memory-stress, fill: 80%",
    "kind: memory-stress, fill: 1%, workers: 2",
    "kind: io-stress, workers: 2, megabytes: 256",
    "kind: io-stress, workers: 1, megabytes: 1, after: other",
    "kind: disk-fill, fill: 95%",
    "kind: disk-fill, fill: 50%, delay_start: 10s",
    "kind: network-latency, delay: 100ms",
    "kind: network-latency, delay: 1s, jitter: 20ms, interface: eth0, to: { dependency: database }",
    "kind: network-loss, loss: 20%, direction: ingress",
    "kind: network-loss, loss: 100%, direction: egress, to: { cidrs: [10.0.0.0/8, 192.0.2.7] }",
    "kind: network-blackhole, direction: ingress, port: 5432",
    "kind: network-blackhole, direction: egress, port: 53, protocol: udp, to: { cidrs: [10.0.0.0/8] }",
    "kind: instance-stop",
    "kind: instance-stop, after: other",
    "kind: instance-reboot",
    "kind: instance-reboot, delay_start: 1h",
    "kind: instance-terminate, irreversible: accepted",
    "kind: instance-terminate, irreversible: accepted, after: other",
];

/// The fault of the example on the page of its kind, as JSON.
fn example(kind: FaultKind) -> String {
    let page = format!("{}/../../docs/reference/faults/{kind}.md", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{page}: {error}: run `make pages`"));
    let example = page.split("```").find_map(|part| part.strip_prefix("yaml\n")).expect("a page has an example");
    let experiment: Value = serde_saphyr::from_str(example).expect("an example is an experiment");
    experiment["faults"][0].to_string()
}

#[test]
fn every_kind_of_fault_survives_being_written_and_read() {
    let mut kinds = BTreeSet::new();
    let written = FAULTS.map(|fault| format!("{{ name: fault, on: hosts, duration: 60s, {fault} }}"));
    for text in written.into_iter().chain(FaultKind::ALL.iter().copied().map(example)) {
        let spec: FaultSpec = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let json = serde_json::to_string(&spec).unwrap();

        assert_eq!(serde_json::from_str::<FaultSpec>(&json).unwrap(), spec, "{json}");
        // What was written is all there, and nothing twice.
        let written: Value = serde_saphyr::from_str(&text).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        for field in written.as_object().unwrap().keys() {
            assert_eq!(json.matches(&format!("\"{field}\":")).count(), 1, "{field} in {json}");
        }
        assert_eq!(value["kind"], spec.fault.kind().word());
        kinds.insert(spec.fault.kind());
    }
    assert_eq!(kinds, FaultKind::ALL.iter().copied().collect());
}

fn digest(experiment: Experiment) -> Digest {
    let run_id = RunId::try_from("run-1").expect("a run id");
    let scope = Scope {
        seed: Seed::of(&run_id),
        run_id,
        account: "123456789012".to_owned(),
        region: "eu-central-1".to_owned(),
        environment: Environment::try_from("staging").expect("an environment"),
        experiment,
        targets: BTreeMap::new(),
        shares: [].into(),
        changes: Vec::new(),
        pacing: Pacing::of(Span::seconds(60), Span::seconds(5)).expect("a pace"),
        worst_case: Span::seconds(600),
    };
    scope.digest()
}

/// JSON with the fields of every object in another order.
fn shuffled(value: &Value, seed: u64) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(&String, String)> =
                fields.iter().map(|(name, value)| (name, shuffled(value, seed.rotate_left(7) ^ 0x9e37))).collect();
            fields.sort_by_key(|(name, _)| {
                name.bytes().fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
            });
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| shuffled(item, seed)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

proptest! {
    #[test]
    fn the_digest_does_not_depend_on_the_order_of_the_fields(seed in any::<u64>()) {
        let experiment = read::experiment(WHOLE).unwrap();
        let text = shuffled(&serde_json::to_value(&experiment).unwrap(), seed);

        let again = read::experiment(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;

        prop_assert_eq!(digest(again), digest(experiment));
    }
}

#[test]
fn the_digest_depends_on_every_word() {
    let mut digests = BTreeSet::new();
    for (from, to) in [
        ("", ""),
        ("100ms", "101ms"),
        ("percent: 25", "percent: 26"),
        ("slow-network\n", "slow-net\n"),
        ("mon-fri", "mon-thu"),
        ("at_most: 200", "at_most: 201"),
        ("orders-error-budget", "orders-budget"),
    ] {
        digests.insert(digest(read::experiment(&WHOLE.replacen(from, to, 1)).unwrap()).to_string());
    }

    assert_eq!(digests.len(), 7);
}

#[test]
fn what_is_left_out_is_written_as_what_it_means() {
    let spelt = WHOLE.replace("observe: { every: 5s }", "observe: { every: 5s, min_samples: 3, unknown_samples: 3 }");

    assert_eq!(digest(read::experiment(&spelt).unwrap()), digest(read::experiment(WHOLE).unwrap()));
}
