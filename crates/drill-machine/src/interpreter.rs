//! Runs a machine: the states, retries, catches, limits and history of Step Functions, over a [`Host`].
//!
//! The same file takes the same path here and on AWS; time, chance and every call come from the host.
//! An execution that is stopped, or runs out of its own time or history, ends without any Catch, as on AWS.

mod history;
mod host;
mod retry;
mod task;

use serde_json::{Value, json};
use thiserror::Error;

use crate::definition::{Choice, Kind, Machine, Next, Pass, ResultPath, Seconds};
use crate::errors;
use crate::template::Template;
pub use history::{HistoryEvent, HistoryKind};
pub use host::{Call, Host, TaskFailure, TokenOutcome};

/// An execution ends with an error when its history would reach this many events.
pub const MOST_EVENTS: u64 = 25_000;
/// No input, output or payload is longer, as JSON in UTF-8.
pub const MOST_BYTES: usize = 262_144;

/// What is run: the name, the ARN and the input of `StartExecution`.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    name: String,
    id: String,
    input: Value,
}

/// What `StartExecution` would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidExecution {
    /// The name.
    #[error("`{0}` cannot name an execution: use 1 to 80 letters, digits, `-` and `_`")]
    Name(String),
    /// The input.
    #[error("an input of {0} bytes is too long: Step Functions takes 262144")]
    Input(usize),
}

impl Execution {
    /// An execution, if `StartExecution` would take it.
    pub fn new(name: &str, id: &str, input: Value) -> Result<Self, InvalidExecution> {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if name.is_empty() || name.len() > 80 || !plain {
            return Err(InvalidExecution::Name(name.into()));
        }
        match length(&input) {
            bytes if bytes > MOST_BYTES => Err(InvalidExecution::Input(bytes)),
            _ => Ok(Self { name: name.into(), id: id.into(), input }),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How it ended, and by which way.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The status.
    pub status: Status,
    /// The output, when it succeeded.
    pub output: Option<Value>,
    /// Every state entered, in order.
    pub path: Vec<String>,
    /// How many history events it took.
    pub events: u64,
}

/// The status of an execution that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// SUCCEEDED
    Succeeded,
    /// FAILED
    Failed {
        /// The error name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// TIMED_OUT
    TimedOut,
    /// ABORTED
    Aborted,
}

impl Status {
    /// AWS's word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed { .. } => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
        }
    }
}

/// Runs `machine` once, to its end.
pub async fn run<H: Host>(machine: &Machine, execution: Execution, host: &H) -> Ended {
    let deadline = machine.timeout_seconds.map(|seconds| host.now().saturating_add(millis(seconds)));
    let mut run = Run { machine, execution, host, deadline, path: Vec::new(), events: 0 };
    let end = run.walk().await;
    let (status, output) = match end {
        Ok(output) => (Status::Succeeded, Some(output)),
        Err(Halt::Failed { error, cause }) => (Status::Failed { error, cause }, None),
        Err(Halt::TimedOut) => (Status::TimedOut, None),
        Err(Halt::Aborted) => (Status::Aborted, None),
    };
    run.note_end(&status, output.as_ref());
    Ended { status, output, path: run.path, events: run.events }
}

struct Run<'a, H> {
    machine: &'a Machine,
    execution: Execution,
    host: &'a H,
    deadline: Option<i64>,
    path: Vec<String>,
    events: u64,
}

/// An end that no Catch sees.
#[derive(Debug)]
enum Halt {
    Failed { error: String, cause: String },
    TimedOut,
    Aborted,
}

impl Halt {
    fn runtime(cause: impl Into<String>) -> Self {
        Self::Failed { error: errors::RUNTIME.into(), cause: cause.into() }
    }
}

enum After {
    Next(String, Value),
    End(Value),
}

impl<H: Host> Run<'_, H> {
    async fn walk(&mut self) -> Result<Value, Halt> {
        let mut name = self.machine.start_at.clone();
        let mut input = self.execution.input.clone();
        self.note(HistoryKind::ExecutionStarted, None, Some(&input), None)?;
        loop {
            self.may_go_on()?;
            match self.state(&name, input).await? {
                After::End(output) => return Ok(output),
                After::Next(next, output) => (name, input) = (next, output),
            }
        }
    }

    async fn state(&mut self, name: &str, input: Value) -> Result<After, Halt> {
        let machine = self.machine;
        let Some(state) = machine.states.get(name) else {
            return Err(Halt::runtime(format!("there is no state `{name}`")));
        };
        self.path.push(name.to_owned());
        self.note(HistoryKind::entered(&state.kind), Some(name), Some(&input), None)?;
        let after = match &state.kind {
            Kind::Task(task) => self.task(name, task, input).await?,
            Kind::Choice(choice) => choose(name, choice, input)?,
            Kind::Wait(wait) => {
                let seconds = seconds(name, "SecondsPath", &wait.seconds, &input, 0)?;
                self.pause(millis(seconds)).await?;
                go(&wait.next, input)
            }
            Kind::Pass(pass) => go(&pass.next, self.pass(name, pass, input)?),
            Kind::Succeed => After::End(input),
            Kind::Fail(fail) => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                return Err(Halt::Failed { error: text(&fail.error), cause: text(&fail.cause) });
            }
        };
        let (After::Next(_, output) | After::End(output)) = &after;
        if length(output) > MOST_BYTES {
            let cause = format!("the output of state `{name}` is longer than {MOST_BYTES} bytes");
            return Err(Halt::Failed { error: errors::DATA_LIMIT_EXCEEDED.into(), cause });
        }
        if let Some(exited) = HistoryKind::exited(&state.kind) {
            self.note(exited, Some(name), Some(output), None)?;
        }
        Ok(after)
    }

    fn pass(&self, name: &str, pass: &Pass, input: Value) -> Result<Value, Halt> {
        let result = match (&pass.result, &pass.parameters) {
            (Some(result), _) => result.clone(),
            (None, Some(parameters)) => self.fill(name, parameters, &input, &self.context(name, 0, None))?,
            (None, None) => input.clone(),
        };
        place(&pass.result_path, input, result).ok_or_else(|| Halt::Failed {
            error: errors::RESULT_PATH_MATCH_FAILURE.into(),
            cause: format!("the ResultPath of state `{name}` does not fit its input"),
        })
    }

    fn fill(&self, name: &str, template: &Template, input: &Value, context: &Value) -> Result<Value, Halt> {
        template.fill(input, context).map_err(|path| {
            Halt::runtime(format!("the path `{path}` in the Parameters of state `{name}` was not found in its input"))
        })
    }

    fn context(&self, state: &str, retries: u64, token: Option<&str>) -> Value {
        let Execution { name, id, input } = &self.execution;
        let mut context = json!({
            "Execution": { "Id": id, "Name": name, "Input": input },
            "State": { "Name": state, "RetryCount": retries },
        });
        if let Some(token) = token {
            context["Task"] = json!({ "Token": token });
        }
        context
    }

    /// Lets time pass, but not beyond the end of the execution.
    async fn pause(&self, millis: i64) -> Result<(), Halt> {
        let until = self.host.now().saturating_add(millis);
        self.host.wait_until(self.deadline.map_or(until, |deadline| deadline.min(until))).await;
        self.may_go_on()
    }

    /// Asked before every state and after everything that takes time.
    fn may_go_on(&self) -> Result<(), Halt> {
        if self.host.stopped() {
            return Err(Halt::Aborted);
        }
        match self.deadline {
            Some(deadline) if self.host.now() >= deadline => Err(Halt::TimedOut),
            Some(_) | None => Ok(()),
        }
    }
}

fn choose(name: &str, choice: &Choice, input: Value) -> Result<After, Halt> {
    for rule in &choice.rules {
        let holds = rule.test.holds(&input).map_err(|path| {
            Halt::runtime(format!("the path `{path}` in a rule of state `{name}` was not found in its input"))
        })?;
        if holds {
            return Ok(After::Next(rule.next.clone(), input));
        }
    }
    match &choice.default {
        Some(default) => Ok(After::Next(default.clone(), input)),
        None => Err(Halt::Failed {
            error: errors::NO_CHOICE_MATCHED.into(),
            cause: format!("no rule of state `{name}` matches, and it has no Default"),
        }),
    }
}

/// The number of seconds, from `least` on.
fn seconds(name: &str, field: &str, seconds: &Seconds, input: &Value, least: u64) -> Result<u64, Halt> {
    let path = match seconds {
        Seconds::Fixed(seconds) => return Ok(*seconds),
        Seconds::At(path) => path,
    };
    let found = path.find(input);
    let whole = found.and_then(|value| value.as_u64().or_else(|| value.as_f64().and_then(whole)));
    whole.filter(|seconds| (least..=crate::definition::MOST_SECONDS).contains(seconds)).ok_or_else(|| {
        let found = found.map_or_else(|| "nothing".into(), Value::to_string);
        Halt::runtime(format!("`{field}` of state `{name}` wants whole seconds at `{path}` and found {found}"))
    })
}

/// `5.0` is the same number as `5` in JSON.
fn whole(number: f64) -> Option<u64> {
    let exact = number.fract() == 0.0 && (0.0..=99_999_999.0).contains(&number);
    exact.then(|| format!("{number:.0}").parse().ok()).flatten()
}

fn go(next: &Next, output: Value) -> After {
    match next {
        Next::State(name) => After::Next(name.clone(), output),
        Next::End => After::End(output),
    }
}

fn place(result_path: &ResultPath, input: Value, result: Value) -> Option<Value> {
    match result_path {
        ResultPath::Discard => Some(input),
        ResultPath::At(path) => path.put(input, result),
    }
}

fn length(value: &Value) -> usize {
    value.to_string().len()
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
