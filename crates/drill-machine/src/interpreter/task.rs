//! A Task: its attempts, their time limit, and what catches the last failure.
//!
//! A retry costs three events; a Catch sees the last failure only, and never one of the machine itself.

use std::time::Duration;

use serde_json::{Value, json};

use super::retry::Attempts;
use super::{
    After, Call, Halt, HistoryKind, Host, MOST_BYTES, Run, TaskFailure, TokenOutcome, go, length, millis, place,
    seconds,
};
use crate::definition::{Resource, Task};
use crate::errors;

/// A failure that Retry and Catch may see.
struct Failure {
    error: String,
    cause: String,
}

/// One attempt's place in time.
struct Limit {
    timeout: Option<Duration>,
    until: Option<i64>,
    timed_out_at: Option<i64>,
}

impl<H: Host> Run<'_, H> {
    pub(super) async fn task(&mut self, name: &str, task: &Task, input: Value) -> Result<After, Halt> {
        let mut attempts = Attempts::of(&task.retry);
        loop {
            let failure = match self.attempt(name, task, &input, attempts.used()).await? {
                Ok(output) => return Ok(go(&task.next, output)),
                Err(failure) => failure,
            };
            match attempts.next(&failure.error, || self.host.random()) {
                Some(delay) => self.pause(delay).await?,
                None => return caught(name, task, input, failure),
            }
        }
    }

    async fn attempt(
        &mut self,
        name: &str,
        task: &Task,
        input: &Value,
        retries: u64,
    ) -> Result<Result<Value, Failure>, Halt> {
        let waits = matches!(task.resource, Resource::Service { wait_for_task_token: true, .. });
        let token = waits.then(|| format!("{}.{name}.{}", self.execution.name, self.events + 1));
        let payload = match &task.parameters {
            Some(parameters) => self.fill(name, parameters, input, &self.context(name, retries, token.as_deref()))?,
            None => input.clone(),
        };
        if length(&payload) > MOST_BYTES {
            return Ok(Err(too_long(name, "payload")));
        }
        let limit = self.limit(name, task, input)?;
        let kinds = Kinds::of(&task.resource);
        self.note(kinds.scheduled, Some(name), Some(&payload), None)?;
        self.note(kinds.started, Some(name), None, None)?;

        let resource = task.resource.arn();
        let call = Call {
            state: name,
            resource: &resource,
            input: payload,
            timeout: limit.timeout,
            task_token: token.as_deref(),
            retries,
        };
        let mut answer = self.host.call(call).await;
        self.may_go_on()?;
        if let (Some(token), Ok(submitted)) = (&token, &answer)
            && !limit.passed(self.host.now())
        {
            self.note(HistoryKind::TaskSubmitted, Some(name), Some(submitted), None)?;
            answer = match self.host.task_token_outcome(token, limit.until).await {
                TokenOutcome::Success(value) => Ok(value),
                TokenOutcome::Failure { error, cause } => Err(TaskFailure::Failed { error, cause }),
                TokenOutcome::TimedOut => Err(TaskFailure::TimedOut),
            };
            self.may_go_on()?;
        }
        if limit.passed(self.host.now()) {
            answer = Err(TaskFailure::TimedOut);
        }
        self.concluded(name, task, input, &kinds, answer)
    }

    fn concluded(
        &mut self,
        name: &str,
        task: &Task,
        input: &Value,
        kinds: &Kinds,
        answer: Result<Value, TaskFailure>,
    ) -> Result<Result<Value, Failure>, Halt> {
        let (kind, failure) = match answer {
            Ok(result) if length(&result) > MOST_BYTES => (kinds.failed, too_long(name, "result")),
            Ok(result) => {
                self.note(kinds.succeeded, Some(name), Some(&result), None)?;
                let output = place(&task.result_path, input.clone(), result);
                return Ok(output.ok_or_else(|| Failure {
                    error: errors::RESULT_PATH_MATCH_FAILURE.into(),
                    cause: format!("the ResultPath of state `{name}` does not fit its input"),
                }));
            }
            Err(TaskFailure::Failed { error, cause }) => (kinds.failed, Failure { error, cause }),
            Err(TaskFailure::TimedOut) => (
                kinds.timed_out,
                Failure { error: errors::TIMEOUT.into(), cause: format!("state `{name}` took longer than its limit") },
            ),
        };
        self.note(kind, Some(name), None, Some((&failure.error, &failure.cause)))?;
        Ok(Err(failure))
    }

    fn limit(&self, name: &str, task: &Task, input: &Value) -> Result<Limit, Halt> {
        let now = self.host.now();
        let own = match &task.timeout {
            Some(timeout) => Some(millis(seconds(name, "TimeoutSecondsPath", timeout, input, 1)?)),
            None => None,
        };
        let timed_out_at = own.map(|own| now.saturating_add(own));
        let until = [timed_out_at, self.deadline].into_iter().flatten().min();
        let timeout = until.map(|until| Duration::from_millis(until.saturating_sub(now).unsigned_abs()));
        Ok(Limit { timeout, until, timed_out_at })
    }
}

impl Limit {
    /// An answer at the very last moment still counts.
    fn passed(&self, now: i64) -> bool {
        self.timed_out_at.is_some_and(|at| now > at)
    }
}

fn caught(name: &str, task: &Task, input: Value, failure: Failure) -> Result<After, Halt> {
    let Failure { error, cause } = failure;
    let Some(catcher) = task.catch.iter().find(|catcher| errors::matches(&catcher.error_equals, &error)) else {
        return Err(Halt::Failed { error, cause });
    };
    match place(&catcher.result_path, input, json!({ "Error": error, "Cause": cause })) {
        Some(output) => Ok(After::Next(catcher.next.clone(), output)),
        None => Err(Halt::Failed {
            error: errors::RESULT_PATH_MATCH_FAILURE.into(),
            cause: format!(
                "the ResultPath of a Catch of state `{name}` does not fit its input, while catching {error}"
            ),
        }),
    }
}

fn too_long(name: &str, what: &str) -> Failure {
    let cause = format!("the {what} of state `{name}` is longer than {MOST_BYTES} bytes");
    Failure { error: errors::DATA_LIMIT_EXCEEDED.into(), cause }
}

/// The names that AWS gives the events of an attempt.
struct Kinds {
    scheduled: HistoryKind,
    started: HistoryKind,
    succeeded: HistoryKind,
    failed: HistoryKind,
    timed_out: HistoryKind,
}

impl Kinds {
    fn of(resource: &Resource) -> Self {
        match resource {
            Resource::Function(_) => Self {
                scheduled: HistoryKind::LambdaFunctionScheduled,
                started: HistoryKind::LambdaFunctionStarted,
                succeeded: HistoryKind::LambdaFunctionSucceeded,
                failed: HistoryKind::LambdaFunctionFailed,
                timed_out: HistoryKind::LambdaFunctionTimedOut,
            },
            Resource::Service { .. } => Self {
                scheduled: HistoryKind::TaskScheduled,
                started: HistoryKind::TaskStarted,
                succeeded: HistoryKind::TaskSucceeded,
                failed: HistoryKind::TaskFailed,
                timed_out: HistoryKind::TaskTimedOut,
            },
        }
    }
}
