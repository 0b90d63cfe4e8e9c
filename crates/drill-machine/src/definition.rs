//! The machine as types: what the file may say, and nothing else.
//!
//! A `Machine` has been read strictly: every target exists, and every field that it does not know was refused.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::choice::{Comparison, Rule};
use crate::path::Path;
use crate::template::Template;

/// No wait, time-out or attempt count in the language is above this.
pub const MOST_SECONDS: u64 = 99_999_999;

/// A state machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Machine {
    /// `Comment`
    pub comment: Option<String>,
    /// `StartAt`
    pub start_at: String,
    /// `TimeoutSeconds` of the whole execution.
    pub timeout_seconds: Option<u64>,
    /// `States`, by name.
    pub states: BTreeMap<String, State>,
}

/// One state.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// `Comment`
    pub comment: Option<String>,
    /// What it does.
    pub kind: Kind,
}

/// `Type` and what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Calls a function or a service.
    Task(Box<Task>),
    /// Goes where a rule says.
    Choice(Choice),
    /// Lets time pass.
    Wait(Wait),
    /// Makes a document.
    Pass(Pass),
    /// Ends well.
    Succeed,
    /// Ends badly.
    Fail(Fail),
}

/// A Task state.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// `Resource`
    pub resource: Resource,
    /// `Parameters`
    pub parameters: Option<Template>,
    /// `TimeoutSeconds` or `TimeoutSecondsPath`, for each attempt.
    pub timeout: Option<Seconds>,
    /// `ResultPath`
    pub result_path: ResultPath,
    /// `Retry`, first match first.
    pub retry: Vec<Retrier>,
    /// `Catch`, first match first.
    pub catch: Vec<Catcher>,
    /// `Next` or `End`
    pub next: Next,
}

/// What a Task calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// A Lambda function, by ARN or by the placeholder of one.
    Function(String),
    /// `arn:aws:states:::<action>`, with or without `.waitForTaskToken`.
    Service {
        /// Such as `sns:publish`.
        action: String,
        /// True when the result is what somebody sends with the task token.
        wait_for_task_token: bool,
    },
}

impl Resource {
    /// The text in the file.
    pub fn arn(&self) -> String {
        match self {
            Self::Function(arn) => arn.clone(),
            Self::Service { action, wait_for_task_token } => {
                format!("arn:aws:states:::{action}{}", if *wait_for_task_token { ".waitForTaskToken" } else { "" })
            }
        }
    }
}

/// A number of seconds, written down or looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seconds {
    /// The same every time.
    Fixed(u64),
    /// Read from the input.
    At(Path),
}

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultPath {
    /// `null`: the result is dropped, and the input is the output.
    Discard,
    /// Into the input at this path; at `$` the result is the output.
    At(Path),
}

/// One entry of `Retry`.
#[derive(Debug, Clone, PartialEq)]
pub struct Retrier {
    /// `ErrorEquals`
    pub error_equals: Vec<String>,
    /// `IntervalSeconds`, 1 unless said.
    pub interval_seconds: u64,
    /// `MaxAttempts`, 3 unless said; 0 means never.
    pub max_attempts: u64,
    /// `BackoffRate`, 2.0 unless said.
    pub backoff_rate: f64,
    /// `MaxDelaySeconds`
    pub max_delay_seconds: Option<u64>,
    /// `JitterStrategy`
    pub jitter: Jitter,
}

/// `JitterStrategy`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jitter {
    /// Wait exactly as long as computed.
    None,
    /// Wait between nothing and as long as computed.
    Full,
}

/// One entry of `Catch`.
#[derive(Debug, Clone, PartialEq)]
pub struct Catcher {
    /// `ErrorEquals`
    pub error_equals: Vec<String>,
    /// Where `{Error, Cause}` goes.
    pub result_path: ResultPath,
    /// `Next`
    pub next: String,
}

/// A Choice state.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// `Choices`, first match first.
    pub rules: Vec<Rule>,
    /// `Default`
    pub default: Option<String>,
}

/// A Wait state.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// `Seconds` or `SecondsPath`
    pub seconds: Seconds,
    /// `Next` or `End`
    pub next: Next,
}

/// A Pass state.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// `Parameters`; not together with `Result`.
    pub parameters: Option<Template>,
    /// `Result`
    pub result: Option<serde_json::Value>,
    /// `ResultPath`
    pub result_path: ResultPath,
    /// `Next` or `End`
    pub next: Next,
}

/// A Fail state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail {
    /// `Error`
    pub error: Option<String>,
    /// `Cause`
    pub cause: Option<String>,
}

/// `Next` or `End`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// On to this state.
    State(String),
    /// The execution succeeds here.
    End,
}

/// Placeholders that nobody gave a value for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("nothing was given for {}: every `${{…}}` of the machine needs a value", .0.iter().map(|name| format!("`${{{name}}}`")).collect::<Vec<_>>().join(", "))]
pub struct Unfilled(pub BTreeSet<String>);

impl Machine {
    /// The machine with every `${Name}` replaced, as a deployment does it.
    pub fn substitute(mut self, values: &BTreeMap<String, String>) -> Result<Self, Unfilled> {
        let mut unfilled = BTreeSet::new();
        self.for_each_text(&mut |text| *text = fill(text, values, &mut unfilled));
        if unfilled.is_empty() { Ok(self) } else { Err(Unfilled(unfilled)) }
    }

    /// The names of its `${…}`.
    pub fn placeholders(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.clone().for_each_text(&mut |text| {
            fill(text, &BTreeMap::new(), &mut names);
        });
        names
    }

    /// Every error name that it matches, makes, or fails with.
    pub fn error_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for state in self.states.values() {
            match &state.kind {
                Kind::Task(task) => {
                    names.extend(task.retry.iter().flat_map(|retrier| retrier.error_equals.iter().cloned()));
                    names.extend(task.catch.iter().flat_map(|catcher| catcher.error_equals.iter().cloned()));
                }
                Kind::Fail(fail) => names.extend(fail.error.clone()),
                Kind::Pass(Pass { parameters: Some(Template::Object(members)), .. }) => names.extend(
                    members
                        .iter()
                        .filter(|(name, _)| name == "error")
                        .filter_map(|(_, error)| error.constant("Error")?.as_str().map(str::to_owned)),
                ),
                Kind::Pass(_) | Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed => {}
            }
        }
        names
    }

    /// Every verdict word that it compares with or writes.
    pub fn verdict_words(&self) -> BTreeSet<String> {
        let mut words = BTreeSet::new();
        for state in self.states.values() {
            match &state.kind {
                Kind::Choice(choice) => words.extend(choice.rules.iter().flat_map(|rule| {
                    rule.test.comparisons().into_iter().filter_map(|(path, with)| match with {
                        Comparison::StringEquals(word) if path.to_string() == VERDICT => Some(word.clone()),
                        _ => None,
                    })
                })),
                Kind::Pass(pass) => words.extend(pass.verdict().map(str::to_owned)),
                Kind::Task(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail(_) => {}
            }
        }
        words
    }

    /// The names of its states whose kind satisfies `wanted`.
    pub fn states_where(&self, wanted: impl Fn(&Kind) -> bool) -> BTreeSet<&str> {
        self.states.iter().filter(|(_, state)| wanted(&state.kind)).map(|(name, _)| name.as_str()).collect()
    }

    fn for_each_text(&mut self, change: &mut impl FnMut(&mut String)) {
        for state in self.states.values_mut() {
            match &mut state.kind {
                Kind::Task(task) => {
                    if let Resource::Function(arn) = &mut task.resource {
                        change(arn);
                    }
                    if let Some(parameters) = &mut task.parameters {
                        parameters.for_each_text(change);
                    }
                }
                Kind::Pass(pass) => {
                    if let Some(parameters) = &mut pass.parameters {
                        parameters.for_each_text(change);
                    }
                }
                Kind::Fail(fail) => fail.error.iter_mut().chain(fail.cause.iter_mut()).for_each(&mut *change),
                Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed => {}
            }
        }
    }
}

/// Where the baton has its verdict.
pub const VERDICT: &str = "$.verdict";

impl Pass {
    /// The verdict word that it writes, if it writes one.
    pub fn verdict(&self) -> Option<&str> {
        let at_verdict = matches!(&self.result_path, ResultPath::At(path) if path.to_string() == VERDICT);
        match (&self.result, &self.parameters) {
            (Some(result), _) if at_verdict => result.as_str(),
            (None, Some(parameters)) => parameters.constant("verdict")?.as_str(),
            (Some(_) | None, _) => None,
        }
    }
}

fn fill(text: &str, values: &BTreeMap<String, String>, unfilled: &mut BTreeSet<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            filled.push_str("${");
            rest = after;
            continue;
        };
        match values.get(name) {
            Some(value) => filled.push_str(value),
            None => {
                unfilled.insert(name.to_owned());
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}
