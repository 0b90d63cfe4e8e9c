//! The actions of a function's role are the actions of its ports: nothing is missing, nothing is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use drill_model::faults::{Family, FaultKind};
use serde_json::{Value, json};

use super::families::{self, Families};
use super::policy::Stack;
use super::ports::{self, FUNCTIONS};

/// What a function needs besides its ports, and when.
struct Plumbing {
    /// The port that brings it, or `None` for every function.
    port: Option<&'static str>,
    /// The only function, where it is one.
    function: Option<&'static str>,
    /// The action with which it comes, where it is one.
    with: Option<&'static str>,
    actions: &'static [&'static str],
}

const PLUMBING: [Plumbing; 5] = [
    // Lambda writes logs and traces with the function's role.
    Plumbing { port: None, function: None, with: None, actions: &["logs:CreateLogStream", "logs:PutLogEvents"] },
    Plumbing {
        port: None,
        function: None,
        with: None,
        actions: &["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    },
    // The topic is encrypted with a key of ours.
    Plumbing { port: Some("Notices"), function: None, with: None, actions: &["kms:Decrypt", "kms:GenerateDataKey"] },
    // An instance whose volumes have a key of their own starts only for callers that may grant EC2 the use of that key.
    Plumbing { port: Some("Heals"), function: None, with: Some("ec2:StartInstances"), actions: &["kms:CreateGrant"] },
    // Lambda keeps the events on which the janitor failed.
    Plumbing { port: None, function: Some("Janitor"), with: None, actions: &["sqs:SendMessage"] },
];

/// What is wrong with the grants of a template, whichever faults are switched on.
pub fn wrong(template: &Value) -> Vec<String> {
    needed().iter().flat_map(|(on, needed)| on.named(wrong_with(template, on, needed))).collect()
}

type Needed = BTreeMap<&'static str, BTreeSet<String>>;

fn wrong_with(template: &Value, on: &Families, needed: &Needed) -> Vec<String> {
    let stack = Stack::new(template)
        .with("Faults", on.parameter())
        .with("AllowTermination", json!("yes"))
        .with("OtherTopicArns", json!("arn:aws:sns:us-east-1:123456789012:other"));
    let mut found = Vec::new();
    for (function, needed) in needed {
        let granted = match stack.statements(&format!("{function}Role")) {
            Ok(statements) => statements,
            Err(wrong) => {
                found.push(wrong);
                continue;
            }
        };
        let granted: BTreeSet<String> =
            granted.into_iter().filter(|one| one.allow).flat_map(|one| one.actions).collect();
        found.extend(
            granted.difference(needed).map(|one| format!("{function} may {one}, and none of its ports needs it")),
        );
        found.extend(needed.difference(&granted).map(|one| format!("{function} may not {one}, and its ports need it")));
    }
    found
}

/// What each function needs, for each choice of families.
fn needed() -> &'static [(Families, Needed)] {
    static NEEDED: OnceLock<Vec<(Families, Needed)>> = OnceLock::new();
    NEEDED.get_or_init(|| families::choices().into_iter().map(|on| (on.clone(), work_out(&on))).collect())
}

/// The actions of a port that somebody needs while these families are on.
fn of_port(port: &str, actions: &BTreeSet<String>, on: &Families) -> BTreeSet<String> {
    let calls_of = |fault: &FaultKind| {
        let (harms, heals) = fault.actions();
        harms.iter().chain(heals).copied()
    };
    let of_a_fault = |action: &String| FaultKind::ALL.iter().flat_map(calls_of).any(|call| call == action);
    let of_one_that_is_on = |action: &String| {
        let faults = FaultKind::ALL.iter().filter(|fault| on.has(fault.family()));
        faults.flat_map(calls_of).any(|call| call == action)
    };
    let wanted = |action: &&String| match port {
        "HostHarm" | "HostHeal" => on.has(Family::Host),
        "Harms" | "Heals" | "Rehearse" => !of_a_fault(action) || of_one_that_is_on(action),
        _ => true,
    };
    actions.iter().filter(wanted).cloned().collect()
}

fn work_out(on: &Families) -> Needed {
    let needs = |function: &'static str| {
        let ports = ports::made_of(function);
        let mut needed: BTreeSet<String> =
            ports.iter().flat_map(|(port, actions)| of_port(port, actions, on)).collect();
        for plumbing in &PLUMBING {
            let wanted = plumbing.port.is_none_or(|port| ports.contains_key(port))
                && plumbing.function.is_none_or(|only| only == function)
                && plumbing.with.is_none_or(|action| needed.contains(action));
            needed.extend(wanted.then_some(plumbing.actions).into_iter().flatten().map(|one| (*one).to_owned()));
        }
        (function, needed)
    };
    FUNCTIONS.into_iter().map(needs).collect()
}

#[test]
fn every_role_grants_what_its_ports_need_and_nothing_more() {
    assert_eq!(wrong(&super::mutations::shipped()), Vec::<String>::new());
}

#[test]
fn who_heals_sets_no_alarm_clock() {
    for (on, needed) in needed() {
        for function in ["Recover", "Rollback", "Janitor"] {
            assert!(!needed[function].contains("scheduler:CreateSchedule"), "{function} {on:?}");
        }
    }
}
