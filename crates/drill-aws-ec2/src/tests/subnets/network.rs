//! A network that is described as EC2 does it: by filters, page by page.

use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_instance_status::DescribeInstanceStatusOutput;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::describe_network_acls::DescribeNetworkAclsOutput;
use aws_sdk_ec2::operation::describe_network_interfaces::DescribeNetworkInterfacesOutput;
use aws_sdk_ec2::operation::describe_subnets::DescribeSubnetsOutput;
use aws_sdk_ec2::operation::describe_vpc_endpoints::DescribeVpcEndpointsOutput;
use aws_sdk_ec2::types::{
    Filter, Instance, InstanceStateName, InstanceStatus, InstanceStatusSummary, NetworkAcl, NetworkAclAssociation,
    NetworkAclEntry, NetworkInterface, Reservation, RuleAction, Subnet, SummaryStatus, Tag, VpcEndpoint,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::faults::vpc::{Entry, TARGET_TAG, UNIT_TAG};

use super::around::{endpoint, interface};
use crate::Ec2;
use crate::tests::{Asked, OWNER, adapter_of, instance, refusal, single};

/// The calls that were made, each with its filters.
type Calls = Asked<(&'static str, Vec<(String, Vec<String>)>)>;

/// What there is.
#[derive(Clone)]
pub struct Network {
    pub subnets: Vec<Subnet>,
    pub acls: Vec<NetworkAcl>,
    pub instances: Vec<Instance>,
    pub interfaces: Vec<NetworkInterface>,
    pub endpoints: Vec<VpcEndpoint>,
    /// How many of a kind are on a page.
    pub page: usize,
    /// Filters let everything through.
    pub lax: bool,
    /// The call that fails, with what.
    pub fails: Option<(&'static str, u16, &'static str)>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            subnets: Vec::new(),
            acls: Vec::new(),
            instances: Vec::new(),
            interfaces: Vec::new(),
            endpoints: Vec::new(),
            page: 1_000,
            lax: false,
            fails: None,
        }
    }
}

impl Network {
    /// So many subnets in one zone of one VPC, each with an ACL that allows everything.
    pub fn of(subnets: usize) -> Self {
        let own = |number| {
            let bound = (number, &*format!("aclassoc-{number}"));
            acl(&format!("acl-{number}"), "vpc-1", Some(bound), &[], vec![rule(100, true), rule(100, false)])
        };
        Self {
            subnets: (1..=subnets).map(|number| raw(number, "vpc-1", "a", &[])).collect(),
            acls: (1..=subnets).map(own).collect(),
            ..Self::default()
        }
    }

    /// Several of everything.
    pub fn full() -> Self {
        let mut network = Self::of(4);
        for number in 1..=2 {
            let tags = [(UNIT_TAG, "unit"), (TARGET_TAG, &*subnet_id(number))];
            network.acls.push(acl(&format!("acl-ours-{number}"), "vpc-1", None, &tags, vec![]));
            network.instances.push(inside(instance(number, InstanceStateName::Running, &[]), number));
            network.endpoints.push(endpoint(&format!("vpce-{number}"), "ssm", number));
        }
        network.interfaces = (1..=3).map(|number| interface(number, 1, "nat_gateway")).collect();
        network
    }

    /// The adapter in front of it.
    pub fn serve(self) -> (Ec2, Calls) {
        let (it, asked) = (Arc::new(self), Calls::default());
        macro_rules! described {
            ($call:ident, $name:literal, $output:ident, $items:ident, $set:ident, $of:expr) => {{
                let (it, asked) = (Arc::clone(&it), Arc::clone(&asked));
                mock!(Client::$call).then_compute_response(move |input| {
                    let filters = input.filters();
                    asked.lock().unwrap().push(($name, plain(filters)));
                    if let Some((call, status, code)) = it.fails.filter(|(call, ..)| *call == $name) {
                        return MockResponse::Http(refusal(status, code, call));
                    }
                    let lets = |item: &&_| it.lax || lets(filters, |name| $of(*item, name));
                    let found = it.$items.iter().filter(lets).cloned().collect();
                    let (page, next) = it.paged(found, input.next_token());
                    MockResponse::Output($output::builder().$set(Some(page)).set_next_token(next).build())
                })
            }};
        }
        let subnets =
            described!(describe_subnets, "DescribeSubnets", DescribeSubnetsOutput, subnets, set_subnets, of_subnet);
        let acls = described!(
            describe_network_acls,
            "DescribeNetworkAcls",
            DescribeNetworkAclsOutput,
            acls,
            set_network_acls,
            of_acl
        );
        let interfaces = described!(
            describe_network_interfaces,
            "DescribeNetworkInterfaces",
            DescribeNetworkInterfacesOutput,
            interfaces,
            set_network_interfaces,
            |one: &NetworkInterface, _: &str| some(one.subnet_id())
        );
        let endpoints = described!(
            describe_vpc_endpoints,
            "DescribeVpcEndpoints",
            DescribeVpcEndpointsOutput,
            endpoints,
            set_vpc_endpoints,
            |one: &VpcEndpoint, _: &str| some(one.vpc_id())
        );
        let (net, calls) = (Arc::clone(&it), Arc::clone(&asked));
        let instances = mock!(Client::describe_instances).then_compute_response(move |input| {
            calls.lock().unwrap().push(("DescribeInstances", plain(input.filters())));
            if let Some((call, status, code)) = net.fails.filter(|(call, ..)| *call == "DescribeInstances") {
                return MockResponse::Http(refusal(status, code, call));
            }
            let lets = |one: &&Instance| lets(input.filters(), |_| some(one.subnet_id()));
            let (page, next) = net.paged(net.instances.iter().filter(lets).cloned().collect(), input.next_token());
            let alone = |one| Reservation::builder().owner_id(OWNER).instances(one).build();
            let reservations = page.into_iter().map(alone).collect();
            let output = DescribeInstancesOutput::builder().set_reservations(Some(reservations)).set_next_token(next);
            MockResponse::Output(output.build())
        });
        let healthy = || InstanceStatusSummary::builder().status(SummaryStatus::Ok).build();
        let status = mock!(Client::describe_instance_status).then_compute_output(move |input| {
            let of = |id: &String| InstanceStatus::builder().instance_id(id).instance_status(healthy());
            let all = input.instance_ids().iter().map(|id| of(id).system_status(healthy()).build()).collect();
            DescribeInstanceStatusOutput::builder().set_instance_statuses(Some(all)).build()
        });
        let rules = [&subnets, &acls, &interfaces, &endpoints, &instances, &status];
        (adapter_of(mock_client!(aws_sdk_ec2, RuleMode::MatchAny, rules, single)), asked)
    }

    fn paged<T>(&self, found: Vec<T>, token: Option<&str>) -> (Vec<T>, Option<String>) {
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let next = (from + self.page < found.len()).then(|| (from + self.page).to_string());
        (found.into_iter().skip(from).take(self.page).collect(), next)
    }
}

fn plain(filters: &[Filter]) -> Vec<(String, Vec<String>)> {
    filters.iter().map(|filter| (filter.name().unwrap().to_owned(), filter.values().to_vec())).collect()
}

fn lets(filters: &[Filter], of: impl Fn(&str) -> Vec<String>) -> bool {
    filters.iter().all(|filter| {
        let has = of(filter.name().unwrap());
        filter.values().iter().any(|value| has.contains(value))
    })
}

fn some(value: Option<&str>) -> Vec<String> {
    value.into_iter().map(str::to_owned).collect()
}

fn of_subnet(subnet: &Subnet, name: &str) -> Vec<String> {
    match name {
        "subnet-id" => some(subnet.subnet_id()),
        "vpc-id" => some(subnet.vpc_id()),
        "availability-zone" => some(subnet.availability_zone()),
        tag => {
            let key = tag.strip_prefix("tag:").unwrap();
            subnet.tags().iter().filter(|tag| tag.key() == Some(key)).flat_map(|tag| some(tag.value())).collect()
        }
    }
}

fn of_acl(acl: &NetworkAcl, name: &str) -> Vec<String> {
    match name {
        "vpc-id" => some(acl.vpc_id()),
        "tag-key" => acl.tags().iter().flat_map(|tag| some(tag.key())).collect(),
        "association.subnet-id" => acl.associations().iter().flat_map(|one| some(one.subnet_id())).collect(),
        other => panic!("no filter {other}"),
    }
}

pub fn subnet_id(number: usize) -> String {
    format!("subnet-{number:08x}")
}

/// A subnet as the service describes it.
pub fn raw(number: usize, vpc: &str, zone: &str, tags: &[(&str, &str)]) -> Subnet {
    Subnet::builder()
        .subnet_id(subnet_id(number))
        .owner_id(OWNER)
        .vpc_id(vpc)
        .availability_zone(format!("eu-central-1{zone}"))
        .cidr_block(format!("10.0.{number}.0/24"))
        .set_tags(Some(tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect()))
        .build()
}

/// An instance in this subnet.
pub fn inside(mut instance: Instance, subnet: usize) -> Instance {
    instance.subnet_id = Some(subnet_id(subnet));
    instance
}

/// An ACL, bound to a subnet or to none.
pub fn acl(
    id: &str,
    vpc: &str,
    bound: Option<(usize, &str)>,
    tags: &[(&str, &str)],
    entries: Vec<NetworkAclEntry>,
) -> NetworkAcl {
    let association = bound.map(|(subnet, association)| {
        NetworkAclAssociation::builder()
            .network_acl_association_id(association)
            .network_acl_id(id)
            .subnet_id(subnet_id(subnet))
            .build()
    });
    NetworkAcl::builder()
        .network_acl_id(id)
        .vpc_id(vpc)
        .set_associations(Some(association.into_iter().collect()))
        .set_tags(Some(tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect()))
        .set_entries(Some(entries))
        .build()
}

/// An entry that allows everything from everywhere.
pub fn rule(number: i32, egress: bool) -> NetworkAclEntry {
    NetworkAclEntry::builder()
        .rule_number(number)
        .egress(egress)
        .rule_action(RuleAction::Allow)
        .protocol("-1")
        .cidr_block("0.0.0.0/0")
        .build()
}

/// The entries of the ACLs of [`Network::of`], in our words.
pub fn written() -> Vec<Entry> {
    [false, true]
        .map(|egress| Entry {
            number: 100,
            egress,
            allows: true,
            protocol: "-1".into(),
            network: "0.0.0.0/0".into(),
            ports: None,
            icmp: None,
        })
        .to_vec()
}
