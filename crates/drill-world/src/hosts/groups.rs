//! Simulated Auto Scaling groups: what dies is replaced, after a while, by another of the same kind.

use std::collections::BTreeMap;

use drill_model::faults::ec2::InstanceState;
use drill_model::ids::{GroupName, InstanceId};
use drill_phases::ports::Group;

use super::HostSpec;
use super::machine::Machine;
use super::simulated::SimulatedHosts;

pub(super) struct ScalingGroup {
    desired: u32,
    spec: HostSpec,
    suspended: bool,
}

impl ScalingGroup {
    pub(super) fn described(&self, name: &GroupName, machines: &BTreeMap<InstanceId, Machine>) -> Group {
        let serves = |machine: &&Machine| {
            machine.instance.group.as_ref() == Some(name)
                && machine.instance.state == InstanceState::Running
                && machine.instance.healthy != Some(false)
        };
        let in_service = machines.values().filter(serves).count();
        Group { name: name.clone(), desired: self.desired, in_service: u32::try_from(in_service).unwrap_or(u32::MAX) }
    }
}

impl SimulatedHosts {
    /// Adds a group with so many members that run already.
    pub fn add_group(&self, name: &GroupName, desired: u32, spec: &HostSpec) -> Vec<InstanceId> {
        let mut spec = spec.clone();
        spec.group = Some(name.clone());
        let group = ScalingGroup { desired, spec: spec.clone(), suspended: false };
        self.inner.fleet.borrow_mut().groups.insert(name.clone(), group);
        (0..desired).map(|_| self.add(&spec)).collect()
    }

    /// A group does not replace what it loses, or does again.
    pub fn suspend_group(&self, name: &GroupName, suspended: bool) {
        if let Some(group) = self.inner.fleet.borrow_mut().groups.get_mut(name) {
            group.suspended = suspended;
        }
        if !suspended {
            self.replace(name);
        }
    }

    /// A member stops or terminates: its group notices after a while.
    pub(super) fn member_lost(&self, id: &InstanceId) {
        let Some(name) = self.with(id, |machine| machine.instance.group.clone()).flatten() else { return };
        let replacement = self.inner.fleet.borrow().timing.replacement;
        self.later(replacement, move |hosts| hosts.replace(&name));
    }

    /// Terminates members that are stopped, and launches as many as are missing.
    fn replace(&self, name: &GroupName) {
        let (missing, stopped, spec) = {
            let fleet = self.inner.fleet.borrow();
            let Some(group) = fleet.groups.get(name).filter(|group| !group.suspended) else { return };
            let members = || fleet.machines.values().filter(|machine| machine.instance.group.as_ref() == Some(name));
            let lives =
                |machine: &&Machine| matches!(machine.instance.state, InstanceState::Pending | InstanceState::Running);
            let halted =
                |machine: &&Machine| matches!(machine.instance.state, InstanceState::Stopping | InstanceState::Stopped);
            let living = u32::try_from(members().filter(lives).count()).unwrap_or(u32::MAX);
            let stopped: Vec<InstanceId> = members().filter(halted).map(|machine| machine.id().clone()).collect();
            (group.desired.saturating_sub(living), stopped, group.spec.clone())
        };
        for id in stopped {
            self.terminate(&id);
        }
        for _ in 0..missing {
            let id = self.launch(&spec, InstanceState::Pending);
            self.boots(&id);
        }
    }
}
