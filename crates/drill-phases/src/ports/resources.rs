//! AWS resources: looking at them, harming and healing them, and the undo that the scheduler makes.

use std::collections::BTreeSet;

use drill_model::experiment::Selector;
use drill_model::faults::{Harm, Heal, Kind, Seen};
use drill_model::ids::{GroupName, UnitId};
use drill_model::target::TargetId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Answer;

/// Looking at targets.
pub trait Sees {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Every target that matches, in any state, once, in no order.
    async fn find(&self, selector: &Selector) -> Answer<Vec<Seen>>;

    /// These targets, all of one kind; those that do not exist any more are left out.
    async fn see(&self, kind: Kind, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>>;
}

/// The groups that replace what dies.
pub trait Groups {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// An Auto Scaling group. `Missing` when there is none of that name.
    async fn group(&self, name: &GroupName) -> Answer<Group>;
}

/// An Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: GroupName,
    /// How many it wants.
    pub desired: u32,
    /// How many are in service and healthy.
    pub in_service: u32,
}

/// The calls that harm. Only Inject has this port.
pub trait Harms {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Makes one call on up to [`Call::most`](drill_model::faults::Call::most) targets. What repeating it does stands with
    /// each call. An error may hide a partial success: look afterwards.
    async fn harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()>;
}

/// The calls that heal.
pub trait Heals {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Makes one call on up to [`Call::most`](drill_model::faults::Call::most) targets. Repeating it changes nothing.
    async fn heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()>;
}

/// Whether a call would be allowed, asked without making it.
pub trait Rehearse {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Asks for a dry run of a call on these targets. `Refused` when it would not be allowed.
    async fn rehearse(&self, call: &Rehearsal, on: &BTreeSet<TargetId>) -> Answer<()>;
}

/// A call that is only asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rehearsal {
    /// One that would harm.
    Harm(Harm),
    /// One that would heal.
    Heal(Heal),
}

/// A call that the scheduler makes by itself, whatever has died.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedUndo {
    /// Its name; it begins with the unit of its change.
    pub name: String,
    /// When it is made.
    pub at: Timestamp,
    /// Made again every minute for an hour after that, because a state can refuse it for minutes.
    pub repeats: bool,
    /// The service, as the scheduler spells it: `ec2`.
    pub service: String,
    /// The action, as the scheduler spells it: `startInstances`.
    pub action: String,
    /// The parameters, as the scheduler spells them.
    pub input: serde_json::Value,
}

/// The undo that needs nothing of ours. Only Inject arms it.
pub trait ArmUndo {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Arms a call. Arming it again changes nothing.
    async fn arm(&self, undo: &TimedUndo) -> Answer<()>;

    /// What is armed under this name, read back; `None` when nothing is.
    async fn armed(&self, name: &str) -> Answer<Option<TimedUndo>>;
}

/// Taking back what [`ArmUndo`] armed.
pub trait DisarmUndo {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Removes every call of a change; there may be none.
    async fn disarm(&self, unit: &UnitId) -> Answer<()>;
}
