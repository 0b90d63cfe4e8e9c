//! What is kept: experiments, runs, the ledger, leases, task tokens.

use std::collections::BTreeSet;

use drill_model::ids::{ExperimentId, RunId};
use drill_model::ledger::{Row, State};
use drill_model::observation::{Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::Run;
use drill_model::target::TargetId;
use jiff::Timestamp;

use super::Answer;
#[cfg(doc)]
use super::BATCH;

/// The stored experiments.
pub trait Experiments {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// The text of one. `Missing` when there is none.
    async fn experiment(&self, id: &ExperimentId) -> Answer<String>;
}

/// The records of runs.
pub trait Runs {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

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
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Writes up to [`BATCH`] intents, in one transaction with three conditions: the run is `injecting`, the emergency
    /// stop is not pulled, and this run holds every target for itself. `Conflict` when one of them fails: nothing was
    /// written. A row that is there already stays as it is.
    async fn intend(&self, run: &RunId, rows: &[Row]) -> Answer<()>;

    /// Moves rows to new states, each where [`drill_model::ledger::step`] allows it from the state that is stored; a step
    /// that is not allowed any more is passed over, because whoever closed the row was first. Repeating changes nothing.
    async fn advance(&self, steps: &[Step], at: Timestamp) -> Answer<()>;

    /// Every row of a run (a consistent read), by fault and target.
    async fn rows(&self, run: &RunId) -> Answer<Vec<Row>>;

    /// Runs that have an open row with a deadline before this instant, or that are [unfinished] and were to be finished
    /// before it. It may lag behind: read the record and the rows again.
    ///
    /// [unfinished]: drill_model::run::Run::unfinished
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
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Takes targets for a run that is `injecting`, for itself and in shares: those that are free and those that it holds
    /// already. `Conflict` names one that another run holds, and that run, or says where the run stands; then no other
    /// than those already held are kept.
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

/// The proof that the scheduler makes undo calls. `scripts/prove-undo.sh` writes it at the end of a deployment.
pub trait UndoProof {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// When it was proven, or `None` while it is not (a consistent read).
    async fn undo_proven(&self) -> Answer<Option<Timestamp>>;
}

/// The emergency stop of the account.
pub trait EmergencyStop {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// The reason it was pulled for, or `None` while it is not (a consistent read).
    async fn lever(&self) -> Answer<Option<String>>;
}

/// The task tokens of runs that wait for somebody. They never leave the account.
pub trait TaskTokens {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Keeps the token of a run; a new one replaces the old.
    async fn keep_token(&self, run: &RunId, token: &str) -> Answer<()>;

    /// The token of a run. `Missing` when none was kept.
    async fn token(&self, run: &RunId) -> Answer<String>;
}
