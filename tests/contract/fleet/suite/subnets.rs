//! Subnets and their network ACLs.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::experiment::Selector;
use drill_model::faults::vpc::{Entry, Harm, Heal, Subnet};
use drill_model::faults::{Kind, Seen, Sight};
use drill_model::ids::{FaultName, ResourceId, RunId, UnitId};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Rehearsal};

use super::{Facts, PATIENCE, Ports};

fn names() -> (RunId, UnitId) {
    let run = RunId::try_from("the-suite").unwrap();
    let unit = UnitId::of(&run, &FaultName::try_from("dark").unwrap());
    (run, unit)
}

fn subnet(seen: Seen) -> Subnet {
    match seen.sight {
        Sight::Subnet(subnet) => subnet,
        Sight::Ec2Instance(instance) => panic!("{instance:?}"),
    }
}

fn selector(tags: &[(&str, &str)], ids: &[&TargetId], zone: Option<&str>) -> Selector {
    Selector {
        kind: Kind::Subnet,
        tags: tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        ids: ids.iter().map(|id| ResourceId::try_from(id.name()).unwrap()).collect(),
        group: None,
        zone: zone.map(|zone| zone.parse().unwrap()),
    }
}

async fn ids(ports: &impl Ports, selector: &Selector) -> BTreeSet<TargetId> {
    ports.find(selector).await.unwrap().into_iter().map(|seen| seen.id).collect()
}

async fn look(ports: &impl Ports, id: &TargetId) -> Subnet {
    let mut seen = ports.see(Kind::Subnet, &[id.clone()].into()).await.unwrap();
    assert_eq!(seen.len(), 1);
    subnet(seen.remove(0))
}

/// What is seen as soon as this holds of it.
async fn until(ports: &impl Ports, id: &TargetId, what: &str, holds: impl Fn(&Subnet) -> bool) -> Subnet {
    let give_up = ports.now() + PATIENCE;
    loop {
        let seen = look(ports, id).await;
        if holds(&seen) {
            return seen;
        }
        assert!(ports.now() < give_up, "{what}: {seen:#?}");
        ports.pause(Duration::from_millis(500)).await;
    }
}

fn entry(number: u16, egress: bool, allows: bool) -> Entry {
    let network = "0.0.0.0/0".to_owned();
    Entry { number, egress, allows, protocol: "-1".into(), network, ports: None, icmp: None }
}

fn create(vpc: &str) -> Harm {
    let (run, unit) = names();
    Harm::CreateAcl { vpc: vpc.to_owned(), run, unit }
}

async fn harm(ports: &impl Ports, call: Harm, on: &TargetId) -> Answer<()> {
    ports.harm(&call.into(), &[on.clone()].into()).await
}

async fn heal(ports: &impl Ports, call: Heal, on: &TargetId) -> Answer<()> {
    ports.heal(&call.into(), &[on.clone()].into()).await
}

pub async fn found(ports: &impl Ports, facts: &Facts) {
    let [one, two] = &facts.subnets;
    let both = BTreeSet::from(facts.subnets.clone());
    let zone = |letter: char| format!("{}{letter}", facts.home.region);

    assert_eq!(ids(ports, &selector(&[("Service", "orders")], &[], None)).await, [one.clone()].into());
    assert_eq!(ids(ports, &selector(&[("StormdrillReady", "staging")], &[], None)).await, both);
    for nobody in ["ord*", "order?", "ORDERS", ""] {
        assert_eq!(ids(ports, &selector(&[("Service", nobody)], &[], None)).await, [].into(), "{nobody}");
    }
    assert_eq!(ids(ports, &selector(&[], &[two], None)).await, [two.clone()].into());
    let ready = [("StormdrillReady", "staging")];
    assert_eq!(ids(ports, &selector(&ready, &[], Some(&zone('b')))).await, [two.clone()].into());
    let stranger = facts.home.resource("ec2", "subnet/subnet-0123456789abcdef0");
    assert_eq!(ports.see(Kind::Subnet, &[stranger].into()).await, Ok(Vec::new()));

    let found = ports.find(&selector(&[], &[one], None)).await.unwrap();
    let seen = subnet(found.into_iter().next().unwrap());
    let other = look(ports, two).await;
    assert_eq!((&seen.zone, &seen.vpc), (&zone('a'), &other.vpc));
    assert_eq!(seen.acl.entries, [entry(100, false, true), entry(100, true, true)]);
    assert_eq!((seen.ours, seen.holds.len()), (Vec::new(), 0));
    let parts: Vec<_> = seen.instances.iter().map(|part| (part.id.clone(), part.healthy, part.protected)).collect();
    assert_eq!(parts, [(facts.inside.clone(), true, false)]);
    // Each is the other zone of the other.
    assert_eq!((seen.other_zones.len(), other.other_zones.len()), (1, 1));
    assert_ne!(seen.other_zones, other.other_zones);
}

pub async fn cut_and_mended(ports: &impl Ports, facts: &Facts) {
    let [one, two] = &facts.subnets;
    let before = look(ports, one).await;

    // Staged: twice, and it is there once.
    for _ in 0..2 {
        harm(ports, create(&before.vpc), one).await.unwrap();
    }
    let ours = until(ports, one, "an ACL of ours", |seen| !seen.ours.is_empty()).await.ours;
    assert_eq!((ours.len(), ours[0].unit.as_str(), ours[0].acl.entries.len()), (1, names().1.as_str(), 0));
    assert_eq!(look(ports, two).await.ours, Vec::new());
    let acl = ours[0].acl.id.clone();
    let denies = [entry(1, false, false), entry(1, true, false)];
    for deny in denies.iter().chain(&denies) {
        harm(ports, Harm::CreateEntry { acl: acl.clone(), entry: deny.clone() }, one).await.unwrap();
    }
    let staged = until(ports, one, "its entries", |seen| seen.ours[0].acl.entries.len() == 2).await;
    assert_eq!(staged.ours[0].acl.entries, denies);
    assert_eq!((&staged.acl, &staged.association), (&before.acl, &before.association));

    // Cut off: what bound it before is used up, and who comes late is refused.
    let cut = |association: &str| Harm::Associate { association: association.to_owned(), acl: acl.clone() };
    harm(ports, cut(&before.association), one).await.unwrap();
    let cut_off = until(ports, one, "our ACL", |seen| seen.acl.id == acl).await;
    assert_ne!(cut_off.association, before.association);
    assert_eq!(harm(ports, cut(&before.association), one).await.unwrap_err().class, Class::Missing);
    assert_eq!(heal(ports, Heal::DeleteAcl { acl: acl.clone() }, one).await.unwrap_err().class, Class::Refused);

    // Its own back, then ours goes; both can be asked for again.
    let back = Heal::Associate { association: cut_off.association.clone(), acl: before.acl.id.clone() };
    heal(ports, back.clone(), one).await.unwrap();
    until(ports, one, "its own ACL", |seen| seen.acl == before.acl).await;
    assert_eq!(heal(ports, back, one).await.unwrap_err().class, Class::Missing);
    for _ in 0..2 {
        heal(ports, Heal::DeleteAcl { acl: acl.clone() }, one).await.unwrap();
    }
    let after = until(ports, one, "nothing of ours", |seen| seen.ours.is_empty()).await;
    // A late change refuses itself at the service.
    assert_eq!(harm(ports, cut(&after.association), one).await.unwrap_err().class, Class::Missing);
    let late = Harm::CreateEntry { acl, entry: denies[0].clone() };
    assert_eq!(harm(ports, late, one).await.unwrap_err().class, Class::Missing);
}

pub async fn rehearsed(ports: &impl Ports, facts: &Facts) {
    let [one, two] = &facts.subnets;
    let before = look(ports, one).await;
    let theirs = look(ports, two).await.acl.id;
    let bind = Harm::Associate { association: before.association.clone(), acl: theirs.clone() };
    let back = Heal::Associate { association: before.association.clone(), acl: theirs };

    for call in
        [Rehearsal::Harm(create(&before.vpc).into()), Rehearsal::Harm(bind.into()), Rehearsal::Heal(back.into())]
    {
        assert_eq!(ports.rehearse(&call, &[one.clone()].into()).await, Ok(()), "{call:?}");
    }

    // When a later change is seen, an earlier one would be seen too.
    harm(ports, create(&before.vpc), two).await.unwrap();
    until(ports, two, "an ACL for the other", |seen| seen.ours.len() == 1).await;
    assert_eq!(look(ports, one).await, before);
}

pub async fn refused(ports: &impl Ports, facts: &Facts) {
    let [one, two] = &facts.subnets;
    let before = look(ports, one).await;
    let gone = "acl-0123456789abcdef0".to_owned();
    let bind = Harm::Associate { association: before.association.clone(), acl: before.acl.id.clone() };
    let back = Heal::Associate { association: before.association.clone(), acl: before.acl.id.clone() };
    let delete = Heal::DeleteAcl { acl: gone.clone() };

    for on in [BTreeSet::new(), BTreeSet::from([one.clone(), two.clone()]), BTreeSet::from([facts.inside.clone()])] {
        for call in [create(&before.vpc), bind.clone()] {
            assert_eq!(ports.harm(&call.into(), &on).await.unwrap_err().class, Class::Refused, "{on:?}");
        }
        for call in [&back, &delete] {
            assert_eq!(ports.heal(&call.clone().into(), &on).await.unwrap_err().class, Class::Refused, "{on:?}");
        }
    }
    for call in [
        Harm::CreateEntry { acl: gone.clone(), entry: entry(1, true, false) },
        Harm::Associate { association: before.association.clone(), acl: gone.clone() },
        Harm::Associate { association: "aclassoc-0123456789abcdef0".to_owned(), acl: before.acl.id.clone() },
    ] {
        assert_eq!(harm(ports, call, one).await.unwrap_err().class, Class::Missing);
    }

    assert_eq!(look(ports, one).await, before);
}
