//! The port `Inventory`: DescribeInstances by filters or by ids, and the status checks of those that run.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{self, Filter, InstanceLifecycleType, InstanceStateName};
use drill_aws_config::classify;
use drill_model::experiment::{Selector, TargetKind};
use drill_model::ids::{GroupName, InstanceId};
use drill_phases::ports::{Answer, Class, Instance, InstanceState, Inventory, PortError};

use crate::remains::{is_unknown_id, named, remains};
use crate::{Ec2, health};

pub(crate) const DESCRIBE: &str = "ec2:DescribeInstances";
/// The most instances on a page, and the most ids of one call.
pub(crate) const PAGE: usize = 1000;
/// Auto Scaling's own tag on its members.
const GROUP: &str = "aws:autoscaling:groupName";

type Found = BTreeMap<InstanceId, Instance>;

impl Inventory for Ec2 {
    /// One call for a page of 1,000 instances, and one of DescribeInstanceStatus for 100 that run. With ids, one more for
    /// each time that the service names some that do not exist.
    async fn find(&self, selector: &Selector) -> Answer<Vec<Instance>> {
        let Selector { kind: TargetKind::Ec2Instance, tags, ids, group } = selector;
        if tags.is_empty() && ids.is_empty() && group.is_none() {
            return Err(PortError::new(Class::Refused, DESCRIBE, "an empty selector would match every instance"));
        }
        let filters = filters(tags, group.as_ref());
        let mut found = Found::new();
        if ids.is_empty() {
            self.pages(&filters, &[], &mut found).await.map_err(|failed| failed.error)?;
        } else {
            self.existing(&filters, ids, &mut found).await?;
        }
        // A filter is a pattern with ways of its own; what is selected is decided here.
        found.retain(|_, instance| matches(selector, instance));
        let running = found.values().filter(|instance| instance.state == InstanceState::Running);
        let health = health::read(&self.client, running.map(|instance| instance.id.clone()).collect()).await?;
        for (id, healthy) in health {
            if let Some(instance) = found.get_mut(&id) {
                instance.healthy = Some(healthy);
            }
        }
        Ok(found.into_values().collect())
    }

    /// One call for 1,000 ids, and one more for each time that the service names some that do not exist. Status checks
    /// are not asked for: `healthy` is `None`.
    async fn describe(&self, ids: &BTreeSet<InstanceId>) -> Answer<Vec<Instance>> {
        let mut found = Found::new();
        self.existing(&[], ids, &mut found).await?;
        Ok(found.into_values().collect())
    }
}

/// A call that failed, and what is left to try of its ids.
struct Failed {
    error: PortError,
    rest: Option<Vec<Vec<InstanceId>>>,
}

impl Ec2 {
    /// Those of these ids that exist. No id is no call: without one the service would describe every instance.
    async fn existing(&self, filters: &[Filter], ids: &BTreeSet<InstanceId>, found: &mut Found) -> Answer<()> {
        let all: Vec<InstanceId> = ids.iter().cloned().collect();
        let mut chunks: Vec<Vec<InstanceId>> = all.chunks(PAGE).rev().map(<[_]>::to_vec).collect();
        while let Some(chunk) = chunks.pop() {
            match self.pages(filters, &chunk, found).await {
                Ok(()) => {}
                Err(Failed { rest: Some(rest), .. }) => chunks.extend(rest),
                Err(Failed { error, rest: None }) => return Err(error),
            }
        }
        Ok(())
    }

    /// Every page of one description. The size of a page must not be given together with ids.
    async fn pages(&self, filters: &[Filter], ids: &[InstanceId], found: &mut Found) -> Result<(), Failed> {
        let mut next = None;
        loop {
            let mut request = self.client.describe_instances().set_next_token(next);
            if !filters.is_empty() {
                request = request.set_filters(Some(filters.to_vec()));
            }
            if ids.is_empty() {
                request = request.max_results(i32::try_from(PAGE).unwrap_or(i32::MAX));
            } else {
                request = request.set_instance_ids(Some(ids.iter().map(ToString::to_string).collect()));
            }
            let page = request.send().await.map_err(|error| Failed {
                rest: is_unknown_id(&error).then(|| remains(ids.to_vec(), &named(&error, ids))),
                error: classify(DESCRIBE, &error),
            })?;
            for instance in page.reservations().iter().flat_map(types::Reservation::instances) {
                let instance = read(instance).map_err(|error| Failed { error, rest: None })?;
                found.insert(instance.id.clone(), instance);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

/// The filters of a selector. `*` and `?` stand for themselves.
fn filters(tags: &BTreeMap<String, String>, group: Option<&GroupName>) -> Vec<Filter> {
    let filter = |tag: &str, value: &str| Filter::builder().name(format!("tag:{tag}")).values(literal(value)).build();
    let of_tags = tags.iter().map(|(tag, value)| filter(tag, value));
    of_tags.chain(group.map(|group| filter(GROUP, group.as_str()))).collect()
}

fn literal(value: &str) -> String {
    value.chars().flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

fn matches(selector: &Selector, instance: &Instance) -> bool {
    selector.tags.iter().all(|(tag, value)| instance.tags.get(tag) == Some(value))
        && (selector.ids.is_empty() || selector.ids.contains(&instance.id))
        && selector.group.as_ref().is_none_or(|group| instance.group.as_ref() == Some(group))
}

/// An instance in our words. What cannot be read is an error: a target that is half known is not safe to touch.
fn read(instance: &types::Instance) -> Answer<Instance> {
    let unread = |what: String| PortError::new(Class::Refused, DESCRIBE, what);
    let id = instance.instance_id().unwrap_or_default();
    let id = InstanceId::try_from(id).map_err(|error| unread(error.to_string()))?;
    let state = instance.state().and_then(types::InstanceState::name);
    let state = match state {
        Some(InstanceStateName::Pending) => InstanceState::Pending,
        Some(InstanceStateName::Running) => InstanceState::Running,
        Some(InstanceStateName::Stopping) => InstanceState::Stopping,
        Some(InstanceStateName::Stopped) => InstanceState::Stopped,
        Some(InstanceStateName::ShuttingDown) => InstanceState::ShuttingDown,
        Some(InstanceStateName::Terminated) => InstanceState::Terminated,
        other => {
            let word = other.map_or("nothing", InstanceStateName::as_str);
            return Err(unread(format!("the service calls the state of {id} {word}")));
        }
    };
    let tags: BTreeMap<String, String> = instance
        .tags()
        .iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned())))
        .collect();
    let group = tags.get(GROUP).map(|name| GroupName::try_from(name.as_str())).transpose();
    let group = group.map_err(|error| unread(format!("the group of {id}: {error}")))?;
    let spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    Ok(Instance { id, state, healthy: None, group, tags, spot })
}
