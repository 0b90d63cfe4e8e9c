//! Recover: put back what has run its time, in the regular way, and see that it is gone.
//!
//! Next state: Settle when everything is whole, Hold when other faults go on. Fails as `Recover.*`, which goes to Rollback.

use drill_model::baton::{Baton, Word};
use drill_model::ledger::Row;
use drill_model::run::{Ending, Event, Status};

use crate::observe::course;
use crate::ports::Healing;
use crate::ports::has::prelude::*;
use crate::records::{self, RecordError};
use crate::undo::{self, Left};

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
        return if left.is_empty() {
            Ok(Baton::new(id.clone(), Word::Clean))
        } else {
            Err(RecoverError::NotClean { left })
        };
    }
    let ended: Vec<Row> = match run.armed {
        Some(armed) => course::ended(&plan, &rows, armed, now).cloned().collect(),
        None => Vec::new(),
    };
    let left = undo::undo(world, id, &ended).await;
    if !left.is_empty() {
        return Err(RecoverError::NotClean { left });
    }
    records::update_from(world, run, Event::GoOn, |_| {}).await?;
    Ok(Baton::new(id.clone(), Word::Hold))
}
