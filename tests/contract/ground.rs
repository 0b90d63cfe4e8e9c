//! A ground: ports to be asked, and what a test does behind their backs.

use drill_model::ids::{ExperimentId, RunId};
use drill_phases::ports::{
    AlarmClock, ArmUndo, Callback, ClearClock, DisarmUndo, EmergencyStop, Experiments, Leases, Ledger, Notices,
    Reports, Runs, TaskTokens, UndoProof,
};
use jiff::Timestamp;

/// The ports, and what no port does.
pub trait Ground {
    /// The table of runs.
    type Store: Runs + Ledger + Leases + EmergencyStop + TaskTokens + UndoProof;

    fn store(&self) -> &Self::Store;
    fn experiments(&self) -> &impl Experiments;
    fn clocks(&self) -> &(impl AlarmClock + ClearClock);
    fn arms(&self) -> &impl ArmUndo;
    fn disarms(&self) -> &impl DisarmUndo;
    fn notices(&self) -> &impl Notices;
    fn reports(&self) -> &impl Reports;
    fn callback(&self) -> &impl Callback;

    async fn put_experiment(&self, id: &ExperimentId, text: &str);
    async fn pull_lever(&self, reason: &str);
    async fn release_lever(&self);
    /// Writes, as `scripts/prove-undo.sh` does, that the scheduler makes undo calls.
    async fn prove_undo(&self, at: Timestamp);
    /// When the clock of a run rings, if it is set.
    async fn clock(&self, run: &RunId) -> Option<Timestamp>;
    /// The content of a file of a report.
    async fn report(&self, run: &RunId, name: &str) -> Option<String>;
    /// Until what was written can be read everywhere.
    async fn settle(&self);
}
