//! What the rings share.

pub mod stage;
