//! Looking at targets, harming and healing them: each call goes to the service that it is a call of.

use std::collections::BTreeSet;

use drill_model::experiment::Selector;
use drill_model::faults::{Call as _, Harm, Heal, Kind, Seen, Sight};
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{Answer, Class, Harms, Heals, PortError, Rehearsal, Rehearse, Sees};

use crate::calls::Method;
use crate::world::World;

impl World {
    /// Where everything here lies.
    pub fn home(&self) -> Home {
        let state = self.state();
        Home { account: state.account.clone(), region: state.region.clone() }
    }

    /// These targets as instances. What is none is not asked for by anybody who looks first.
    pub(crate) fn ids_of(&self, targets: &BTreeSet<TargetId>) -> BTreeSet<drill_model::ids::InstanceId> {
        targets.iter().filter_map(TargetId::instance).collect()
    }
}

impl Sees for World {
    async fn find(&self, selector: &Selector) -> Answer<Vec<Seen>> {
        self.call(Method::Find, async |freshness| {
            let mut found = match selector.kind {
                Kind::Ec2Instance => self.see_instances(freshness),
                Kind::Subnet => self.see_subnets(freshness),
            };
            found.retain(|seen| matches(selector, seen));
            self.pages(Method::Find, found.len());
            Ok(found)
        })
        .await
    }

    async fn see(&self, kind: Kind, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        self.call(Method::See, async |freshness| {
            let mut found = match kind {
                Kind::Ec2Instance => self.see_instances(freshness),
                Kind::Subnet => self.see_subnets(freshness),
            };
            found.retain(|seen| ids.contains(&seen.id));
            self.pages(Method::See, ids.len());
            Ok(found)
        })
        .await
    }
}

fn matches(selector: &Selector, seen: &Seen) -> bool {
    let (group, zone) = match &seen.sight {
        Sight::Ec2Instance(instance) => (instance.group.as_ref(), None),
        Sight::Subnet(subnet) => (None, Some(subnet.zone.as_str())),
    };
    selector.tags.iter().all(|(name, value)| seen.tags().get(name) == Some(value))
        && (selector.ids.is_empty() || selector.ids.iter().any(|id| id.name() == seen.id.name()))
        && selector.group.as_ref().is_none_or(|wanted| group == Some(wanted))
        && selector.zone.as_ref().is_none_or(|wanted| zone == Some(wanted.as_str()))
}

impl Harms for World {
    async fn harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.call_as(Method::Harm, call.api(), async |_| {
            self.judge_harm(call.api(), on);
            match call {
                Harm::Ec2Instance(call) => self.harm_instances(*call, on).await,
                Harm::Subnet(call) => self.harm_subnet(call, on),
            }
        })
        .await
    }
}

impl Heals for World {
    async fn heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.call_as(Method::Heal, call.api(), async |_| {
            self.judge_heal(call.api(), on);
            match call {
                Heal::Ec2Instance(call) => self.heal_instances(*call, on).await,
                Heal::Subnet(call) => self.heal_subnet(call, on),
            }
        })
        .await
    }
}

impl Rehearse for World {
    async fn rehearse(&self, call: &Rehearsal, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.call(Method::Rehearse, async |_| match call {
            Rehearsal::Harm(Harm::Ec2Instance(_)) => {
                let ids = self.ids_of(on);
                self.known("ec2:DryRun", &ids)?;
                self.fence("ec2:DryRun", &ids)
            }
            Rehearsal::Heal(Heal::Ec2Instance(_)) => self.known("ec2:DryRun", &self.ids_of(on)),
            Rehearsal::Harm(Harm::Subnet(_)) | Rehearsal::Heal(Heal::Subnet(_)) => {
                let there = on.iter().find(|id| !self.has_subnet(id));
                there.map_or(Ok(()), |id| {
                    Err(PortError::new(Class::Missing, "ec2:DryRun", format!("InvalidSubnetID.NotFound: {id}")))
                })
            }
        })
        .await
    }
}
