//! Inject on Lambda: the only function that may harm.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(600);

drill_lambda::ports! {
    /// What Inject asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        place: drill_aws_config::Here => Place;
        runs: drill_aws_dynamodb::RunTable => Runs, Ledger, Leases, EmergencyStop;
        clocks: drill_aws_scheduler::AlarmClocks => AlarmClock;
        undos: drill_aws_scheduler::ArmedUndos => ArmUndo;
        resources: drill_aws_ec2::Ec2 => Sees, Harms;
        groups: drill_aws_autoscaling::AutoScaling => Groups;
        hosts: drill_aws_ssm::RunCommand => HostHarm, HostAnswers;
        metrics: drill_aws_cloudwatch::CloudWatch => Metrics;
        web: drill_aws_http::Web => Prometheus, Http;
    }
}
