//! P2, P3 and P4: where something may be broken, everything is caught, nothing can break by itself, and time is limited.
//!
//! The same is asked of the rest of the machine as far as it makes sense there: a red run with a report beats one without.

use std::collections::BTreeSet;

use super::edges::{By, Edge, Graph};
use super::facts::{self, Facts};
use super::{Rule, Violation};
use crate::definition::{Kind, Pass, ResultPath, Seconds, Task};
use crate::errors;
use crate::path::{Path, Root, Step};

/// What a Catch must not write over.
const BATON: [&str; 4] = ["run_id", "verdict", "hold_seconds", "notice"];

/// P2: every Task catches everything; where something may be broken a Catch leads to cleaning and keeps the baton.
pub fn caught(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, task) in tasks(graph) {
        let broken = |what: String| Rule::Caught.broken(name, what);
        let names = |catcher: &crate::definition::Catcher, error: &str| catcher.error_equals.iter().any(|e| e == error);
        if !task.catch.last().is_some_and(|catcher| names(catcher, errors::ALL)) {
            violations.push(broken("does not end its Catch with States.ALL".into()));
        }
        if !task.catch.iter().any(|catcher| names(catcher, errors::DATA_LIMIT_EXCEEDED)) {
            violations.push(broken("does not catch States.DataLimitExceeded, which States.ALL does not".into()));
        }
        if task.catch.iter().rev().skip(1).any(|catcher| names(catcher, errors::ALL)) {
            violations.push(broken("catches States.ALL before the end, so that what follows is never asked".into()));
        }
        if graph.is_in_zone(name) || name == graph.meta.pages {
            let lost = task.catch.iter().filter(|catcher| !keeps_baton(&catcher.result_path));
            violations.extend(lost.map(|c| broken(format!("loses the baton on its way to `{}`", c.next))));
        }
        if graph.is_in_zone(name) {
            let refuge = graph.refuge(name);
            let astray = task.catch.iter().filter(|catcher| !graph.leads_to(&catcher.next, &refuge));
            violations.extend(
                astray.map(|c| {
                    broken(format!("catches and goes to `{}` instead of `{}`", c.next, refuge.join("` or `")))
                }),
            );
        }
    }
    violations
}

/// P3: where something may be broken no state can fail by itself, and no path is read anywhere that may not be there.
pub fn cannot_break(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, state) in &graph.machine.states {
        let broken = |what: String| Rule::CannotBreak.broken(name, what);
        match &state.kind {
            Kind::Choice(choice) => {
                let missing = facts::unguarded(choice);
                violations.extend(missing.into_iter().map(|path| {
                    broken(format!("asks for `{path}` without knowing that it is there: put an IsPresent before it"))
                }));
                violations.extend(default(graph, name, choice.default.as_deref()).map(broken));
            }
            Kind::Wait(wait) => violations.extend(number(graph, name, &wait.seconds, 0.0).into_iter().map(broken)),
            Kind::Task(task) => {
                let limit = task.timeout.iter().flat_map(|timeout| number(graph, name, timeout, 1.0));
                violations.extend(limit.map(broken));
                let read = task.parameters.iter().flat_map(|parameters| parameters.paths());
                violations.extend(read.flat_map(|path| unknown(graph, name, path)).map(broken));
            }
            Kind::Pass(pass) => {
                let read = pass.parameters.iter().flat_map(|parameters| parameters.paths());
                violations.extend(read.flat_map(|path| unknown(graph, name, path)).map(broken));
                violations.extend(fragile(graph, name, pass).map(broken));
            }
            Kind::Succeed | Kind::Fail(_) => {}
        }
    }
    violations
}

/// P4: the machine and every Task have a time limit, and no loop avoids the deadline while something may be broken.
pub fn bounded(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    if graph.machine.timeout_seconds.is_none() {
        violations.push(Rule::Bounded.broken("the machine", "has no TimeoutSeconds"));
    }
    let endless = tasks(graph).filter(|(_, task)| task.timeout.is_none());
    violations.extend(endless.map(|(name, _)| Rule::Bounded.broken(name, "has no TimeoutSeconds and may hang")));
    let looks: BTreeSet<&str> = graph.meta.looks_at_deadline.iter().map(String::as_str).collect();
    let unseen = |edge: &Edge<'_>| graph.is_in_zone(edge.to) && !looks.contains(edge.to);
    for (name, _) in graph.zone().filter(|(name, _)| !looks.contains(name)) {
        let after = graph.out_of(name).filter(unseen).map(|edge| edge.to);
        if graph.reach(after, unseen).contains_key(name) {
            let looks = graph.meta.looks_at_deadline.join("` or `");
            let what = format!("is in a loop that never passes `{looks}`, where the deadline is seen");
            violations.push(Rule::Bounded.broken(name, what));
        }
    }
    violations
}

fn tasks<'g>(graph: &'g Graph<'_>) -> impl Iterator<Item = (&'g str, &'g Task)> {
    graph.machine.states.iter().filter_map(|(name, state)| match &state.kind {
        Kind::Task(task) => Some((name.as_str(), &**task)),
        Kind::Choice(_) | Kind::Wait(_) | Kind::Pass(_) | Kind::Succeed | Kind::Fail(_) => None,
    })
}

fn keeps_baton(result_path: &ResultPath) -> bool {
    match result_path {
        ResultPath::Discard => true,
        ResultPath::At(path) => match path.steps() {
            [Step::Field(first), ..] => !BATON.contains(&first.as_str()),
            [] | [Step::Index(_), ..] => false,
        },
    }
}

fn default<'a>(graph: &Graph<'a>, name: &'a str, default: Option<&'a str>) -> Option<String> {
    let Some(default) = default else {
        return Some("has no Default, and an unknown word ends the execution there".into());
    };
    let refuge = graph.refuge(name);
    let astray = graph.is_in_zone(name) && !graph.leads_to(default, &refuge);
    astray.then(|| format!("takes an unknown word to `{default}` instead of `{}`", refuge.join("` or `")))
}

/// A number of seconds that is looked up must be known to be one, on every way in.
fn number(graph: &Graph<'_>, name: &str, seconds: &Seconds, least: f64) -> Vec<String> {
    let Seconds::At(path) = seconds else { return Vec::new() };
    ways_in(graph, name, |facts| facts.is_between_bounds(path, least))
        .into_iter()
        .map(|from| {
            format!("takes its seconds from `{path}`, and `{from}` does not check that it is a number from {least} up")
        })
        .collect()
}

fn unknown(graph: &Graph<'_>, name: &str, path: &Path) -> Vec<String> {
    if path.root() == Root::Context {
        return Vec::new();
    }
    ways_in(graph, name, |facts| facts.has(path))
        .into_iter()
        .map(|from| format!("reads `{path}`, and `{from}` does not check that it is there"))
        .collect()
}

/// The states from which one comes in without what is needed.
fn ways_in<'a>(graph: &Graph<'a>, name: &str, enough: impl Fn(&Facts<'a>) -> bool) -> Vec<String> {
    let start = (graph.machine.start_at == name && !enough(&Facts::default())).then(|| "StartAt".to_owned());
    let edges = graph.into(name).filter(|edge| !enough(&Facts::on(graph, edge)));
    let named = edges.map(|edge| match edge.by {
        By::Next => edge.from.to_owned(),
        By::Catch(index) => format!("{}, Catch[{index}]", edge.from),
        By::Rule(index) => format!("{}, Choices[{index}]", edge.from),
        By::Default => format!("{}, Default", edge.from),
    });
    start.into_iter().chain(named).collect()
}

/// Writing into something that may not be an object ends an execution.
fn fragile(graph: &Graph<'_>, name: &str, pass: &Pass) -> Option<String> {
    let writes_into = matches!(&pass.result_path, ResultPath::At(path) if !path.is_root());
    (writes_into && graph.is_in_zone(name)).then(|| "writes into its input, which may not be an object".into())
}
