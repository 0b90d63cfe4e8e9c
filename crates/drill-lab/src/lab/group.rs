//! Auto Scaling groups, and the keeper that looks after every host: twice a second it compares what should be with
//! what is.
//!
//! A lost member is replaced by a host with a new id and address after the group's boot delay.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Lab, LabError, State};
use crate::clock;
use crate::host::HostState;
use crate::spec::{GroupSpec, HostSpec};
use crate::wire::{SwitchReply, SwitchRequest};

/// How often what is gets compared with what should be.
const TURN: Duration = Duration::from_millis(250);

/// A group as the outside sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// The group's name.
    pub name: String,
    /// The fewest hosts it may be set to.
    pub min: usize,
    /// How many hosts it keeps.
    pub desired: usize,
    /// The most hosts it may be set to.
    pub max: usize,
    /// Its members that are not terminated.
    pub members: Vec<String>,
    /// Whether it launches replacements at all.
    pub launching: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) spec: GroupSpec,
    /// When each replacement that is due gets launched.
    due: Vec<Instant>,
    launched: usize,
    suspended: bool,
}

impl Lab {
    /// Every group.
    pub fn groups(&self) -> Vec<GroupView> {
        let state = self.state();
        state.groups.iter().map(|group| group.view(&state)).collect()
    }

    /// Sets how many hosts a group keeps, within its limits. Hosts above that are terminated, the newest first.
    pub fn set_desired(&self, group: &str, desired: usize) -> Result<(), LabError> {
        self.change_group(group, |group| {
            let GroupSpec { min, max, .. } = group.spec;
            if desired < min || desired > max {
                return Err(LabError::GroupSize { group: group.spec.name.clone(), desired, min, max });
            }
            group.spec.desired = desired;
            Ok(())
        })
    }

    /// Stops a group from launching and terminating, or lets it again, as `SuspendProcesses` does.
    pub fn suspend(&self, group: &str, suspended: bool) -> Result<(), LabError> {
        self.change_group(group, |group| {
            group.suspended = suspended;
            Ok(())
        })
    }

    fn change_group(
        &self,
        name: &str,
        change: impl FnOnce(&mut Group) -> Result<(), LabError>,
    ) -> Result<(), LabError> {
        let mut state = self.state();
        let found = state.groups.iter_mut().find(|group| group.spec.name == name);
        change(found.ok_or_else(|| LabError::UnknownGroup { group: name.to_owned() })?)
    }

    /// Makes the groups and launches their first members; their ids.
    pub(super) fn found_groups(&self, specs: &[GroupSpec]) -> Vec<String> {
        let mut launched = Vec::new();
        for spec in specs {
            let mut group = Group { spec: spec.clone(), due: Vec::new(), launched: 0, suspended: false };
            for _ in 0..spec.desired {
                launched.push(self.launch(&group.next_member(), Some(&spec.name)));
            }
            self.state().groups.push(group);
        }
        launched
    }

    /// Keeps the fleet as it should be until the lab ends.
    pub(super) fn keep(&self) {
        let lab = self.downgrade();
        tokio::spawn(async move {
            while let Some(lab) = lab.upgrade() {
                lab.turn().await;
                drop(lab);
                clock::pause(TURN).await;
            }
        });
    }

    async fn turn(&self) {
        // A host that runs in our books and not in the switch's died by itself: it is stopped, as EC2 has it.
        let booked = self.running();
        if let Ok(SwitchReply::Running(running)) = self.ask(SwitchRequest::List).await {
            for instance_id in booked.into_iter().filter(|instance_id| !running.contains(instance_id)) {
                self.change(&instance_id, |host| {
                    if host.view.state == HostState::Running {
                        host.enter(HostState::Stopped, clock::instant());
                        host.view.problem = Some("its first process died".to_owned());
                    }
                });
            }
        }
        let (doomed, launching) = self.decide(clock::instant());
        for instance_id in doomed {
            if let Err(error) = self.terminate(&instance_id).await {
                eprintln!("drill-lab: {error}");
            }
        }
        for (spec, group) in launching {
            let instance_id = self.launch(&spec, Some(&group));
            let lab = self.clone();
            tokio::spawn(async move {
                if let Err(error) = lab.boot(&instance_id).await {
                    eprintln!("drill-lab: {error}");
                }
            });
        }
    }

    fn running(&self) -> Vec<String> {
        let state = self.state();
        let running = state.hosts.values().filter(|host| host.view.state == HostState::Running);
        running.map(|host| host.view.instance_id.clone()).collect()
    }

    /// What the groups want terminated, and what they want launched now.
    fn decide(&self, now: Instant) -> (Vec<String>, Vec<(HostSpec, String)>) {
        let mut state = self.state();
        let State { hosts, groups, .. } = &mut *state;
        let (mut doomed, mut launching) = (Vec::new(), Vec::new());
        for group in groups.iter_mut().filter(|group| !group.suspended) {
            let mut members: BTreeMap<u16, (&String, Option<Instant>)> = BTreeMap::new();
            for host in hosts.values().filter(|host| host.view.group.as_ref() == Some(&group.spec.name)) {
                if host.view.state != HostState::Terminated {
                    members.insert(host.number, (&host.view.instance_id, host.stopped));
                }
            }
            let unhealthy = |stopped: Option<Instant>| {
                stopped.zip(group.spec.stopped_grace).is_some_and(|(since, grace)| now >= since + grace)
            };
            doomed.extend(members.values().filter(|(_, stopped)| unhealthy(*stopped)).map(|(id, _)| (*id).clone()));
            members.retain(|_, (_, stopped)| !unhealthy(*stopped));
            let surplus = members.len().saturating_sub(group.spec.desired);
            doomed.extend(members.values().rev().take(surplus).map(|(id, _)| (*id).clone()));
            let missing = group.spec.desired.saturating_sub(members.len());
            let ready = group.due(missing, now);
            launching.extend((0..ready).map(|_| (group.next_member(), group.spec.name.clone())));
        }
        (doomed, launching)
    }
}

impl Group {
    fn view(&self, state: &State) -> GroupView {
        let members = state.hosts.values().filter(|host| {
            host.view.group.as_ref() == Some(&self.spec.name) && host.view.state != HostState::Terminated
        });
        GroupView {
            name: self.spec.name.clone(),
            min: self.spec.min,
            desired: self.spec.desired,
            max: self.spec.max,
            members: members.map(|host| host.view.instance_id.clone()).collect(),
            launching: !self.suspended,
        }
    }

    fn next_member(&mut self) -> HostSpec {
        self.launched += 1;
        HostSpec { name: format!("{}-{}", self.spec.template.name, self.launched), ..self.spec.template.clone() }
    }

    /// How many replacements to launch now, when so many are missing: each a boot delay after it was first missed.
    fn due(&mut self, missing: usize, now: Instant) -> usize {
        self.due.truncate(missing);
        while self.due.len() < missing {
            self.due.push(now + self.spec.boot_delay);
        }
        let before = self.due.len();
        self.due.retain(|due| *due > now);
        before - self.due.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(desired: usize) -> Group {
        let spec = GroupSpec {
            name: "group".to_owned(),
            min: 0,
            desired,
            max: 9,
            template: HostSpec::bare("member"),
            boot_delay: Duration::from_secs(3),
            stopped_grace: None,
            load_balancer: None,
        };
        Group { spec, due: Vec::new(), launched: 0, suspended: false }
    }

    #[test]
    fn a_replacement_is_due_a_boot_delay_after_the_loss() {
        let mut group = group(2);
        let lost = clock::instant();

        assert_eq!(group.due(1, lost), 0);
        assert_eq!(group.due(1, lost + Duration::from_secs(2)), 0);
        assert_eq!(group.due(2, lost + Duration::from_secs(3)), 1);
        assert_eq!(group.due(1, lost + Duration::from_secs(4)), 0);
        assert_eq!(group.due(1, lost + Duration::from_secs(6)), 1);
    }

    #[test]
    fn members_are_numbered_and_no_number_comes_back() {
        let mut group = group(2);

        let names: Vec<String> = (0..3).map(|_| group.next_member().name).collect();

        assert_eq!(names, ["member-1", "member-2", "member-3"]);
    }
}
