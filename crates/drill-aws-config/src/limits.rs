//! How long a call may last and how often it is tried, inside the time that a function has.
//!
//! A call that hangs must leave its function the time to say so: no limit here is longer than a quarter of the budget.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;

use crate::connection;

/// The tries of one call, the first included. What is still throttled then is left to whoever called the function.
const ATTEMPTS: u32 = 5;

/// Loads the SDK's configuration for a function that has this much time.
///
/// Region and credentials come from the environment, as the runtime sets it. Throttled and lost attempts are repeated
/// after pauses that double, so a class speaks for the last attempt only: see [`once`].
///
/// The SDK's adaptive mode is not used: it holds back every later call of the process to what was measured before the first
/// throttling. A function that has just started has measured next to nothing, so two throttled writes made it wait for half
/// a minute, and the fault meanwhile goes on. Our calls come one after the other; pauses are enough.
pub async fn load(budget: Duration) -> SdkConfig {
    let limits = Limits::within(budget);
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(connection::shared(limits))
        .timeout_config(limits.into())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await
}

/// One attempt and no more, for calls whose repetition does harm.
///
/// With retries, an attempt whose reply was lost may be followed by one that is throttled, and the call ends as
/// `Transient` though it may have been done. A single attempt is classified as what it was:
/// `.customize().config_override(Config::builder().retry_config(once()))`.
pub fn once() -> RetryConfig {
    RetryConfig::disabled()
}

/// The limits of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until one attempt has ended.
    pub attempt: Duration,
    /// Until the call has ended, with all its attempts and the pauses between them.
    pub operation: Duration,
}

impl Limits {
    /// The limits of a call in a function that has this much time.
    pub fn within(budget: Duration) -> Self {
        let operation = (budget / 4).min(Duration::from_secs(30));
        let attempt = (operation / 2).min(Duration::from_secs(10));
        Self { connect: (attempt / 2).min(Duration::from_secs(2)), attempt, operation }
    }
}

impl From<Limits> for TimeoutConfig {
    fn from(limits: Limits) -> Self {
        Self::builder()
            .connect_timeout(limits.connect)
            .read_timeout(limits.attempt)
            .operation_attempt_timeout(limits.attempt)
            .operation_timeout(limits.operation)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_limit_lies_inside_the_next(budget in 1u64..900) {
            let budget = Duration::from_secs(budget);

            let limits = Limits::within(budget);

            prop_assert!(limits.connect < limits.attempt);
            prop_assert!(limits.attempt < limits.operation);
            prop_assert!(limits.operation * 4 <= budget);
        }
    }

    #[test]
    fn a_long_function_does_not_wait_longer_than_people_do() {
        let limits = Limits::within(Duration::from_secs(600));

        let expected = Limits {
            connect: Duration::from_secs(2),
            attempt: Duration::from_secs(10),
            operation: Duration::from_secs(30),
        };
        assert_eq!(limits, expected);
    }

    #[tokio::test]
    async fn the_limits_and_the_retries_are_in_the_configuration() {
        let config = load(Duration::from_secs(60)).await;

        let timeouts = config.timeout_config().unwrap();
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(15)));
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_millis(7500)));
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(2)));
        let retries = config.retry_config().unwrap();
        assert_eq!(retries.max_attempts(), ATTEMPTS);
        assert_eq!(retries.mode(), aws_smithy_types::retry::RetryMode::Standard);
    }
}
