//! What Stormdrill talks about, as types: experiments, targets, plans, ledgers, verdicts. The faults are `drill-faults`.
//!
//! Nothing here reads a clock, draws a random number or calls anybody: the same values in, the same values out.
//! The phases (`drill-phases`) decide with these types; the adapters and the lab carry the decisions out.

pub mod approval;
pub mod baton;
pub mod experiment;
pub mod ledger;
pub mod observation;
pub mod pick;
pub mod plan;
pub mod read;
pub mod refusal;
pub mod report;
pub mod run;
pub mod schema;
pub mod start;
pub mod verdict;
pub mod window;

pub use drill_faults::report as host;
pub use drill_words::{ids, quantity, target};

/// The faults, and the entry of an experiment that names one.
pub mod faults {
    pub use drill_faults::*;

    pub use crate::experiment::FaultSpec;
}
