//! The calls on subnets and their ACLs, and the dry runs of them.

use std::collections::BTreeSet;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::create_network_acl::CreateNetworkAclOutput;
use aws_sdk_ec2::operation::create_network_acl_entry::CreateNetworkAclEntryOutput;
use aws_sdk_ec2::operation::delete_network_acl::DeleteNetworkAclOutput;
use aws_sdk_ec2::operation::replace_network_acl_association::ReplaceNetworkAclAssociationOutput;
use aws_sdk_ec2::types::{ResourceType, RuleAction};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use drill_model::faults::vpc::{Entry, Harm, Heal};
use drill_model::ids::{FaultName, RunId, UnitId};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Harms as _, Heals as _, Rehearsal, Rehearse as _};

use super::{adapter_of, home, ids, refusal};
use crate::Ec2;

fn adapter(rules: &[&Rule]) -> Ec2 {
    adapter_of(mock_client!(aws_sdk_ec2, RuleMode::MatchAny, rules))
}

fn subnets(names: &[&str]) -> BTreeSet<TargetId> {
    names.iter().map(|name| home().resource("ec2", &format!("subnet/{name}"))).collect()
}

fn subnet() -> BTreeSet<TargetId> {
    subnets(&["subnet-0000000a"])
}

fn names() -> (RunId, UnitId) {
    let run = RunId::try_from("run-1").unwrap();
    let unit = UnitId::of(&run, &FaultName::try_from("dark").unwrap());
    (run, unit)
}

fn create() -> Harm {
    let (run, unit) = names();
    Harm::CreateAcl { vpc: "vpc-1".into(), run, unit }
}

fn deny() -> Entry {
    Entry {
        number: 1,
        egress: true,
        allows: false,
        protocol: "-1".into(),
        network: "0.0.0.0/0".into(),
        ports: None,
        icmp: None,
    }
}

fn enter(entry: Entry) -> Harm {
    Harm::CreateEntry { acl: "acl-1".into(), entry }
}

fn associate() -> Harm {
    Harm::Associate { association: "aclassoc-1".into(), acl: "acl-ours".into() }
}

fn take_back() -> Heal {
    Heal::Associate { association: "aclassoc-2".into(), acl: "acl-own".into() }
}

fn delete() -> Heal {
    Heal::DeleteAcl { acl: "acl-ours".into() }
}

impl Ec2 {
    async fn cuts(&self, call: Harm) -> Answer<()> {
        self.harm(&call.into(), &subnet()).await
    }

    async fn mends(&self, call: Heal) -> Answer<()> {
        self.heal(&call.into(), &subnet()).await
    }
}

#[tokio::test]
async fn an_acl_is_tagged_as_it_is_made_and_its_token_is_the_change() {
    let made = mock!(Client::create_network_acl)
        .match_requests(|input| {
            let [tags] = input.tag_specifications() else { return false };
            let tag = |key: &str| tags.tags().iter().find(|tag| tag.key() == Some(key)).and_then(|tag| tag.value());
            let (run, unit) = names();
            input.vpc_id() == Some("vpc-1")
                && input.dry_run().is_none()
                && tags.resource_type() == Some(&ResourceType::NetworkAcl)
                && tags.tags().len() == 3
                && tag("StormdrillRun") == Some(run.as_str())
                && tag("StormdrillUnit") == Some(unit.as_str())
                && tag("StormdrillTarget") == Some("subnet-0000000a")
                && input.client_token().is_some_and(|token| token.starts_with(unit.as_str()) && token.len() <= 64)
        })
        .then_output(|| CreateNetworkAclOutput::builder().build());

    assert_eq!(adapter(&[&made]).cuts(create()).await, Ok(()));
}

#[tokio::test]
async fn two_subnets_of_one_change_have_two_tokens() {
    let tokens = super::Asked::<String>::default();
    let heard = std::sync::Arc::clone(&tokens);
    let made = mock!(Client::create_network_acl).then_compute_output(move |input| {
        heard.lock().unwrap().push(input.client_token().unwrap_or_default().to_owned());
        CreateNetworkAclOutput::builder().build()
    });
    let ec2 = adapter(&[&made]);

    for name in ["subnet-0000000a", "subnet-0000000a", "subnet-0000000b"] {
        ec2.harm(&create().into(), &subnets(&[name])).await.unwrap();
    }

    let tokens = tokens.lock().unwrap();
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[0], tokens[2]);
}

#[tokio::test]
async fn an_entry_is_made_as_it_is_written() {
    let plain = mock!(Client::create_network_acl_entry)
        .match_requests(|input| {
            input.network_acl_id() == Some("acl-1")
                && (input.rule_number(), input.egress(), input.protocol()) == (Some(1), Some(true), Some("-1"))
                && input.rule_action() == Some(&RuleAction::Deny)
                && (input.cidr_block(), input.ipv6_cidr_block()) == (Some("0.0.0.0/0"), None)
                && input.port_range().is_none()
                && input.icmp_type_code().is_none()
                && input.dry_run().is_none()
        })
        .then_output(|| CreateNetworkAclEntryOutput::builder().build());
    let full = mock!(Client::create_network_acl_entry)
        .match_requests(|input| {
            (input.rule_number(), input.egress(), input.protocol()) == (Some(7), Some(false), Some("58"))
                && input.rule_action() == Some(&RuleAction::Allow)
                && (input.cidr_block(), input.ipv6_cidr_block()) == (None, Some("2001:db8::/32"))
                && input.port_range().is_some_and(|range| (range.from(), range.to()) == (Some(0), Some(65_535)))
                && input.icmp_type_code().is_some_and(|icmp| (icmp.r#type(), icmp.code()) == (Some(-1), Some(-1)))
        })
        .then_output(|| CreateNetworkAclEntryOutput::builder().build());
    let ec2 = adapter(&[&plain, &full]);
    let whole = Entry {
        number: 7,
        egress: false,
        allows: true,
        protocol: "58".into(),
        network: "2001:db8::/32".into(),
        ports: Some((0, 65_535)),
        icmp: Some((-1, -1)),
    };

    assert_eq!(ec2.cuts(enter(deny())).await, Ok(()));
    assert_eq!(ec2.cuts(enter(whole)).await, Ok(()));
}

#[tokio::test]
async fn what_is_there_already_is_done_and_what_is_gone_is_gone() {
    let entry = mock!(Client::create_network_acl_entry)
        .then_http_response(|| refusal(400, "NetworkAclEntryAlreadyExists", "it is there"));
    let gone = mock!(Client::delete_network_acl)
        .then_http_response(|| refusal(400, "InvalidNetworkAclID.NotFound", "it is not there"));
    let ec2 = adapter(&[&entry, &gone]);

    assert_eq!(ec2.cuts(enter(deny())).await, Ok(()));
    assert_eq!(ec2.mends(delete()).await, Ok(()));
}

#[tokio::test]
async fn every_other_error_is_told_with_what_it_is_about() {
    for (code, class) in [
        ("InvalidNetworkAclID.NotFound", Class::Missing),
        ("NetworkAclEntryLimitExceeded", Class::Refused),
        ("UnauthorizedOperation", Class::Refused),
    ] {
        let entry = mock!(Client::create_network_acl_entry).then_http_response(move || refusal(400, code, "no"));

        let error = adapter(&[&entry]).cuts(enter(deny())).await.unwrap_err();

        assert_eq!((error.class, error.call), (class, "ec2:CreateNetworkAclEntry"), "{code}");
        assert!(error.message.contains("acl-1"), "{}", error.message);
    }
    let used = mock!(Client::delete_network_acl).then_http_response(|| refusal(400, "DependencyViolation", "in use"));

    let error = adapter(&[&used]).mends(delete()).await.unwrap_err();

    assert_eq!((error.class, error.call), (Class::Refused, "ec2:DeleteNetworkAcl"));
}

#[tokio::test]
async fn a_subnet_takes_an_acl_by_what_binds_it_to_the_one_that_it_has() {
    let bound = |association: &'static str, acl: &'static str| {
        mock!(Client::replace_network_acl_association)
            .match_requests(move |input| {
                (input.association_id(), input.network_acl_id()) == (Some(association), Some(acl))
                    && input.dry_run().is_none()
            })
            .then_output(|| ReplaceNetworkAclAssociationOutput::builder().new_association_id("aclassoc-3").build())
    };
    let (ours, own) = (bound("aclassoc-1", "acl-ours"), bound("aclassoc-2", "acl-own"));
    let ec2 = adapter(&[&ours, &own]);

    assert_eq!(ec2.cuts(associate()).await, Ok(()));
    assert_eq!(ec2.mends(take_back()).await, Ok(()));
    assert_eq!((ours.num_calls(), own.num_calls()), (1, 1));
}

#[tokio::test]
async fn binding_is_tried_again_when_it_was_throttled_and_never_when_its_reply_was_lost() {
    for (status, code, calls, class) in [
        (503, "RequestLimitExceeded", 3, Class::Transient),
        (500, "InternalError", 1, Class::Ambiguous),
        (400, "InvalidAssociationID.NotFound", 1, Class::Missing),
    ] {
        let bind =
            || mock!(Client::replace_network_acl_association).then_http_response(move || refusal(status, code, "no"));
        let (harm, heal) = (bind(), bind());

        let cut = adapter(&[&harm]).cuts(associate()).await.unwrap_err();
        let mended = adapter(&[&heal]).mends(take_back()).await.unwrap_err();

        assert_eq!((cut.class, harm.num_calls()), (class, calls), "{code}");
        assert_eq!((mended.class, heal.num_calls()), (class, calls), "{code}");
        assert!(cut.message.contains("subnet-0000000a"), "{}", cut.message);
    }
}

#[tokio::test]
async fn what_can_be_repeated_is_made_again_when_its_reply_was_lost() {
    let lost = || refusal(500, "InternalError", "no");
    let acl = mock!(Client::create_network_acl).then_http_response(lost);
    let entry = mock!(Client::create_network_acl_entry).then_http_response(lost);
    let gone = mock!(Client::delete_network_acl).then_http_response(lost);
    let ec2 = adapter(&[&acl, &entry, &gone]);

    for answer in [ec2.cuts(create()).await, ec2.cuts(enter(deny())).await, ec2.mends(delete()).await] {
        assert_eq!(answer.unwrap_err().class, Class::Ambiguous);
    }
    assert_eq!([&acl, &entry, &gone].map(Rule::num_calls), [3, 3, 3]);
}

/// What each dry run answers when the service says this.
async fn rehearsed(status: u16, code: &'static str) -> Vec<Answer<()>> {
    let said = move || refusal(status, code, "Request would have succeeded, but DryRun flag is set.");
    let acl = mock!(Client::create_network_acl)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(said);
    let entry = mock!(Client::create_network_acl_entry)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(said);
    let bind = mock!(Client::replace_network_acl_association)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(said);
    let gone = mock!(Client::delete_network_acl)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(said);
    let ec2 = adapter(&[&acl, &entry, &bind, &gone]);
    let mut answers = Vec::new();
    for call in [create(), enter(deny()), associate()] {
        answers.push(ec2.rehearse(&Rehearsal::Harm(call.into()), &subnet()).await);
    }
    for call in [take_back(), delete()] {
        answers.push(ec2.rehearse(&Rehearsal::Heal(call.into()), &subnet()).await);
    }
    answers
}

#[tokio::test]
async fn every_call_is_rehearsed_as_itself() {
    assert_eq!(rehearsed(412, "DryRunOperation").await, vec![Ok(()); 5]);
    for (status, code, class) in [
        (403, "UnauthorizedOperation", Class::Refused),
        (400, "InvalidNetworkAclID.NotFound", Class::Missing),
        // In a dry run, nothing is there already and nothing is gone: it is what the service says.
        (400, "NetworkAclEntryAlreadyExists", Class::Refused),
    ] {
        for answer in rehearsed(status, code).await {
            assert_eq!(answer.unwrap_err().class, class, "{code}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_that_was_done_is_ambiguous() {
    let gone = mock!(Client::delete_network_acl).then_output(|| DeleteNetworkAclOutput::builder().build());

    let answer = adapter(&[&gone]).rehearse(&Rehearsal::Heal(delete().into()), &subnet()).await;

    assert_eq!(answer.unwrap_err().class, Class::Ambiguous);
}

#[tokio::test]
async fn none_two_and_what_is_no_subnet_are_refused_without_a_call() {
    let ec2 = adapter(&[]);
    let vpc = [home().resource("ec2", "vpc/vpc-0000000a")].into();
    for on in [BTreeSet::new(), subnets(&["subnet-0000000a", "subnet-0000000b"]), ids([1]), vpc] {
        for call in [create(), enter(deny()), associate()] {
            assert_eq!(ec2.harm(&call.clone().into(), &on).await.unwrap_err().class, Class::Refused);
            assert_eq!(ec2.rehearse(&Rehearsal::Harm(call.into()), &on).await.unwrap_err().class, Class::Refused);
        }
        for call in [take_back(), delete()] {
            assert_eq!(ec2.heal(&call.clone().into(), &on).await.unwrap_err().class, Class::Refused);
            assert_eq!(ec2.rehearse(&Rehearsal::Heal(call.into()), &on).await.unwrap_err().class, Class::Refused);
        }
    }
}
