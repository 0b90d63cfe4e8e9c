//! What the phases may ask of the world, in our words. Nothing else is asked, and every method says what repeating it does.
//!
//! An adapter translates and classifies; it holds no policy. A method is one call, or the fewest that a service allows.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::experiment::{CloudWatchProbe, HttpProbe, Selector};
use drill_model::faults::{Harm, Heal, Kind, Seen};
use drill_model::host::{Document, HostReport};
use drill_model::ids::{AlarmName, ExperimentId, GroupName, InstanceId, RunId, UnitId};
use drill_model::ledger::{Row, State};
use drill_model::observation::{AlarmReading, Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::Run;
use drill_model::target::TargetId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// Now.
    fn now(&self) -> Timestamp;

    /// Lets time pass inside a call, for seconds, never for minutes: long waits are the machine's.
    async fn pause(&self, time: Duration);
}

/// Where a phase runs.
pub trait Place {
    /// The account.
    fn account(&self) -> String;

    /// The region.
    fn region(&self) -> String;
}

/// The stored experiments.
pub trait Experiments {
    /// The text of one. `Missing` when there is none.
    async fn experiment(&self, id: &ExperimentId) -> Answer<String>;
}

/// The records of runs.
pub trait Runs {
    /// Writes a new record, or returns the one that is there already and changes nothing: a repeated start is one run.
    async fn create_run(&self, run: &Run) -> Answer<Run>;

    /// A record, as last written (a consistent read).
    async fn run(&self, id: &RunId) -> Answer<Run>;

    /// Replaces a record if its version is still `run.version`, and returns it with the next version.
    /// `Conflict` when somebody else wrote it: repeating with the same record is a conflict too.
    async fn save_run(&self, run: &Run) -> Answer<Run>;

    /// Writes the plan of a run; writing it again replaces it. Inject compares its digest with the run's.
    async fn put_plan(&self, plan: &Plan) -> Answer<()>;

    /// The plan of a run.
    async fn plan(&self, id: &RunId) -> Answer<Plan>;

    /// Writes samples; one with the same stage and number is there already and stays as it is.
    async fn record_samples(&self, id: &RunId, samples: &[Sample]) -> Answer<()>;

    /// Every sample of a run, by stage and number.
    async fn samples(&self, id: &RunId) -> Answer<Vec<Sample>>;

    /// The last samples of one stage, at most so many, by number.
    async fn latest_samples(&self, id: &RunId, stage: Stage, most: u32) -> Answer<Vec<Sample>>;
}

/// The ledger.
pub trait Ledger {
    /// Writes up to [`BATCH`] intents, in one transaction with three conditions: the run is `injecting`, the emergency
    /// stop is not pulled, and this run holds every target for itself. `Conflict` when one of them fails: nothing was
    /// written. A row that is there already stays as it is.
    async fn intend(&self, run: &RunId, rows: &[Row]) -> Answer<()>;

    /// Moves rows to new states, each where [`drill_model::ledger::step`] allows it from the state that is stored; a step
    /// that is not allowed any more is passed over, because whoever closed the row was first. Repeating changes nothing.
    async fn advance(&self, steps: &[Step], at: Timestamp) -> Answer<()>;

    /// Every row of a run (a consistent read), by fault and target.
    async fn rows(&self, run: &RunId) -> Answer<Vec<Row>>;

    /// Runs that have an open row with a deadline before this instant. It may lag behind: read the rows again.
    async fn overdue(&self, before: Timestamp) -> Answer<BTreeSet<RunId>>;
}

/// One row on its way to a new state.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The row.
    pub row: Row,
    /// Where it goes.
    pub to: State,
}

/// Who owns which target.
///
/// A run takes what it harms for itself, and a share of everything that those are a part of. What one run has for itself no
/// other run has, not even a share of it.
pub trait Leases {
    /// Takes targets for a run, for itself and in shares: those that are free and those that it holds already. `Conflict`
    /// names one that another run holds, and that run; then no other than those already held are kept.
    async fn lease(&self, run: &RunId, holding: &Holding) -> Answer<()>;

    /// Who else holds any of these, in a way that this run's holding could not stand beside.
    async fn holders(&self, run: &RunId, holding: &Holding) -> Answer<Vec<(TargetId, RunId)>>;

    /// Gives back what this run holds of these; nothing happens to the others. Only when its rows are closed.
    async fn release(&self, run: &RunId, holding: &Holding) -> Answer<()>;
}

/// What a run holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holding {
    /// For itself: what it harms.
    pub whole: BTreeSet<TargetId>,
    /// In shares: what those are a part of.
    pub shares: BTreeSet<TargetId>,
}

/// The emergency stop of the account.
pub trait EmergencyStop {
    /// The reason it was pulled for, or `None` while it is not (a consistent read).
    async fn lever(&self) -> Answer<Option<String>>;
}

/// The alarm clock that wakes the janitor, whatever has died.
pub trait AlarmClock {
    /// Sets the clock of a run; setting it again changes nothing.
    async fn set_clock(&self, run: &RunId, at: Timestamp) -> Answer<()>;

    /// Removes the clock of a run; there may be none.
    async fn clear_clock(&self, run: &RunId) -> Answer<()>;
}

/// Looking at targets.
pub trait Sees {
    /// Every target that matches, in any state, once, in no order.
    async fn find(&self, selector: &Selector) -> Answer<Vec<Seen>>;

    /// These targets, all of one kind; those that do not exist any more are left out.
    async fn see(&self, kind: Kind, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>>;
}

/// The groups that replace what dies.
pub trait Groups {
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
    /// Makes one call on up to [`Call::most`](drill_model::faults::Call::most) targets. What repeating it does stands with
    /// each call. An error may hide a partial success: look afterwards.
    async fn harm(&self, call: &Harm, on: &BTreeSet<TargetId>) -> Answer<()>;
}

/// The calls that heal.
pub trait Heals {
    /// Makes one call on up to [`Call::most`](drill_model::faults::Call::most) targets. Repeating it changes nothing.
    async fn heal(&self, call: &Heal, on: &BTreeSet<TargetId>) -> Answer<()>;
}

/// Whether a call would be allowed, asked without making it.
pub trait Rehearse {
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
    /// Arms a call. Arming it again changes nothing.
    async fn arm(&self, undo: &TimedUndo) -> Answer<()>;

    /// What is armed under this name, read back; `None` when nothing is.
    async fn armed(&self, name: &str) -> Answer<Option<TimedUndo>>;
}

/// Taking back what [`ArmUndo`] armed.
pub trait DisarmUndo {
    /// Removes every call of a change; there may be none.
    async fn disarm(&self, unit: &UnitId) -> Answer<()>;
}

/// Orders to hosts. A port for each kind of document, so that a role that heals cannot harm.
pub trait HostHarm {
    /// Sends an order that harms. Not idempotent at the service; the host answers a second order with `already`.
    async fn harm_hosts(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// Orders to hosts that put back or only look.
pub trait HostHeal {
    /// Sends the revert document. The host answers a second order as it answered the first.
    async fn revert(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// Looking at hosts.
pub trait HostProbe {
    /// Sends the probe document.
    async fn probe(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// What hosts said.
pub trait HostAnswers {
    /// What every host of a command has said so far. A command that is too new to be known is all `Pending`.
    async fn answers(&self, command: &CommandId) -> Answer<Vec<(InstanceId, HostAnswer)>>;
}

/// An order to up to [`BATCH`] hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCommand {
    /// Which of our documents.
    pub document: Document,
    /// To whom.
    pub targets: BTreeSet<InstanceId>,
    /// Every parameter of the document.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// An id for people who look into the service: `stormdrill:<run>:<fault>`.
    pub comment: String,
}

/// One command, by the service's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub String);

/// What a host said of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum HostAnswer {
    /// Nothing yet.
    Pending,
    /// This.
    Report(Box<HostReport>),
    /// It ended without a word that can be read: it may have run.
    Silent(String),
}

impl HostAnswer {
    /// What the standard output of a document that has ended says.
    pub fn from_output(stdout: &str) -> Self {
        match HostReport::from_output(stdout) {
            Some(report) => Self::Report(Box::new(report)),
            None => Self::Silent("no report in the output".to_owned()),
        }
    }
}

/// Measurements of the monitoring service.
pub trait Metrics {
    /// The datapoints of each metric that lie in `[from, to)`, newest first. Missing ones are not there.
    async fn metrics(&self, probes: &[CloudWatchProbe], from: Timestamp, to: Timestamp) -> Answer<Vec<Vec<Datapoint>>>;

    /// The state of each alarm; `Missing` for one that is not returned.
    async fn alarms(&self, names: &[AlarmName]) -> Answer<Vec<AlarmReading>>;
}

/// Measurements of Prometheus.
pub trait Prometheus {
    /// The answer to an instant query, which must be one number.
    async fn prometheus(&self, query: &str, at: Timestamp) -> Answer<f64>;
}

/// Asking a service itself.
pub trait Http {
    /// A GET request.
    async fn http(&self, probe: &HttpProbe) -> Answer<HttpReading>;
}

/// Every way to measure.
pub trait Measure: Metrics + Prometheus + Http {}
impl<T: Metrics + Prometheus + Http> Measure for T {}

/// One datapoint of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datapoint {
    /// The beginning of its period.
    pub at: Timestamp,
    /// Its value, as the service gave it: it may be NaN.
    pub value: f64,
}

/// The answer to a GET request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HttpReading {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// The time until it was complete.
        millis: f64,
    },
    /// None within the time.
    NoAnswer,
}

/// Telling people. Never on the way of cleaning up.
pub trait Notices {
    /// Publishes a notice; repeating publishes it again.
    async fn publish(&self, topic: &str, subject: &str, body: &str) -> Answer<()>;
}

/// Where reports are kept.
pub trait Reports {
    /// Writes one file of a run's report and says where it is; writing it again replaces it.
    async fn store(&self, run: &RunId, name: &str, content: &str) -> Answer<String>;
}

/// The task tokens of runs that wait for somebody. They never leave the account.
pub trait TaskTokens {
    /// Keeps the token of a run; a new one replaces the old.
    async fn keep_token(&self, run: &RunId, token: &str) -> Answer<()>;

    /// The token of a run. `Missing` when none was kept.
    async fn token(&self, run: &RunId) -> Answer<String>;
}

/// Answering who waits.
pub trait Callback {
    /// Lets who waits with this token go on. `Missing` when nobody does, or not any more.
    async fn resume(&self, token: &str) -> Answer<()>;
}

/// Both ways of looking at hosts.
pub trait Probing: HostProbe + HostAnswers + Clock {}
impl<T: HostProbe + HostAnswers + Clock> Probing for T {}

/// All that cleaning needs, and nothing that it can do without.
pub trait Healing:
    Clock + Runs + Ledger + Leases + AlarmClock + DisarmUndo + Sees + Heals + HostHeal + HostProbe + HostAnswers
{
}
impl<T> Healing for T where
    T: Clock + Runs + Ledger + Leases + AlarmClock + DisarmUndo + Sees + Heals + HostHeal + HostProbe + HostAnswers
{
}
