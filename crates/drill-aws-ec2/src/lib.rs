//! EC2 as the phases see it: what there is, the verbs on it, and whether they would be allowed.
//!
//! A selector matches exactly what it says, no pattern; every page is read; an error names the instances it is about.
//! Next: the phases, which describe again whatever a call may have done.

mod health;
mod inventory;
mod rehearse;
mod remains;
mod verbs;

use aws_sdk_ec2::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready};

/// The adapter of the ports `Inventory`, `InstanceHarm`, `InstanceHeal` and `Rehearse`.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
}

impl Ec2 {
    /// An adapter for the configuration's account and region.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

impl Adapter for Ec2 {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config))
    }
}

/// The IAM actions that each port needs.
pub mod actions {
    /// What there is, and whether its status checks pass.
    pub const INVENTORY: &[&str] = &["ec2:DescribeInstances", "ec2:DescribeInstanceStatus"];
    /// The verbs that harm; the first of all to see what an error of terminating has done all the same.
    pub const INSTANCE_HARM: &[&str] =
        &["ec2:DescribeInstances", "ec2:RebootInstances", "ec2:StopInstances", "ec2:TerminateInstances"];
    /// The verb that heals.
    pub const INSTANCE_HEAL: &[&str] = &["ec2:StartInstances"];
    /// Dry runs are allowed to whom the verbs are.
    pub const REHEARSE: &[&str] =
        &["ec2:RebootInstances", "ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances"];
}

#[cfg(test)]
mod tests;
