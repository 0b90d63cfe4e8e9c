//! Samples: an item each, written once. The same stage and number is the same sample.
//!
//! One is a conditional write; several are one transaction of conditional writes: half the round trips of reading first,
//! a quarter of BatchWriteItem's 25 at a time, and unlike that it never replaces what is there.

use std::collections::BTreeMap;

use drill_model::ids::RunId;
use drill_model::observation::{Sample, Stage};
use drill_phases::ports::{Answer, Clock};

use crate::calls::{Condition, PUT, QUERY, RunTable, Unwritten};
use crate::failure::failure;
use crate::item::{Item, Key, partition, read, samples_of, string, written};
use crate::transact::{ACTIONS, Cancelled};

impl<C: Clock> RunTable<C> {
    pub(crate) async fn write_samples(&self, run: &RunId, samples: &[Sample]) -> Answer<()> {
        let mut items: BTreeMap<(Stage, u32), Item> = BTreeMap::new();
        for sample in samples {
            let key = Key::of_run(run, format!("{}{:010}", samples_of(sample.stage), sample.number));
            // A transaction has no two actions on one item; the first one counts, as it would one by one.
            items.entry((sample.stage, sample.number)).or_insert(key.with([("sample", string(written(PUT, sample)?))]));
        }
        let items: Vec<Item> = items.into_values().collect();
        if let [item] = items.as_slice() {
            return match self.put(item.clone(), Some(Condition::ABSENT)).await {
                Ok(()) | Err(Unwritten::Condition(_)) => Ok(()),
                Err(Unwritten::Failed(error)) => Err(error),
            };
        }
        for items in items.chunks(ACTIONS) {
            self.put_absent(items.to_vec()).await?;
        }
        Ok(())
    }

    /// Writes those of these items that are not there.
    async fn put_absent(&self, mut items: Vec<Item>) -> Answer<()> {
        // Each turn leaves out at least one item.
        while !items.is_empty() {
            let puts = items.iter().map(|item| self.put_action(item.clone(), Some(Condition::ABSENT)));
            match self.transact(puts.collect::<Answer<_>>()?).await {
                Ok(()) => return Ok(()),
                Err(Cancelled::Failed(error)) => return Err(error),
                Err(Cancelled::Conditions(fates)) => {
                    let mut fates = fates.iter();
                    items.retain(|_| fates.next().is_some_and(crate::transact::Fate::held));
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn read_samples(&self, run: &RunId) -> Answer<Vec<Sample>> {
        self.under(&partition(run), "SAMPLE#", |item| read(QUERY, &item, "sample")).await
    }

    pub(crate) async fn read_latest(&self, run: &RunId, stage: Stage, most: u32) -> Answer<Vec<Sample>> {
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .scan_index_forward(false)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", string(partition(run)))
            .expression_attribute_values(":prefix", string(samples_of(stage)));
        let mut latest: Vec<Sample> = Vec::new();
        let mut from = None;
        while latest.len() < wanted {
            let left = i32::try_from(wanted - latest.len()).unwrap_or(i32::MAX);
            let page = query.clone().limit(left).set_exclusive_start_key(from).send().await;
            let page = page.map_err(|error| failure(QUERY, &error))?;
            for item in page.items() {
                latest.push(read(QUERY, item, "sample")?);
            }
            match page.last_evaluated_key {
                Some(key) if !key.is_empty() => from = Some(key),
                Some(_) | None => break,
            }
        }
        latest.reverse();
        Ok(latest)
    }
}
