//! What a simulated host is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::host::Capability;
use drill_model::ids::GroupName;
use jiff::SignedDuration;

/// What a simulated host is made of. Cloned for every member of a group.
#[derive(Debug, Clone)]
pub struct HostSpec {
    pub(super) tags: BTreeMap<String, String>,
    pub(super) group: Option<GroupName>,
    pub(super) spot: bool,
    pub(super) zone: String,
    pub(super) protected: bool,
    pub(super) agent: bool,
    pub(super) capabilities: BTreeSet<Capability>,
    pub(super) processes: Option<BTreeSet<String>>,
    pub(super) foreign_queue: bool,
    pub(super) skew: SignedDuration,
}

impl Default for HostSpec {
    fn default() -> Self {
        Self::new()
    }
}

impl HostSpec {
    /// A host that can do everything, runs every process that is asked for, and has no tags.
    pub fn new() -> Self {
        Self {
            tags: BTreeMap::new(),
            group: None,
            spot: false,
            zone: "a".to_owned(),
            protected: false,
            agent: true,
            capabilities: [
                Capability::Netem,
                Capability::Iptables,
                Capability::StressNg,
                Capability::Fallocate,
                Capability::Bounds,
            ]
            .into(),
            processes: None,
            foreign_queue: false,
            skew: SignedDuration::ZERO,
        }
    }

    /// It has this tag.
    #[must_use]
    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.insert(name.to_owned(), value.to_owned());
        self
    }

    /// It opted in for this environment.
    #[must_use]
    pub fn ready(self, environment: &str) -> Self {
        self.tag(crate::oracle::OPT_IN_TAG, environment)
    }

    /// It must not be harmed.
    #[must_use]
    pub fn protected(self) -> Self {
        self.tag(crate::oracle::PROTECTION_TAG, "true")
    }

    /// It would not survive a stop.
    #[must_use]
    pub fn spot(mut self) -> Self {
        self.spot = true;
        self
    }

    /// It stands in this availability zone.
    #[must_use]
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// EC2 does not let it be terminated.
    #[must_use]
    pub fn termination_protection(mut self) -> Self {
        self.protected = true;
        self
    }

    /// Its agent never registered.
    #[must_use]
    pub fn without_agent(mut self) -> Self {
        self.agent = false;
        self
    }

    /// It lacks something that a fault needs.
    #[must_use]
    pub fn without(mut self, capability: Capability) -> Self {
        self.capabilities.remove(&capability);
        self
    }

    /// It runs exactly these processes and services.
    #[must_use]
    pub fn runs(mut self, processes: &[&str]) -> Self {
        self.processes = Some(processes.iter().map(|process| (*process).to_owned()).collect());
        self
    }

    /// The root queue of its interface is somebody's.
    #[must_use]
    pub fn foreign_queue(mut self) -> Self {
        self.foreign_queue = true;
        self
    }

    /// How far its clock is ahead of the time, or behind it.
    #[must_use]
    pub fn skew(mut self, skew: SignedDuration) -> Self {
        self.skew = skew;
        self
    }
}

/// How long things take on hosts and instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostTiming {
    /// A document, from its start until its last line.
    pub document: Duration,
    /// From `pending` to `running` with an agent.
    pub boot: Duration,
    /// From `stopping` to `stopped`.
    pub stopping: Duration,
    /// From `shutting-down` to `terminated`.
    pub shutting_down: Duration,
    /// From a reboot until the agent is back.
    pub reboot: Duration,
    /// From `running` until the status checks pass.
    pub checks: Duration,
    /// From the loss of a member until its group launches another.
    pub replacement: Duration,
    /// From the death of a process until its supervisor has it back.
    pub restart: Duration,
    /// How long a terminated instance is still described.
    pub remembered: Duration,
}

impl Default for HostTiming {
    fn default() -> Self {
        Self {
            document: Duration::from_millis(600),
            boot: Duration::from_secs(15),
            stopping: Duration::from_secs(8),
            shutting_down: Duration::from_secs(8),
            reboot: Duration::from_secs(12),
            checks: Duration::from_secs(5),
            replacement: Duration::from_secs(20),
            restart: Duration::from_secs(3),
            remembered: Duration::from_secs(3600),
        }
    }
}
