//! What is wrong with an experiment beyond its form: names that nothing has, sizes that cannot be, promises that nothing can
//! break and faults that disarm each other.
//!
//! Everything is told at once, each with its path and with what to write instead. What only the world can tell is Prepare's.

mod document;
mod faults;
mod fits;
mod guards;
mod probes;
mod schedule;
mod sight;
mod targets;
mod watch;

use std::fmt::Display;

pub(super) use self::schedule::schedule;
use super::Experiment;
use crate::quantity::Span;
use crate::read::nearest;

/// One thing that is wrong with an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `faults[0].on`, `targets.order-hosts.pick`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

pub(super) fn problems(experiment: &Experiment) -> Vec<Problem> {
    let mut found = Problems(Vec::new());
    // The other checks compare each with each: they are for an experiment of a size that people write.
    if document::is_too_large(experiment, &mut found) {
        return found.0;
    }
    document::check(experiment, &mut found);
    targets::check(experiment, &mut found);
    faults::check(experiment, &mut found);
    probes::check(experiment, &mut found);
    sight::check(experiment, &mut found);
    guards::check(experiment, &mut found);
    watch::check(experiment, &mut found);
    fits::check(experiment, &mut found);
    found.0
}

/// The problems found so far.
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) {
        self.0.push(Problem { path: path.into(), message: message.into(), help: help.into() });
    }
}

/// What to write instead of a name that nothing has.
fn choose_from<'a>(name: &str, known: impl Iterator<Item = &'a str>, none: &str) -> String {
    let known: Vec<&str> = known.collect();
    if known.is_empty() {
        return none.to_owned();
    }
    let all = known.join(", ");
    match nearest(name, &known) {
        Some(meant) if known.len() > 1 => format!("did you mean `{meant}`? there are: {all}"),
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("write one of: {all}"),
    }
}

/// The names that occur again, each with the index of its repetition.
fn repeated<'a, T: PartialEq + Display>(names: &[&'a T]) -> Vec<(usize, &'a T)> {
    let again = |(index, name): (usize, &&'a T)| names[..index].contains(name).then_some((index, *name));
    names.iter().enumerate().filter_map(again).collect()
}

/// How often something that happens every so often happens in a span, its beginning included.
fn times(every: Span, length: Span) -> u64 {
    length.as_millis() / every.as_millis().max(1) + 1
}
