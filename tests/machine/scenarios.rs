//! The scenarios of `tests/asl/scenarios`: what every function answers, and the path that the machine then takes.
//!
//! The same files are run by moto's interpreter; here they also show what a spoiled machine would do.

use std::collections::BTreeMap;

use drill_machine::script::{Answer, Script};
use drill_machine::{Ended, Status};
use serde_json::Value;

use crate::shipped::{self, baton, deployed, document, go_through};

/// One file.
pub struct Scenario {
    pub name: String,
    answers: BTreeMap<String, Vec<Answer>>,
    overrides: Vec<(String, Value)>,
    pub expected: Outcome,
}

/// What is compared between interpreters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub status: String,
    pub error: Option<String>,
    pub path: Vec<String>,
}

/// A run of a scenario: how it went, and what every function was asked.
#[derive(Debug, PartialEq)]
pub struct Ran {
    pub outcome: Outcome,
    pub events: Vec<&'static str>,
    calls: Vec<(String, Value)>,
}

impl Ran {
    pub fn passes(&self, state: &str) -> bool {
        self.outcome.path.iter().any(|passed| passed == state)
    }
}

impl From<Ended> for Outcome {
    fn from(ended: Ended) -> Self {
        let status = ended.status.name().to_owned();
        let error = match ended.status {
            Status::Failed { error, .. } => Some(error),
            Status::Succeeded | Status::TimedOut | Status::Aborted => None,
        };
        Self { status, error, path: ended.path }
    }
}

pub fn all() -> Vec<Scenario> {
    let folder = shipped::root().join("tests/asl/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let name = file.file_stem().unwrap().to_str().unwrap();
            Scenario::read(name, &serde_saphyr::from_str(&text).unwrap())
        })
        .collect()
}

impl Scenario {
    fn read(name: &str, file: &Value) -> Self {
        let expect = &file["expect"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let members = |value: &Value| value.as_object().cloned().unwrap_or_default().into_iter();
        Self {
            name: name.to_owned(),
            answers: members(&file["answers"])
                .map(|(name, list)| (key(&name), list.as_array().unwrap().iter().map(answer).collect()))
                .collect(),
            overrides: members(&file["overrides"]).collect(),
            expected: Outcome {
                status: text(&expect["status"]).unwrap(),
                error: text(&expect["error"]),
                path: expect["path"].as_str().unwrap().split_whitespace().map(str::to_owned).collect(),
            },
        }
    }

    /// The same, with every failure turned into an answer that is too long.
    pub fn with_data_limits(&self) -> Option<Self> {
        let too_long = |answer: &Answer| match answer {
            Answer::Fails { error, .. } if !error.starts_with("Lambda.") => Answer::Returns("x".repeat(300_000).into()),
            other => other.clone(),
        };
        let changed = |list: &Vec<Answer>| list.iter().map(too_long).collect();
        let answers: BTreeMap<_, Vec<Answer>> =
            self.answers.iter().map(|(name, list)| (name.clone(), changed(list))).collect();
        // States.ALL does not retry it, so the tries of Rollback are not used up and a second one is not made.
        let fits = answers != self.answers && self.name != "rollback-second-try";
        fits.then(|| Self {
            name: format!("{}, too long", self.name),
            answers,
            overrides: self.overrides.clone(),
            expected: self.expected.clone(),
        })
    }

    /// Runs it on a machine; a machine that lacks an overridden place keeps what it has.
    pub fn run(&self, machine: &Value) -> Ran {
        let mut machine = machine.clone();
        for (pointer, value) in &self.overrides {
            if let Some(place) = machine.pointer_mut(pointer) {
                *place = value.clone();
            }
        }
        // A path is at most 30 states long; whoever takes a longer one turns in circles.
        let host = Script::new(self.answers.clone()).stopping_after(300);
        let outcome = go_through(&deployed(&machine), &host).into();
        let events = host.history().iter().map(|event| event.kind.name()).collect();
        Ran { outcome, events, calls: host.calls() }
    }
}

fn key(name: &str) -> String {
    if name == "notice" { "sns:publish".into() } else { name.into() }
}

fn answer(value: &Value) -> Answer {
    let members = value.as_object().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    if let Some(verdict) = members.get("verdict") {
        return Answer::Returns(baton(
            &text(verdict),
            members.get("hold_seconds").and_then(Value::as_u64).unwrap_or(0),
        ));
    }
    if let Some(failure) = members.get("fails") {
        return Answer::Fails { error: text(&failure["error"]), cause: text(&failure["cause"]) };
    }
    match members.iter().next() {
        Some((kind, value)) if kind == "returns" => Answer::Returns(value.clone()),
        Some((kind, value)) if kind == "bytes" => {
            Answer::Returns("x".repeat(value.as_u64().unwrap().try_into().unwrap()).into())
        }
        Some((kind, _)) if kind == "hangs" => Answer::Hangs,
        _ => panic!("an answer is verdict, returns, bytes, fails or hangs, and not {value}"),
    }
}

#[test]
fn every_scenario_takes_its_path() {
    for scenario in all() {
        assert_eq!(scenario.run(document()).outcome, scenario.expected, "{}", scenario.name);
    }
}

#[test]
fn an_answer_that_is_too_long_takes_the_path_of_a_failure() {
    let scenarios: Vec<Scenario> = all().iter().filter_map(Scenario::with_data_limits).collect();

    assert!(scenarios.len() >= 8, "{}", scenarios.len());
    for scenario in scenarios {
        assert_eq!(scenario.run(document()).outcome, scenario.expected, "{}", scenario.name);
    }
}
