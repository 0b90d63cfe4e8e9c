//! How a command ends: exit codes, each with one meaning, and what a person is told.
//!
//! A verdict has a code below 10. The others are those of `sysexits.h`, so that a pipeline can tell an answer from the
//! lack of one. The README lists them all.

use drill_model::verdict::Verdict;

use crate::error::chain;
use crate::home::Leftovers;

/// The command did what it was asked.
pub(crate) const DONE: u8 = 0;
/// A run was stopped, and everything was put back.
pub(crate) const ABORTED: u8 = 1;
/// Something is left behind.
pub(crate) const LEFT: u8 = 3;
/// Wrong arguments, an unknown name, or no lab to ask: `EX_USAGE`.
pub(crate) const USAGE: u8 = 64;
/// An experiment that is not there or has mistakes: `EX_DATAERR`.
pub(crate) const EXPERIMENT: u8 = 65;
/// The lab or this program could not do its work: `EX_SOFTWARE`.
pub(crate) const FAILED: u8 = 70;

/// The exit code of a verdict.
pub(crate) const fn of(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Supported | Verdict::Planned => DONE,
        Verdict::Aborted => ABORTED,
        Verdict::Refused => 2,
        Verdict::Stuck => LEFT,
        Verdict::Refuted => 4,
        Verdict::Inconclusive => 5,
        Verdict::Invalid => 6,
    }
}

/// What a person is told when a command did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { code: USAGE, message: message.into() }
    }

    pub(crate) fn experiment(message: impl Into<String>) -> Failure {
        Failure { code: EXPERIMENT, message: message.into() }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Failure {
        Failure { code: FAILED, message: message.into() }
    }

    /// Something is left behind.
    pub(crate) fn left(left: &Leftovers) -> Failure {
        Failure { code: LEFT, message: format!("something is left behind:\n{left}") }
    }
}

/// Every error that reaches a command is work that could not be done.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::failed(chain(&error))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_endings_share_an_exit_code() {
        let verdicts = [
            Verdict::Supported,
            Verdict::Aborted,
            Verdict::Refused,
            Verdict::Stuck,
            Verdict::Refuted,
            Verdict::Inconclusive,
            Verdict::Invalid,
        ];

        let codes: BTreeSet<u8> = verdicts.map(of).into_iter().chain([USAGE, EXPERIMENT, FAILED]).collect();

        assert_eq!(codes.len(), verdicts.len() + 3);
        assert_eq!(of(Verdict::Planned), DONE);
    }
}
