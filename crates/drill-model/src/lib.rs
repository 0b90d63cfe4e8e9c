//! What Stormdrill talks about, as types: experiments, targets, faults, plans, ledgers, verdicts.
//!
//! Nothing here reads a clock, draws a random number or calls anybody: the same values in, the same values out.
//! The phases (`drill-phases`) decide with these types; the adapters and the lab carry the decisions out.

pub mod approval;
pub mod baton;
mod canonical;
pub mod experiment;
pub mod faults;
pub mod host;
pub mod ids;
pub mod ledger;
pub mod observation;
pub mod pick;
pub mod plan;
pub mod quantity;
pub mod read;
pub mod report;
pub mod run;
pub mod schema;
pub mod start;
pub mod verdict;
pub mod window;
