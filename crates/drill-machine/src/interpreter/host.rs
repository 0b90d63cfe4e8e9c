//! What the interpreter asks of the world outside the machine.
//!
//! Futures need not be Send: an execution stays on one thread, with a real clock or one that jumps.

use std::time::Duration;

use serde_json::Value;

use super::HistoryEvent;

/// The world outside the machine.
pub trait Host {
    /// The time, in milliseconds since 1970.
    fn now(&self) -> i64;

    /// Lets time pass until then. May return early once [`Host::stopped`] is true.
    async fn wait_until(&self, unix_millis: i64);

    /// Calls a function or a service once.
    ///
    /// Answers [`TaskFailure::TimedOut`] when `call.timeout` has passed; a later answer is not believed either way.
    /// What it called may go on working after that, as a Lambda does. May return early, with anything, once stopped.
    async fn call(&self, call: Call<'_>) -> Result<Value, TaskFailure>;

    /// What somebody sends with this task token, at the latest at `until_millis`.
    async fn task_token_outcome(&self, token: &str, until_millis: Option<i64>) -> TokenOutcome;

    /// A number from 0 up to 1, for jitter.
    fn random(&self) -> f64;

    /// Sees every history event as it happens.
    fn record(&self, event: HistoryEvent) {
        drop(event);
    }

    /// True once StopExecution was called. Asked before every state and after everything that takes time.
    fn stopped(&self) -> bool {
        false
    }
}

/// One attempt of a Task.
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'a> {
    /// The state.
    pub state: &'a str,
    /// `Resource` as in the file: the ARN of a function, or `arn:aws:states:::sns:publish`.
    pub resource: &'a str,
    /// The payload.
    pub input: Value,
    /// How long this attempt may take.
    pub timeout: Option<Duration>,
    /// The token of a `.waitForTaskToken` attempt; a new one each time.
    pub task_token: Option<&'a str>,
    /// How often this state was retried before.
    pub retries: u64,
}

impl Call<'_> {
    /// The function to invoke and its payload, whichever way the machine says it; `None` for other services.
    pub fn function(&self) -> Option<(&str, &Value)> {
        if !self.resource.starts_with("arn:aws:states:::") {
            return Some((self.resource, &self.input));
        }
        let invokes = self.resource.starts_with("arn:aws:states:::lambda:invoke");
        let function = self.input.get("FunctionName").filter(|_| invokes)?.as_str()?;
        Some((function, self.input.get("Payload").unwrap_or(&Value::Null)))
    }
}

/// Why an attempt of a Task did not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskFailure {
    /// The function failed, or the service that runs it.
    Failed {
        /// The error name, such as `Inject.IntentNotWritten` or `Lambda.TooManyRequestsException`.
        error: String,
        /// The cause.
        cause: String,
    },
    /// The time limit passed first.
    TimedOut,
}

/// What became of a task token.
#[derive(Debug, Clone, PartialEq)]
pub enum TokenOutcome {
    /// SendTaskSuccess
    Success(Value),
    /// SendTaskFailure
    Failure {
        /// The error name.
        error: String,
        /// The cause.
        cause: String,
    },
    /// Nobody answered in time.
    TimedOut,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_function_is_found_whichever_way_it_is_called() {
        let check = |resource: &str, input: Value, expected: Option<(&str, &Value)>| {
            let call = Call { state: "S", resource, input, timeout: None, task_token: None, retries: 0 };
            assert_eq!(call.function(), expected);
        };

        check(
            "arn:aws:lambda:r:1:function:inject",
            json!({"a": 1}),
            Some(("arn:aws:lambda:r:1:function:inject", &json!({"a": 1}))),
        );
        check(
            "arn:aws:states:::lambda:invoke.waitForTaskToken",
            json!({"FunctionName": "f", "Payload": {"b": 2}}),
            Some(("f", &json!({"b": 2}))),
        );
        check("arn:aws:states:::sns:publish", json!({"TopicArn": "t", "Message": "m"}), None);
    }
}
