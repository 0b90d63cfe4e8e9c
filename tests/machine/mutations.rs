//! Every rule can fail: the shipped machine is spoiled in every small way there is, and somebody must say so.
//!
//! A rule says so, by name, or the machine is safe all the same and a scenario takes another path.
//! What neither notices is in `survivors.txt`, with the reason why it does no harm.

mod spoilers;

use std::collections::BTreeSet;

use drill_machine::{Machine, ParseError, graph};

use crate::answers::{self, Answers};
use crate::scenarios::{self, Scenario};
use crate::shipped::{deployed, document, meta, read};
use spoilers::{Mutation, all};

/// What the rules say; a machine that cannot even be read says one thing too.
fn complaints(mutation: &Mutation) -> Vec<String> {
    complaints_about(Machine::from_value(&mutation.machine()))
}

fn complaints_about(machine: Result<Machine, ParseError>) -> Vec<String> {
    match machine {
        Ok(machine) => graph::check(&machine, meta()).iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

fn spoil(name: &str) -> Mutation {
    let found = all().into_iter().find(|mutation| mutation.name == name);
    found.unwrap_or_else(|| panic!("no mutation is called `{name}`"))
}

#[test]
fn each_rule_is_broken_by_something_and_names_the_state() {
    let check = |mutation: &str, expected: &str| {
        let complaints = complaints(&spoil(mutation));
        assert!(complaints.iter().any(|complaint| complaint.starts_with(expected)), "{mutation}: {complaints:#?}");
    };

    check("send /States/Hold/Next to Settle", "P1 ends clean: state `Refuted` ends an execution");
    check("send /States/Validate/Catch/1/Next to Inject", "P1 ends clean: state `Inject` can be reached again");
    check("delete /States/Inject/Catch", "P2 caught: state `Inject` does not end its Catch with States.ALL");
    check("delete /States/Observe/Catch/0", "P2 caught: state `Observe` does not catch States.DataLimitExceeded");
    check("send /States/Recover/Catch/1/Next to Page", "P2 caught: state `Recover` catches and goes to `Page`");
    check("lose /States/Inject/Catch/1/ResultPath", "P2 caught: state `Inject` loses the baton");
    check("delete /States/Decide/Default", "P3 cannot break: state `Decide` has no Default");
    check("delete /States/Decide/Choices/0/Or/1", "P3 cannot break: state `Decide` asks for `$.verdict`");
    check("delete /States/Decide/Choices/1/And/3", "P3 cannot break: state `Hold` takes its seconds");
    check("delete /TimeoutSeconds", "P4 bounded: state `the machine` has no TimeoutSeconds");
    check("delete /States/Observe/TimeoutSeconds", "P4 bounded: state `Observe` has no TimeoutSeconds");
    check("send /States/Injected/Choices/1/Next to Inject", "P4 bounded: state `Inject` is in a loop");
    check("delete /States/Rollback/Retry", "P5 last resort: state `Rollback` is the last resort");
    check("send /States/Page/Next to Report", "P5 last resort: state `Page` goes to `Report` without marking");
    check("send /States/Announce/Catch/1/Next to Inject", "P7 first things first: state `Inject` can be reached");
    check("send /States/Outcome/Default to Supported", "P8 words decide: state `Supported` is a success");
    check("send /States/Prepared/Choices/2/Next to Report", "P9 reachable: state `AwaitApproval`");
    check("delete /States/Validate/Retry", "P10 retried: state `Validate` does not retry Lambda.ServiceException");
}

/// What the layers of safety are made of cannot be taken away without a rule that names the state.
#[test]
fn every_catch_default_time_limit_and_last_retry_is_held_by_a_rule() {
    let is_held = |name: &str| {
        let parts: Vec<&str> = name.trim_start_matches("delete ").split('/').collect();
        match parts[..] {
            ["", "States", state, "Retry", ..] => state == "Rollback" && parts.len() < 6,
            ["", "States", _, "Catch"] | ["", "States", _, "Catch", _] => true,
            ["", "States", _, "Default" | "TimeoutSeconds" | "TimeoutSecondsPath"] => true,
            _ => false,
        }
    };
    let held: Vec<Mutation> = all().into_iter().filter(|m| m.name.starts_with("delete ") && is_held(&m.name)).collect();

    assert!(held.len() > 40, "{}", held.len());
    for mutation in held {
        let state = mutation.state();
        let complaints = complaints(&mutation);
        assert!(complaints.iter().any(|c| c.contains(&format!("`{state}`"))), "{}: {complaints:#?}", mutation.name);
    }
}

#[test]
fn every_mutation_is_noticed_or_known_to_be_harmless() {
    let mut scenarios = scenarios::all();
    scenarios.extend(scenarios::all().iter().filter_map(Scenario::with_data_limits));
    let expected: Vec<_> = scenarios.iter().map(|scenario| scenario.run(document())).collect();
    let seeds: Vec<Answers> = (1..=8).map(Answers::seeded).collect();
    let (mut by_rules, mut by_scenarios, mut survivors) = (0, 0, BTreeSet::new());

    let original = Machine::from_value(document()).unwrap();
    for mutation in all() {
        let spoiled = mutation.machine();
        let machine = Machine::from_value(&spoiled);
        // Some say the same in other words, by one of the language's defaults.
        if machine.as_ref().is_ok_and(|machine| *machine == original) {
            continue;
        }
        if !complaints_about(machine).is_empty() {
            by_rules += 1;
            continue;
        }
        let machine = deployed(&spoiled);
        for answers in &seeds {
            let harm = answers::harm(&machine, answers);
            assert_eq!(harm, None, "no rule notices `{}`, and it does harm", mutation.name);
        }
        let state = mutation.state();
        let visits = scenarios.iter().zip(&expected).filter(|(_, before)| before.passes(state));
        match visits.into_iter().any(|(scenario, before)| scenario.run(&spoiled) != *before) {
            true => by_scenarios += 1,
            false => drop(survivors.insert(mutation.name)),
        }
    }

    println!("{by_rules} noticed by rules, {by_scenarios} by scenarios, {} survive", survivors.len());
    let known: BTreeSet<String> = read("tests/machine/survivors.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    assert_eq!(survivors, known);
    assert!(by_rules > 2000 && by_scenarios > 500, "{by_rules} {by_scenarios}");
}
