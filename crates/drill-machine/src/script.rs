//! A host with written answers and a clock that jumps: how machines are tried without anything behind them.
//!
//! A call is answered from the list under its name; the last answer of a list is given for ever. Nothing waits for real.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use serde_json::Value;

use crate::interpreter::{Call, HistoryEvent, Host, TaskFailure, TokenOutcome};

/// One written answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The call succeeds with this.
    Returns(Value),
    /// The call fails.
    Fails {
        /// The error name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// The call takes this many milliseconds first.
    After(i64, Box<Answer>),
    /// The call is never answered.
    Hangs,
}

impl Answer {
    /// A failure without much of a cause.
    pub fn fails(error: &str) -> Self {
        Self::Fails { error: error.into(), cause: "as written".into() }
    }
}

/// The host.
#[derive(Debug, Default)]
pub struct Script {
    answers: BTreeMap<String, Vec<Answer>>,
    asked: RefCell<BTreeMap<String, usize>>,
    clock: Cell<i64>,
    stop_at: Option<i64>,
    stop_after: Option<usize>,
    history: RefCell<Vec<HistoryEvent>>,
    calls: RefCell<Vec<(String, Value)>>,
}

/// The name under which answers to a task token are written.
pub const TOKEN: &str = "token";

impl Script {
    /// A host with these answers, by name: the last part of a function's ARN, a service's action, or [`TOKEN`].
    pub fn new(answers: impl IntoIterator<Item = (String, Vec<Answer>)>) -> Self {
        Self { answers: answers.into_iter().collect(), ..Self::default() }
    }

    /// Stops the execution at this time of the clock, which starts at 0.
    #[must_use]
    pub fn stopping_at(self, unix_millis: i64) -> Self {
        Self { stop_at: Some(unix_millis), ..self }
    }

    /// Stops the execution after this many events: machines that turn in circles end sooner.
    #[must_use]
    pub fn stopping_after(self, events: usize) -> Self {
        Self { stop_after: Some(events), ..self }
    }

    /// Every event so far.
    pub fn history(&self) -> Vec<HistoryEvent> {
        self.history.borrow().clone()
    }

    /// Every call so far: its name and its input.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.calls.borrow().clone()
    }

    fn answer(&self, name: &str, until: Option<i64>) -> Result<Value, TaskFailure> {
        let mut asked = self.asked.borrow_mut();
        let count = asked.entry(name.to_owned()).or_default();
        let list = self.answers.get(name).map_or(&[][..], Vec::as_slice);
        let answer = list.get(*count).or(list.last());
        *count += 1;
        match answer {
            Some(answer) => self.give(answer, until),
            None => Err(TaskFailure::Failed {
                error: "Script.NoAnswer".into(),
                cause: format!("no answer is written for `{name}`"),
            }),
        }
    }

    fn give(&self, answer: &Answer, until: Option<i64>) -> Result<Value, TaskFailure> {
        match answer {
            Answer::Returns(value) => Ok(value.clone()),
            Answer::Fails { error, cause } => Err(TaskFailure::Failed { error: error.clone(), cause: cause.clone() }),
            Answer::After(millis, answer) => {
                let then = self.clock.get().saturating_add(*millis);
                match until {
                    Some(until) if then > until => self.give(&Answer::Hangs, Some(until)),
                    Some(_) | None => {
                        self.clock.set(then);
                        self.give(answer, until)
                    }
                }
            }
            Answer::Hangs => {
                self.clock.set(until.unwrap_or(i64::MAX).max(self.clock.get()));
                Err(TaskFailure::TimedOut)
            }
        }
    }
}

impl Host for Script {
    fn now(&self) -> i64 {
        self.clock.get()
    }

    async fn wait_until(&self, unix_millis: i64) {
        let until = self.stop_at.map_or(unix_millis, |stop| stop.min(unix_millis));
        self.clock.set(until.max(self.clock.get()));
    }

    async fn call(&self, call: Call<'_>) -> Result<Value, TaskFailure> {
        let (name, input) = match call.function() {
            Some((function, payload)) => (function.rsplit(':').next().unwrap_or(function), payload),
            None => (call.resource.trim_start_matches("arn:aws:states:::"), &call.input),
        };
        self.calls.borrow_mut().push((name.to_owned(), input.clone()));
        let limit = call.timeout.and_then(|timeout| i64::try_from(timeout.as_millis()).ok());
        self.answer(name, limit.map(|limit| self.clock.get().saturating_add(limit)))
    }

    async fn task_token_outcome(&self, _token: &str, until_millis: Option<i64>) -> TokenOutcome {
        match self.answer(TOKEN, until_millis) {
            Ok(value) => TokenOutcome::Success(value),
            Err(TaskFailure::Failed { error, cause }) => TokenOutcome::Failure { error, cause },
            Err(TaskFailure::TimedOut) => TokenOutcome::TimedOut,
        }
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn record(&self, event: HistoryEvent) {
        self.history.borrow_mut().push(event);
    }

    fn stopped(&self) -> bool {
        self.stop_at.is_some_and(|stop| self.clock.get() >= stop)
            || self.stop_after.is_some_and(|stop| self.history.borrow().len() >= stop)
    }
}
