//! The phases of a run as decisions over ports: what is done, in which order, and what is never done.
//!
//! No phase reads the clock, waits or draws a random number except through a port. Every phase can be repeated.
//! `ports` says what they may ask of the world; the state machine in `statemachine/` says which comes when.

mod answers;
pub mod approval;
pub mod call;
mod compare;
mod drive;
mod errors;
pub mod fence;
#[cfg(test)]
mod fixtures;
pub mod inject;
pub mod janitor;
pub mod kernel;
pub mod observe;
pub mod ports;
pub mod prepare;
mod radius;
mod records;
pub mod recover;
pub mod report;
pub mod rollback;
mod sampling;
pub mod undo;
pub mod validate;

pub use self::errors::{ERROR_NAMES, NEXT, Named, error_name};
pub use self::records::RecordError;
