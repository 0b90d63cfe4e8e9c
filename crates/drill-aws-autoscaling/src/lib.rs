//! Auto Scaling groups: how many hosts they want and how many serve.
//!
//! In service counts who is `InService` and healthy in the group's own eyes, nobody else.
//! Next: Prepare and Observe, for which capacity is a thing that should stay true.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Instance, LifecycleState};
use drill_aws_config::{Adapter, SdkConfig, Unready, classify};
use drill_model::ids::GroupName;
use drill_phases::ports::{Answer, Class, Group, Groups, PortError};

const CALL: &str = "autoscaling:DescribeAutoScalingGroups";
/// The service's word for a member that it would not replace.
const HEALTHY: &str = "Healthy";

/// The adapter of the port `Groups`.
#[derive(Debug, Clone)]
pub struct AutoScaling {
    client: Client,
}

impl AutoScaling {
    /// An adapter for the configuration's account and region.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

impl Adapter for AutoScaling {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config))
    }
}

impl Groups for AutoScaling {
    const ACTIONS: &'static [&'static str] = &["autoscaling:DescribeAutoScalingGroups"];

    /// One call, and one for each further page.
    async fn group(&self, name: &GroupName) -> Answer<Group> {
        let mut next = None;
        loop {
            let request = self.client.describe_auto_scaling_groups().auto_scaling_group_names(name.as_str());
            let page = request.set_next_token(next).send().await.map_err(|error| classify(CALL, &error))?;
            let groups = page.auto_scaling_groups.unwrap_or_default();
            if let Some(group) = groups.iter().find(|group| group.auto_scaling_group_name() == Some(name.as_str())) {
                return read(name, group);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Err(PortError::new(Class::Missing, CALL, format!("there is no Auto Scaling group {name}")));
            }
        }
    }
}

fn read(name: &GroupName, group: &AutoScalingGroup) -> Answer<Group> {
    let unread =
        || PortError::new(Class::Refused, CALL, format!("group {name} says nothing of how many hosts it wants"));
    let desired = group.desired_capacity().and_then(|count| u32::try_from(count).ok()).ok_or_else(unread)?;
    let in_service = group.instances().iter().filter(|instance| serves(instance)).count();
    Ok(Group { name: name.clone(), desired, in_service: u32::try_from(in_service).unwrap_or(u32::MAX) })
}

fn serves(instance: &Instance) -> bool {
    instance.lifecycle_state() == Some(&LifecycleState::InService) && instance.health_status() == Some(HEALTHY)
}

#[cfg(test)]
mod tests;
