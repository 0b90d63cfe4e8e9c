//! What each function is made of, as `tests/functions` wrote it down from the types.

use std::collections::{BTreeMap, BTreeSet};

use drill_phases::approval::ApprovalPorts;
use drill_phases::inject::InjectPorts;
use drill_phases::observe::ObservePorts;
use drill_phases::ports::Healing;
use drill_phases::prepare::PreparePorts;
use drill_phases::report::ReportPorts;
use drill_phases::validate::ValidatePorts;
use drill_world::World;
use serde_json::Value;

use super::read;

/// The functions of the template, by their logical ids without `Function`.
pub const FUNCTIONS: [&str; 9] =
    ["Prepare", "Approval", "Inject", "Observe", "Recover", "Rollback", "Janitor", "Validate", "Report"];

/// The ports that a function is made of, each with the IAM actions that it needs.
pub fn made_of(function: &str) -> BTreeMap<String, BTreeSet<String>> {
    serde_json::from_value(written(function)["ports"].take()).unwrap()
}

/// The time that a call of a function has.
pub fn budget_seconds(function: &str) -> u64 {
    written(function)["budget_seconds"].as_u64().unwrap()
}

fn written(function: &str) -> Value {
    let mut functions: Value = serde_json::from_str(&read("infra/generated/functions.json")).unwrap();
    functions[function].take()
}

/// The ports that the phase of each function asks for. The world in memory has them all.
const ASKED: [(&str, &[&str]); 9] = [
    ("Prepare", <World as PreparePorts>::PORTS),
    ("Approval", <World as ApprovalPorts>::PORTS),
    ("Inject", <World as InjectPorts>::PORTS),
    ("Observe", <World as ObservePorts>::PORTS),
    ("Recover", <World as Healing>::PORTS),
    ("Rollback", <World as Healing>::PORTS),
    ("Janitor", <World as Healing>::PORTS),
    ("Validate", <World as ValidatePorts>::PORTS),
    ("Report", <World as ReportPorts>::PORTS),
];

#[test]
fn a_function_has_exactly_the_ports_that_its_phase_asks_for() {
    for (function, asked) in ASKED {
        let asked: BTreeSet<&str> = asked.iter().copied().collect();
        assert_eq!(made_of(function).keys().map(String::as_str).collect::<BTreeSet<_>>(), asked, "{function}");
    }
}

#[test]
fn healing_needs_the_ledger_the_schedules_and_the_targets_and_nothing_else() {
    let needed: BTreeSet<&str> = <World as Healing>::PORTS.iter().copied().collect();
    let may_fail = ["Notices", "Reports", "Metrics", "Prometheus", "Http", "Groups", "Experiments", "EmergencyStop"];

    assert_eq!(needed.intersection(&may_fail.into()).count(), 0, "{needed:?}");
}

#[test]
fn only_inject_has_the_ports_that_harm() {
    for function in FUNCTIONS {
        let ports = made_of(function);
        let harms = ports.contains_key("Harms") || ports.contains_key("HostHarm");
        assert_eq!(harms, function == "Inject", "{function}: {ports:?}");
    }
}
