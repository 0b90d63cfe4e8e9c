//! The records of runs: one item each, replaced only by who knows its latest version.

use drill_model::ids::RunId;
use drill_model::observation::{Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::Run;
use drill_phases::ports::{Answer, Class, Clock, PortError, Runs};

use crate::calls::{Condition, GET, PUT, RunTable, Unwritten};
use crate::item::{Item, Key, number, read, show_in_index, status_word, string, written};

impl<C: Clock> Runs for RunTable<C> {
    const ACTIONS: &'static [&'static str] = &["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];

    /// One round trip; a second one only if the service does not return the record that was there already.
    async fn create_run(&self, run: &Run) -> Answer<Run> {
        match self.put(record(run)?, Some(Condition::ABSENT)).await {
            Ok(()) => Ok(run.clone()),
            Err(Unwritten::Condition(Some(there))) => read(PUT, &there, "record"),
            Err(Unwritten::Condition(None)) => self.run(&run.id).await,
            Err(Unwritten::Failed(error)) => Err(error),
        }
    }

    /// One round trip.
    async fn run(&self, id: &RunId) -> Answer<Run> {
        let missing = || PortError::new(Class::Missing, GET, format!("there is no run {id}"));
        let item = self.item(&Key::record(id)).await?.ok_or_else(missing)?;
        read(GET, &item, "record")
    }

    /// One round trip; a second one when it is not written and the service does not return what was there.
    async fn save_run(&self, run: &Run) -> Answer<Run> {
        let next = Run { version: run.version + 1, ..run.clone() };
        let latest = Condition::on("#it = :it", "version", number(run.version));
        match self.put(record(&next)?, Some(latest)).await {
            Ok(()) => Ok(next),
            Err(Unwritten::Failed(error)) => Err(error),
            Err(Unwritten::Condition(there)) => {
                // Only a look can tell a record that moved on from one that is not there: an answer without an item
                // may mean either, and `Missing` lets the janitor believe that there is nothing to clean.
                let stored: Run = match there {
                    Some(there) => read(PUT, &there, "record")?,
                    None => self.run(&run.id).await?,
                };
                let what = format!("run {} is at version {}, not {}", run.id, stored.version, run.version);
                Err(PortError::new(Class::Conflict, PUT, what))
            }
        }
    }

    /// One round trip for a plan of up to 3.6 MB, more for a larger one. Written all at once where one transaction can.
    async fn put_plan(&self, plan: &Plan) -> Answer<()> {
        self.write_plan(plan).await
    }

    /// One round trip for each MB of the plan.
    async fn plan(&self, id: &RunId) -> Answer<Plan> {
        self.read_plan(id).await
    }

    /// One round trip for each 100 samples, and one more where some are there already.
    async fn record_samples(&self, id: &RunId, samples: &[Sample]) -> Answer<()> {
        self.write_samples(id, samples).await
    }

    /// One round trip for each MB of samples: about 3,000 of them.
    async fn samples(&self, id: &RunId) -> Answer<Vec<Sample>> {
        self.read_samples(id).await
    }

    /// One round trip.
    async fn latest_samples(&self, id: &RunId, stage: Stage, most: u32) -> Answer<Vec<Sample>> {
        self.read_latest(id, stage, most).await
    }
}

fn record(run: &Run) -> Answer<Item> {
    let mut item = Key::record(&run.id).with([
        ("record", string(written(PUT, run)?)),
        ("version", number(run.version)),
        ("status", string(status_word(run.status))),
    ]);
    if let Some(deadline) = run.unfinished() {
        show_in_index(&mut item, deadline);
    }
    Ok(item)
}
