//! How a command ends: its exit code and what a person is told.

use crate::error::chain;
use crate::home::Leftovers;

pub(crate) const DONE: u8 = 0;
pub(crate) const WRONG: u8 = 2;
pub(crate) const LEFT: u8 = 3;
pub(crate) const FAILED: u8 = 4;

/// What a person is told when a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn wrong(message: impl Into<String>) -> Failure {
        Failure { code: WRONG, message: message.into() }
    }

    pub(crate) fn failed(error: &dyn std::error::Error) -> Failure {
        Failure { code: FAILED, message: chain(error) }
    }

    pub(crate) fn left(left: &Leftovers) -> Failure {
        Failure { code: LEFT, message: format!("something is left behind:\n{left}") }
    }
}
