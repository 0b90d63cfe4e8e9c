//! EC2: verbs with dry runs and fences, and descriptions that lie behind and come in no order.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::faults::ec2::{Harm, Heal, Instance, InstanceState};
use drill_model::faults::{Call as _, Seen, Sight};
use drill_model::ids::{GroupName, InstanceId};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, BATCH, Class, Group, Groups, PortError};
use jiff::Timestamp;

use crate::calls::Method;
use crate::faulty::Freshness;
use crate::hosts::Power;
use crate::oracle::fenced;
use crate::world::World;

/// The most instances on a page.
const PAGE: usize = 1000;

/// How instances were, and since when.
#[derive(Debug, Default)]
pub(crate) struct Sightings {
    seen: BTreeMap<InstanceId, Vec<(Timestamp, Instance)>>,
}

impl Sightings {
    /// An instance is like this from now on. One that runs when it is first seen has run before.
    pub(crate) fn note(&mut self, at: Timestamp, instance: &Instance) {
        let history = self.seen.entry(instance.id.clone()).or_default();
        let since = if history.is_empty() && instance.state == InstanceState::Running { Timestamp::MIN } else { at };
        history.push((since, instance.clone()));
    }

    /// How an instance was; `None` when it was not there.
    fn as_of<'a>(&'a self, truth: &'a Instance, at: Timestamp) -> Option<&'a Instance> {
        let Some(history) = self.seen.get(&truth.id) else { return Some(truth) };
        history.iter().rev().find(|(since, _)| *since <= at).map(|(_, instance)| instance)
    }
}

impl World {
    /// The instances as one sees them now.
    fn visible(&self, freshness: Freshness) -> Vec<Instance> {
        let truth = self.plane().instances();
        let now = self.time().now();
        let mut state = self.state();
        let as_of = now - freshness.lag(state.timing.visibility);
        let mut visible: Vec<Instance> =
            truth.iter().filter_map(|instance| state.sightings.as_of(instance, as_of).cloned()).collect();
        state.random.shuffle(&mut visible);
        visible
    }

    pub(crate) fn pages(&self, method: Method, described: usize) {
        self.state().calls.request(method.api(), described.div_ceil(PAGE).saturating_sub(1) as u64);
    }

    /// How instances truly are, whatever can be seen of them.
    pub fn instances(&self) -> Vec<Instance> {
        self.plane().instances()
    }

    /// The instances as targets, as one sees them now.
    pub(crate) fn see_instances(&self, freshness: Freshness) -> Vec<Seen> {
        let home = self.home();
        let mut visible = self.visible(freshness);
        for instance in &mut visible {
            instance.subnet = self.subnet_of(&home.instance(&instance.id));
        }
        let seen = |instance: Instance| Seen { id: home.instance(&instance.id), sight: Sight::Ec2Instance(instance) };
        visible.into_iter().map(seen).collect()
    }

    /// Makes a harming call through the API, with all that EC2 checks before.
    pub(crate) async fn harm_instances(&self, call: Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = self.ids_of(on);
        self.known(call.api(), &ids)?;
        self.fence(call.api(), &ids)?;
        let running = self.those(&ids, InstanceState::Running);
        let power = match call {
            Harm::Stop => Power::Stop,
            Harm::Reboot => Power::Reboot,
            Harm::Terminate => Power::Terminate,
        };
        let done = self.plane().power(power, &ids).await;
        if call == Harm::Stop {
            let stopping: BTreeSet<InstanceId> =
                running.difference(&self.those(&ids, InstanceState::Running)).cloned().collect();
            self.note_stopped(&stopping);
        }
        done.map_err(|refusal| PortError::new(refusal.class, call.api(), refusal.message))
    }

    /// Makes a healing call through the API.
    pub(crate) async fn heal_instances(&self, call: Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = self.ids_of(on);
        self.known(call.api(), &ids)?;
        let done = match call {
            Heal::Start => self.plane().power(Power::Start, &ids).await,
        };
        done.map_err(|refusal| PortError::new(refusal.class, call.api(), refusal.message))
    }

    fn those(&self, ids: &BTreeSet<InstanceId>, state: InstanceState) -> BTreeSet<InstanceId> {
        let such = |instance: &Instance| ids.contains(&instance.id) && instance.state == state;
        self.plane().instances().into_iter().filter(such).map(|instance| instance.id).collect()
    }

    pub(crate) fn known(&self, api: &'static str, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        let failed = |class, what: String| Err(PortError::new(class, api, what));
        if ids.is_empty() || ids.len() > BATCH {
            return failed(Class::Refused, format!("InvalidParameterValue: {} instance ids", ids.len()));
        }
        let there: BTreeSet<InstanceId> = self.plane().instances().into_iter().map(|instance| instance.id).collect();
        match ids.iter().find(|id| !there.contains(*id)) {
            Some(id) => failed(Class::Missing, format!("InvalidInstanceID.NotFound: {id} does not exist")),
            None => Ok(()),
        }
    }

    /// The role that harms may do so only to instances that opted in and that nobody protects.
    pub(crate) fn fence(&self, api: &'static str, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        let truth = self.plane().instances();
        match truth.iter().find(|instance| ids.contains(&instance.id) && fenced(&instance.tags)) {
            Some(instance) => {
                let what = format!("UnauthorizedOperation: {} is fenced off by its tags", instance.id);
                Err(PortError::new(Class::Refused, api, what))
            }
            None => Ok(()),
        }
    }
}

impl Groups for World {
    async fn group(&self, name: &GroupName) -> Answer<Group> {
        self.call(Method::Group, async |_| {
            self.plane().groups().into_iter().find(|group| group.name == *name).ok_or_else(|| {
                PortError::new(Class::Missing, Method::Group.api(), format!("there is no Auto Scaling group {name}"))
            })
        })
        .await
    }
}
