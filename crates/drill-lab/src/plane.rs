//! The lab's hosts as the world in memory sees them: instances with states, groups, agents that run our documents.
//!
//! It translates and nothing else; delays, lags and lost replies are the business of the world in front of it.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::ids::InstanceId;
use drill_phases::ports::{Class, Group};
use drill_world::HostPlane;
use drill_world::hosts::{Agent, Heard, Order, Power, Refusal};
use drill_world::time::Local;

use crate::clock;
use crate::host::{HostState, HostView};
use crate::lab::Lab;
use crate::wire::AgentStatus;

/// Between two looks whether an agent is back.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// The hosts of a lab.
pub(crate) struct LabPlane {
    lab: Lab,
}

impl LabPlane {
    pub(crate) const fn new(lab: Lab) -> Self {
        Self { lab }
    }

    fn instance(&self, host: &HostView) -> Option<Instance> {
        Some(Instance {
            id: InstanceId::try_from(host.instance_id.as_str()).ok()?,
            state: match host.state {
                HostState::Booting => InstanceState::Pending,
                HostState::Running => InstanceState::Running,
                HostState::Stopping => InstanceState::Stopping,
                HostState::Stopped => InstanceState::Stopped,
                HostState::Terminated => InstanceState::Terminated,
            },
            healthy: Some(self.is_healthy(host)),
            group: host.group.as_deref().and_then(|group| group.parse().ok()),
            tags: host.tags.clone(),
            spot: false,
            subnet: None,
            booted: None,
        })
    }

    /// A host is healthy when it is up and, behind a load balancer, when that says so.
    fn is_healthy(&self, host: &HostView) -> bool {
        let targets = host.group.as_deref().map(|group| self.lab.targets(group)).unwrap_or_default();
        let up = host.state == HostState::Running && host.problem.is_none();
        let served = targets.iter().find(|target| target.url.contains(&format!("//{}:", host.address)));
        up && (host.group.is_none() || served.is_some_and(|target| target.health == crate::TargetHealth::Healthy))
    }
}

impl HostPlane for LabPlane {
    fn instances(&self) -> Vec<Instance> {
        self.lab.hosts().iter().filter_map(|host| self.instance(host)).collect()
    }

    fn groups(&self) -> Vec<Group> {
        let hosts = self.lab.hosts();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let view = |group: crate::GroupView| {
            let members = hosts.iter().filter(|host| host.group.as_deref() == Some(&group.name));
            let in_service = members.filter(|host| self.is_healthy(host)).count();
            Some(Group { name: group.name.parse().ok()?, desired: count(group.desired), in_service: count(in_service) })
        };
        self.lab.groups().into_iter().filter_map(view).collect()
    }

    fn agent(&self, id: &InstanceId) -> Agent {
        match self.lab.host(id.as_str()) {
            Ok(host) if host.state == HostState::Terminated => Agent::Unknown,
            Ok(host) if host.agent_online => Agent::Online,
            Ok(_) => Agent::Offline,
            Err(_) => Agent::Unknown,
        }
    }

    fn reachable(&self, id: &InstanceId) -> Local<'static, ()> {
        let (lab, id) = (self.lab.clone(), id.clone());
        Box::pin(async move {
            while !lab.host(id.as_str()).is_ok_and(|host| host.agent_online) {
                clock::pause(BETWEEN_LOOKS).await;
            }
        })
    }

    fn run_document(&self, id: &InstanceId, order: &Order) -> Local<'static, Heard> {
        let (lab, id, order) = (self.lab.clone(), id.clone(), order.clone());
        Box::pin(async move {
            let Some(document) = drill_documents::document(order.document.name()) else {
                return Heard::Silence(format!("InvalidDocument: there is no document {}", order.document.name()));
            };
            let environment = match document.environment(&order.parameters) {
                Ok(environment) => environment,
                Err(error) => return Heard::Silence(format!("InvalidParameters: {error}")),
            };
            let limit = Duration::from_secs(document.timeout_seconds.into());
            match lab.run_document(id.as_str(), &document.script, &environment, limit).await {
                Ok(outcome) => match outcome.status {
                    AgentStatus::Success | AgentStatus::Failed => Heard::Ended { stdout: outcome.stdout },
                    AgentStatus::TimedOut
                    | AgentStatus::Cancelled
                    | AgentStatus::Undeliverable
                    | AgentStatus::Terminated => Heard::Silence(format!("{:?}", outcome.status)),
                },
                Err(error) => Heard::Silence(error.to_string()),
            }
        })
    }

    fn power(&self, power: Power, ids: &BTreeSet<InstanceId>) -> Local<'static, Result<(), Refusal>> {
        let (lab, ids) = (self.lab.clone(), ids.clone());
        Box::pin(async move {
            for id in &ids {
                let done = match power {
                    Power::Stop => lab.stop(id.as_str()).await,
                    Power::Start => lab.start(id.as_str()).await,
                    Power::Reboot => lab.reboot(id.as_str()).await,
                    Power::Terminate => lab.terminate(id.as_str()).await,
                };
                done.map_err(|error| Refusal { class: Class::Refused, message: error.to_string() })?;
            }
            Ok(())
        })
    }
}
