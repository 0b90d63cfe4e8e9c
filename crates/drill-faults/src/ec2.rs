//! EC2 instances: what is seen of one, and what can be asked of it.

mod instance_reboot;
mod instance_stop;
mod instance_terminate;

use std::collections::BTreeMap;

use drill_words::ids::{GroupName, InstanceId, is_ec2_id};
use drill_words::target::TargetId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::instance_reboot::InstanceReboot;
pub use self::instance_stop::InstanceStop;
pub use self::instance_terminate::{InstanceTerminate, Irreversible};
use crate::fault::Call;
use crate::grant::{Grant, Hand, On, Only};
use crate::target::Target;
use crate::{Kind, Seen};

/// How many instances one call takes at most. EC2 would take more; orders to hosts do not.
pub const BATCH: usize = 50;

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// Its state.
    pub state: InstanceState,
    /// Whether its status checks pass; `None` when that is not known.
    pub healthy: Option<bool>,
    /// The Auto Scaling group it belongs to.
    pub group: Option<GroupName>,
    /// The subnet that it lies in.
    pub subnet: Option<TargetId>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// It would not survive a stop.
    pub spot: bool,
    /// When it booted, where its host was asked.
    pub booted: Option<Timestamp>,
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is EC2's word for it")]
pub enum InstanceState {
    Pending,
    Running,
    Stopping,
    Stopped,
    ShuttingDown,
    Terminated,
}

impl InstanceState {
    /// EC2's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::ShuttingDown => "shutting-down",
            Self::Terminated => "terminated",
        }
    }
}

/// What harms an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Stopping a stopped instance succeeds.
    Stop,
    /// Repeating reboots again.
    Reboot,
    /// Terminating a terminated instance succeeds. An error may hide a partial success.
    Terminate,
}

/// What heals an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heal {
    /// Starting a running instance succeeds.
    Start,
}

impl Call for Harm {
    fn api(&self) -> &'static str {
        match self {
            Self::Stop => "ec2:StopInstances",
            Self::Reboot => "ec2:RebootInstances",
            Self::Terminate => "ec2:TerminateInstances",
        }
    }

    fn most(&self) -> usize {
        BATCH
    }
}

impl Call for Heal {
    fn api(&self) -> &'static str {
        match self {
            Self::Start => "ec2:StartInstances",
        }
    }

    fn most(&self) -> usize {
        BATCH
    }
}

impl Target for Instance {
    const KIND: Kind = Kind::Ec2Instance;
    type Harm = Harm;
    type Heal = Heal;
    const ID_RULE: &'static str = "`i-` and 8 or 17 hex digits";
    const GRANTS: &'static [Grant] = &[
        Grant::new(
            "StopThoseWhoOptedIn",
            &[Hand::Harm, Hand::Rehearse],
            &["ec2:StopInstances", "ec2:RebootInstances"],
            &["ec2:instance/*"],
        )
        .only(Only::OptedIn),
        Grant::new(
            "TerminateThoseWhoOptedIn",
            &[Hand::Harm, Hand::Rehearse],
            &["ec2:TerminateInstances"],
            &["ec2:instance/*"],
        )
        .only(Only::OptedIn)
        .under("Terminates"),
        Grant::new("RehearseStart", &[Hand::Rehearse], &["ec2:StartInstances"], &["ec2:instance/*"])
            .only(Only::OptedIn),
        Grant::new("Start", &[Hand::Heal, Hand::Undo], &["ec2:StartInstances"], &["ec2:instance/*"]),
        Grant::new("StartEncrypted", &[Hand::Heal, Hand::Undo], &["kms:CreateGrant"], &[])
            .on(On::Everything)
            .only(Only::ForEc2)
            .because("Volumes with a key of their own start only for callers that may grant EC2 its use."),
    ];

    fn is_id(text: &str) -> bool {
        is_ec2_id(text, "i-")
    }

    fn of(seen: &Seen) -> Option<&Self> {
        Self::in_seen(seen)
    }

    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn ailing(&self) -> Option<String> {
        (self.state != InstanceState::Running).then(|| format!("it is {}, not running", self.state.word()))
    }

    fn is_gone(&self) -> bool {
        matches!(self.state, InstanceState::ShuttingDown | InstanceState::Terminated)
    }

    fn is_healthy(&self) -> bool {
        self.healthy == Some(true)
    }

    fn part_of(&self) -> Vec<TargetId> {
        self.subnet.iter().cloned().collect()
    }
}
