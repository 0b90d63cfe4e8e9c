//! Instances: DescribeInstances by filters or by ids, and the status checks of those that run.

mod health;
mod verbs;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{self, Filter, InstanceLifecycleType, InstanceStateName, Placement};
use drill_aws_config::classify;
use drill_model::experiment::Selector;
use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::faults::{Kind, Seen, Sight};
use drill_model::ids::{GroupName, InstanceId};
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{Answer, PortError};

use crate::Ec2;
use crate::remains::{is_unknown_id, named, remains};
use crate::selected::{self, filter, literal, matches, not_empty, unread};

const DESCRIBE: &str = "ec2:DescribeInstances";
/// The most instances on a page, and the most ids of one call.
const PAGE: usize = 1000;
/// Auto Scaling's own tag on its members.
const GROUP: &str = "aws:autoscaling:groupName";

/// Instances by their ARNs, with the zones that they lie in.
pub(crate) type Found = BTreeMap<TargetId, (Instance, String)>;

/// A call that failed, and what is left to try of its ids.
struct Failed {
    error: PortError,
    rest: Option<Vec<Vec<InstanceId>>>,
}

impl Ec2 {
    /// One call for a page of 1,000 instances, and one of DescribeInstanceStatus for 100 that run. With ids, one more for
    /// each time that the service names some that do not exist.
    pub(crate) async fn find_instances(&self, selector: &Selector) -> Answer<Vec<Seen>> {
        not_empty(selector, DESCRIBE)?;
        let mut filters = selected::filters(selector);
        let group = selector.group.as_ref();
        filters.extend(group.map(|group| filter(format!("tag:{GROUP}"), [literal(group.as_str())])));
        let mut found = if selector.ids.is_empty() {
            self.instances(&filters).await?
        } else {
            let ids = selector.ids.iter().map(|id| InstanceId::try_from(id.name()));
            let ids = ids.collect::<Result<_, _>>().map_err(|error| unread(DESCRIBE, error.to_string()))?;
            self.existing(&filters, &ids).await?
        };
        found.retain(|id, (instance, zone)| {
            matches(selector, id, &instance.tags, zone)
                && group.is_none_or(|group| instance.group.as_ref() == Some(group))
        });
        self.check(&mut found).await?;
        Ok(seen(found))
    }

    /// One call for 1,000 ids, and one more for each time that the service names some that do not exist. Status checks
    /// are not asked for: `healthy` is `None`.
    pub(crate) async fn see_instances(&self, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        let names: BTreeSet<InstanceId> = ids.iter().filter_map(TargetId::instance).collect();
        let mut found = self.existing(&[], &names).await?;
        found.retain(|id, _| ids.contains(id));
        Ok(seen(found))
    }

    /// Every instance that these filters let through.
    pub(crate) async fn instances(&self, filters: &[Filter]) -> Answer<Found> {
        let mut found = Found::new();
        self.pages(filters, &[], &mut found).await.map_err(|failed| failed.error)?;
        Ok(found)
    }

    /// Asks for the status checks of those that run.
    pub(crate) async fn check(&self, found: &mut Found) -> Answer<()> {
        let running = found.values().filter(|(instance, _)| instance.state == InstanceState::Running);
        let health = health::read(&self.client, running.map(|(instance, _)| instance.id.clone()).collect()).await?;
        for (instance, _) in found.values_mut() {
            instance.healthy = health.get(&instance.id).copied();
        }
        Ok(())
    }

    /// Those of these ids that exist. No id is no call: without one the service would describe every instance.
    async fn existing(&self, filters: &[Filter], ids: &BTreeSet<InstanceId>) -> Answer<Found> {
        let mut found = Found::new();
        let all: Vec<InstanceId> = ids.iter().cloned().collect();
        let mut chunks: Vec<Vec<InstanceId>> = all.chunks(PAGE).rev().map(<[_]>::to_vec).collect();
        while let Some(chunk) = chunks.pop() {
            match self.pages(filters, &chunk, &mut found).await {
                Ok(()) => {}
                Err(Failed { rest: Some(rest), .. }) => chunks.extend(rest),
                Err(Failed { error, rest: None }) => return Err(error),
            }
        }
        Ok(found)
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
            for reservation in page.reservations() {
                let home = self.home(reservation.owner_id().unwrap_or_default());
                for instance in reservation.instances() {
                    let (instance, zone) = read(instance, &home).map_err(|error| Failed { error, rest: None })?;
                    found.insert(home.instance(&instance.id), (instance, zone));
                }
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

fn seen(found: Found) -> Vec<Seen> {
    found.into_iter().map(|(id, (instance, _))| Seen { id, sight: Sight::Ec2Instance(instance) }).collect()
}

/// An instance in our words, and its zone.
fn read(instance: &types::Instance, home: &Home) -> Answer<(Instance, String)> {
    let id = instance.instance_id().unwrap_or_default();
    let id = InstanceId::try_from(id).map_err(|error| unread(DESCRIBE, error.to_string()))?;
    if home.account.is_empty() {
        return Err(unread(DESCRIBE, format!("the service does not say whose {id} is")));
    }
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
            return Err(unread(DESCRIBE, format!("the service calls the state of {id} {word}")));
        }
    };
    let tags = selected::tags(instance.tags());
    let group = tags.get(GROUP).map(|name| GroupName::try_from(name.as_str())).transpose();
    let group = group.map_err(|error| unread(DESCRIBE, format!("the group of {id}: {error}")))?;
    // One that is terminated lies nowhere any more.
    let subnet = instance.subnet_id().filter(|subnet| Kind::Subnet.is_id(subnet));
    let subnet = subnet.map(|subnet| home.resource("ec2", &format!("{}{subnet}", Kind::Subnet.resource())));
    let spot = instance.instance_lifecycle() == Some(&InstanceLifecycleType::Spot);
    let zone = instance.placement().and_then(Placement::availability_zone).unwrap_or_default().to_owned();
    Ok((Instance { id, state, healthy: None, group, subnet, tags, spot, booted: None }, zone))
}
