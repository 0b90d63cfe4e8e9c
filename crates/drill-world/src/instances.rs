//! EC2: verbs with dry runs and fences, and descriptions that lie behind and come in no order.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::Selector;
use drill_model::faults::Change;
use drill_model::ids::{GroupName, InstanceId};
use drill_phases::ports::{
    Answer, BATCH, Class, Group, Groups, Instance, InstanceHarm, InstanceHeal, InstanceState, Inventory, PortError,
    Rehearse, Verb,
};
use jiff::Timestamp;

use crate::calls::Method;
use crate::faulty::Freshness;
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

    fn pages(&self, method: Method, described: usize) {
        self.state().calls.request(method.api(), described.div_ceil(PAGE).saturating_sub(1) as u64);
    }

    /// How instances truly are, whatever can be seen of them.
    pub fn instances(&self) -> Vec<Instance> {
        self.plane().instances()
    }

    /// Uses a verb through the API, with all that EC2 checks before.
    async fn verb(&self, method: Method, verb: Verb, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.known(method, ids)?;
        if verb != Verb::Start {
            self.fence(method, ids)?;
        }
        let running = self.those(ids, InstanceState::Running);
        let done = self.plane().power(verb, ids).await;
        if verb == Verb::Stop {
            let stopping: BTreeSet<InstanceId> =
                running.difference(&self.those(ids, InstanceState::Running)).cloned().collect();
            self.note_stopped(&stopping);
        }
        done.map_err(|refusal| PortError::new(refusal.class, method.api(), refusal.message))
    }

    fn those(&self, ids: &BTreeSet<InstanceId>, state: InstanceState) -> BTreeSet<InstanceId> {
        let such = |instance: &Instance| ids.contains(&instance.id) && instance.state == state;
        self.plane().instances().into_iter().filter(such).map(|instance| instance.id).collect()
    }

    fn known(&self, method: Method, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        let failed = |class, what: String| Err(PortError::new(class, method.api(), what));
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
    pub(crate) fn fence(&self, method: Method, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        let truth = self.plane().instances();
        match truth.iter().find(|instance| ids.contains(&instance.id) && fenced(instance)) {
            Some(instance) => {
                let what = format!("UnauthorizedOperation: {} is fenced off by its tags", instance.id);
                Err(PortError::new(Class::Refused, method.api(), what))
            }
            None => Ok(()),
        }
    }
}

impl Inventory for World {
    async fn find(&self, selector: &Selector) -> Answer<Vec<Instance>> {
        self.call(Method::Find, async |freshness| {
            let mut found = self.visible(freshness);
            found.retain(|instance| matches(selector, instance));
            self.pages(Method::Find, found.len());
            Ok(found)
        })
        .await
    }

    async fn describe(&self, ids: &BTreeSet<InstanceId>) -> Answer<Vec<Instance>> {
        self.call(Method::Describe, async |freshness| {
            let mut found = self.visible(freshness);
            found.retain(|instance| ids.contains(&instance.id));
            self.pages(Method::Describe, ids.len());
            Ok(found)
        })
        .await
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

fn matches(selector: &Selector, instance: &Instance) -> bool {
    selector.tags.iter().all(|(name, value)| instance.tags.get(name) == Some(value))
        && (selector.ids.is_empty() || selector.ids.contains(&instance.id))
        && selector.group.as_ref().is_none_or(|group| instance.group.as_ref() == Some(group))
}

impl InstanceHarm for World {
    async fn stop(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Stop, async |_| {
            self.judge_verb(&Change::StopInstance, ids);
            self.verb(Method::Stop, Verb::Stop, ids).await
        })
        .await
    }

    async fn reboot(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Reboot, async |_| {
            self.judge_verb(&Change::RebootInstance, ids);
            self.verb(Method::Reboot, Verb::Reboot, ids).await
        })
        .await
    }

    async fn terminate(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Terminate, async |_| {
            self.judge_verb(&Change::TerminateInstance, ids);
            self.verb(Method::Terminate, Verb::Terminate, ids).await
        })
        .await
    }
}

impl InstanceHeal for World {
    async fn start(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Start, async |_| {
            self.judge_start(ids);
            self.verb(Method::Start, Verb::Start, ids).await
        })
        .await
    }
}

impl Rehearse for World {
    async fn rehearse(&self, verb: Verb, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Rehearse, async |_| {
            self.known(Method::Rehearse, ids)?;
            if verb == Verb::Start { Ok(()) } else { self.fence(Method::Rehearse, ids) }
        })
        .await
    }
}
