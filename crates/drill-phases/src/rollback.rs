//! Rollback: after anything went wrong, put back everything that was changed or may have been, with as little as possible.
//!
//! Next state: Settle. Fails as `Rollback.*` until everything is confirmed to be gone; the machine retries for a long time,
//! then pages. It needs the ledger, the instances and the hosts, and nothing else.

use drill_model::baton::{Baton, Word};
use drill_model::refusal::Refusal;
use drill_model::run::{Ending, Event, Status};

use crate::ports::Healing;
use crate::ports::has::prelude::*;
use crate::records::{self, RecordError};
use crate::undo::{self, Left};

/// What stopped Rollback, for now.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The record could not be read or moved.
    #[error("rollback cannot continue")]
    RunRecord(#[from] RecordError),
    /// It could not be confirmed that something was reverted.
    #[error("could not confirm that everything was reverted: {}", undo::summary(.left))]
    NotClean {
        /// What.
        left: Vec<Left>,
    },
}

/// Puts back everything.
pub async fn rollback(world: &impl Healing, baton: &Baton) -> Result<Baton, RollbackError> {
    let ending = records::caught(baton).unwrap_or_else(|| Ending::Failed {
        error: "Unexpected".to_owned(),
        cause: format!("the machine came to Rollback with the word `{}`", baton.verdict),
    });
    let ending = refused(world, baton).await?.unwrap_or(ending);
    let left = clean_up(world, &baton.run_id, &ending).await?;
    if left.is_empty() {
        Ok(Baton::new(baton.run_id.clone(), Word::Clean))
    } else {
        Err(RollbackError::NotClean { left })
    }
}

/// What Inject would not begin was refused, and not aborted: nothing was even intended.
async fn refused(world: &impl Healing, baton: &Baton) -> Result<Option<Ending>, RecordError> {
    let Some(caught) = &baton.error else { return Ok(None) };
    let why = caught.cause.chars().take(1_000).collect();
    let refusal = match caught.error.as_str() {
        "Inject.TargetBusy" => Refusal::TargetBusy { why },
        "Inject.Forbidden" => Refusal::Meanwhile { why },
        _ => return Ok(None),
    };
    let rows = world.ledger().rows(&baton.run_id).await.map_err(RecordError::store(&baton.run_id))?;
    Ok(rows.is_empty().then_some(Ending::Refused { reasons: vec![refusal] }))
}

/// Whether a run that stands here is moved to cleaning before it is cleaned. One that is over is only looked after.
pub const fn is_cleanable(status: Status) -> bool {
    !matches!(status, Status::Clean | Status::Judged | Status::Refused | Status::Planned)
}

/// Moves a run to cleaning, so that no late Inject gets another intent in, and cleans it. Returns what is left.
pub(crate) async fn clean_up(
    world: &impl Healing,
    id: &drill_model::ids::RunId,
    ending: &Ending,
) -> Result<Vec<Left>, RecordError> {
    let stands = world.runs().run(id).await.map_err(RecordError::store(id))?;
    if is_cleanable(stands.status) {
        records::update_from(world, stands, Event::BeginRollback, |run| run.end(ending.clone())).await?;
    }
    undo::clean(world, id, ending).await
}
