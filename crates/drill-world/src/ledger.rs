//! The ledger: intents in transactions, steps that only go forward, and an index that lies behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::ids::{FaultName, RunId, UnitId};
use drill_model::ledger::{Row, State as RowState, step};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, BATCH, Class, Ledger, PortError, Step};
use jiff::Timestamp;

use crate::calls::Method;
use crate::store::written;
use crate::world::{State, World};

type Key = (RunId, FaultName, TargetId);

/// The rows, and what the index of open rows knows of them.
#[derive(Debug, Default)]
pub(crate) struct LedgerTable {
    rows: BTreeMap<Key, Entry>,
    by_unit: BTreeMap<(UnitId, TargetId), Key>,
}

#[derive(Debug)]
struct Entry {
    row: Row,
    written: Timestamp,
    closed: Option<Timestamp>,
}

fn key(row: &Row) -> Key {
    (row.run_id.clone(), row.fault.clone(), row.target.clone())
}

impl LedgerTable {
    /// Every row.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|entry| &entry.row)
    }

    /// The row of a unit on a target.
    pub(crate) fn of_unit(&self, unit: &UnitId, target: &TargetId) -> Option<&Row> {
        let key = self.by_unit.get(&(unit.clone(), target.clone()))?;
        Some(&self.rows.get(key)?.row)
    }

    /// The rows of a target.
    pub(crate) fn of_target<'a>(&'a self, target: &'a TargetId) -> impl Iterator<Item = &'a Row> {
        self.all().filter(move |row| row.target == *target)
    }

    fn insert(&mut self, row: Row, at: Timestamp) {
        let key = key(&row);
        if !self.rows.contains_key(&key) {
            self.by_unit.insert((row.unit.clone(), row.target.clone()), key.clone());
            self.rows.insert(key, Entry { row, written: at, closed: None });
        }
    }

    /// Moves a row if the step is allowed. Returns the row as it is now when it was closed by this.
    fn advance(&mut self, change: &Step, at: Timestamp) -> Option<Row> {
        let entry = self.rows.get_mut(&key(&change.row))?;
        let repeated = std::mem::discriminant(&entry.row.state) == std::mem::discriminant(&change.to);
        if repeated || step(&entry.row.state, &change.to).is_err() {
            return None;
        }
        entry.row.state = change.to.clone();
        entry.row.since = at;
        if entry.row.state.is_open() {
            return None;
        }
        entry.closed = Some(at);
        Some(entry.row.clone())
    }

    fn overdue(&self, before: Timestamp, index: Timestamp) -> BTreeSet<RunId> {
        let shown_open = |entry: &&Entry| entry.written <= index && entry.closed.is_none_or(|closed| closed > index);
        let late = self.rows.values().filter(shown_open).filter(|entry| entry.row.deadline < before);
        late.map(|entry| entry.row.run_id.clone()).collect()
    }
}

/// Why a transaction of intents is refused, if it is.
fn condition(state: &State, run: &RunId, rows: &[Row]) -> Result<(), (Class, String)> {
    if rows.len() > BATCH {
        return Err((Class::Refused, format!("ValidationException: {} intents in one transaction", rows.len())));
    }
    let conflict = |what: String| Err((Class::Conflict, format!("TransactionCanceledException: {what}")));
    if let Err(what) = state.store.injects(run) {
        return conflict(what);
    }
    if let Some(reason) = &state.lever {
        return conflict(format!("the emergency stop is pulled: {reason}"));
    }
    for row in rows {
        if row.run_id != *run {
            return Err((
                Class::Refused,
                format!("ValidationException: a row of run {} among those of {run}", row.run_id),
            ));
        }
        if state.leases.holder(&row.target) != Some(run) {
            return conflict(format!("run {run} does not hold the lease of {}", row.target));
        }
    }
    Ok(())
}

impl Ledger for World {
    async fn intend(&self, run: &RunId, rows: &[Row]) -> Answer<()> {
        const METHOD: Method = Method::Intend;
        self.call(METHOD, async |_| {
            for row in rows {
                written(METHOD, row)?;
            }
            let now = self.time().now();
            let mut state = self.state();
            condition(&state, run, rows).map_err(|(class, what)| PortError::new(class, METHOD.api(), what))?;
            for row in rows {
                state.ledger.insert(row.clone(), now);
            }
            Ok(())
        })
        .await
    }

    async fn advance(&self, steps: &[Step], at: Timestamp) -> Answer<()> {
        const METHOD: Method = Method::Advance;
        self.call(METHOD, async |_| {
            let closed: Vec<Row> = {
                let mut state = self.state();
                state.calls.request(METHOD.api(), steps.len().saturating_sub(1) as u64);
                steps.iter().filter_map(|step| state.ledger.advance(step, at)).collect()
            };
            for row in &closed {
                self.judge_closing(row);
            }
            Ok(())
        })
        .await
    }

    async fn rows(&self, run: &RunId) -> Answer<Vec<Row>> {
        self.call(Method::Rows, async |_| {
            Ok(self.state().ledger.all().filter(|row| row.run_id == *run).cloned().collect())
        })
        .await
    }

    async fn overdue(&self, before: Timestamp) -> Answer<BTreeSet<RunId>> {
        self.call(Method::Overdue, async |freshness| {
            let now = self.time().now();
            let state = self.state();
            let lag: Duration = freshness.lag(state.timing.index);
            let mut runs = state.ledger.overdue(before, now - lag);
            runs.extend(state.store.unfinished(before, now - lag));
            Ok(runs)
        })
        .await
    }
}

impl World {
    /// Every row of the ledger that is open.
    pub fn open_rows(&self) -> Vec<Row> {
        self.state().ledger.all().filter(|row| row.state.is_open()).cloned().collect()
    }

    /// A row is abandoned, as a person does who takes it on.
    pub fn abandon(&self, row: &Row, by: &str, why: &str) {
        let to = RowState::Abandoned { by: by.to_owned(), why: why.to_owned() };
        let at = self.time().now();
        self.state().ledger.advance(&Step { row: row.clone(), to }, at);
    }
}
