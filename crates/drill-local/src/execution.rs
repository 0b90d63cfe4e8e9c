//! One execution: the machine file, run over a world, as Step Functions would run it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use drill_machine::{Call, Ended, HistoryEvent, Host, InvalidExecution, Machine, TaskFailure, TokenOutcome};
use drill_model::ids::RunId;
use drill_phases::ports::{Clock, Notices};
use drill_world::{Invoked, World};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::functions::{Function, invoke};

/// The machine file, as it is shipped.
const FILE: &str = include_str!("../../../statemachine/experiment.asl.yaml");
/// The topic that the machine publishes to, here.
const TOPIC: &str = "arn:aws:sns:local:000000000000:notices";
/// A function lives no longer than this, whatever the machine would wait.
const LONGEST_INVOCATION: Duration = Duration::from_secs(900);

/// What cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    /// The shipped machine file cannot be read: a fault of this build.
    #[error("the state machine cannot be read")]
    Machine(#[from] drill_machine::ParseError),
    /// The shipped machine file asks for something that nobody gives it: a fault of this build.
    #[error("the state machine has a placeholder that nobody fills")]
    Placeholder(#[from] drill_machine::Unfilled),
    /// Step Functions would not take this name or input.
    #[error("the execution cannot be started")]
    Execution(#[from] InvalidExecution),
}

/// The shipped machine, with every placeholder filled.
pub fn machine() -> Result<Machine, NotStarted> {
    let mut values: BTreeMap<String, String> =
        Function::ALL.iter().map(|function| (function.placeholder().to_owned(), function.arn())).collect();
    values.insert("NoticeTopicArn".to_owned(), TOPIC.to_owned());
    Ok(Machine::parse(FILE)?.substitute(&values)?)
}

/// One execution that is to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Started {
    /// Its name: the id of the run.
    pub run: RunId,
    /// The input.
    pub input: Value,
}

/// What others see of an execution while it runs.
#[derive(Default)]
pub struct Controls {
    state: RefCell<String>,
    repeats: Cell<Repeats>,
    watch: RefCell<Option<Watch>>,
}

/// Somebody who sees every event of the history.
type Watch = Box<dyn Fn(&HistoryEvent)>;

/// How often a function is called for one state of the machine: Lambda and Step Functions call at least once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeats {
    /// Once.
    #[default]
    Once,
    /// Twice, one after the other; the second answer counts.
    Twice,
    /// Twice at the same time; the first answer counts.
    SideBySide,
}

impl Controls {
    /// How often every function is called.
    #[must_use]
    pub fn repeating(self, repeats: Repeats) -> Self {
        self.repeats.set(repeats);
        self
    }

    /// The state that the machine is in.
    pub fn state(&self) -> String {
        self.state.borrow().clone()
    }

    /// Shows every event of the history to somebody, as it happens.
    pub fn watch(&self, see: impl Fn(&HistoryEvent) + 'static) {
        *self.watch.borrow_mut() = Some(Box::new(see));
    }
}

/// An execution that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    /// Which run.
    pub run: RunId,
    /// How it ended, and by which way.
    pub ended: Ended,
}

/// Runs one execution to its end. [`World::stop_execution`] stops it; what runs in a function then goes on to its end.
/// Nobody cleans up after it here: see [`crate::clean_after`].
pub async fn execute(
    world: &World,
    machine: &Machine,
    started: &Started,
    controls: &Controls,
) -> Result<Execution, NotStarted> {
    let id = format!("arn:aws:states:local:000000000000:execution:stormdrill:{}", started.run);
    let execution = drill_machine::Execution::new(started.run.as_str(), &id, started.input.clone())?;
    let ended = drill_machine::run(machine, execution, &Conductor { world, controls }).await;
    Ok(Execution { run: started.run.clone(), ended })
}

/// What the interpreter asks, answered by a world.
struct Conductor<'a> {
    world: &'a World,
    controls: &'a Controls,
}

impl Conductor<'_> {
    /// What happens first: the work ends, or the execution is stopped.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        first(work, self.world.until_stopped()).await
    }
}

impl Host for Conductor<'_> {
    fn now(&self) -> i64 {
        self.world.now().as_millisecond()
    }

    async fn wait_until(&self, unix_millis: i64) {
        let at = Timestamp::from_millisecond(unix_millis).unwrap_or(Timestamp::MAX);
        self.unless_stopped(self.world.sleep_until(at)).await;
    }

    async fn call(&self, call: Call<'_>) -> Result<Value, TaskFailure> {
        let failed = |error: &str, cause: String| Err(TaskFailure::Failed { error: error.to_owned(), cause });
        if let Some((arn, payload)) = call.function() {
            let Some(function) = Function::from_arn(arn) else {
                return failed("Lambda.ResourceNotFoundException", format!("there is no function {arn}"));
            };
            let payload = payload.clone();
            let limit = call.timeout.unwrap_or(LONGEST_INVOCATION).min(LONGEST_INVOCATION);
            let begin = || {
                let payload = payload.clone();
                self.world
                    .start(function.word(), limit, move |world| async move { invoke(&world, function, &payload).await })
            };
            let invocation = match self.controls.repeats.get() {
                Repeats::Once => begin(),
                Repeats::Twice => {
                    drop(self.unless_stopped(begin().outcome()).await);
                    begin()
                }
                Repeats::SideBySide => {
                    let first = begin();
                    drop(begin());
                    first
                }
            };
            return match self.unless_stopped(invocation.outcome()).await {
                Some(Invoked::Returned(Ok(answer))) => Ok(answer),
                Some(Invoked::Returned(Err(failure))) => failed(&failure.error, failure.cause),
                Some(Invoked::Killed) => failed("Lambda.Unknown", "the function died".to_owned()),
                Some(Invoked::TimedOut) => Err(TaskFailure::TimedOut),
                None => failed("Stopped", "the execution was stopped".to_owned()),
            };
        }
        if call.resource == "arn:aws:states:::sns:publish" {
            let text = |field: &str| match call.input.get(field) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            let (subject, body) = (text("Subject"), text("Message"));
            let limit = call.timeout.unwrap_or(LONGEST_INVOCATION).min(LONGEST_INVOCATION);
            let published = self
                .world
                .start("machine", limit, move |world| async move { world.publish("default", &subject, &body).await });
            return match self.unless_stopped(published.outcome()).await {
                Some(Invoked::Returned(Ok(()))) => Ok(json!({ "MessageId": "local" })),
                Some(Invoked::Returned(Err(error))) => failed("SNS.SnsException", error.to_string()),
                Some(Invoked::Killed) => failed("SNS.SdkClientException", "the connection was lost".to_owned()),
                Some(Invoked::TimedOut) => Err(TaskFailure::TimedOut),
                None => failed("Stopped", "the execution was stopped".to_owned()),
            };
        }
        failed("States.Runtime", format!("nothing here is called {}", call.resource))
    }

    async fn task_token_outcome(&self, token: &str, until_millis: Option<i64>) -> TokenOutcome {
        let until = until_millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()).unwrap_or(Timestamp::MAX);
        let answered = first(self.world.answered(token), self.world.sleep_until(until));
        if let Some(Some(())) = self.unless_stopped(answered).await {
            return TokenOutcome::Success(Value::Null);
        }
        self.world.expire_token(token);
        TokenOutcome::TimedOut
    }

    fn random(&self) -> f64 {
        self.world.random()
    }

    fn record(&self, event: HistoryEvent) {
        if let Some(state) = &event.state {
            self.controls.state.replace(state.clone());
        }
        if let Some(see) = &*self.controls.watch.borrow() {
            see(&event);
        }
    }

    fn stopped(&self) -> bool {
        self.world.stopped()
    }
}

/// Work, or nothing when the other ends first; then the work is dropped where it stands.
async fn first<T>(work: impl Future<Output = T>, other: impl Future<Output = ()>) -> Option<T> {
    let (mut work, mut other) = (pin!(work), pin!(other));
    std::future::poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => other.as_mut().poll(context).map(|()| None),
    })
    .await
}
