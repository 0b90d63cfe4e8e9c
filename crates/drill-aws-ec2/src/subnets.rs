//! Subnets: DescribeSubnets, and side by side what belongs to them: the ACLs that they have and those that we made, the
//! other zones, the instances, and what must not be cut off.
//!
//! Ids are asked for by filter, so that one which does not exist is left out and is no error.

mod acls;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    Filter, NetworkAcl, NetworkInterface, NetworkInterfaceType, Subnet as Raw, SubnetCidrBlockStateCode, VpcEndpoint,
};
use drill_aws_config::classify;
use drill_model::experiment::Selector;
use drill_model::faults::ec2::Instance;
use drill_model::faults::vpc::{Subnet, UNIT_TAG};
use drill_model::faults::{Kind, Part, Seen, Sight, Target as _};
use drill_model::target::TargetId;
use drill_phases::fence::PROTECTION_TAG;
use drill_phases::ports::{Answer, Class, PortError};
use futures_util::try_join;

use crate::Ec2;
use crate::instances::Found;
use crate::selected::{self, any_of, filter, matches, not_empty, unread};

const SUBNETS: &str = "ec2:DescribeSubnets";
const ACLS: &str = "ec2:DescribeNetworkAcls";
const INTERFACES: &str = "ec2:DescribeNetworkInterfaces";
const ENDPOINTS: &str = "ec2:DescribeVpcEndpoints";

/// The services by which Systems Manager reaches its hosts. Without them nothing can be ordered any more.
const MANAGEMENT: &[&str] = &["ssm", "ssmmessages", "ec2messages"];
/// Who makes the interfaces of application and classic load balancers, which have no type of their own.
const BALANCER: &str = "amazon-elb";

/// Whether the status checks of the instances in a subnet are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checks {
    Asked,
    Left,
}

/// What lies around some subnets, as the service tells it.
struct Around {
    neighbours: Vec<Raw>,
    present: Vec<NetworkAcl>,
    ours: Vec<NetworkAcl>,
    instances: Found,
    interfaces: Vec<NetworkInterface>,
    endpoints: Vec<VpcEndpoint>,
}

impl Ec2 {
    /// One call for a page of subnets; then six side by side for what belongs to all of them, each for 200 at a time; then
    /// one of DescribeInstanceStatus for 100 instances that run.
    pub(crate) async fn find_subnets(&self, selector: &Selector) -> Answer<Vec<Seen>> {
        not_empty(selector, SUBNETS)?;
        if selector.group.is_some() {
            return Err(PortError::new(Class::Refused, SUBNETS, "a subnet is no member of a group"));
        }
        let names: BTreeSet<String> = selector.ids.iter().map(|id| id.name().to_owned()).collect();
        let filters = selected::filters(selector);
        let found = if names.is_empty() {
            self.subnets(&filters).await?
        } else {
            self.subnets_of("subnet-id", &names, &filters).await?
        };
        let mut selected = BTreeMap::new();
        for raw in found {
            let id = self.id_of(&raw)?;
            if matches(selector, &id, &selected::tags(raw.tags()), raw.availability_zone().unwrap_or_default()) {
                selected.insert(id, raw);
            }
        }
        self.read(selected, Checks::Asked).await
    }

    /// As for a selector, but that no status check is asked for: no instance in them is known to be healthy.
    pub(crate) async fn see_subnets(&self, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        let names: BTreeSet<String> =
            ids.iter().filter(|id| Kind::of(id) == Some(Kind::Subnet)).map(|id| id.name().to_owned()).collect();
        let mut selected = BTreeMap::new();
        for raw in self.subnets_of("subnet-id", &names, &[]).await? {
            let id = self.id_of(&raw)?;
            if ids.contains(&id) {
                selected.insert(id, raw);
            }
        }
        self.read(selected, Checks::Left).await
    }

    async fn read(&self, selected: BTreeMap<TargetId, Raw>, checks: Checks) -> Answer<Vec<Seen>> {
        // No subnet is no call: a filter without values lets everything through.
        if selected.is_empty() {
            return Ok(Vec::new());
        }
        let around = self.around(&selected, checks).await?;
        selected.into_iter().map(|(id, raw)| around.seen(id, &raw)).collect()
    }

    async fn around(&self, selected: &BTreeMap<TargetId, Raw>, checks: Checks) -> Answer<Around> {
        let names: BTreeSet<String> = selected.keys().map(|id| id.name().to_owned()).collect();
        let vpcs: BTreeSet<String> = selected.values().filter_map(|raw| raw.vpc_id().map(str::to_owned)).collect();
        let made = filter("tag-key", [UNIT_TAG.to_owned()]);
        let instances = async {
            let mut found = Found::new();
            for filter in any_of("subnet-id", &names) {
                found.extend(self.instances(&[filter]).await?);
            }
            if checks == Checks::Asked {
                self.check(&mut found).await?;
            }
            Ok(found)
        };
        let (neighbours, present, ours, instances, interfaces, endpoints) = try_join!(
            self.subnets_of("vpc-id", &vpcs, &[]),
            self.acls("association.subnet-id", &names, &[]),
            self.acls("vpc-id", &vpcs, std::slice::from_ref(&made)),
            instances,
            self.interfaces(&names),
            self.endpoints(&vpcs),
        )?;
        Ok(Around { neighbours, present, ours, instances, interfaces, endpoints })
    }

    fn id_of(&self, raw: &Raw) -> Answer<TargetId> {
        let id = raw.subnet_id().unwrap_or_default();
        match raw.owner_id() {
            Some(owner) if Kind::Subnet.is_id(id) => {
                Ok(self.home(owner).resource("ec2", &format!("{}{id}", Kind::Subnet.resource())))
            }
            Some(_) => Err(unread(SUBNETS, format!("`{id}` is no id of a subnet"))),
            None => Err(unread(SUBNETS, format!("the service does not say whose {id} is"))),
        }
    }

    async fn subnets(&self, filters: &[Filter]) -> Answer<Vec<Raw>> {
        let request = self.client.describe_subnets().set_filters(Some(filters.to_vec()));
        let found = request.into_paginator().items().send().try_collect().await;
        found.map_err(|error| classify(SUBNETS, &error))
    }

    async fn subnets_of(&self, name: &str, values: &BTreeSet<String>, and: &[Filter]) -> Answer<Vec<Raw>> {
        let mut found = Vec::new();
        for filter in any_of(name, values) {
            found.extend(self.subnets(&[&[filter], and].concat()).await?);
        }
        Ok(found)
    }

    async fn acls(&self, name: &str, values: &BTreeSet<String>, and: &[Filter]) -> Answer<Vec<NetworkAcl>> {
        let mut found = Vec::new();
        for filter in any_of(name, values) {
            let request = self.client.describe_network_acls().set_filters(Some([&[filter], and].concat()));
            let pages = request.into_paginator().items().send().try_collect().await;
            found.extend(pages.map_err(|error| classify(ACLS, &error))?);
        }
        Ok(found)
    }

    async fn interfaces(&self, subnets: &BTreeSet<String>) -> Answer<Vec<NetworkInterface>> {
        let mut found = Vec::new();
        for filter in any_of("subnet-id", subnets) {
            let request = self.client.describe_network_interfaces().filters(filter);
            let pages = request.into_paginator().items().send().try_collect().await;
            found.extend(pages.map_err(|error| classify(INTERFACES, &error))?);
        }
        Ok(found)
    }

    async fn endpoints(&self, vpcs: &BTreeSet<String>) -> Answer<Vec<VpcEndpoint>> {
        let mut found = Vec::new();
        for filter in any_of("vpc-id", vpcs) {
            let request = self.client.describe_vpc_endpoints().filters(filter);
            let pages = request.into_paginator().items().send().try_collect().await;
            found.extend(pages.map_err(|error| classify(ENDPOINTS, &error))?);
        }
        Ok(found)
    }
}

impl Around {
    /// A subnet in our words.
    fn seen(&self, id: TargetId, raw: &Raw) -> Answer<Seen> {
        let known = |what: Option<&str>, word: &str| {
            what.map(str::to_owned).ok_or_else(|| unread(SUBNETS, format!("the service tells no {word} of {id}")))
        };
        let vpc = known(raw.vpc_id(), "VPC")?;
        let zone = known(raw.availability_zone(), "zone")?;
        let (acl, association) = acls::present(&self.present, &id)?;
        let subnet = Subnet {
            acl,
            association,
            ours: acls::ours(&self.ours, &id)?,
            other_zones: self.other_zones(&vpc, &zone),
            instances: self.parts(&id),
            holds: self.holds(&id),
            tags: selected::tags(raw.tags()),
            vpc,
            zone,
        };
        Ok(Seen { id, sight: Sight::Subnet(subnet) })
    }

    /// The networks of the other zones of a VPC, each once, in order.
    fn other_zones(&self, vpc: &str, zone: &str) -> Vec<String> {
        let elsewhere =
            |raw: &&Raw| raw.vpc_id() == Some(vpc) && raw.availability_zone().is_some_and(|other| other != zone);
        let networks: BTreeSet<String> = self.neighbours.iter().filter(elsewhere).flat_map(networks).collect();
        networks.into_iter().collect()
    }

    fn parts(&self, subnet: &TargetId) -> Vec<Part> {
        let inside = |instance: &Instance| instance.subnet.as_ref() == Some(subnet) && !instance.is_gone();
        let part = |(id, (instance, _)): (&TargetId, &(Instance, String))| Part {
            id: id.clone(),
            healthy: instance.is_healthy(),
            protected: instance.tags.get(PROTECTION_TAG).is_some_and(|value| value != "false"),
        };
        self.instances.iter().filter(|(_, (instance, _))| inside(instance)).map(part).collect()
    }

    /// What else lies in a subnet and must not be cut off, in words, each once.
    fn holds(&self, subnet: &TargetId) -> Vec<String> {
        let name = Some(subnet.name());
        let interfaces = self.interfaces.iter().filter(|interface| interface.subnet_id() == name);
        let endpoints =
            self.endpoints.iter().filter(|endpoint| endpoint.subnet_ids().iter().any(|id| Some(&**id) == name));
        let held: BTreeSet<String> =
            interfaces.filter_map(|interface| self.held(interface)).chain(endpoints.filter_map(management)).collect();
        held.into_iter().collect()
    }

    fn held(&self, interface: &NetworkInterface) -> Option<String> {
        let id = interface.network_interface_id().unwrap_or("an interface");
        let balancer = || Some(format!("a load balancer ({id}: {})", interface.description().unwrap_or_default()));
        match interface.interface_type().map(NetworkInterfaceType::as_str).unwrap_or_default() {
            // The first is what the service says, the second what its model has.
            "nat_gateway" | "natGateway" => Some(format!("a NAT gateway ({id})")),
            "load_balancer" | "network_load_balancer" | "gateway_load_balancer" => balancer(),
            _ if interface.requester_id() == Some(BALANCER) => balancer(),
            _ => self.stranger(interface),
        }
    }

    /// An instance of another subnet that has an interface in this one: it is hit, and no part of what was asked about.
    fn stranger(&self, interface: &NetworkInterface) -> Option<String> {
        let instance = interface.attachment()?.instance_id()?;
        let known = self.instances.keys().any(|id| id.name() == instance);
        (!known).then(|| format!("an interface of {instance}, which lies in another subnet"))
    }
}

/// The networks of a subnet.
fn networks(raw: &Raw) -> Vec<String> {
    let ipv6 = raw.ipv6_cidr_block_association_set().iter().filter(|association| {
        let state = association.ipv6_cidr_block_state().and_then(|state| state.state());
        matches!(state, Some(SubnetCidrBlockStateCode::Associated | SubnetCidrBlockStateCode::Associating))
    });
    let ipv6 = ipv6.filter_map(|association| association.ipv6_cidr_block());
    raw.cidr_block().into_iter().chain(ipv6).filter(|network| !network.is_empty()).map(str::to_owned).collect()
}

/// An endpoint that hosts are managed through.
fn management(endpoint: &VpcEndpoint) -> Option<String> {
    let service = endpoint.service_name()?.rsplit('.').next()?;
    let id = endpoint.vpc_endpoint_id().unwrap_or("an endpoint");
    MANAGEMENT.contains(&service).then(|| format!("the VPC endpoint of {service} ({id})"))
}
