//! Intents: no change is made that is not written here first, and nothing is written here that may not be done.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;
use drill_model::ids::RunId;
use drill_model::ledger::Row;
use drill_model::run::Status;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, BATCH, Class, Clock, PortError};

use crate::calls::{Condition, RunTable};
use crate::item::{Item, Key, row_item, status_word, string, text};
use crate::transact::{ACTIONS, Cancelled, Fate, TRANSACT};

/// The most rows whose transaction has room for all its conditions: the run, the emergency stop, a lease for each.
const ROWS_AT_ONCE: usize = (ACTIONS - 2) / 2;

impl<C: Clock> RunTable<C> {
    pub(crate) async fn write_intents(&self, run: &RunId, rows: &[Row]) -> Answer<()> {
        let refused = |what: String| Err(PortError::new(Class::Refused, TRANSACT, what));
        if rows.len() > BATCH {
            return refused(format!("{} intents at once: the most is {BATCH}", rows.len()));
        }
        if let Some(row) = rows.iter().find(|row| row.run_id != *run) {
            return refused(format!("a row of run {} among those of {run}", row.run_id));
        }
        // The conditions are checked even when there is nothing to write.
        if rows.is_empty() {
            return self.write_together(run, &[]).await;
        }
        for rows in rows.chunks(rows.len().div_ceil(rows.len().div_ceil(ROWS_AT_ONCE))) {
            self.write_together(run, rows).await?;
        }
        Ok(())
    }

    /// Writes those of these rows that are not there, with every condition.
    async fn write_together(&self, run: &RunId, rows: &[Row]) -> Answer<()> {
        let targets: BTreeSet<&TargetId> = rows.iter().map(|row| &row.target).collect();
        let targets: Vec<&TargetId> = targets.into_iter().collect();
        let mut rows: Vec<&Row> = distinct(rows);
        // Each turn leaves out at least one row; the last one may have none and still has every condition.
        loop {
            let mut actions = self.conditions(run, &targets)?;
            for row in &rows {
                actions.push(self.put_action(row_item(TRANSACT, row)?, Some(Condition::ABSENT))?);
            }
            match self.transact(actions).await {
                Ok(()) => return Ok(()),
                Err(Cancelled::Failed(error)) => return Err(error),
                Err(Cancelled::Conditions(fates)) => {
                    let (conditions, puts) = fates.split_at(targets.len() + 2);
                    if let Some(what) = objection(run, &targets, conditions) {
                        return Err(PortError::new(Class::Conflict, TRANSACT, what));
                    }
                    // Those that are there stay as they are.
                    let mut puts = puts.iter();
                    rows.retain(|_| puts.next().is_some_and(Fate::held));
                }
            }
        }
    }

    /// The run is injecting, the emergency stop is not pulled, this run has each of the targets for itself: in this order.
    fn conditions(&self, run: &RunId, targets: &[&TargetId]) -> Answer<Vec<TransactWriteItem>> {
        let mut actions = vec![self.injecting(run)?, self.check_action(&Key::lever(), Condition::ABSENT)?];
        for target in targets {
            let ours = Condition::on("#it = :it", "owner", string(run.as_str()));
            actions.push(self.check_action(&Key::lease(target), ours)?);
        }
        Ok(actions)
    }

    /// The run is injecting.
    pub(crate) fn injecting(&self, run: &RunId) -> Answer<TransactWriteItem> {
        let injecting = Condition::on("#it = :it", "status", string(status_word(Status::Injecting)));
        self.check_action(&Key::record(run), injecting)
    }
}

/// Why [`RunTable::injecting`] did not hold, in words.
pub(crate) fn not_injecting(run: &RunId, there: Option<&Item>) -> String {
    match there.and_then(|there| text(there, "status")) {
        Some(status) => format!("run {run} is {status}, not injecting"),
        None => format!("run {run} is not injecting"),
    }
}

/// The first row of each key: a transaction has no two actions on one item.
fn distinct(rows: &[Row]) -> Vec<&Row> {
    let mut seen = BTreeSet::new();
    rows.iter().filter(|row| seen.insert((&row.fault, &row.target))).collect()
}

/// Which condition did not hold, if any, in words.
fn objection(run: &RunId, targets: &[&TargetId], conditions: &[Fate]) -> Option<String> {
    let failed = conditions.iter().enumerate().find_map(|(at, fate)| match fate {
        Fate::Failed(there) => Some((at, there.as_ref())),
        Fate::Held => None,
    });
    let (at, there) = failed?;
    let said = |name: &str| there.and_then(|there| text(there, name)).map(str::to_owned);
    Some(match at {
        0 => not_injecting(run, there),
        1 => match said("reason") {
            Some(reason) => format!("the emergency stop is pulled: {reason}"),
            None => "the emergency stop is pulled".to_owned(),
        },
        at => format!("run {run} does not hold the lease of {}", targets[at - 2]),
    })
}
