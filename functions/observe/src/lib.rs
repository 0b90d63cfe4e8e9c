//! Observe on Lambda: it measures, asks whether the faults are still there, and touches nothing.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(300);

drill_lambda::ports! {
    /// What Observe asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        runs: drill_aws_dynamodb::RunTable => Runs, Ledger, EmergencyStop;
        resources: drill_aws_ec2::Ec2 => Sees;
        groups: drill_aws_autoscaling::AutoScaling => Groups;
        hosts: drill_aws_ssm::RunCommand => HostProbe, HostAnswers;
        metrics: drill_aws_cloudwatch::CloudWatch => Metrics;
        web: drill_aws_http::Web => Prometheus, Http;
    }
}
