//! P10: what passes by itself is tried again, a few times; only the last resort tries for long.
//!
//! Every phase can be repeated, so a retry costs time and nothing else: the limits here say how much.

use std::ops::RangeInclusive;

use super::edges::Graph;
use super::{Rule, Violation};
use crate::definition::{Jitter, Kind, Resource, Retrier};
use crate::errors;

/// What Lambda answers when it, and not the function, has a bad moment.
const LAMBDA: [&str; 4] = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
];

/// A few times.
const FEW: RangeInclusive<u64> = 2..=5;

/// The longest pause between two of them.
const SOON: u64 = 60;

/// P10: every Task retries what passes by itself, a few times, and not in step with others.
pub fn retried(graph: &Graph<'_>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (name, state) in graph.machine.states.iter().filter(|(name, _)| **name != graph.meta.last_resort) {
        let Kind::Task(task) = &state.kind else { continue };
        let broken = |what: String| Rule::Retried.broken(name, what);
        let passing: &[&str] = match &task.resource {
            Resource::Function(_) => &LAMBDA,
            Resource::Service { action, .. } if action.starts_with("lambda:") => &LAMBDA,
            Resource::Service { .. } => &[errors::TASK_FAILED],
        };
        let tries = |error: &str| task.retry.iter().any(|retrier| errors::matches(&retrier.error_equals, error));
        violations.extend(
            passing.iter().filter(|error| !tries(error)).map(|error| broken(format!("does not retry {error}"))),
        );
        violations.extend(task.retry.iter().flat_map(immoderate).map(|what| broken(what.to_owned())));
    }
    violations
}

fn immoderate(retrier: &Retrier) -> Vec<&'static str> {
    [
        (!FEW.contains(&retrier.max_attempts), "retries other than 2 to 5 times"),
        (
            retrier.max_delay_seconds.is_none_or(|most| most > SOON),
            "waits longer than a minute between its tries, or does not say",
        ),
        (retrier.jitter != Jitter::Full, "retries in step with others: JitterStrategy FULL"),
    ]
    .into_iter()
    .filter_map(|(broken, what)| broken.then_some(what))
    .collect()
}
