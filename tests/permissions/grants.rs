//! The actions of a function's role are the actions of its ports: nothing is missing, nothing is left over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::policy::Stack;
use super::ports::{self, FUNCTIONS};

/// What a function needs besides its ports, and when.
struct Plumbing {
    /// The port that brings it, or `None` for every function.
    port: Option<&'static str>,
    /// The only function, where it is one.
    function: Option<&'static str>,
    actions: &'static [&'static str],
}

const PLUMBING: [Plumbing; 5] = [
    // Lambda writes logs and traces with the function's role.
    Plumbing { port: None, function: None, actions: &["logs:CreateLogStream", "logs:PutLogEvents"] },
    Plumbing { port: None, function: None, actions: &["xray:PutTelemetryRecords", "xray:PutTraceSegments"] },
    // The topic is encrypted with a key of ours.
    Plumbing { port: Some("Notices"), function: None, actions: &["kms:Decrypt", "kms:GenerateDataKey"] },
    // An instance whose volumes have a key of their own starts only for callers that may grant EC2 the use of that key.
    Plumbing { port: Some("Heals"), function: None, actions: &["kms:CreateGrant"] },
    // Lambda keeps the events on which the janitor failed.
    Plumbing { port: None, function: Some("Janitor"), actions: &["sqs:SendMessage"] },
];

/// What is wrong with the grants of a template.
pub fn wrong(template: &Value) -> Vec<String> {
    let stack = Stack::new(template)
        .with("AllowTermination", json!("yes"))
        .with("OtherTopicArns", json!("arn:aws:sns:us-east-1:123456789012:other"));
    let mut found = Vec::new();
    for (function, needed) in needed() {
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

/// What each function needs.
fn needed() -> &'static BTreeMap<&'static str, BTreeSet<String>> {
    static NEEDED: OnceLock<BTreeMap<&'static str, BTreeSet<String>>> = OnceLock::new();
    NEEDED.get_or_init(work_out)
}

fn work_out() -> BTreeMap<&'static str, BTreeSet<String>> {
    let needs = |function: &'static str| {
        let ports = ports::made_of(function);
        let mut needed: BTreeSet<String> = ports.values().flatten().cloned().collect();
        for plumbing in &PLUMBING {
            let wanted = plumbing.port.is_none_or(|port| ports.contains_key(port))
                && plumbing.function.is_none_or(|only| only == function);
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
    for function in ["Recover", "Rollback", "Janitor"] {
        assert!(!needed()[function].contains("scheduler:CreateSchedule"), "{function}");
    }
}
