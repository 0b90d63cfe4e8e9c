//! The page of error names, the Rust list and the state machine: each knows the same names.

use std::collections::BTreeSet;

use drill_model::refusal::Refusal;
use drill_phases::call::EDGE_NAMES;
use drill_phases::{ERROR_NAMES, NEXT};
use regex_lite::Regex;
use serde_json::Value;

use super::read;

/// The names in the first column of the page, and how often each is there.
fn page() -> Vec<String> {
    let row = Regex::new(r"(?m)^\| `([^`]+)` \|").unwrap();
    row.captures_iter(&read("docs/reference/errors.md")).map(|found| found[1].to_owned()).collect()
}

/// Every name that the machines themselves give: of Fail states, and of the documents that Pass states make.
fn made_by_machines() -> BTreeSet<String> {
    fn collect(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(entries) => {
                names.extend(entries.get("Error").and_then(Value::as_str).map(str::to_owned));
                entries.values().for_each(|one| collect(one, names));
            }
            Value::Array(items) => items.iter().for_each(|one| collect(one, names)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut names = BTreeSet::new();
    for machine in ["experiment", "campaign", "scheduled-start", "aftermath"] {
        let text = read(&format!("statemachine/{machine}.asl.yaml"));
        collect(&serde_saphyr::from_str(&text).unwrap(), &mut names);
    }
    names
}

/// Every name that a Retry or a Catch looks for.
fn looked_for() -> BTreeSet<String> {
    let list = Regex::new(r"ErrorEquals: \[([^\]]+)\]").unwrap();
    let machines = ["experiment", "campaign", "scheduled-start", "aftermath"]
        .map(|one| read(&format!("statemachine/{one}.asl.yaml")));
    let names = machines.iter().flat_map(|text| list.captures_iter(text));
    names.flat_map(|found| found[1].split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect()
}

#[test]
fn the_page_has_every_name_that_there_is_and_no_other() {
    let rust = ERROR_NAMES.iter().chain(EDGE_NAMES).map(|name| (*name).to_owned());
    let services = looked_for().into_iter();
    let expected: BTreeSet<String> = rust.chain(made_by_machines()).chain(services).collect();

    let page = page();

    assert_eq!(page.iter().cloned().collect::<BTreeSet<_>>(), expected);
    assert_eq!(page.len(), expected.len(), "a name is there twice");
}

#[test]
fn the_page_has_every_guard_that_refuses_and_no_other() {
    let page = read("docs/reference/errors.md");
    let (_, refusals) = page.split_once("## Refusals").unwrap();
    let row = Regex::new(r"(?m)^\| ([a-z][a-z-]*) \|").unwrap();
    let rows = row.captures_iter(refusals).map(|found| found[1].to_owned());

    assert_eq!(rows.filter(|word| word != "guard").collect::<Vec<_>>(), Refusal::WORDS);
}

#[test]
fn the_page_and_the_error_itself_say_the_same_of_what_to_do() {
    let page = read("docs/reference/errors.md")
        .replace("[Put it back by hand](../how-to/stuck.md)", "Put it back by hand (docs/how-to/stuck.md)");

    for (name, next) in NEXT {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        assert!(row.ends_with(&format!("| {next} |")), "{name}: {next}");
    }
}

#[test]
fn a_machine_looks_for_no_name_of_ours_that_rust_does_not_have() {
    let ours = Regex::new(r"^(Prepare|Approval|Inject|Observe|Recover|Rollback|Validate|Report|Janitor)\.").unwrap();

    let unknown: Vec<_> =
        looked_for().into_iter().filter(|name| ours.is_match(name) && !ERROR_NAMES.contains(&name.as_str())).collect();

    assert_eq!(unknown, Vec::<String>::new());
}

#[test]
fn the_page_says_what_to_do_about_each() {
    let row = Regex::new(r"(?m)^\| `[^`]+` \|(.*)\|$").unwrap();

    for found in row.captures_iter(&read("docs/reference/errors.md")) {
        let cells: Vec<&str> = found[1].split('|').map(str::trim).collect();
        assert!(cells.len() == 2 && cells.iter().all(|cell| !cell.is_empty()), "{}", &found[0]);
    }
}
