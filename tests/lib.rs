//! What the rings share.

pub mod chance;
pub mod stage;
