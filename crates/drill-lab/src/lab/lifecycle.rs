//! Hosts from launch to termination, as EC2 has it: stopping keeps the disk, terminating does not.
//!
//! Each call returns when the processes are there, or are gone.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Lab, LabError, State};
use crate::bounds::Bounds;
use crate::clock;
use crate::home::cgroup_name;
use crate::host::{self, Host, HostState, HostView};
use crate::spec::{FleetSpec, HostSpec, address};
use crate::wire::{HostBoot, SwitchReply, SwitchRequest};

/// From power to the first process, when a host starts again: an instance's firmware and kernel take their time too.
const POWER_ON: Duration = Duration::from_millis(1_500);

/// One step of a host's life, taken only from where it starts.
struct Step {
    action: &'static str,
    from: HostState,
    to: HostState,
}

impl Lab {
    /// Starts a stopped host with the disk it had. Starting a running host succeeds.
    pub async fn start(&self, host: &str) -> Result<(), LabError> {
        let step = Step { action: "start", from: HostState::Stopped, to: HostState::Booting };
        match self.take(step, host, Some(HostState::Running))? {
            Some(host) => self.boot(&host.instance_id).await,
            None => Ok(()),
        }
    }

    /// Kills every process of a host and keeps its disk. Stopping a stopped host succeeds.
    pub async fn stop(&self, host: &str) -> Result<(), LabError> {
        let step = Step { action: "stop", from: HostState::Running, to: HostState::Stopping };
        match self.take(step, host, Some(HostState::Stopped))? {
            Some(host) => self.kill("stop", &host).await,
            None => Ok(()),
        }
    }

    /// Kills every process of a host and starts it again with the disk it had.
    pub async fn reboot(&self, host: &str) -> Result<(), LabError> {
        let step = Step { action: "reboot", from: HostState::Running, to: HostState::Stopping };
        match self.take(step, host, None)? {
            Some(host) => {
                self.kill("reboot", &host).await?;
                self.start(&host.instance_id).await
            }
            None => Ok(()),
        }
    }

    /// Kills every process of a host and forgets its disk, for ever. Terminating a terminated host succeeds.
    pub async fn terminate(&self, host: &str) -> Result<(), LabError> {
        let host = self.find(host)?;
        let instance_id = host.view.instance_id.clone();
        self.change(&instance_id, |host| host.enter(HostState::Terminated, clock::instant()));
        self.command("terminate", &host.view, SwitchRequest::Discard { instance_id }).await?;
        self.unbound(&host);
        Ok(())
    }

    /// Launches the hosts that stand alone, then the groups' members, all at once.
    pub(super) async fn populate(
        &self,
        spec: &FleetSpec,
        progress: &Arc<dyn Fn(&str) + Send + Sync>,
    ) -> Result<(), LabError> {
        let mut booting = JoinSet::new();
        let mut launched: Vec<String> = spec.hosts.iter().map(|host| self.launch(host, None)).collect();
        launched.extend(self.found_groups(&spec.groups));
        for instance_id in launched {
            let (lab, progress) = (self.clone(), Arc::clone(progress));
            booting.spawn(async move {
                let booted = lab.boot(&instance_id).await;
                if let (Ok(()), Ok(host)) = (&booted, lab.find(&instance_id)) {
                    progress(&format!("{} is up at {}", host.view.name, host.view.address));
                }
                booted
            });
        }
        while let Some(booted) = booting.join_next().await {
            booted.map_err(|error| LabError::Switch { reason: error.to_string() })??;
        }
        Ok(())
    }

    /// Gives a new host its id and address. [`Lab::boot`] starts it.
    pub(super) fn launch(&self, spec: &HostSpec, group: Option<&str>) -> String {
        let mut state = self.state();
        let State { hosts, launched, .. } = &mut *state;
        let generations = hosts.values().filter(|host| host.view.name == spec.name).count();
        let generation = u32::try_from(generations).unwrap_or(u32::MAX);
        let instance_id = host::instance_id(&self.shared.record.name, &spec.name, generation);
        let mut tags = spec.tags.clone();
        tags.insert("Name".to_owned(), spec.name.clone());
        if let Some(group) = group {
            tags.insert("aws:autoscaling:groupName".to_owned(), group.to_owned());
        }
        let view = HostView {
            instance_id: instance_id.clone(),
            name: spec.name.clone(),
            address: address(*launched),
            tags,
            group: group.map(str::to_owned),
            state: HostState::Booting,
            bounds: Bounds::default(),
            agent_online: false,
            problem: None,
        };
        let folder = host::folder(&self.shared.folder, &instance_id);
        let host = Host {
            view,
            spec: spec.clone(),
            folder,
            number: *launched,
            starts: 0,
            agent_offline: false,
            cgroups: BTreeMap::new(),
            stopped: None,
        };
        hosts.insert(instance_id.clone(), host);
        *launched += 1;
        instance_id
    }

    /// Starts the processes of a host whose state is `Booting`.
    pub(super) async fn boot(&self, instance_id: &str) -> Result<(), LabError> {
        let host = self.find(instance_id)?;
        if host.starts > 0 {
            clock::pause(POWER_ON).await;
        }
        let order = self.order(&host)?;
        let booted = self.command("start", &host.view, SwitchRequest::Boot(Box::new(order))).await;
        let mut terminated = false;
        self.change(instance_id, |host| {
            terminated = host.view.state == HostState::Terminated;
            if !terminated {
                host.starts += 1;
                host.view.problem = booted.as_ref().err().map(ToString::to_string);
                let state = if booted.is_ok() { HostState::Running } else { HostState::Stopped };
                host.enter(state, clock::instant());
            }
        });
        if terminated {
            // Terminated while it was starting: the switch may have got the two requests in either order.
            let instance_id = instance_id.to_owned();
            self.command("terminate", &host.view, SwitchRequest::Discard { instance_id }).await?;
        }
        booted
    }

    fn order(&self, host: &Host) -> Result<HostBoot, LabError> {
        fs::create_dir_all(&host.folder).map_err(|source| LabError::Home { home: host.folder.clone(), source })?;
        let name = cgroup_name(&self.shared.record.id, &host.view.instance_id);
        let bounded = self.shared.bounding.bound(&name, host.spec.size);
        let mut state = self.state();
        state.links += 1;
        let link = format!("v{}", state.links);
        if let Some(host) = state.hosts.get_mut(&host.view.instance_id) {
            host.view.bounds = bounded.bounds;
            host.cgroups.clone_from(&bounded.folders);
        }
        let mut names: Vec<_> = state
            .hosts
            .values()
            .filter(|other| other.view.group.is_none() && other.view.state != HostState::Terminated)
            .map(|other| (other.view.address, other.view.name.clone()))
            .collect();
        if host.view.group.is_some() {
            names.push((host.view.address, host.view.name.clone()));
        }
        names.sort();
        Ok(HostBoot {
            lab: self.shared.record.id.clone(),
            instance_id: host.view.instance_id.clone(),
            name: host.view.name.clone(),
            address: host.view.address,
            link,
            size: host.spec.size,
            services: host.spec.services.clone(),
            names,
            cgroups: bounded.folders,
            folder: host.folder.clone(),
            program: self.shared.folder.join("drill-lab"),
        })
    }

    /// Takes a step with a host; none when the host is `already` where the step would lead.
    fn take(&self, step: Step, wanted: &str, already: Option<HostState>) -> Result<Option<HostView>, LabError> {
        let Step { action, from, to } = step;
        let instance_id = self.find(wanted)?.view.instance_id;
        let mut state = self.state();
        let Some(host) = state.hosts.get_mut(&instance_id) else { return Ok(None) };
        match host.view.state {
            state if Some(state) == already => Ok(None),
            state if state == from => {
                host.enter(to, clock::instant());
                Ok(Some(host.view.clone()))
            }
            state => Err(LabError::NotNow { action, host: host.view.name.clone(), state }),
        }
    }

    async fn kill(&self, action: &'static str, host: &HostView) -> Result<(), LabError> {
        let instance_id = host.instance_id.clone();
        let killed = self.command(action, host, SwitchRequest::Kill { instance_id }).await;
        self.change(&host.instance_id, |host| {
            if host.view.state == HostState::Stopping {
                let state = if killed.is_ok() { HostState::Stopped } else { HostState::Running };
                host.enter(state, clock::instant());
            }
        });
        killed
    }

    async fn command(&self, action: &'static str, host: &HostView, request: SwitchRequest) -> Result<(), LabError> {
        let refused = |reason| LabError::Refused { action, host: host.name.clone(), reason };
        match self.ask(request).await? {
            SwitchReply::Done => Ok(()),
            SwitchReply::Refused(reason) => Err(refused(reason)),
            reply @ (SwitchReply::Running(_) | SwitchReply::Http(_)) => Err(refused(format!("{reply:?}"))),
        }
    }

    fn unbound(&self, host: &Host) {
        let name = cgroup_name(&self.shared.record.id, &host.view.instance_id);
        for folder in self.shared.bounding.folders(&name).values() {
            if let Err(error) = crate::bounds::remove(folder) {
                // Not lost: the end of the lab tries again, and says so when it cannot.
                eprintln!("drill-lab: could not remove {} yet: {error}", folder.display());
            }
        }
    }
}
