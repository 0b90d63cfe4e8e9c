//! The ledger: intents with every condition in the transaction that writes them, steps that only go forward.

mod advance;
mod intend;

pub(crate) use self::intend::not_injecting;

use std::collections::BTreeSet;

use drill_model::ids::RunId;
use drill_model::ledger::Row;
use drill_phases::ports::{Answer, Clock, Ledger, Step};
use jiff::Timestamp;

use crate::calls::{QUERY, RunTable};
use crate::failure::{failure, unreadable};
use crate::item::{OPEN, OPEN_INDEX, instant, partition, read, run_of, string, text, what};

impl<C: Clock> Ledger for RunTable<C> {
    /// `dynamodb:Query` on the index too.
    const ACTIONS: &'static [&'static str] =
        &["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:Query"];

    /// One round trip for up to 49 rows of as many targets, two for 50: a transaction has 100 actions, and takes two for
    /// each row beside the two for the run and the emergency stop. One more where some rows are there already.
    ///
    /// When the second of two transactions is refused, the intents of the first stay: rows of changes that are never
    /// made, which undoing closes. They are not removed: another call of this run may have seen them and relied on them.
    async fn intend(&self, run: &RunId, rows: &[Row]) -> Answer<()> {
        self.write_intents(run, rows).await
    }

    /// One round trip for each 100 rows that still are as the steps say; two more for each lost race.
    async fn advance(&self, steps: &[Step], at: Timestamp) -> Answer<()> {
        self.write_steps(steps, at).await
    }

    /// One round trip for each MB of rows: about 1,000 of them.
    async fn rows(&self, run: &RunId) -> Answer<Vec<Row>> {
        self.under(&partition(run), "ROW#", |item| read(QUERY, &item, "row")).await
    }

    /// One round trip for each MB of the index: about 5,000 open rows and unfinished runs. An index is never consistent.
    async fn overdue(&self, before: Timestamp) -> Answer<BTreeSet<RunId>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(OPEN_INDEX)
            .key_condition_expression("#open = :open AND #deadline < :before")
            .expression_attribute_names("#open", "open")
            .expression_attribute_names("#deadline", "deadline")
            .expression_attribute_values(":open", string(OPEN))
            .expression_attribute_values(":before", string(instant(before)));
        let mut runs = BTreeSet::new();
        let mut from = None;
        loop {
            let page = query.clone().set_exclusive_start_key(from).send().await;
            let page = page.map_err(|error| failure(QUERY, &error))?;
            for item in page.items() {
                let run = text(item, "pk").and_then(run_of);
                runs.insert(run.ok_or_else(|| unreadable(QUERY, &what(item), "it is not of a run"))?);
            }
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                Some(_) | None => return Ok(runs),
            }
        }
    }
}
