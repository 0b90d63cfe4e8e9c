//! A second interpreter over the same file: moto's, which is a port of LocalStack's, takes the same paths.
//!
//! It also writes the same history, event by event. Where its packages cannot be had the test fails: nothing was compared.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde_json::Value;

use crate::scenarios::{self, Outcome, Scenario};
use crate::shipped::{document, root};

/// Events that moto leaves out or AWS and moto disagree on, by scenario.
const DIFFERENT_EVENTS: [(&str, &str); 0] = [];

struct Moto {
    outcome: Outcome,
    events: Vec<String>,
}

fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).chars().take(4000).collect()
}

/// Every scenario as moto runs it.
fn moto(scenarios: &[Scenario]) -> BTreeMap<String, Moto> {
    let root = root();
    let target = std::env::var("ASL_TARGET").map_or_else(|_| root.join("target"), Into::into);
    let setup = Command::new("sh").arg(root.join("tests/asl/setup.sh")).env("ASL_TARGET", &target).output().unwrap();
    assert!(setup.status.success(), "{}", says(&setup));

    let files = scenarios.iter().map(|scenario| root.join(format!("tests/asl/scenarios/{}.yaml", scenario.name)));
    let ran = Command::new(target.join("venv-asl/bin/python"))
        .arg(root.join("tests/asl/moto_paths.py"))
        .arg(root.join("statemachine/experiment.asl.yaml"))
        .args(files)
        .env("TZ", "UTC")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", says(&ran));
    String::from_utf8(ran.stdout).unwrap().lines().map(read).collect()
}

fn read(line: &str) -> (String, Moto) {
    let ran: Value = serde_json::from_str(line).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let texts = |value: &Value| value.as_array().unwrap().iter().filter_map(text).collect();
    let outcome =
        Outcome { status: text(&ran["status"]).unwrap(), error: text(&ran["error"]), path: texts(&ran["path"]) };
    (text(&ran["scenario"]).unwrap(), Moto { outcome, events: texts(&ran["events"]) })
}

#[test]
fn moto_takes_the_same_paths() {
    let scenarios = scenarios::all();
    let by_moto = moto(&scenarios);

    assert_eq!(by_moto.len(), scenarios.len());
    for scenario in scenarios {
        let (ours, theirs) = (scenario.run(document()), &by_moto[&scenario.name]);
        assert_eq!(ours.outcome, theirs.outcome, "{}", scenario.name);
        if !DIFFERENT_EVENTS.iter().any(|(name, _)| *name == scenario.name) {
            assert_eq!(ours.events, theirs.events, "{}", scenario.name);
        }
    }
}
