//! The state machine: read strictly, proven as a graph, and run without AWS.
//!
//! It knows the subset of the Amazon States Language that `statemachine/experiment.asl.yaml` uses and refuses the rest by name.
//! Read `definition` for the types, `graph` for the safety rules, `interpreter` for a run.

pub mod choice;
pub mod definition;
pub mod errors;
pub mod graph;
pub mod interpreter;
pub mod parse;
pub mod path;
pub mod script;
pub mod template;

pub use definition::{Kind, Machine, State, Unfilled};
pub use interpreter::{
    Call, Ended, Execution, HistoryEvent, HistoryKind, Host, InvalidExecution, Status, TaskFailure, TokenOutcome, run,
};
pub use parse::ParseError;
