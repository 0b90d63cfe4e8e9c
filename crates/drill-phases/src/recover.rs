//! Recover: put back what has run its time, in the regular way, and see that it is gone.
//!
//! Next state: Settle when everything is whole, Hold when other faults go on or something is on its way. Fails as
//! `Recover.*`, which goes to Rollback.

use drill_model::baton::{Baton, Word};
use drill_model::ledger::Row;
use drill_model::run::{Ending, Event, Run, Status};

use crate::observe::course;
use crate::ports::Healing;
use crate::ports::has::prelude::*;
use crate::records::{self, RecordError};
use crate::undo::{self, Left};

/// Seconds until something that is on its way is looked at again.
const BETWEEN_TURNS: u32 = 15;

/// What stopped Recover.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The record could not be read or moved.
    #[error("recovery cannot continue")]
    RunRecord(#[from] RecordError),
    /// It could not be confirmed that something was reverted.
    #[error("could not confirm that everything was reverted: {}", undo::summary(.left))]
    NotClean {
        /// What.
        left: Vec<Left>,
    },
}

/// Puts back what has run its time.
pub async fn recover(world: &impl Healing, baton: &Baton) -> Result<Baton, RecoverError> {
    let id = &baton.run_id;
    let (stands, plan) = records::planned(world, id).await?;
    if matches!(stands.status, Status::Clean | Status::Judged) {
        // Everything is whole; what may be missing is only what a clean run gives back.
        undo::clean(world, id, &Ending::Completed).await?;
        return Ok(Baton::new(id.clone(), Word::Clean));
    }
    let run = records::update_from(world, stands, Event::BeginRecovery, |_| {}).await?;
    // Only now: nothing can be intended any more.
    let rows = world.ledger().rows(id).await.map_err(RecordError::store(id))?;
    let now = world.clock().now();
    if course::is_over(&plan, &rows, run.armed, now) {
        let left = undo::clean_rows(world, id, &rows, &Ending::Completed).await?;
        if left.is_empty() {
            return Ok(Baton::new(id.clone(), Word::Clean));
        }
        return hold(world, run, left).await;
    }
    let ended: Vec<Row> = match run.armed {
        Some(armed) => course::ended(&plan, &rows, armed, now).cloned().collect(),
        None => Vec::new(),
    };
    let left = undo::undo(world, id, &ended, undo::SOON).await;
    if !left.is_empty() {
        return hold(world, run, left).await;
    }
    records::update_from(world, run, Event::GoOn, |_| {}).await?;
    Ok(Baton::new(id.clone(), Word::Hold))
}

/// Comes back to what is on its way while there is time for another look; for anything else Rollback is the one.
async fn hold(world: &impl Healing, run: Run, left: Vec<Left>) -> Result<Baton, RecoverError> {
    let in_time = run.armed.is_some_and(|armed| world.clock().now() + undo::HEARING < armed.deadline);
    if !in_time || !left.iter().all(|left| left.is_on_its_way) {
        return Err(RecoverError::NotClean { left });
    }
    let id = run.id.clone();
    records::update_from(world, run, Event::GoOn, |_| {}).await?;
    Ok(Baton::new(id, Word::Hold).holding(BETWEEN_TURNS))
}
