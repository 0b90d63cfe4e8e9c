//! The findings as JUnit test cases, for pipelines.
//!
//! What is unknown is an error, never a pass; a verdict other than `supported` or `planned` never leaves a green suite.

use std::collections::BTreeMap;

use askama::Template;
use drill_model::report::Report;
use drill_model::verdict::{Finding, Holds, Judgement, Verdict};
use jiff::Timestamp;

use crate::words;

#[derive(Template)]
#[template(path = "junit.xml")]
struct Suite {
    name: String,
    verdict: Verdict,
    reason: String,
    run: String,
    environment: String,
    seconds: String,
    started: String,
    failures: usize,
    errors: usize,
    skipped: usize,
    cases: Vec<Case>,
}

struct Case {
    name: String,
    seen: String,
    outcome: Outcome,
}

/// How a test case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Errored,
    Skipped,
}

pub(crate) fn render(report: &Report, judgement: &Judgement) -> String {
    let run = &report.run;
    let mut cases: Vec<Case> =
        named(&judgement.findings).map(|(name, finding)| Case::of(name, finding, judgement.verdict)).collect();
    let green = cases.iter().all(|case| matches!(case.outcome, Outcome::Passed | Outcome::Skipped));
    if green && !matches!(judgement.verdict, Verdict::Supported | Verdict::Planned) {
        cases.push(Case { name: "verdict".to_owned(), seen: words::reason(judgement), outcome: Outcome::Errored });
    }
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    let suite = Suite {
        name: run.experiment.as_ref().map_or_else(|| run.id.to_string(), ToString::to_string),
        verdict: judgement.verdict,
        reason: words::reason(judgement),
        run: run.id.to_string(),
        environment: run.environment.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string),
        seconds: seconds(run.created_at, last(report)),
        started: words::instant(run.created_at),
        failures: count(Outcome::Failed),
        errors: count(Outcome::Errored),
        skipped: count(Outcome::Skipped),
        cases,
    };
    suite.render().expect("writing to a String succeeds")
}

impl Case {
    fn of(name: String, finding: &Finding, verdict: Verdict) -> Self {
        let outcome = match (finding.holds, verdict) {
            (_, Verdict::Planned) => Outcome::Skipped,
            (Holds::Yes, _) => Outcome::Passed,
            (Holds::No, _) => Outcome::Failed,
            (Holds::Unknown, _) => Outcome::Errored,
        };
        Self { name, seen: finding.seen.clone(), outcome }
    }
}

/// Each finding with a name of its own: readers of JUnit files throw away a second case of the same name.
fn named(findings: &[Finding]) -> impl Iterator<Item = (String, &Finding)> {
    let mut before: BTreeMap<&str, u32> = BTreeMap::new();
    findings.iter().map(move |finding| {
        let times = before.entry(&finding.about).and_modify(|times| *times += 1).or_insert(1);
        let name = if *times == 1 { finding.about.clone() } else { format!("{} ({times})", finding.about) };
        (name, finding)
    })
}

/// The last instant that the report knows of.
fn last(report: &Report) -> Timestamp {
    let run = &report.run;
    let rows = report.ledger.iter().map(|row| row.since);
    let samples = report.samples.iter().map(|sample| sample.at);
    rows.chain(samples).chain(run.clean_at).fold(run.created_at, Timestamp::max)
}

fn seconds(from: Timestamp, to: Timestamp) -> String {
    format!("{:.3}", to.duration_since(from).as_secs_f64())
}
