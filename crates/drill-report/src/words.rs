//! How a report writes verdicts, numbers, instants and changes.

use drill_model::faults::{Change, Ends};
use drill_model::ledger::{Gone, Row, State};
use drill_model::verdict::{Holds, Judgement, Verdict};
use jiff::{SignedDuration, Timestamp};

/// What a finding says, in a table.
pub(crate) const fn holds(holds: Holds) -> &'static str {
    match holds {
        Holds::Yes => "holds",
        Holds::No => "does not hold",
        Holds::Unknown => "unknown",
    }
}

/// The verdict in one sentence, with the weightiest finding.
pub(crate) fn reason(judgement: &Judgement) -> String {
    let opening = match judgement.verdict {
        Verdict::Supported => {
            return "The fault was there, enough was measured, and the hypothesis held.".to_owned();
        }
        Verdict::Planned => return "A dry run: everything was planned and nothing was changed.".to_owned(),
        Verdict::Refuted => "The hypothesis did not hold",
        Verdict::Inconclusive => "Too little is known to say whether the hypothesis held",
        Verdict::Invalid => "The fault was not there as planned, so what was measured means nothing",
        Verdict::Aborted => "The run was stopped before its time",
        Verdict::Refused => "The run was not begun",
        Verdict::Stuck => "Something may be left behind",
    };
    let Some(first) = judgement.findings.first() else { return format!("{opening}.") };
    let about = match judgement.verdict {
        Verdict::Aborted | Verdict::Refused => String::new(),
        Verdict::Supported
        | Verdict::Planned
        | Verdict::Refuted
        | Verdict::Inconclusive
        | Verdict::Invalid
        | Verdict::Stuck => format!("{}: ", first.about),
    };
    let weight = first.holds;
    let more = judgement.findings.iter().filter(|finding| finding.holds == weight).count() - 1;
    // That it was stopped says all: what else is not known follows from it.
    let more =
        if more == 0 || judgement.verdict == Verdict::Aborted { String::new() } else { format!(" (and {more} more)") };
    format!("{opening}: {about}{}{more}.", first.seen.trim_end_matches('.'))
}

/// An instant, to the second.
pub(crate) fn instant(at: Timestamp) -> String {
    format!("{at:.0}")
}

/// A number on an axis: four digits are enough.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e9).contains(&value.abs()) {
        return format!("{value:.2e}");
    }
    let rounded = if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{value:.3}") };
    if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
}

/// What is done to a target.
pub(crate) fn change(change: &Change) -> String {
    match change {
        Change::Host(order) => {
            let parameters = order.parameters.iter().map(|(name, value)| format!(" {name}={value}"));
            format!("{}{}", order.document.name(), parameters.collect::<String>())
        }
        Change::Resource { .. } => change.calls().join(", "),
    }
}

/// What undoes it.
pub(crate) fn undo(change: &Change) -> String {
    match (change.ends(), change) {
        (Ends::PutBack, Change::Host(_)) => "the revert document, or the host's own timer".to_owned(),
        (Ends::PutBack, Change::Resource { fault }) => fault.kind().actions().1.join(", "),
        (Ends::ByItself, _) => "nothing to undo: what supervises the target brings it back".to_owned(),
        (Ends::Never, _) => "nothing: it is irreversible".to_owned(),
    }
}

/// Instants that are no further apart are told as one.
const EXACT: SignedDuration = SignedDuration::from_secs(5);

/// How far a change has come, and how one knows.
pub(crate) fn outcome(row: &Row) -> String {
    match &row.state {
        State::Intended => "may be there: it was intended, and nothing tells whether it was made".to_owned(),
        State::Landed { at } => format!("there since {}, and not seen to be gone", instant(*at)),
        State::NeverMade { why } => format!("never made: {why}"),
        State::Undone { landed, how, told } => {
            let landed = if landed.is_some() { "" } else { ", never seen to be there" };
            let ended = match (told.ended, told.ended_by) {
                (Some(at), Some(by)) if by.duration_since(at) > EXACT => {
                    format!("; it had ended between {} and {}", instant(at), instant(by))
                }
                (Some(at), _) => format!("; it had ended at {}", instant(at)),
                (None, _) => String::new(),
            };
            let met = if told.met == Some(false) { "; nothing ever met it" } else { "" };
            format!("{}{landed}{ended}{met}", gone(*how))
        }
        State::Abandoned { by, why } => format!("{by} took it on: {why}"),
    }
}

const fn gone(how: Gone) -> &'static str {
    match how {
        Gone::Reverted => "gone: the host reverted it and saw its absence",
        Gone::Absent => "gone: the host has nothing of it",
        Gone::Restored => "gone: the target is as it was before",
        Gone::Converged => "over: it happened once, and the target is alive",
        Gone::TargetGone => "over: the target does not exist any more",
    }
}

/// A count with its noun.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_an_axis_are_short() {
        for (value, expected) in
            [(0.0, "0"), (0.1 + 0.2, "0.3"), (1500.4, "1500"), (99.95, "99.95"), (1e12, "1.00e12"), (-2.5, "-2.5")]
        {
            assert_eq!(number(value), expected);
        }
    }
}
