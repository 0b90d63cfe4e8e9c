//! The notice that people get: a subject that SNS takes from any experiment, and the verdict with what it rests on.
//!
//! A run that left something behind says so first, with every name that fits.

use drill_model::report::Report;
use drill_model::verdict::{Finding, Verdict};

use crate::escape::visible;
use crate::view::title;
use crate::words;

/// SNS refuses a subject of 100 characters or more.
const LONGEST_SUBJECT: usize = 99;
/// So many findings are told; the report has the others.
const FINDINGS: usize = 20;
/// So many targets that may still be changed are named.
const RESIDUE: usize = 50;

/// Nothing is tried any more where a person closed the row.
const TAKEN_ON: &str = "Nothing tries to undo it any more: see who took it on.";

/// A message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Printable ASCII, shorter than 100 characters.
    pub subject: String,
    /// Plain text, without control characters but the ends of its lines.
    pub body: String,
}

/// The notice about a run that has ended.
pub fn notice(report: &Report) -> Notice {
    let judgement = crate::judgement(report);
    let run = &report.run;
    let what = run.experiment.as_ref().map_or_else(|| run.id.to_string(), ToString::to_string);
    let place = run.environment.as_ref().map(|environment| format!(" in {environment}")).unwrap_or_default();
    let subject = match judgement.verdict {
        Verdict::Stuck => format!("Stormdrill STUCK, something is left behind: {what}{place}"),
        Verdict::Supported
        | Verdict::Refuted
        | Verdict::Inconclusive
        | Verdict::Invalid
        | Verdict::Aborted
        | Verdict::Refused
        | Verdict::Planned => format!("Stormdrill {}: {what}{place}", judgement.verdict),
    };

    let mut lines = vec![title(report), words::reason(&judgement), String::new()];
    let residue: Vec<_> = report.ledger.iter().filter(|row| crate::view::is_residue(row)).collect();
    if !residue.is_empty() {
        lines.push("Not known to be gone:".to_owned());
        for row in residue.iter().take(RESIDUE) {
            let (fault, target, change) = (&row.fault, &row.target, words::change(&row.change));
            lines.push(format!("- {fault} on {target}: {change}; {}", words::outcome(row)));
            lines.push(format!("  what undoes it: {}", words::undo(&row.change)));
        }
        if residue.len() > RESIDUE {
            lines.push(format!("- and {} more", residue.len() - RESIDUE));
        }
        let trying = residue.iter().any(|row| row.state.is_open());
        lines
            .push(if trying { "It is tried again and again. Look at these targets now." } else { TAKEN_ON }.to_owned());
        lines.push(String::new());
    }
    if let Some(plan) = &report.plan {
        lines.push(format!("Hypothesis: {}", plan.scope.experiment.hypothesis));
    }
    lines.push(format!("Recovered: {}", judgement.recovery));
    for Finding { holds, about, seen } in judgement.findings.iter().take(FINDINGS) {
        lines.push(format!("- {}: {about}: {seen}", words::holds(*holds)));
    }
    if judgement.findings.len() > FINDINGS {
        lines.push(format!("- and {} more findings", judgement.findings.len() - FINDINGS));
    }
    lines.push(format!("Run {}, asked for by {}", run.id, run.requested_by));

    let lines: Vec<String> = lines.iter().map(|line| one_line(line)).collect();
    Notice { subject: ascii(&subject), body: lines.join("\n") }
}

fn ascii(text: &str) -> String {
    let plain = text.chars().map(|letter| if (' '..='~').contains(&letter) { letter } else { '?' });
    plain.take(LONGEST_SUBJECT).collect()
}

/// A text of somebody else's must not look like a line of ours.
fn one_line(text: &str) -> String {
    text.chars().map(visible).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
