//! P1 and P5: the ways out of danger.
//!
//! There are two: a cleaning state says `clean`, or the last resort gives up, pages, and the run is stuck.

use super::edges::{By, Edge, Graph, ends};
use super::{Rule, Violation};
use crate::definition::{Jitter, Kind};
use crate::errors;

/// The least number of retries that counts as patient.
const PATIENT: u64 = 10;

/// P1: from a change on, no end is reached but through `clean` or the pager, and after those nothing is changed again.
pub fn ends_clean(graph: &Graph<'_>) -> Vec<Violation> {
    let ends = graph.zone().filter(|(_, state)| ends(state)).map(|(name, _)| {
        let way = graph.way_to(name);
        Rule::EndsClean.broken(name, format!("ends an execution that may have left something broken: {way}"))
    });
    let out = graph.zone().flat_map(|(name, _)| graph.out_of(name)).filter(|edge| graph.is_clean(edge));
    let after = graph.reach(out.chain(graph.out_of(&graph.meta.pages)).map(|edge| edge.to), |_| true);
    let again = graph.meta.mutates.iter().filter(|mutates| after.contains_key(mutates.as_str()));
    let again = again.map(|name| {
        let clean = &graph.meta.clean_word;
        Rule::EndsClean.broken(name, format!("can be reached again after `{clean}`, or after somebody was paged"))
    });
    ends.chain(again).collect()
}

/// P5: cleaning states are judged by their word, and the last resort is patient and pages.
pub fn last_resort(graph: &Graph<'_>) -> Vec<Violation> {
    let judged = graph.meta.cleans.iter().flat_map(|clean| judge(graph, clean));
    judged.chain(patience(graph)).chain(after_the_page(graph)).collect()
}

fn judge(graph: &Graph<'_>, clean: &str) -> Vec<Violation> {
    let broken = |what: String| Rule::LastResort.broken(clean, what);
    let Some(next) = graph.out_of(clean).find(|edge| edge.by == By::Next) else {
        return vec![broken("cleans, and nothing asks whether it is clean".into())];
    };
    if graph.judged_by(next.to).is_none() {
        let what = format!("cleans, and `{}` after it is not a Choice that judges only this", next.to);
        return vec![broken(what)];
    }
    let refuge = graph.refuge(clean);
    let out: Vec<Edge<'_>> = graph.out_of(next.to).collect();
    let mut violations = Vec::new();
    if !out.iter().any(|edge| graph.is_clean(edge)) {
        violations.push(broken(format!("cleans, and `{}` never goes on by `{}`", next.to, graph.meta.clean_word)));
    }
    // Only the last resort has no way back: from the others, what still runs its time may be watched further.
    let is_last = clean == graph.meta.last_resort;
    for edge in out.iter().filter(|edge| edge.by != By::Default && !graph.is_clean(edge)) {
        let watched = !is_last && graph.is_in_zone(edge.to) && graph.word(edge).is_some();
        if !watched && !graph.leads_to(edge.to, &refuge) {
            violations.push(broken(format!(
                "is not clean, and goes to `{}` instead of `{}`",
                edge.to,
                refuge.join("`, `")
            )));
        }
    }
    violations
}

fn patience(graph: &Graph<'_>) -> Vec<Violation> {
    let name = graph.meta.last_resort.as_str();
    let broken = |what: &str| vec![Rule::LastResort.broken(name, what)];
    let Some(Kind::Task(task)) = graph.machine.states.get(name).map(|state| &state.kind) else {
        return broken("is the last resort, and not a Task");
    };
    let Some(retrier) = task.retry.first().filter(|retrier| retrier.error_equals == [errors::ALL]) else {
        return broken("is the last resort, and does not begin its Retry with States.ALL");
    };
    let mut violations = Vec::new();
    if retrier.max_attempts < PATIENT {
        violations.extend(broken("is the last resort, and retries fewer than 10 times"));
    }
    if retrier.max_delay_seconds.is_none() {
        violations.extend(broken("is the last resort, and its delays grow without MaxDelaySeconds"));
    }
    if retrier.backoff_rate <= 1.0 {
        violations.extend(broken("is the last resort, and does not back off"));
    }
    if retrier.jitter != Jitter::Full {
        violations.extend(broken("is the last resort, and many of them would retry in step: JitterStrategy FULL"));
    }
    violations
}

fn after_the_page(graph: &Graph<'_>) -> Vec<Violation> {
    let pages = graph.meta.pages.as_str();
    let mut violations: Vec<Violation> = graph
        .out_of(pages)
        .filter(|edge| {
            let passes = graph.straight(edge.to).into_iter().filter_map(|name| graph.machine.states.get(name));
            let mut written = passes.filter_map(|state| match &state.kind {
                Kind::Pass(pass) => pass.verdict(),
                Kind::Task(_) | Kind::Choice(_) | Kind::Wait(_) | Kind::Succeed | Kind::Fail(_) => None,
            });
            written.next_back() != Some(graph.meta.stuck_word.as_str())
        })
        .map(|edge| {
            let what = format!("goes to `{}` without marking the run as `{}`", edge.to, graph.meta.stuck_word);
            Rule::LastResort.broken(pages, what)
        })
        .collect();
    if graph.out_of(pages).next().is_none() {
        violations.push(Rule::LastResort.broken(pages, "pages, and nothing comes after it"));
    }
    violations
}
