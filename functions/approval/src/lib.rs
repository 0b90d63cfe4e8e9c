//! Approval on Lambda: it asks people and takes their answer.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(60);

drill_lambda::ports! {
    /// What Approval asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        runs: drill_aws_dynamodb::RunTable => Runs, TaskTokens;
        topics: drill_aws_sns::Topics => Notices;
        executions: drill_aws_sfn::Executions => Callback;
    }
}
