//! Prepare on Lambda: it reads everything and changes no target.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(300);

drill_lambda::ports! {
    /// What Prepare asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        place: drill_aws_config::Here => Place;
        experiments: drill_aws_dynamodb::ExperimentTable => Experiments;
        runs: drill_aws_dynamodb::RunTable => Runs, Leases, EmergencyStop, UndoProof;
        resources: drill_aws_ec2::Ec2 => Sees, Rehearse;
        groups: drill_aws_autoscaling::AutoScaling => Groups;
        hosts: drill_aws_ssm::RunCommand => HostProbe, HostAnswers;
        metrics: drill_aws_cloudwatch::CloudWatch => Metrics;
        web: drill_aws_http::Web => Prometheus, Http;
    }
}
