//! Network ACLs in our words.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{NetworkAcl, NetworkAclAssociation, NetworkAclEntry, RuleAction};
use drill_model::faults::vpc::{Acl, Entry, OwnAcl, TARGET_TAG, UNIT_TAG};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};

use super::ACLS;
use crate::selected::{tags, unread};

/// The last number that an author can give. Behind it are the entries that deny what no other allows.
const LAST: i32 = 32_766;

/// The ACL that a subnet has, and what binds it to that.
pub(super) fn present(acls: &[NetworkAcl], subnet: &TargetId) -> Answer<(Acl, String)> {
    let bound = |acl: &'_ NetworkAcl| {
        let here = |association: &&NetworkAclAssociation| association.subnet_id() == Some(subnet.name());
        acl.associations().iter().find(here)?.network_acl_association_id().map(str::to_owned)
    };
    let bound: BTreeMap<String, &NetworkAcl> = acls.iter().filter_map(|acl| Some((bound(acl)?, acl))).collect();
    let mut bound = bound.into_iter();
    match (bound.next(), bound.next()) {
        (Some((association, acl)), None) => Ok((read(acl)?, association)),
        // Every subnet has one. While it changes, what the service shows may have none, or the old one beside the new.
        (None, _) => Err(PortError::new(Class::Transient, ACLS, format!("no ACL of {subnet} is shown"))),
        (Some((one, _)), Some((other, _))) => {
            let what = format!("two ACLs of {subnet} are shown, by {one} and by {other}");
            Err(PortError::new(Class::Transient, ACLS, what))
        }
    }
}

/// Those of our ACLs that are meant for a subnet.
pub(super) fn ours(acls: &[NetworkAcl], subnet: &TargetId) -> Answer<Vec<OwnAcl>> {
    let mut ours = BTreeMap::new();
    for acl in acls {
        let mut tags = tags(acl.tags());
        if let Some(unit) = tags.remove(UNIT_TAG).filter(|_| tags.get(TARGET_TAG).is_some_and(|it| it == subnet.name()))
        {
            let acl = read(acl)?;
            ours.insert(acl.id.clone(), OwnAcl { acl, unit });
        }
    }
    Ok(ours.into_values().collect())
}

fn read(acl: &NetworkAcl) -> Answer<Acl> {
    let id = acl.network_acl_id().ok_or_else(|| unread(ACLS, "an ACL without an id"))?;
    let written = acl.entries().iter().filter(|entry| entry.rule_number().is_none_or(|number| number <= LAST));
    let entry = |raw| entry(raw).ok_or_else(|| unread(ACLS, format!("an entry of {id} cannot be read: {raw:?}")));
    let mut entries = written.map(entry).collect::<Answer<Vec<Entry>>>()?;
    entries.sort();
    Ok(Acl { id: id.to_owned(), entries })
}

fn entry(raw: &NetworkAclEntry) -> Option<Entry> {
    let allows = match raw.rule_action()? {
        RuleAction::Allow => true,
        RuleAction::Deny => false,
        _ => return None,
    };
    let ports = match raw.port_range().and_then(|range| Some((range.from()?, range.to()?))) {
        None => None,
        Some((from, to)) => Some((u16::try_from(from).ok()?, u16::try_from(to).ok()?)),
    };
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Entry {
        number: u16::try_from(raw.rule_number()?).ok()?,
        egress: raw.egress()?,
        allows,
        protocol: some(raw.protocol())?,
        network: some(raw.cidr_block()).or_else(|| some(raw.ipv6_cidr_block()))?,
        ports,
        icmp: raw.icmp_type_code().and_then(|icmp| Some((icmp.r#type()?, icmp.code()?))),
    })
}
