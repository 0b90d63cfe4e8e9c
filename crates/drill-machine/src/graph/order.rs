//! P7, P8 and P9: what comes first, which words end a run, and that nothing is written for nothing.
//!
//! An execution that succeeds has been given one of the words for it, by name.

use super::edges::{By, Graph, ends};
use super::{Rule, Violation};
use crate::definition::Kind;

/// P7: what must come before the first change comes before it on every way.
pub fn first_things_first(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for first in &graph.meta.first {
        let start = graph.machine.start_at.as_str();
        // Passing it means that it succeeded: its Catch does not count.
        let without = graph.reach([start], |edge| edge.from != first || edge.by != By::Next);
        let early = graph.meta.mutates.iter().filter(|mutates| without.contains_key(mutates.as_str()));
        violations.extend(early.map(|name| {
            Rule::FirstThingsFirst.broken(name, format!("can be reached without `{first}` having succeeded"))
        }));
    }
    violations
}

/// P8: an execution ends well by a named verdict only, and badly with a name and a cause.
pub fn words_decide(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, state) in &graph.machine.states {
        let broken = |what: String| Rule::WordsDecide.broken(name, what);
        match &state.kind {
            Kind::Succeed => {
                let bold = graph.into(name).filter(|edge| {
                    let end = graph.word(edge).and_then(|word| graph.meta.succeeds.get(word));
                    end != Some(name)
                });
                violations.extend(bold.map(|edge| {
                    broken(format!("is a success that `{}` reaches without a verdict that stands for it", edge.from))
                }));
                if graph.machine.start_at == *name {
                    violations.push(broken("is a success before anything was done".into()));
                }
            }
            Kind::Fail(fail) => {
                let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
                if !says(&fail.error) || !says(&fail.cause) {
                    violations.push(broken("fails without saying both Error and Cause".into()));
                }
            }
            Kind::Task(_) | Kind::Wait(_) | Kind::Pass(_) if ends(state) => {
                violations.push(broken("ends the execution well without a verdict".into()));
            }
            Kind::Task(_) | Kind::Wait(_) | Kind::Pass(_) | Kind::Choice(_) => {}
        }
    }
    let ends_well = |end: &str| graph.machine.states.get(end).is_some_and(|state| state.kind == Kind::Succeed);
    let astray = graph.meta.succeeds.iter().filter(|(_, end)| !ends_well(end));
    violations.extend(astray.map(|(word, end)| {
        Rule::WordsDecide.broken(end, format!("stands for `{word}`, which is a success, and is not a Succeed state"))
    }));
    violations
}

/// P9: every state can be reached.
pub fn everything_is_reachable(graph: &Graph<'_>) -> Vec<Violation> {
    let reached = graph.reach([graph.machine.start_at.as_str()], |_| true);
    let lost = graph.machine.states.keys().filter(|name| !reached.contains_key(name.as_str()));
    lost.map(|name| Rule::Reachable.broken(name, "is reached by nothing")).collect()
}
