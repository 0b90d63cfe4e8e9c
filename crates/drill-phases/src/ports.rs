//! What the phases may ask of the world, in our words. Nothing else is asked, and every method says what repeating it does.
//!
//! An adapter translates and classifies; it holds no policy. A method is one call, or the fewest that a service allows.
//!
//! A phase does not have all ports: its function says in [`bundle!`](has) which ones, and reaches each by an accessor:
//! `world.ledger().rows(run)`. Who is a port itself, as the world in memory is all of them, is its own accessor.

pub mod has;
mod hosts;
mod measures;
mod people;
mod records;
mod resources;

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::faults::Family;
use drill_model::ids::RunId;
use jiff::Timestamp;

pub use self::hosts::{CommandId, HostAnswer, HostAnswers, HostCommand, HostHarm, HostHeal, HostProbe};
pub use self::measures::{Datapoint, Http, HttpReading, Metrics, Prometheus};
pub use self::people::{Callback, Notices, Reports};
pub use self::records::{EmergencyStop, Experiments, Holding, Leases, Ledger, Runs, Step, TaskTokens, UndoProof};
pub use self::resources::{ArmUndo, DisarmUndo, Group, Groups, Harms, Heals, Rehearsal, Rehearse, Sees, TimedUndo};

/// The most targets of one command, and of one batch of intents.
pub const BATCH: usize = 50;

/// A call that did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{call}: {message}")]
pub struct PortError {
    /// What that means for the caller.
    pub class: Class,
    /// Which call: `ssm:SendCommand`.
    pub call: &'static str,
    /// What was said.
    pub message: String,
}

/// What a failed call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// It did nothing; the same call may succeed later.
    Transient,
    /// It did nothing and will not, however often it is tried.
    Refused,
    /// What it was about does not exist.
    Missing,
    /// Somebody else was faster: read again, decide again.
    Conflict,
    /// The reply was lost: it may have been done.
    Ambiguous,
}

impl PortError {
    /// An error of a class.
    pub fn new(class: Class, call: &'static str, message: impl Into<String>) -> Self {
        Self { class, call, message: message.into() }
    }
}

/// Shorthand for what a port returns.
pub type Answer<T> = Result<T, PortError>;

/// Time.
pub trait Clock {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Now.
    fn now(&self) -> Timestamp;

    /// Lets time pass inside a call, for seconds, never for minutes: long waits are the machine's.
    async fn pause(&self, time: Duration);
}

/// Where a phase runs.
pub trait Place {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// The account.
    fn account(&self) -> String;

    /// The region.
    fn region(&self) -> String;

    /// The families of faults that are switched on here: roles can do nothing for the others.
    fn switched_on(&self) -> BTreeSet<Family>;
}

/// The alarm clock that wakes the janitor, whatever has died. Only Inject sets it.
pub trait AlarmClock {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Sets the clock of a run; setting it again changes nothing.
    async fn set_clock(&self, run: &RunId, at: Timestamp) -> Answer<()>;
}

/// Taking back what [`AlarmClock`] set.
pub trait ClearClock {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Removes the clock of a run; there may be none.
    async fn clear_clock(&self, run: &RunId) -> Answer<()>;
}

has::bundle! {
    /// All that cleaning needs, and nothing that it can do without.
    pub trait Healing =
        Clock + Runs + Ledger + Leases + ClearClock + DisarmUndo + Sees + Heals + HostHeal + HostProbe +
        HostAnswers;
}

has::bundle! {
    /// What a sampler needs of the world.
    pub trait Sampling =
        Metrics + Prometheus + Http + Groups + Sees + Clock;
}
