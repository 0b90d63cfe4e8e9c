//! Descriptions of subnets: filters, pages, ACLs, what lies in them and must not be cut off.

mod around;
mod network;

use std::collections::BTreeSet;

use aws_sdk_ec2::types::InstanceStateName;
use drill_model::experiment::Selector;
use drill_model::faults::vpc::{Acl, Subnet};
use drill_model::faults::{Kind, Part, Seen, Sight};
use drill_model::ids::ResourceId;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Sees as _};

use self::network::{Network, acl, inside, raw, rule, subnet_id, written};
use super::{OWNER, home, instance, target};

fn subnet(number: usize) -> TargetId {
    home().resource("ec2", &format!("subnet/{}", subnet_id(number)))
}

fn selector(tags: &[(&str, &str)]) -> Selector {
    Selector {
        kind: Kind::Subnet,
        tags: tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        ids: BTreeSet::new(),
        group: None,
        zone: None,
    }
}

fn seen(seen: &Seen) -> &Subnet {
    match &seen.sight {
        Sight::Subnet(subnet) => subnet,
        Sight::Ec2Instance(_) => panic!("{} is an instance", seen.id),
    }
}

/// What is seen of the first subnet of a network.
async fn one(network: Network) -> Answer<Subnet> {
    let found = network.serve().0.see(Kind::Subnet, &[subnet(1)].into()).await?;
    Ok(seen(&found[0]).clone())
}

#[tokio::test]
async fn everything_that_matters_of_a_subnet_is_read() {
    let mut network = Network::of(1);
    network.subnets[0] = raw(1, "vpc-1", "a", &[("Service", "orders"), ("StormdrillReady", "staging")]);
    network.instances = vec![inside(instance(1, InstanceStateName::Running, &[]), 1)];
    let (ec2, _) = network.serve();

    let found = ec2.find(&selector(&[("Service", "orders")])).await.unwrap();

    let tags = [("Service", "orders"), ("StormdrillReady", "staging")];
    let expected = Subnet {
        vpc: "vpc-1".into(),
        zone: "eu-central-1a".into(),
        tags: tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into(),
        acl: Acl { id: "acl-1".into(), entries: written() },
        association: "aclassoc-1".into(),
        ours: Vec::new(),
        other_zones: Vec::new(),
        instances: vec![Part { id: target(1), healthy: true, protected: false }],
        holds: Vec::new(),
    };
    assert_eq!(found, [Seen { id: subnet(1), sight: Sight::Subnet(expected) }]);
}

#[tokio::test]
async fn a_selector_becomes_filters_without_patterns() {
    let (ec2, asked) = Network::default().serve();
    let zone = Some("eu-central-1a".parse().unwrap());

    ec2.find(&Selector { zone, ..selector(&[("Service", "a*b?c\\")]) }).await.unwrap();

    let expected = [("tag:Service", "a\\*b\\?c\\\\"), ("availability-zone", "eu-central-1a")];
    let expected = expected.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
    assert_eq!(*asked.lock().unwrap(), [("DescribeSubnets", expected.to_vec())]);
}

#[tokio::test]
async fn what_a_filter_lets_through_must_match_to_the_letter() {
    let mut network = Network::of(2);
    network.subnets[0] = raw(1, "vpc-1", "a", &[("Service", "orders")]);
    network.subnets[1] = raw(2, "vpc-1", "b", &[("Service", "Orders")]);
    network.lax = true;
    let (ec2, _) = network.serve();

    let found = ec2.find(&selector(&[("Service", "orders")])).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<Vec<_>>(), [subnet(1)]);
}

#[tokio::test]
async fn an_empty_selector_and_a_group_are_refused_without_a_call() {
    let (ec2, asked) = Network::of(1).serve();
    let group = Selector { group: Some("orders".try_into().unwrap()), ..selector(&[]) };

    assert_eq!(ec2.find(&selector(&[])).await.unwrap_err().class, Class::Refused);
    assert_eq!(ec2.find(&group).await.unwrap_err().class, Class::Refused);
    assert!(asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn where_no_subnet_is_there_nothing_else_is_asked() {
    let (ec2, asked) = Network::default().serve();

    assert_eq!(ec2.find(&selector(&[("Service", "orders")])).await, Ok(Vec::new()));
    assert_eq!(ec2.see(Kind::Subnet, &[subnet(1)].into()).await, Ok(Vec::new()));
    assert_eq!(ec2.see(Kind::Subnet, &BTreeSet::new()).await, Ok(Vec::new()));

    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn every_page_of_every_description_is_read() {
    let whole = {
        let (ec2, _) = Network::full().serve();
        ec2.see(Kind::Subnet, &(1..=4).map(subnet).collect()).await.unwrap()
    };
    let mut network = Network::full();
    network.page = 1;
    let (ec2, asked) = network.serve();

    let found = ec2.see(Kind::Subnet, &(1..=4).map(subnet).collect()).await.unwrap();

    assert_eq!(found, whole);
    let calls = |call: &str| asked.lock().unwrap().iter().filter(|(made, _)| *made == call).count();
    // Four subnets by their ids and four by their VPC; four ACLs that they have and two that are ours.
    assert_eq!(["DescribeSubnets", "DescribeNetworkAcls"].map(calls), [8, 6]);
    assert_eq!(["DescribeNetworkInterfaces", "DescribeInstances", "DescribeVpcEndpoints"].map(calls), [3, 2, 2]);
}

#[tokio::test]
async fn no_filter_has_more_than_200_values() {
    let (ec2, asked) = Network::of(201).serve();

    let found = ec2.see(Kind::Subnet, &(1..=201).map(subnet).collect()).await.unwrap();

    assert_eq!(found.len(), 201);
    let asked = asked.lock().unwrap();
    let sizes = |call: &str, name: &str| -> Vec<usize> {
        let of = asked.iter().filter(|(made, _)| *made == call).flat_map(|(_, filters)| filters);
        of.filter(|(filter, _)| filter == name).map(|(_, values)| values.len()).collect()
    };
    for (call, name) in [
        ("DescribeSubnets", "subnet-id"),
        ("DescribeNetworkAcls", "association.subnet-id"),
        ("DescribeNetworkInterfaces", "subnet-id"),
        ("DescribeInstances", "subnet-id"),
    ] {
        assert_eq!(sizes(call, name), [200, 1], "{call}");
    }
}

#[tokio::test]
async fn an_author_names_a_subnet_by_its_id_or_by_its_whole_arn() {
    let elsewhere = subnet(1).as_str().replace(OWNER, "999999999999");
    for (name, found) in [(subnet_id(1), 1), (subnet(1).as_str().to_owned(), 1), (elsewhere, 0)] {
        let (ec2, asked) = Network::of(2).serve();
        let ids = [ResourceId::try_from(name.clone()).unwrap()].into();

        let answer = ec2.find(&Selector { ids, ..selector(&[]) }).await.unwrap();

        assert_eq!(answer.len(), found, "{name}");
        assert_eq!(asked.lock().unwrap()[0].1, [("subnet-id".to_owned(), vec![subnet_id(1)])]);
    }
}

#[tokio::test]
async fn a_subnet_of_another_account_is_not_the_one_that_was_asked_about() {
    let (ec2, _) = Network::of(1).serve();
    let other = TargetId::try_from(subnet(1).as_str().replace(OWNER, "999999999999")).unwrap();

    assert_eq!(ec2.see(Kind::Subnet, &[other].into()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_subnet_that_cannot_be_read_is_an_error() {
    let spoil: [fn(&mut aws_sdk_ec2::types::Subnet); 4] = [
        |raw| raw.owner_id = None,
        |raw| raw.vpc_id = None,
        |raw| raw.availability_zone = None,
        |raw| raw.subnet_id = Some("subnet-1/../2".to_owned()),
    ];
    for spoil in spoil {
        let mut network = Network::of(1);
        spoil(&mut network.subnets[0]);
        network.lax = true;

        let (ec2, _) = network.serve();
        assert_eq!(ec2.see(Kind::Subnet, &[subnet(1)].into()).await.unwrap_err().class, Class::Refused);
    }
}

#[tokio::test]
async fn while_its_acl_changes_a_subnet_is_to_be_looked_at_again() {
    let mut none = Network::of(1);
    none.acls.clear();
    let mut two = Network::of(1);
    two.acls.push(acl("acl-2", "vpc-1", Some((1, "aclassoc-2")), &[], vec![]));

    for network in [none, two] {
        let error = one(network).await.unwrap_err();

        assert_eq!((error.class, error.call), (Class::Transient, "ec2:DescribeNetworkAcls"));
        assert!(error.message.contains(&subnet_id(1)), "{}", error.message);
    }
}

#[tokio::test]
async fn the_last_entry_of_an_acl_is_nobodys_and_the_others_are_in_order() {
    let mut network = Network::of(1);
    let entries = vec![rule(32_767, true), rule(200, false), rule(32_768, false), rule(32_766, true), rule(100, false)];
    network.acls = vec![acl("acl-1", "vpc-1", Some((1, "aclassoc-1")), &[], entries)];

    let subnet = one(network).await.unwrap();

    let numbers: Vec<_> = subnet.acl.entries.iter().map(|entry| (entry.number, entry.egress)).collect();
    assert_eq!(numbers, [(100, false), (200, false), (32_766, true)]);
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_is_an_error() {
    let spoil: [fn(&mut aws_sdk_ec2::types::NetworkAclEntry); 6] = [
        |entry| entry.rule_action = Some("mirror".into()),
        |entry| entry.rule_number = None,
        |entry| entry.rule_number = Some(-1),
        |entry| entry.egress = None,
        |entry| entry.protocol = Some(String::new()),
        |entry| entry.cidr_block = None,
    ];
    for (number, spoil) in spoil.into_iter().enumerate() {
        let mut entry = rule(100, true);
        spoil(&mut entry);
        let mut network = Network::of(1);
        network.acls = vec![acl("acl-1", "vpc-1", Some((1, "aclassoc-1")), &[], vec![entry])];

        let error = one(network).await.unwrap_err();

        assert_eq!((error.class, error.call), (Class::Refused, "ec2:DescribeNetworkAcls"), "{number}");
    }
}

#[tokio::test]
async fn whatever_description_fails_the_whole_does_and_says_which() {
    for call in [
        "DescribeSubnets",
        "DescribeNetworkAcls",
        "DescribeNetworkInterfaces",
        "DescribeInstances",
        "DescribeVpcEndpoints",
    ] {
        for (status, code, class) in [
            (403, "UnauthorizedOperation", Class::Refused),
            (503, "RequestLimitExceeded", Class::Transient),
            (500, "InternalError", Class::Ambiguous),
        ] {
            let mut network = Network::full();
            network.fails = Some((call, status, code));

            let error = one(network).await.unwrap_err();

            assert_eq!((error.class, error.call), (class, &*format!("ec2:{call}")), "{code}");
        }
    }
}
