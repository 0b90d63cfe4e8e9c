//! The small ways to spoil a machine: take something away, send an edge elsewhere, misspell a word.

use serde_json::{Value, json};

use crate::shipped::document;

/// A way to spoil the machine.
pub struct Mutation {
    pub name: String,
    spoil: Box<dyn Fn(&mut Value)>,
}

impl Mutation {
    fn new(name: String, spoil: impl Fn(&mut Value) + 'static) -> Self {
        Self { name, spoil: Box::new(spoil) }
    }

    /// The spoiled machine.
    pub fn machine(&self) -> Value {
        let mut machine = document().clone();
        (self.spoil)(&mut machine);
        machine
    }

    /// The state that was spoiled.
    pub fn state(&self) -> &str {
        let pointer = self.name.split_whitespace().find(|word| word.starts_with('/')).unwrap();
        pointer.strip_prefix("/States/").map_or("the machine", |rest| rest.split('/').next().unwrap())
    }
}

pub fn all() -> Vec<Mutation> {
    [deletions(), redirections(), misspellings()].into_iter().flatten().collect()
}

/// Every single deletion that could matter: fields, list entries, whole states.
fn deletions() -> Vec<Mutation> {
    const FIELDS: [&str; 16] = [
        "Catch",
        "Retry",
        "Default",
        "TimeoutSeconds",
        "TimeoutSecondsPath",
        "ResultPath",
        "Next",
        "Parameters",
        "MaxAttempts",
        "BackoffRate",
        "MaxDelaySeconds",
        "JitterStrategy",
        "IntervalSeconds",
        "Error",
        "Cause",
        "Result",
    ];
    const LISTS: [&str; 6] = ["Catch", "Retry", "Choices", "And", "Or", "ErrorEquals"];
    let wanted = |pointer: &str, _: &Value| {
        let state = pointer.starts_with("/States/") && pointer.matches('/').count() == 2;
        state || FIELDS.contains(&last(pointer)) || LISTS.iter().any(|list| is_in(pointer, list))
    };
    let delete = |at: String| Mutation::new(format!("delete {at}"), move |machine| remove(machine, &at));
    pointers(&wanted).into_iter().map(delete).collect()
}

/// Every edge sent to every other state, and every state made to end the execution.
fn redirections() -> Vec<Mutation> {
    let is_edge = |pointer: &str, value: &Value| ["Next", "Default"].contains(&last(pointer)) && value.is_string();
    let states: Vec<&String> = document()["States"].as_object().unwrap().keys().collect();
    let mut mutations = Vec::new();
    for at in pointers(&is_edge) {
        let before = document().pointer(&at).unwrap().as_str().unwrap();
        for target in states.iter().filter(|target| **target != before) {
            let (place, value) = (at.clone(), json!(target));
            let send = move |machine: &mut Value| *machine.pointer_mut(&place).unwrap() = value.clone();
            mutations.push(Mutation::new(format!("send {at} to {target}"), send));
        }
        if at.ends_with("/Next") && at.matches('/').count() == 3 {
            mutations.push(Mutation::new(format!("end at {at}"), move |machine| {
                remove(machine, &at);
                machine.pointer_mut(at.trim_end_matches("/Next")).unwrap()["End"] = json!(true);
            }));
        }
    }
    mutations
}

/// Every word compared with or written, misspelt; every error too; fewer tries; a Catch that writes over the run's name.
fn misspellings() -> Vec<Mutation> {
    let is_word = |pointer: &str, value: &Value| {
        (["StringEquals", "verdict", "Result"].contains(&last(pointer)) && value.is_string())
            || is_in(pointer, "ErrorEquals")
    };
    let is_tries = |pointer: &str, _: &Value| last(pointer) == "MaxAttempts";
    let is_error = |pointer: &str, value: &Value| last(pointer) == "ResultPath" && value == "$.error";
    let put = |how: &str, at: String, value: Value| {
        Mutation::new(format!("{how} {at}"), move |machine| *machine.pointer_mut(&at).unwrap() = value.clone())
    };
    let words = pointers(&is_word).into_iter().map(|at| put("misspell", at, json!("mispelt")));
    let tries = pointers(&is_tries).into_iter().map(|at| put("lower", at, json!(1)));
    let errors = pointers(&is_error).into_iter().map(|at| put("lose", at, json!("$.run_id")));
    words.chain(tries).chain(errors).collect()
}

/// Every place of the shipped machine that is wanted.
fn pointers(wanted: &dyn Fn(&str, &Value) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    walk(document(), "", wanted, &mut found);
    found
}

fn walk(value: &Value, at: &str, wanted: &dyn Fn(&str, &Value) -> bool, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let here = format!("{at}/{name}");
        if wanted(&here, child) {
            found.push(here.clone());
        }
        walk(child, &here, wanted, found);
    }
}

fn remove(machine: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match machine.pointer_mut(parent).unwrap() {
        Value::Object(members) => assert!(members.remove(last).is_some(), "{pointer}"),
        Value::Array(items) => drop(items.remove(last.parse().unwrap())),
        other => panic!("{pointer} is in {other}"),
    }
}

fn last(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap()
}

/// True for an element of the list called `list`.
fn is_in(pointer: &str, list: &str) -> bool {
    pointer.rsplit('/').nth(1) == Some(list)
}
