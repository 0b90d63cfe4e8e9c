//! EC2 as the phases see it: what there is, the calls that harm and heal it, and whether they would be allowed.
//!
//! A selector matches exactly what it says, no pattern; every page is read; an error names what it is about.
//! `instances` and `subnets` each do all of it for their kind. Next: the phases, which look again whatever a call may
//! have done.

mod instances;
mod rehearsal;
mod remains;
mod selected;
mod subnets;

use std::collections::BTreeSet;

use aws_sdk_ec2::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready};
use drill_model::experiment::Selector;
use drill_model::faults::{Harm, Heal, Kind, Seen};
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{Answer, Harms, Heals, Rehearsal, Rehearse, Sees};

/// The adapter of the ports `Sees`, `Harms`, `Heals` and `Rehearse`, for instances and subnets.
#[derive(Debug, Clone)]
pub struct Ec2 {
    client: Client,
    region: String,
}

impl Ec2 {
    /// An adapter for the configuration's account and region. Without a region no call gets anywhere.
    pub fn new(config: &SdkConfig) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        Self { client: Client::new(config), region }
    }

    /// What an account has in this region.
    fn home(&self, account: &str) -> Home {
        Home { account: account.to_owned(), region: self.region.clone() }
    }
}

impl Adapter for Ec2 {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config))
    }
}

impl Sees for Ec2 {
    /// Resources, status checks, and what lies in a subnet.
    const ACTIONS: &'static [&'static str] = &[
        "ec2:DescribeInstanceStatus",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcEndpoints",
    ];

    async fn find(&self, selector: &Selector) -> Answer<Vec<Seen>> {
        match selector.kind {
            Kind::Ec2Instance => self.find_instances(selector).await,
            Kind::Subnet => self.find_subnets(selector).await,
        }
    }

    async fn see(&self, kind: Kind, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        match kind {
            Kind::Ec2Instance => self.see_instances(ids).await,
            Kind::Subnet => self.see_subnets(ids).await,
        }
    }
}

impl Harms for Ec2 {
    /// The tags of an ACL are given when it is made. `DescribeInstances` shows what a call that ended in an error has done.
    const ACTIONS: &'static [&'static str] = &[
        "ec2:CreateNetworkAcl",
        "ec2:CreateNetworkAclEntry",
        "ec2:CreateTags",
        "ec2:DescribeInstances",
        "ec2:RebootInstances",
        "ec2:ReplaceNetworkAclAssociation",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
    ];

    async fn harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        match call {
            Harm::Ec2Instance(call) => self.harm_instances(*call, on).await,
            Harm::Subnet(call) => self.harm_subnet(call, on).await,
        }
    }
}

impl Heals for Ec2 {
    const ACTIONS: &'static [&'static str] =
        &["ec2:DeleteNetworkAcl", "ec2:ReplaceNetworkAclAssociation", "ec2:StartInstances"];

    async fn heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        match call {
            Heal::Ec2Instance(call) => self.heal_instances(*call, on).await,
            Heal::Subnet(call) => self.heal_subnet(call, on).await,
        }
    }
}

impl Rehearse for Ec2 {
    /// A dry run needs the same permission as the call.
    const ACTIONS: &'static [&'static str] = &[
        "ec2:CreateNetworkAcl",
        "ec2:CreateNetworkAclEntry",
        "ec2:CreateTags",
        "ec2:DeleteNetworkAcl",
        "ec2:RebootInstances",
        "ec2:ReplaceNetworkAclAssociation",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ec2:TerminateInstances",
    ];

    /// One call, which does nothing whatever it answers.
    async fn rehearse(&self, call: &Rehearsal, on: &BTreeSet<TargetId>) -> Answer<()> {
        match call {
            Rehearsal::Harm(Harm::Ec2Instance(call)) => self.rehearse_instance_harm(*call, on).await,
            Rehearsal::Heal(Heal::Ec2Instance(call)) => self.rehearse_instance_heal(*call, on).await,
            Rehearsal::Harm(Harm::Subnet(call)) => self.rehearse_subnet_harm(call, on).await,
            Rehearsal::Heal(Heal::Subnet(call)) => self.rehearse_subnet_heal(call, on).await,
        }
    }
}

#[cfg(test)]
mod tests;
