//! The ground floor: the words that every other crate is made of.
//!
//! A value of one of these types has been checked, and there is no other way to make one. Next: `drill-faults`.

pub mod canonical;
pub mod dependency;
pub mod ids;
pub mod quantity;
pub mod target;
