//! A host as the outside sees it, in EC2's words.
//!
//! Next: [`crate::Lab`] moves hosts from state to state.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bounds::Bounds;
use crate::spec::HostSpec;

/// What is known of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostView {
    /// `i-` and 17 hex digits: the same for the same lab name, host name and generation.
    pub instance_id: String,
    /// The host's name, which a replacement in a group does not share.
    pub name: String,
    /// Its address on the lab's bridge.
    pub address: Ipv4Addr,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Its group, when it is a member of one.
    pub group: Option<String>,
    /// Where it is in its life.
    pub state: HostState,
    /// The bounds that it really has.
    pub bounds: Bounds,
    /// Whether its agent answers: false when the host is not up or its agent was taken offline.
    pub agent_online: bool,
    /// Why it is not up, when that was not asked for.
    pub problem: Option<String>,
}

/// Where a host is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostState {
    /// Starting.
    Booting,
    /// Up.
    Running,
    /// Being killed, to be started again or not.
    Stopping,
    /// Down with its disk kept.
    Stopped,
    /// Gone with its disk.
    Terminated,
}

impl std::fmt::Display for HostState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(match self {
            HostState::Booting => "booting",
            HostState::Running => "running",
            HostState::Stopping => "stopping",
            HostState::Stopped => "stopped",
            HostState::Terminated => "terminated",
        })
    }
}

/// A host as the lab keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) view: HostView,
    pub(crate) spec: HostSpec,
    pub(crate) folder: PathBuf,
    /// The number of this host among all that the lab ever launched.
    pub(crate) number: u16,
    /// How often it was started.
    pub(crate) starts: u32,
    pub(crate) agent_offline: bool,
    /// Its cgroup folders, since its first start.
    pub(crate) cgroups: BTreeMap<String, PathBuf>,
    /// Since when it is stopped, while it is.
    pub(crate) stopped: Option<Instant>,
}

impl Host {
    /// Moves it on in its life.
    pub(crate) fn enter(&mut self, state: HostState, now: Instant) {
        self.view.state = state;
        self.stopped = (state == HostState::Stopped).then_some(now);
    }

    pub(crate) fn view(&self) -> HostView {
        let online = self.view.state == HostState::Running && !self.agent_offline;
        HostView { agent_online: online, ..self.view.clone() }
    }

    /// Where a service of this host answers.
    pub(crate) fn url(&self, port: u16, path: &str) -> String {
        format!("http://{}:{port}{path}", self.view.address)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("agent.sock")
    }
}

/// The instance id of a host: derived, so that a drill with a seed picks the same hosts again.
pub(crate) fn instance_id(lab: &str, host: &str, generation: u32) -> String {
    let digest = Sha256::digest(format!("{lab}/{host}/{generation}"));
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("i-{}", hex.get(..17).unwrap_or_default())
}

/// A host's folder in the lab's.
pub(crate) fn folder(lab: &Path, instance_id: &str) -> PathBuf {
    lab.join("hosts").join(instance_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_ids_look_like_ec2s_and_depend_on_every_part() {
        let one = instance_id("lab", "orders-1", 1);

        assert_eq!(one, instance_id("lab", "orders-1", 1));
        assert_eq!(one.len(), 19);
        assert_ne!(one, instance_id("lab", "orders-1", 2));
        assert_ne!(one, instance_id("lab", "orders-2", 1));
        assert_ne!(one, instance_id("other", "orders-1", 1));
    }
}
