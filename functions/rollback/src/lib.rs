//! Rollback on Lambda: healing verbs only, and nothing that it can do without.
//!
//! What it asks of the world is here, and its role in `template.yaml` allows exactly that.

use std::time::Duration;

/// The time that a call has: the function's `Timeout` in `template.yaml`.
pub const BUDGET: Duration = Duration::from_secs(300);

drill_lambda::ports! {
    /// What Rollback asks of the world.
    pub struct Ports {
        clock: drill_aws_config::SystemClock => Clock;
        runs: drill_aws_dynamodb::RunTable => Runs, Ledger, Leases;
        clocks: drill_aws_scheduler::AlarmClocks => ClearClock;
        undos: drill_aws_scheduler::Undos => DisarmUndo;
        resources: drill_aws_ec2::Ec2 => Sees, Heals;
        hosts: drill_aws_ssm::RunCommand => HostHeal, HostProbe, HostAnswers;
    }
}
