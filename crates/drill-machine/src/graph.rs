//! What the graph of a machine must promise, whatever its functions answer: no fault outlives it by one of its own ways.
//!
//! A rule is a function from a machine to its violations. The ways that no Catch sees are the template's (`outside`).

mod cleaning;
mod edges;
mod facts;
mod order;
mod outside;
mod region;
mod retries;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use thiserror::Error;

use crate::definition::Machine;
pub use cleaning::{ends_clean, last_resort};
pub use edges::{By, Edge, Graph};
pub use order::{everything_is_reachable, first_things_first, words_decide};
pub use outside::{covered_outside, timeouts_cover};
pub use region::{bounded, cannot_break, caught};
pub use retries::retried;

/// What the states may do to the world; written beside the machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// States that may change something.
    pub mutates: Vec<String>,
    /// States that put everything back, or say that they could not.
    pub cleans: Vec<String>,
    /// The one of them that the others lead to when they do not end clean.
    pub last_resort: String,
    /// The only verdict that leads from a cleaning state out of danger.
    pub clean_word: String,
    /// Where the last resort goes when it gives up.
    pub pages: String,
    /// The verdict that the run carries from there.
    pub stuck_word: String,
    /// States on every way to the first change.
    pub first: Vec<String>,
    /// States that every loop passes while something may be broken.
    pub looks_at_deadline: Vec<String>,
    /// The only verdicts that end an execution well, and where.
    pub succeeds: BTreeMap<String, String>,
}

/// Why a text does not describe this machine.
#[derive(Debug, Error)]
pub enum MetaError {
    /// Not readable.
    #[error("the page about the states is not readable")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// It speaks of a state that is not there.
    #[error("the page about the states names `{0}`, and the machine has no such state")]
    NoSuchState(String),
}

impl Meta {
    /// Reads the page that lies beside `machine`.
    pub fn parse(text: &str, machine: &Machine) -> Result<Self, MetaError> {
        let meta: Self = serde_saphyr::from_str(text).map_err(|error| MetaError::Syntax(Box::new(error)))?;
        let single = [&meta.last_resort, &meta.pages];
        let lists = [&meta.mutates, &meta.cleans, &meta.first, &meta.looks_at_deadline];
        let unknown = single
            .into_iter()
            .chain(lists.into_iter().flatten())
            .chain(meta.succeeds.values())
            .find(|name| !machine.states.contains_key(*name));
        match unknown {
            Some(name) => Err(MetaError::NoSuchState(name.clone())),
            None => Ok(meta),
        }
    }
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// From a change on, no end is reached but through `clean` or the pager, and after those nothing is changed again.
    EndsClean,
    /// Every Task catches everything; while something may be broken, a Catch leads to cleaning and keeps the baton.
    Caught,
    /// While something may be broken, no state can fail by itself: guards before paths, a Default in every Choice.
    CannotBreak,
    /// Everything has a time limit, and every loop looks at the deadline.
    Bounded,
    /// The last resort is patient; when it gives up it pages, and the run is stuck from there.
    LastResort,
    /// What no Catch sees is covered by the template.
    CoveredOutside,
    /// What must come before the first change has succeeded before it, on every way.
    FirstThingsFirst,
    /// An execution ends well by a named verdict only, and badly with a name and a cause.
    WordsDecide,
    /// Every state can be reached.
    Reachable,
    /// What passes by itself is tried again, a few times.
    Retried,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndsClean => "P1 ends clean",
            Self::Caught => "P2 caught",
            Self::CannotBreak => "P3 cannot break",
            Self::Bounded => "P4 bounded",
            Self::LastResort => "P5 last resort",
            Self::CoveredOutside => "P6 covered outside",
            Self::FirstThingsFirst => "P7 first things first",
            Self::WordsDecide => "P8 words decide",
            Self::Reachable => "P9 reachable",
            Self::Retried => "P10 retried",
        })
    }
}

/// A rule that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// The state, or `the machine`.
    pub state: String,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: state `{}` {}", self.rule, self.state, self.what)
    }
}

impl Rule {
    fn broken(self, state: &str, what: impl Into<String>) -> Violation {
        Violation { rule: self, state: state.into(), what: what.into() }
    }
}

/// Every rule that needs nothing but the machine.
pub fn check(machine: &Machine, meta: &Meta) -> Vec<Violation> {
    let graph = Graph::of(machine, meta);
    let rules = [
        ends_clean,
        caught,
        cannot_break,
        bounded,
        last_resort,
        first_things_first,
        words_decide,
        everything_is_reachable,
        retried,
    ];
    let mut violations: Vec<Violation> = rules.into_iter().flat_map(|rule| rule(&graph)).collect();
    violations.sort();
    violations.dedup();
    violations
}
