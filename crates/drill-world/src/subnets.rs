//! EC2's subnets and network ACLs: associations that are used up, ACLs that are in use, descriptions that lie behind.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::faults::ec2::Instance;
use drill_model::faults::vpc::{Acl, Entry, Harm, Heal, OwnAcl, Subnet};
use drill_model::faults::{Call as _, Kind, Part, Seen, Sight, Target as _};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};
use jiff::Timestamp;

use crate::faulty::Freshness;
use crate::oracle::{OPT_IN_TAG, PROTECTION_TAG};
use crate::world::World;

/// The tables, and how they were.
#[derive(Debug, Default)]
pub(crate) struct Subnets {
    now: Tables,
    history: Vec<(Timestamp, Tables)>,
    names: u64,
}

#[derive(Debug, Clone, Default)]
struct Tables {
    subnets: BTreeMap<TargetId, Net>,
    acls: BTreeMap<String, List>,
}

#[derive(Debug, Clone)]
struct Net {
    vpc: String,
    zone: String,
    network: String,
    tags: BTreeMap<String, String>,
    acl: String,
    association: String,
    /// The ACL that it had when it was made.
    original: String,
    instances: BTreeSet<TargetId>,
}

#[derive(Debug, Clone)]
struct List {
    vpc: String,
    entries: Vec<Entry>,
    /// The unit and the subnet that its tags name, where a run of ours made it.
    ours: Option<(String, TargetId)>,
}

impl Subnets {
    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}-{:017x}", self.names)
    }

    /// Changes the tables, and remembers how they were.
    fn change(&mut self, at: Timestamp, change: impl FnOnce(&mut Tables)) {
        change(&mut self.now);
        self.history.push((at, self.now.clone()));
    }

    fn as_of(&self, at: Timestamp) -> &Tables {
        let known = self.history.iter().rev().find(|(since, _)| *since <= at).map(|(_, tables)| tables);
        // What was there before anybody looked was there always.
        known.or_else(|| self.history.first().map(|(_, tables)| tables)).unwrap_or(&self.now)
    }
}

/// The one subnet of a call.
fn only<'a>(api: &'static str, on: &'a BTreeSet<TargetId>) -> Answer<&'a TargetId> {
    let one = on.first().filter(|id| on.len() == 1 && Kind::of(id) == Some(Kind::Subnet));
    one.ok_or_else(|| PortError::new(Class::Refused, api, format!("InvalidParameterValue: {} targets", on.len())))
}

/// What an ACL lets through, whatever the numbers of its entries.
fn passes(list: &List) -> Vec<Entry> {
    let mut entries = list.entries.clone();
    entries.sort_by_key(|entry| (entry.egress, entry.number));
    for entry in &mut entries {
        entry.number = 0;
    }
    entries
}

impl World {
    /// Adds a subnet with these instances, in a zone; every zone is in the same VPC, and its ACL lets everything through.
    pub fn add_subnet(
        &self,
        zone: &str,
        tags: &[(&str, &str)],
        instances: &[drill_model::ids::InstanceId],
    ) -> TargetId {
        let home = self.home();
        let at = self.time().now();
        let mut state = self.state();
        let subnets = &mut state.subnets;
        let (name, acl, association) = (subnets.name("subnet"), subnets.name("acl"), subnets.name("aclassoc"));
        let id = home.resource("ec2", &format!("subnet/{name}"));
        let network = format!("10.0.{}.0/24", subnets.now.subnets.len());
        let net = Net {
            vpc: "vpc-0123456789abcdef0".to_owned(),
            zone: zone.to_owned(),
            network,
            tags: tags.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            acl: acl.clone(),
            association,
            original: acl.clone(),
            instances: instances.iter().map(|id| home.instance(id)).collect(),
        };
        let all = |egress| Entry {
            number: 100,
            egress,
            allows: true,
            protocol: "-1".to_owned(),
            network: "0.0.0.0/0".to_owned(),
            ports: None,
            icmp: None,
        };
        let list = List { vpc: net.vpc.clone(), entries: vec![all(false), all(true)], ours: None };
        subnets.change(at, |tables| {
            tables.acls.insert(acl, list);
            tables.subnets.insert(id.clone(), net);
        });
        id
    }

    /// Whether a subnet lets through less than it did when it was made.
    pub fn is_cut(&self, id: &TargetId) -> bool {
        let state = self.state();
        let tables = &state.subnets.now;
        let lists = |net: &Net| Some((tables.acls.get(&net.acl)?, tables.acls.get(&net.original)?));
        tables.subnets.get(id).and_then(lists).is_some_and(|(now, before)| passes(now) != passes(before))
    }

    /// Whether a host lies in a subnet that is cut off, so that it and the service do not hear each other.
    pub(crate) fn is_cut_off(&self, host: &drill_model::ids::InstanceId) -> bool {
        if !self.state().timing.cut_agents {
            return false;
        }
        let target = self.home().instance(host);
        let of = |(id, net): (&TargetId, &Net)| net.instances.contains(&target).then(|| id.clone());
        let subnet = self.state().subnets.now.subnets.iter().find_map(of);
        subnet.is_some_and(|subnet| self.is_cut(&subnet))
    }

    /// What is not as it was: subnets with another ACL, and ACLs of ours that are still there.
    pub(crate) fn subnets_left(&self) -> Vec<String> {
        let state = self.state();
        let tables = &state.subnets.now;
        let moved = tables.subnets.iter().filter(|(_, net)| net.acl != net.original);
        let moved = moved.map(|(id, net)| format!("{id} has ACL {}, and had {}", net.acl, net.original));
        let ours = tables.acls.iter().filter_map(|(id, list)| Some((id, list.ours.as_ref()?)));
        moved.chain(ours.map(|(id, (unit, _))| format!("ACL {id} of unit {unit} is still there"))).collect()
    }

    /// The subnet that an instance lies in.
    pub(crate) fn subnet_of(&self, instance: &TargetId) -> Option<TargetId> {
        let state = self.state();
        state.subnets.now.subnets.iter().find(|(_, net)| net.instances.contains(instance)).map(|(id, _)| id.clone())
    }

    pub(crate) fn has_subnet(&self, id: &TargetId) -> bool {
        self.state().subnets.now.subnets.contains_key(id)
    }

    pub(crate) fn subnet_tags(&self, id: &TargetId) -> Option<BTreeMap<String, String>> {
        self.state().subnets.now.subnets.get(id).map(|net| net.tags.clone())
    }

    pub(crate) fn see_subnets(&self, freshness: Freshness) -> Vec<Seen> {
        let instances: BTreeMap<TargetId, Instance> = {
            let home = self.home();
            self.plane().instances().into_iter().map(|instance| (home.instance(&instance.id), instance)).collect()
        };
        let as_of = {
            let state = self.state();
            self.time().now() - freshness.lag(state.timing.visibility)
        };
        let state = self.state();
        let tables = state.subnets.as_of(as_of);
        tables
            .subnets
            .iter()
            .filter_map(|(id, net)| {
                let acl =
                    |name: &str| Some(Acl { id: name.to_owned(), entries: tables.acls.get(name)?.entries.clone() });
                let part = |id: &TargetId| {
                    let instance = instances.get(id).filter(|instance| !instance.is_gone())?;
                    let protected = instance.tags.get(PROTECTION_TAG).is_some_and(|value| value != "false");
                    Some(Part { id: id.clone(), healthy: instance.is_healthy(), protected })
                };
                let others = tables.subnets.values().filter(|other| other.vpc == net.vpc && other.zone != net.zone);
                let ours = tables.acls.iter().filter_map(|(name, list)| {
                    let (unit, _) = list.ours.as_ref().filter(|(_, target)| target == id)?;
                    Some(OwnAcl { acl: acl(name)?, unit: unit.clone() })
                });
                let subnet = Subnet {
                    vpc: net.vpc.clone(),
                    zone: net.zone.clone(),
                    tags: net.tags.clone(),
                    acl: acl(&net.acl)?,
                    association: net.association.clone(),
                    ours: ours.collect(),
                    other_zones: others.map(|other| other.network.clone()).collect(),
                    instances: net.instances.iter().filter_map(part).collect(),
                    holds: Vec::new(),
                };
                Some(Seen { id: id.clone(), sight: Sight::Subnet(subnet) })
            })
            .collect()
    }

    pub(crate) fn harm_subnet(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let refused = |class, what: String| Err(PortError::new(class, call.api(), what));
        let target = only(call.api(), on)?;
        let tags = self.subnet_tags(target).unwrap_or_default();
        let protected = tags.get(PROTECTION_TAG).is_some_and(|value| value != "false");
        if protected || !tags.contains_key(OPT_IN_TAG) {
            return refused(Class::Refused, format!("UnauthorizedOperation: {target} is fenced off by its tags"));
        }
        let at = self.time().now();
        let mut state = self.state();
        let subnets = &mut state.subnets;
        match call {
            Harm::CreateAcl { vpc, run: _, unit } => {
                let ours = Some((unit.to_string(), target.clone()));
                if subnets.now.acls.values().any(|list| list.ours == ours) {
                    return Ok(());
                }
                let name = subnets.name("acl");
                subnets.change(at, |tables| {
                    tables.acls.insert(name, List { vpc: vpc.clone(), entries: Vec::new(), ours });
                });
                Ok(())
            }
            Harm::CreateEntry { acl, entry } => {
                let Some(list) = subnets.now.acls.get(acl) else {
                    return refused(Class::Missing, format!("InvalidNetworkAclID.NotFound: {acl} does not exist"));
                };
                let same = |other: &&Entry| (other.number, other.egress) == (entry.number, entry.egress);
                if list.entries.iter().any(|other| same(&other)) {
                    return Ok(());
                }
                subnets.change(at, |tables| {
                    if let Some(list) = tables.acls.get_mut(acl) {
                        list.entries.push(entry.clone());
                    }
                });
                Ok(())
            }
            Harm::Associate { association, acl } => subnets.associate(at, call.api(), target, association, acl),
        }
    }

    pub(crate) fn heal_subnet(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let target = only(call.api(), on)?;
        let at = self.time().now();
        let mut state = self.state();
        let subnets = &mut state.subnets;
        match call {
            Heal::Associate { association, acl } => subnets.associate(at, call.api(), target, association, acl),
            Heal::DeleteAcl { acl } => {
                if subnets.now.subnets.values().any(|net| net.acl == *acl) {
                    let what = format!("DependencyViolation: {acl} has dependencies and cannot be deleted");
                    return Err(PortError::new(Class::Refused, call.api(), what));
                }
                if subnets.now.acls.contains_key(acl) {
                    subnets.change(at, |tables| drop(tables.acls.remove(acl)));
                }
                Ok(())
            }
        }
    }

    /// An entry of an ACL goes, as the scheduler asks for it.
    pub(crate) fn delete_acl_entry(&self, acl: &str, number: u16, egress: bool) -> bool {
        let at = self.time().now();
        let mut state = self.state();
        let is = |entry: &Entry| (entry.number, entry.egress) == (number, egress);
        let there = state.subnets.now.acls.get(acl).is_some_and(|list| list.entries.iter().any(is));
        if there {
            state.subnets.change(at, |tables| {
                if let Some(list) = tables.acls.get_mut(acl) {
                    list.entries.retain(|entry| !is(entry));
                }
            });
        }
        there
    }
}

impl Subnets {
    fn associate(
        &mut self,
        at: Timestamp,
        api: &'static str,
        id: &TargetId,
        association: &str,
        acl: &str,
    ) -> Answer<()> {
        let missing = |what: String| Err(PortError::new(Class::Missing, api, what));
        if self.now.subnets.get(id).is_none_or(|net| net.association != association) {
            return missing(format!("InvalidAssociationID.NotFound: {association} does not exist"));
        }
        let vpc = self.now.subnets.get(id).map(|net| net.vpc.clone());
        if self.now.acls.get(acl).is_none_or(|list| Some(&list.vpc) != vpc.as_ref()) {
            return missing(format!("InvalidNetworkAclID.NotFound: {acl} does not exist"));
        }
        let next = self.name("aclassoc");
        self.change(at, |tables| {
            if let Some(net) = tables.subnets.get_mut(id) {
                acl.clone_into(&mut net.acl);
                net.association = next;
            }
        });
        Ok(())
    }
}
