//! Every change, what undid it, and how it is known to be gone. What is not known to be gone comes first and is never cut.

use drill_model::ledger::{Row, State};
use drill_model::report::Report;

use crate::words;

/// So many of the changes that are known to be gone are listed.
const LISTED: usize = 200;

/// The changes, those that may still be there first.
pub(crate) struct Ledger {
    pub(crate) lines: Vec<Line>,
    /// How many more there are, all of them known to be gone.
    pub(crate) more: usize,
}

/// One change to one target.
pub(crate) struct Line {
    pub(crate) residue: bool,
    pub(crate) fault: String,
    pub(crate) target: String,
    pub(crate) change: String,
    pub(crate) undo: String,
    pub(crate) outcome: String,
    pub(crate) since: String,
}

/// True unless the change is known to be gone, or never to have been made.
pub(crate) const fn is_residue(row: &Row) -> bool {
    match &row.state {
        State::Intended | State::Landed { .. } | State::Abandoned { .. } => true,
        State::NeverMade { .. } | State::Undone { .. } => false,
    }
}

impl Ledger {
    pub(crate) fn of(report: &Report) -> Self {
        let mut rows: Vec<&Row> = report.ledger.iter().collect();
        rows.sort_by_key(|row| (!is_residue(row), row.intended_at));
        let residue = rows.iter().filter(|row| is_residue(row)).count();
        let lines: Vec<Line> = rows.iter().take(residue + LISTED).map(|row| Line::of(row)).collect();
        Self { more: rows.len() - lines.len(), lines }
    }
}

impl Line {
    fn of(row: &Row) -> Self {
        Self {
            residue: is_residue(row),
            fault: row.fault.to_string(),
            target: row.target.to_string(),
            change: words::change(&row.change),
            undo: words::undo(&row.change),
            outcome: words::outcome(row),
            since: words::instant(row.since),
        }
    }
}
