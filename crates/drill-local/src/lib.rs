//! All of Stormdrill on one machine: the shipped state machine runs the shipped phases over the world in memory.
//!
//! An execution ends as Step Functions would end it; a dead one wakes the janitor, as EventBridge would.
//! The lab runs real hosts with it, the journeys and the sweep simulated ones.

mod execution;
mod functions;
mod janitor;

pub use drill_phases::call::Failure;

pub use self::execution::{Controls, Execution, NotStarted, Repeats, Started, execute, machine};
pub use self::functions::{Function, invoke};
pub use self::janitor::{clean_after, keep_watch, report_after, sweep};
