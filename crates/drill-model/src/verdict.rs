//! The verdict: a pure function of what was planned and what was seen.
//!
//! It never says more than is known: what is unknown is counted against the hypothesis before it is called supported,
//! and for it before it is called refuted. The rules stand in the files beside this one, one concern each.

mod criteria;
mod ending;
mod faults;
#[cfg(test)]
mod fixture;
mod judge;
mod recovery;
mod resolution;
mod seen;
mod steady;
#[cfg(test)]
mod tests;
mod times;
mod words;

use serde::{Deserialize, Serialize};

pub use self::judge::judge;
use crate::baton::Word;
use crate::quantity::Span;

/// What a run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The fault was there, enough was measured, and the hypothesis held.
    Supported,
    /// The fault was there, and the hypothesis did not hold.
    Refuted,
    /// Too little is known to say.
    Inconclusive,
    /// The fault was not there: what was measured means nothing.
    Invalid,
    /// The run was stopped before its time.
    Aborted,
    /// The run was not begun.
    Refused,
    /// A dry run.
    Planned,
    /// Something is left behind.
    Stuck,
}

impl Verdict {
    /// The word that the state machine looks at.
    pub const fn word(self) -> Word {
        match self {
            Self::Supported => Word::Supported,
            Self::Refuted => Word::Refuted,
            Self::Inconclusive => Word::Inconclusive,
            Self::Invalid => Word::Invalid,
            Self::Aborted => Word::Aborted,
            Self::Refused => Word::Refused,
            Self::Planned => Word::Planned,
            Self::Stuck => Word::Stuck,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word().text())
    }
}

/// A verdict and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What it rests on, the weightiest first.
    pub findings: Vec<Finding>,
    /// How the system came back.
    pub recovery: RecoveryTime,
}

/// One thing that the verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// What it says of the hypothesis.
    pub holds: Holds,
    /// About what: a fault, a probe, a criterion.
    pub about: String,
    /// What was seen.
    pub seen: String,
}

impl Finding {
    fn new(holds: Holds, about: impl Into<String>, seen: impl Into<String>) -> Self {
        Self { holds, about: about.into(), seen: seen.into() }
    }

    fn unknown(about: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::new(Holds::Unknown, about, seen)
    }
}

/// What a finding says of the hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// It holds, here.
    Yes,
    /// It does not hold, here.
    No,
    /// It cannot be said.
    Unknown,
}

/// How the system came back after the faults were gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "snake_case", deny_unknown_fields)]
pub enum RecoveryTime {
    /// It was seen to be back. The time counts from the end of the faults; of one that happens once, from its beginning.
    Recovered {
        /// It took at least this: until then a sample was out of tolerance.
        at_least: Span,
        /// It took at most this: from then on the samples were good.
        at_most: Span,
    },
    /// It was not back in the time it was given.
    NotRecovered {
        /// How long it was watched.
        watched: Span,
    },
    /// It was not measured.
    Unknown,
}

impl std::fmt::Display for RecoveryTime {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Recovered { at_least, at_most } => {
                let (low, high) = (at_least.rounded().to_string(), at_most.rounded().to_string());
                if at_least.is_zero() {
                    write!(out, "at most {high} after the faults were over")
                } else if low == high {
                    write!(out, "{high} after the faults were over")
                } else {
                    write!(out, "{low} to {high} after the faults were over")
                }
            }
            Self::NotRecovered { watched } => write!(out, "not in the {} that it was watched", watched.rounded()),
            Self::Unknown => out.write_str("not known"),
        }
    }
}
