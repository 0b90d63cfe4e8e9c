//! What lies around a subnet: ACLs of ours, the other zones, its instances, and what must not be cut off.

use aws_sdk_ec2::types::{
    IcmpTypeCode, InstanceStateName, NetworkInterface, NetworkInterfaceAttachment, NetworkInterfaceType, PortRange,
    RuleAction, SubnetCidrBlockState, SubnetCidrBlockStateCode, SubnetIpv6CidrBlockAssociation, VpcEndpoint,
};
use drill_model::faults::vpc::{Entry, TARGET_TAG, UNIT_TAG};
use drill_model::faults::{Kind, Part};
use drill_phases::ports::Sees as _;

use super::network::{Network, acl, inside, raw, rule, subnet_id};
use super::{one, seen, selector, subnet};
use crate::tests::{id, instance, target};

/// An interface in a subnet.
pub fn interface(number: usize, subnet: usize, kind: &str) -> NetworkInterface {
    NetworkInterface::builder()
        .network_interface_id(format!("eni-{number}"))
        .subnet_id(subnet_id(subnet))
        .interface_type(NetworkInterfaceType::from(kind))
        .description("ELB app/orders")
        .build()
}

/// An endpoint of a service in a subnet.
pub fn endpoint(id: &str, service: &str, subnet: usize) -> VpcEndpoint {
    VpcEndpoint::builder()
        .vpc_endpoint_id(id)
        .vpc_id("vpc-1")
        .service_name(format!("com.amazonaws.eu-central-1.{service}"))
        .subnet_ids(subnet_id(subnet))
        .build()
}

#[tokio::test]
async fn an_acl_is_ours_by_its_unit_and_meant_for_a_subnet_by_its_target() {
    let mut network = Network::of(1);
    let id = subnet_id(1);
    for (name, tags) in [
        ("acl-b", vec![(UNIT_TAG, "unit-2"), (TARGET_TAG, &*id)]),
        ("acl-a", vec![(UNIT_TAG, "unit-1"), (TARGET_TAG, &*id)]),
        ("acl-of-another-subnet", vec![(UNIT_TAG, "unit-1"), (TARGET_TAG, "subnet-00000002")]),
        ("acl-without-a-target", vec![(UNIT_TAG, "unit-1")]),
        ("acl-without-a-unit", vec![(TARGET_TAG, &*id)]),
    ] {
        network.acls.push(acl(name, "vpc-1", None, &tags, vec![rule(1, true)]));
    }

    let subnet = one(network).await.unwrap();

    let ours: Vec<_> = subnet.ours.iter().map(|ours| (&*ours.acl.id, &*ours.unit, ours.acl.entries.len())).collect();
    assert_eq!(ours, [("acl-a", "unit-1", 1), ("acl-b", "unit-2", 1)]);
}

#[tokio::test]
async fn every_field_of_an_entry_is_read() {
    let mut icmp = rule(3, false);
    icmp.rule_action = Some(RuleAction::Deny);
    icmp.protocol = Some("58".to_owned());
    // The service leaves out what is not there, or says nothing in it.
    icmp.cidr_block = Some(String::new());
    icmp.ipv6_cidr_block = Some("::/0".to_owned());
    icmp.icmp_type_code = Some(IcmpTypeCode::builder().r#type(-1).code(0).build());
    let mut port = rule(2, true);
    port.protocol = Some("6".to_owned());
    port.cidr_block = Some("10.0.0.0/8".to_owned());
    port.port_range = Some(PortRange::builder().from(443).to(65_535).build());
    let mut network = Network::of(1);
    network.acls = vec![acl("acl-1", "vpc-1", Some((1, "aclassoc-1")), &[], vec![icmp, port])];

    let subnet = one(network).await.unwrap();

    let entry = |number, egress, protocol: &str, network: &str| Entry {
        number,
        egress,
        allows: egress,
        protocol: protocol.into(),
        network: network.into(),
        ports: None,
        icmp: None,
    };
    let port = Entry { ports: Some((443, 65_535)), ..entry(2, true, "6", "10.0.0.0/8") };
    let icmp = Entry { icmp: Some((-1, 0)), ..entry(3, false, "58", "::/0") };
    assert_eq!(subnet.acl.entries, [port, icmp]);
}

#[tokio::test]
async fn the_other_zones_are_those_of_the_same_vpc_with_both_families() {
    let ipv6 = |network: &str, state| {
        let state = SubnetCidrBlockState::builder().state(state).build();
        SubnetIpv6CidrBlockAssociation::builder().ipv6_cidr_block(network).ipv6_cidr_block_state(state).build()
    };
    let mut network = Network::of(4);
    network.subnets[1] = raw(2, "vpc-1", "b", &[]);
    network.subnets[1].ipv6_cidr_block_association_set = Some(vec![
        ipv6("2001:db8:1::/64", SubnetCidrBlockStateCode::Associated),
        ipv6("2001:db8:2::/64", SubnetCidrBlockStateCode::Disassociated),
        ipv6("2001:db8:3::/64", SubnetCidrBlockStateCode::Associating),
    ]);
    network.subnets[2] = raw(3, "vpc-2", "b", &[]);

    let subnet = one(network).await.unwrap();

    assert_eq!(subnet.other_zones, ["10.0.2.0/24", "2001:db8:1::/64", "2001:db8:3::/64"]);
}

#[tokio::test]
async fn the_instances_of_a_subnet_are_its_parts() {
    let of = |number, state, tags: &[(&str, &str)]| inside(instance(number, state, tags), 1);
    let mut network = Network::of(2);
    network.instances = vec![
        of(1, InstanceStateName::Running, &[]),
        of(2, InstanceStateName::Stopped, &[("StormdrillProtected", "yes")]),
        of(3, InstanceStateName::Terminated, &[]),
        inside(instance(4, InstanceStateName::Running, &[]), 2),
        of(5, InstanceStateName::Running, &[("StormdrillProtected", "false")]),
    ];
    let part = |number, healthy, protected| Part { id: target(number), healthy, protected };
    network.subnets[0] = raw(1, "vpc-1", "a", &[("Service", "orders")]);
    let (ec2, _) = network.serve();

    let found = ec2.find(&selector(&[("Service", "orders")])).await.unwrap();
    let looked = ec2.see(Kind::Subnet, &[subnet(1)].into()).await.unwrap();

    assert_eq!(seen(&found[0]).instances, [part(1, true, false), part(2, false, true), part(5, true, false)]);
    // Who only looks asks for no status checks: nobody is known to be healthy.
    assert!(seen(&looked[0]).instances.iter().all(|part| !part.healthy));
}

#[tokio::test]
async fn what_others_are_reached_by_is_held() {
    for (kind, held) in [
        ("nat_gateway", Some("a NAT gateway (eni-1)")),
        ("natGateway", Some("a NAT gateway (eni-1)")),
        ("network_load_balancer", Some("a load balancer (eni-1: ELB app/orders)")),
        ("gateway_load_balancer", Some("a load balancer (eni-1: ELB app/orders)")),
        ("load_balancer", Some("a load balancer (eni-1: ELB app/orders)")),
        ("interface", None),
        ("lambda", None),
        ("a_kind_of_next_year", None),
    ] {
        let mut network = Network::of(2);
        network.interfaces = vec![interface(1, 1, kind), interface(2, 2, "nat_gateway")];

        assert_eq!(one(network).await.unwrap().holds, held.into_iter().collect::<Vec<_>>(), "{kind}");
    }
}

#[tokio::test]
async fn a_load_balancer_without_a_type_of_its_own_is_known_by_its_maker() {
    let mut network = Network::of(1);
    network.interfaces = vec![interface(1, 1, "interface"), interface(2, 1, "interface")];
    network.interfaces[1].requester_id = Some("amazon-elb".to_owned());

    assert_eq!(one(network).await.unwrap().holds, ["a load balancer (eni-2: ELB app/orders)"]);
}

#[tokio::test]
async fn the_endpoints_that_hosts_are_managed_by_are_held_and_others_are_not() {
    let mut network = Network::of(2);
    let services = ["ssm", "ssmmessages", "ec2messages", "s3", "dynamodb", "ssm-contacts"];
    network.endpoints = services.iter().map(|service| endpoint(&format!("vpce-{service}"), service, 1)).collect();
    network.endpoints.push(endpoint("vpce-elsewhere", "ssm", 2));

    let expected = ["ec2messages", "ssm", "ssmmessages"];
    let expected = expected.map(|service| format!("the VPC endpoint of {service} (vpce-{service})"));
    assert_eq!(one(network).await.unwrap().holds, expected);
}

#[tokio::test]
async fn an_instance_of_another_subnet_with_an_interface_here_is_held() {
    let attached = |number, to: usize| {
        let mut interface = interface(number, 1, "interface");
        interface.attachment = Some(NetworkInterfaceAttachment::builder().instance_id(id(to)).build());
        interface
    };
    let mut network = Network::of(1);
    network.instances = vec![inside(instance(1, InstanceStateName::Running, &[]), 1)];
    network.interfaces = vec![attached(1, 1), attached(2, 2)];

    assert_eq!(one(network).await.unwrap().holds, [format!("an interface of {}, which lies in another subnet", id(2))]);
}
