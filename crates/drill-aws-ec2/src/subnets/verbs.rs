//! An ACL of ours is made and filled, the subnet takes it, the subnet takes its own back, ours goes; and the dry runs.
//!
//! What makes an ACL can be repeated and is tried again as any call. What binds one uses up an association, so it is tried
//! again only when it was throttled: a second try after a lost reply would be refused and hide that the first was done.

use std::collections::BTreeSet;

use aws_sdk_ec2::config::Config;
use aws_sdk_ec2::operation::create_network_acl::builders::CreateNetworkAclFluentBuilder;
use aws_sdk_ec2::operation::create_network_acl_entry::builders::CreateNetworkAclEntryFluentBuilder;
use aws_sdk_ec2::operation::replace_network_acl_association::ReplaceNetworkAclAssociationError;
use aws_sdk_ec2::operation::replace_network_acl_association::builders::ReplaceNetworkAclAssociationFluentBuilder;
use aws_sdk_ec2::types::{IcmpTypeCode, PortRange, ResourceType, RuleAction, Tag, TagSpecification};
use drill_aws_config::OnlyThrottled;
use drill_model::faults::vpc::{Entry, Harm, Heal, RUN_TAG, TARGET_TAG, UNIT_TAG};
use drill_model::faults::{Call as _, Kind};
use drill_model::ids::{RunId, UnitId};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};

use crate::Ec2;
use crate::rehearsal::judge;
use crate::remains::{code, failed};

impl Ec2 {
    /// One call.
    pub(crate) async fn harm_subnet(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let (api, subnet) = (call.api(), only(call.api(), on)?);
        match call {
            Harm::CreateAcl { vpc, run, unit } => {
                let sent = self.create(vpc, run, unit, subnet).send().await;
                sent.map(drop).map_err(|error| failed(api, &error, &[subnet]))
            }
            Harm::CreateEntry { acl, entry } => match self.enter(acl, entry).send().await {
                Ok(_) => Ok(()),
                Err(error) if code(&error) == Some("NetworkAclEntryAlreadyExists") => Ok(()),
                Err(error) => Err(failed(api, &error, &[acl])),
            },
            Harm::Associate { association, acl } => self.associate(api, association, acl, subnet).await,
        }
    }

    /// One call.
    pub(crate) async fn heal_subnet(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let (api, subnet) = (call.api(), only(call.api(), on)?);
        match call {
            Heal::Associate { association, acl } => self.associate(api, association, acl, subnet).await,
            Heal::DeleteAcl { acl } => match self.client.delete_network_acl().network_acl_id(acl).send().await {
                Ok(_) => Ok(()),
                Err(error) if code(&error) == Some("InvalidNetworkAclID.NotFound") => Ok(()),
                Err(error) => Err(failed(api, &error, &[acl])),
            },
        }
    }

    /// The dry run of a call that harms.
    pub(crate) async fn rehearse_subnet_harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let (api, subnet) = (call.api(), only(call.api(), on)?);
        match call {
            Harm::CreateAcl { vpc, run, unit } => {
                judge(api, self.create(vpc, run, unit, subnet).dry_run(true).send().await, &[subnet])
            }
            Harm::CreateEntry { acl, entry } => judge(api, self.enter(acl, entry).dry_run(true).send().await, &[acl]),
            Harm::Associate { association, acl } => {
                judge(api, self.bind(association, acl).dry_run(true).send().await, &[subnet])
            }
        }
    }

    /// The dry run of a call that heals.
    pub(crate) async fn rehearse_subnet_heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let (api, subnet) = (call.api(), only(call.api(), on)?);
        match call {
            Heal::Associate { association, acl } => {
                judge(api, self.bind(association, acl).dry_run(true).send().await, &[subnet])
            }
            Heal::DeleteAcl { acl } => {
                let request = self.client.delete_network_acl().network_acl_id(acl).dry_run(true);
                judge(api, request.send().await, &[acl])
            }
        }
    }

    async fn associate(&self, api: &'static str, association: &str, acl: &str, subnet: &TargetId) -> Answer<()> {
        let throttled = OnlyThrottled::<ReplaceNetworkAclAssociationError>::new();
        let request = self.bind(association, acl).customize();
        let request = request.config_override(Config::builder().retry_classifier(throttled));
        request.send().await.map(drop).map_err(|error| failed(api, &error, &[subnet]))
    }

    fn bind(&self, association: &str, acl: &str) -> ReplaceNetworkAclAssociationFluentBuilder {
        self.client.replace_network_acl_association().association_id(association).network_acl_id(acl)
    }

    fn create(&self, vpc: &str, run: &RunId, unit: &UnitId, subnet: &TargetId) -> CreateNetworkAclFluentBuilder {
        let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::NetworkAcl)
            .tags(tag(UNIT_TAG, unit.as_str()))
            .tags(tag(RUN_TAG, run.as_str()))
            .tags(tag(TARGET_TAG, subnet.name()));
        // A change is one unit on one subnet, and so is its token: at most 64 characters.
        let token = format!("{unit}-{}", subnet.digest());
        self.client.create_network_acl().vpc_id(vpc).client_token(token).tag_specifications(tags.build())
    }

    fn enter(&self, acl: &str, entry: &Entry) -> CreateNetworkAclEntryFluentBuilder {
        let Entry { number, egress, allows, protocol, network, ports, icmp } = entry;
        let request = self
            .client
            .create_network_acl_entry()
            .network_acl_id(acl)
            .rule_number(i32::from(*number))
            .egress(*egress)
            .rule_action(if *allows { RuleAction::Allow } else { RuleAction::Deny })
            .protocol(protocol);
        let request =
            if network.contains(':') { request.ipv6_cidr_block(network) } else { request.cidr_block(network) };
        let range = |(from, to): (u16, u16)| PortRange::builder().from(from.into()).to(to.into()).build();
        let kind = |(kind, code): (i32, i32)| IcmpTypeCode::builder().r#type(kind).code(code).build();
        request.set_port_range(ports.map(range)).set_icmp_type_code(icmp.map(kind))
    }
}

/// The one subnet of a call.
fn only<'a>(api: &'static str, on: &'a BTreeSet<TargetId>) -> Answer<&'a TargetId> {
    match on.first() {
        Some(subnet) if on.len() == 1 && Kind::of(subnet) == Some(Kind::Subnet) => Ok(subnet),
        Some(other) if on.len() == 1 => {
            Err(PortError::new(Class::Refused, api, format!("{} is no subnet", other.as_str())))
        }
        Some(_) | None => Err(PortError::new(Class::Refused, api, format!("{} subnets: a call is for one", on.len()))),
    }
}
