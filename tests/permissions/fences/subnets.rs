//! The fences of subnets: only those that opted in are cut off, only by ACLs of ours, and every one of them can be put back.

use super::super::evaluate::{Context, allows};
use super::super::policy::{ACCOUNT, REGION, Statement};
use super::{HEALERS, READY, Roles, SUBNET, forbidden, tagged};

/// The tag that makes an ACL one of ours.
const OURS: [(&str, &str); 1] = [("StormdrillUnit", "0123456789abcdef")];

fn ec2(resource: &str) -> String {
    format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}")
}

fn acl() -> String {
    ec2("network-acl/acl-0123456789abcdef0")
}

/// What is wrong with what a role may do to subnets and network ACLs.
pub(super) fn wrong(roles: &Roles, function: &str, found: &mut Vec<String>) {
    let statements = &roles.0[function];
    let harms = matches!(function, "Inject" | "Prepare") && roles.on(SUBNET);
    let heals = HEALERS.contains(&function) && roles.on(SUBNET);
    let asks = function == "Prepare" && roles.on(SUBNET);
    let replace = |subnet: &[(&str, &str)], acl_tags: &[(&str, &str)]| {
        let verb = "ec2:ReplaceNetworkAclAssociation";
        allows(statements, verb, &ec2("subnet/subnet-0123456789abcdef0"), &tagged(subnet))
            && allows(statements, verb, &acl(), &tagged(acl_tags))
    };
    let mut expect = |what: String, is: bool, expected: bool| {
        if is != expected {
            found.push(format!("{function}: {what} should be allowed: {expected}"));
        }
    };
    expect("giving an ACL of ours to a subnet that opted in".to_owned(), replace(&READY, &OURS), harms || heals);
    // Prepare asks about the ACL that a subnet has, before there is one of ours.
    expect("giving any ACL to a subnet that opted in".to_owned(), replace(&READY, &[]), heals || asks);
    for tags in forbidden() {
        expect(format!("giving an ACL of ours to a subnet with {tags:?}"), replace(&tags, &OURS), heals);
        expect(format!("giving back its ACL to a subnet with {tags:?}"), replace(&tags, &[]), heals);
    }
    let on_acl = |verb: &str, tags: &[(&str, &str)]| allows(statements, verb, &acl(), &tagged(tags));
    expect("an entry in an ACL of ours".to_owned(), on_acl("ec2:CreateNetworkAclEntry", &OURS), harms);
    expect("deleting an ACL of ours".to_owned(), on_acl("ec2:DeleteNetworkAcl", &OURS), heals || asks);
    for verb in ["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl", "ec2:DeleteNetworkAclEntry"] {
        expect(format!("{verb} on an ACL of others"), on_acl(verb, &[]), false);
    }
    let making = |key: &str, value: &str| Context::from([(key.to_owned(), vec![value.to_owned()])]);
    let create = |context: &Context| allows(statements, "ec2:CreateNetworkAcl", &acl(), context);
    expect("making a tagged ACL".to_owned(), create(&making("aws:RequestTag/StormdrillUnit", "0123")), harms);
    expect("making an ACL without the tag".to_owned(), create(&Context::new()), false);
    for (made_by, expected) in [("CreateNetworkAcl", harms), ("RunInstances", false)] {
        let tag = allows(statements, "ec2:CreateTags", &acl(), &making("ec2:CreateAction", made_by));
        expect(format!("tagging in {made_by}"), tag, expected);
    }
}

/// What is wrong with what the scheduler may do to network ACLs by itself.
pub(super) fn undo(statements: &[Statement], found: &mut Vec<String>) {
    let opens = |tags: &[(&str, &str)]| allows(statements, "ec2:DeleteNetworkAclEntry", &acl(), &tagged(tags));
    if !opens(&OURS) || opens(&[]) {
        found.push("UndoRole should open ACLs of ours, and of nobody else".to_owned());
    }
}
