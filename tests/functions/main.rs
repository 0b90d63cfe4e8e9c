//! What each function is made of, asked of its types, and written down for the rings that are built without the SDK.
//!
//! `infra/generated/functions.json` has for each function the time that a call has, its ports, and for each port the IAM
//! actions that it needs. The permission ring compares the roles of the template with it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use drill_phases::approval::ApprovalPorts;
use drill_phases::inject::InjectPorts;
use drill_phases::observe::ObservePorts;
use drill_phases::ports::Healing;
use drill_phases::prepare::PreparePorts;
use drill_phases::report::ReportPorts;
use drill_phases::validate::ValidatePorts;
use serde_json::{Value, json};

type Needs = &'static [(&'static str, &'static [&'static str])];

struct Function {
    name: &'static str,
    budget: Duration,
    needs: Needs,
    /// The names of the ports that its phase asks for.
    asks: &'static [&'static str],
}

macro_rules! functions {
    ($($name:literal: $function:ident for $phase:ident;)+) => {
        const FUNCTIONS: &[Function] = &[$(Function {
            name: $name,
            budget: $function::BUDGET,
            needs: $function::Ports::NEEDS,
            asks: <$function::Ports as $phase>::PORTS,
        }),+];
    };
}

functions! {
    "Approval": function_approval for ApprovalPorts;
    "Inject": function_inject for InjectPorts;
    "Janitor": function_janitor for Healing;
    "Observe": function_observe for ObservePorts;
    "Prepare": function_prepare for PreparePorts;
    "Recover": function_recover for Healing;
    "Report": function_report for ReportPorts;
    "Rollback": function_rollback for Healing;
    "Validate": function_validate for ValidatePorts;
}

#[test]
fn a_function_is_made_of_exactly_the_ports_that_its_phase_asks_for() {
    for Function { name, needs, asks, .. } in FUNCTIONS {
        let has: BTreeSet<_> = needs.iter().map(|(port, _)| *port).collect();

        assert_eq!(has, asks.iter().copied().collect(), "{name}");
        assert_eq!(has.len(), needs.len(), "{name} has a port twice");
    }
}

fn written(function: &Function) -> Value {
    let ports: BTreeMap<_, BTreeSet<_>> =
        function.needs.iter().map(|(port, actions)| (*port, actions.iter().collect())).collect();
    json!({"budget_seconds": function.budget.as_secs(), "ports": ports})
}

#[test]
fn what_is_written_of_the_functions_is_what_they_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/generated/functions.json");
    let functions: BTreeMap<_, _> = FUNCTIONS.iter().map(|one| (one.name, written(one))).collect();
    let is = serde_json::to_string_pretty(&functions).unwrap() + "\n";
    if std::env::var_os("STORMDRILL_WRITE").is_some() {
        std::fs::write(&path, &is).unwrap();
    }

    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), is, "run `make functions`");
}
