//! The shipped files, and how a machine is run here: over written answers, under a clock that jumps.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use drill_machine::graph::Meta;
use drill_machine::script::Script;
use drill_machine::{Ended, Execution, Machine, run};
use serde_json::{Value, json};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The machine, as a document that a test may copy and change.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| serde_saphyr::from_str(&read("statemachine/experiment.asl.yaml")).unwrap())
}

pub fn meta() -> &'static Meta {
    static META: OnceLock<Meta> = OnceLock::new();
    META.get_or_init(|| {
        let machine = Machine::from_value(document()).unwrap();
        Meta::parse(&read("statemachine/experiment.meta.yaml"), &machine).unwrap()
    })
}

/// What stands for the placeholders here, as `tests/asl/machine.py` has it too.
pub fn arns(machine: &Machine) -> BTreeMap<String, String> {
    let arn = |name: &str| match name.strip_suffix("FunctionArn") {
        Some(function) => format!("arn:aws:lambda:us-east-1:123456789012:function:{}", function.to_lowercase()),
        None => format!("arn:aws:sns:us-east-1:123456789012:{}", name.trim_end_matches("TopicArn").to_lowercase()),
    };
    machine.placeholders().into_iter().map(|name| (name.clone(), arn(&name))).collect()
}

/// A machine as it would be deployed.
pub fn deployed(document: &Value) -> Machine {
    let machine = Machine::from_value(document).unwrap();
    let arns = arns(&machine);
    machine.substitute(&arns).unwrap()
}

/// A baton with this verdict.
pub fn baton(verdict: &str, hold_seconds: u64) -> Value {
    json!({"run_id": "run-1", "verdict": verdict, "hold_seconds": hold_seconds, "notice": "a drill"})
}

pub fn go_through(machine: &Machine, host: &Script) -> Ended {
    let execution = Execution::new("run-1", "arn:run-1", json!({"experiment": "an-experiment"})).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(run(machine, execution, host))
}
