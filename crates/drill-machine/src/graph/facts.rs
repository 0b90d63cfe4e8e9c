//! What is known about the input on an edge: which paths are there, and within which bounds.
//!
//! A rule that was taken holds, and the rules before it did not; a Catch puts its error at its path.

use std::collections::BTreeSet;

use super::edges::{By, Edge, Graph};
use crate::choice::{Comparison, Test};
use crate::definition::{Choice, Kind, ResultPath};
use crate::path::Path;

/// What holds of an input.
#[derive(Debug, Default)]
pub(super) struct Facts<'a> {
    present: BTreeSet<&'a Path>,
    bounds: Vec<(&'a Path, &'a Comparison)>,
}

impl<'a> Facts<'a> {
    pub fn on(graph: &Graph<'a>, edge: &Edge<'a>) -> Self {
        let mut facts = Self::default();
        let Some(state) = graph.machine.states.get(edge.from) else { return facts };
        match (&state.kind, edge.by) {
            (Kind::Choice(choice), By::Rule(index)) => {
                facts.learn_before(choice, index);
                choice.rules.get(index).into_iter().for_each(|rule| facts.learn(&rule.test));
            }
            (Kind::Choice(choice), By::Default) => facts.learn_before(choice, choice.rules.len()),
            (Kind::Task(task), By::Catch(index)) => {
                if let Some(ResultPath::At(path)) = task.catch.get(index).map(|catcher| &catcher.result_path) {
                    facts.present.insert(path);
                }
            }
            (Kind::Choice(_) | Kind::Task(_) | Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed | Kind::Fail(_), _) => {}
        }
        facts
    }

    pub fn has(&self, path: &Path) -> bool {
        path.is_root() || self.present.contains(path)
    }

    /// Is the value at this path a number from `least` up to something?
    pub fn is_between_bounds(&self, path: &Path, least: f64) -> bool {
        let about =
            |wanted: &dyn Fn(&Comparison) -> bool| self.bounds.iter().any(|(at, with)| *at == path && wanted(with));
        self.has(path)
            && about(&|with| matches!(with, Comparison::NumericGreaterThanEquals(bound) if *bound >= least))
            && about(&|with| matches!(with, Comparison::NumericLessThanEquals(_) | Comparison::NumericLessThan(_)))
    }

    fn learn_before(&mut self, choice: &'a Choice, index: usize) {
        choice.rules.iter().take(index).for_each(|rule| self.unlearn(&rule.test));
    }

    /// A test that held.
    fn learn(&mut self, test: &'a Test) {
        for (path, with) in demanded(test) {
            if *with != Comparison::IsPresent(false) {
                self.present.insert(path);
            }
            self.bounds.push((path, with));
        }
    }

    /// A test that did not hold: of an Or, no part did.
    fn unlearn(&mut self, test: &'a Test) {
        match test {
            Test::Or(tests) => tests.iter().for_each(|test| self.unlearn(test)),
            Test::Not(test) => self.learn(test),
            Test::Compare { variable, with: Comparison::IsPresent(false) } => {
                self.present.insert(variable);
            }
            Test::And(_) | Test::Compare { .. } => {}
        }
    }
}

/// The comparisons that all hold when the test does.
pub(super) fn demanded(test: &Test) -> impl Iterator<Item = (&Path, &Comparison)> {
    let demanded: Vec<_> = match test {
        Test::And(tests) => tests.iter().flat_map(|test| demanded_boxed(test)).collect(),
        Test::Compare { variable, with } => vec![(variable, with)],
        Test::Or(_) | Test::Not(_) => Vec::new(),
    };
    demanded.into_iter()
}

fn demanded_boxed(test: &Test) -> Vec<(&Path, &Comparison)> {
    demanded(test).collect()
}

/// The paths that a Choice asks for without knowing that they are there.
pub(super) fn unguarded(choice: &Choice) -> Vec<&Path> {
    let mut missing = Vec::new();
    for (index, rule) in choice.rules.iter().enumerate() {
        let mut facts = Facts::default();
        facts.learn_before(choice, index);
        ask(&rule.test, &mut facts, &mut missing);
    }
    missing
}

fn ask<'a>(test: &'a Test, facts: &mut Facts<'a>, missing: &mut Vec<&'a Path>) {
    match test {
        Test::And(tests) => tests.iter().for_each(|test| {
            ask(test, facts, missing);
            facts.learn(test);
        }),
        Test::Or(tests) => tests.iter().for_each(|test| {
            ask(test, facts, missing);
            facts.unlearn(test);
        }),
        Test::Not(test) => ask(test, facts, missing),
        Test::Compare { with: Comparison::IsPresent(_), .. } => {}
        Test::Compare { variable, .. } if facts.has(variable) => {}
        Test::Compare { variable, .. } => missing.push(variable),
    }
}
