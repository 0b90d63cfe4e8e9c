//! A report as data: everything that is known of a run, for people, pipelines and auditors.

use serde::{Deserialize, Serialize};

use crate::ledger::Row;
use crate::observation::Sample;
use crate::plan::Plan;
use crate::run::Run;

/// Everything that is known of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The record of the run, with its judgement.
    pub run: Run,
    /// Its plan; absent when it was refused before there was one.
    pub plan: Option<Plan>,
    /// Every change, and how far it came.
    pub ledger: Vec<Row>,
    /// Everything that was measured, in order.
    pub samples: Vec<Sample>,
}
