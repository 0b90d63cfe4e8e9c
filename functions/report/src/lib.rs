//! Report on Lambda: it judges, writes the report and tells people.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(120);

drill_lambda::ports! {
    /// What Report asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        runs: drill_aws_dynamodb::RunTable => Runs, Ledger;
        reports: drill_aws_s3::ReportBucket => Reports;
        topics: drill_aws_sns::Topics => Notices;
    }
}
