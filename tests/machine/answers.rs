//! Whatever the functions answer, nothing is left broken in silence.
//!
//! A run is judged by what was called and what was answered, not by the graph: this is the second opinion on the rules.

use std::collections::BTreeMap;

use drill_machine::script::{Answer, Script};
use drill_machine::{Ended, HistoryEvent, HistoryKind, Machine, Status};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::shipped::{baton, deployed, document, go_through};

const NAMES: [&str; 10] =
    ["prepare", "approval", "token", "sns:publish", "inject", "observe", "recover", "rollback", "validate", "report"];

const WORDS: [&str; 17] = [
    "ready",
    "approval",
    "injected",
    "hold",
    "inject",
    "done",
    "breached",
    "clean",
    "supported",
    "refuted",
    "inconclusive",
    "invalid",
    "aborted",
    "refused",
    "planned",
    "stuck",
    "nonsense",
];

/// The answers that a name gives most of the time; without them most runs would end at Prepare.
fn usual(name: &str) -> &'static [&'static str] {
    match name {
        "prepare" => &["ready"],
        "inject" => &["injected"],
        "observe" => &["hold", "inject", "done", "breached"],
        "recover" => &["hold", "clean"],
        "rollback" => &["clean"],
        "validate" => &["hold", "done"],
        _ => &["supported"],
    }
}

/// One answer out of two random numbers.
fn answer(name: &str, kind: u8, pick: usize) -> Answer {
    let of = |words: &[&str]| words.get(pick % words.len()).map_or(Value::Null, |word| baton(word, (pick % 7) as u64));
    match kind {
        0..=11 => Answer::Returns(of(usual(name))),
        12 | 13 => Answer::Returns(of(&WORDS)),
        14 => Answer::fails(["Phase.Broken", "Lambda.TooManyRequestsException", "States.DataLimitExceeded"][pick % 3]),
        15 => Answer::Hangs,
        16 => Answer::Returns(json!("x".repeat(300_000))),
        17 => Answer::Returns([json!(null), json!([1]), json!("clean"), json!({"verdict": "clean"})][pick % 4].clone()),
        _ => Answer::Returns(
            [
                json!({"run_id": "r", "verdict": "hold"}),
                json!({"run_id": "r", "verdict": "hold", "hold_seconds": -1}),
                json!({"run_id": "r", "verdict": "clean", "hold_seconds": "soon"}),
                json!({"run_id": 7, "verdict": "ready", "notice": null}),
            ][pick % 4]
                .clone(),
        ),
    }
}

/// What every name answers, call by call.
#[derive(Debug, Clone)]
pub struct Answers(BTreeMap<String, Vec<Answer>>);

impl Answers {
    fn from(numbers: &[Vec<(u8, usize)>]) -> Self {
        let list = |name: &str, numbers: &[(u8, usize)]| {
            numbers.iter().map(|(kind, pick)| answer(name, *kind, *pick)).collect()
        };
        Self(NAMES.iter().zip(numbers).map(|(name, numbers)| ((*name).to_owned(), list(name, numbers))).collect())
    }

    /// Answers out of a seed, for tests that try many machines.
    pub fn seeded(seed: u64) -> Self {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let numbers: Vec<Vec<(u8, usize)>> =
            NAMES.iter().map(|_| (0..4).map(|_| ((next() % 19) as u8, (next() % 1000) as usize)).collect()).collect();
        Self::from(&numbers)
    }

    fn strategy() -> impl Strategy<Value = Self> {
        let list = proptest::collection::vec((0u8..19, 0usize..1000), 1..5);
        proptest::collection::vec(list, NAMES.len()).prop_map(|numbers| Self::from(&numbers))
    }
}

/// What went wrong in a run, if anything did.
pub fn harm(machine: &Machine, answers: &Answers) -> Option<String> {
    let host = Script::new(answers.0.clone()).stopping_after(600);
    let ended = go_through(machine, &host);
    let history = host.history();
    let about = |what: &str| Some(format!("{what}: {:?} by {}", ended.status, ended.path.join(" ")));

    match &ended.status {
        // These ends are seen from outside the machine, and cleaned from there.
        Status::Aborted | Status::TimedOut => return None,
        Status::Failed { error, .. } if error.starts_with("States.") => return about("the machine itself broke"),
        Status::Failed { .. } | Status::Succeeded => {}
    }
    let changed = last(&history, HistoryKind::LambdaFunctionScheduled, "Inject");
    let paged = last(&history, HistoryKind::TaskScheduled, "Page");
    if changed > clean(&history).max(paged) {
        return about("something may be left broken, and nobody was told");
    }
    if changed > 0 && last(&history, HistoryKind::TaskSucceeded, "Announce") == 0 {
        return about("something was changed before anybody was told");
    }
    wrong_end(&ended, &host).and_then(|what| about(&what))
}

/// The number of the last such event; 0 when there is none.
fn last(history: &[HistoryEvent], kind: HistoryKind, state: &str) -> u64 {
    let of_state = |event: &&HistoryEvent| event.kind == kind && event.state.as_deref() == Some(state);
    history.iter().rfind(of_state).map_or(0, |event| event.id)
}

/// The number of the last answer that said clean, from a state that may say so.
fn clean(history: &[HistoryEvent]) -> u64 {
    let says_clean = |event: &&HistoryEvent| {
        event.kind == HistoryKind::LambdaFunctionSucceeded
            && matches!(event.state.as_deref(), Some("Recover" | "Rollback"))
            && event.data.as_ref().is_some_and(|baton| baton["verdict"] == "clean")
    };
    history.iter().rfind(says_clean).map_or(0, |event| event.id)
}

/// A success needs the verdict of a report, and who was paged for reports a stuck run.
fn wrong_end(ended: &Ended, host: &Script) -> Option<String> {
    let verdict = ended.output.as_ref().map(|baton| baton["verdict"].clone());
    if verdict.is_some_and(|verdict| verdict != "supported" && verdict != "planned") {
        return Some("it succeeded without a verdict for it".into());
    }
    let calls = host.calls();
    let (_, report) = calls.iter().rfind(|(name, _)| name == "report")?;
    let paged = ended.path.iter().any(|state| state == "Page");
    (paged && report["verdict"] != "stuck").then(|| format!("somebody was paged, and the report was told {report}"))
}

#[test]
fn the_second_opinion_sees_a_fault_that_is_left() {
    let mut machine = document().clone();
    machine["States"]["Inject"]["Catch"][1]["Next"] = json!("Report");
    let answers = |name: &str| match name {
        "inject" => Answer::fails("Phase.Broken"),
        name => answer(name, 0, 0),
    };
    let answers = Answers(NAMES.iter().map(|name| ((*name).to_owned(), vec![answers(name)])).collect());

    let harm = harm(&deployed(&machine), &answers).unwrap();

    assert!(harm.starts_with("something may be left broken, and nobody was told"), "{harm}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_left_broken_in_silence(answers in Answers::strategy()) {
        let machine = deployed(document());

        prop_assert_eq!(harm(&machine, &answers), None);
    }
}
