//! The edge: a phase behind the Lambda runtime. It parses, calls, replies, and says in the log what came of it.
//!
//! A phase's error is known to the state machine by its name, and so are an input that cannot be read and a panic.
//! Nothing that is secret is logged. Next: the functions, whose `main` makes the ports and serves.

mod answer;
mod log;
mod ports;

use std::fmt;
use std::time::Duration;

pub use drill_aws_config::{SdkConfig, Unready};
use drill_phases::Named;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the macros name, for crates that do not.
#[doc(hidden)]
pub use drill_phases as phases;

/// Makes an adapter. The type is known where it is put.
#[doc(hidden)]
pub fn adapter<A: drill_aws_config::Adapter>(config: &SdkConfig) -> Result<A, Unready> {
    A::from_environment(config)
}

/// Starts a function: its log, and the SDK's configuration for calls that end within the time that the function has.
pub async fn begin(budget: Duration) -> SdkConfig {
    log::begin();
    drill_aws_config::load(budget).await
}

/// Serves a phase until Lambda has no more calls for it.
pub async fn serve<I, O, E>(
    phase: &'static str,
    call: impl AsyncFn(I) -> Result<O, E>,
) -> Result<(), lambda_runtime::Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: Named + 'static,
{
    let call = &call;
    let serve = service_fn(move |event: LambdaEvent<Value>| async move {
        let answered = answer::answer(phase, &event.context.request_id, event.payload, call).await;
        answered.map_err(|failure| Diagnostic { error_type: failure.error, error_message: failure.cause })
    });
    // Without the layer that traces: it would open a span of its own around ours.
    Runtime::new(serve).run().await
}

/// Why a function ended, in words: what `main` prints, as its last line.
pub struct Stopped(String);

impl fmt::Debug for Stopped {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<Unready> for Stopped {
    fn from(error: Unready) -> Self {
        Self(chain(&error))
    }
}

impl From<lambda_runtime::Error> for Stopped {
    fn from(error: lambda_runtime::Error) -> Self {
        Self(chain(error.as_ref()))
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
