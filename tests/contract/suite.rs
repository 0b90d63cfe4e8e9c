//! What the ports promise, each as a fact about any ground.

pub mod clocks;
pub mod leases;
pub mod ledger;
pub mod outside;
pub mod runs;
pub mod undos;

use std::fmt::Debug;

use drill_phases::ports::{Answer, Class};

/// The class of an error that must be one.
fn class<T: Debug>(answer: Answer<T>) -> Class {
    answer.unwrap_err().class
}
