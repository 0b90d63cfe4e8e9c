//! The state machine as it is shipped: its graph, its limits, and its paths.

#![expect(clippy::unwrap_used, reason = "a ring is a test from its first line")]

mod answers;
mod budget;
mod moto;
mod mutations;
mod promises;
mod scenarios;
mod shipped;
