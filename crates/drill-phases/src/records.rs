//! Reading and moving the record of a run, with everybody else doing the same.

use drill_model::baton::Baton;
use drill_model::ids::RunId;
use drill_model::plan::Plan;
use drill_model::run::{Event, IllegalEvent, Run};

use crate::ports::has::prelude::*;
use crate::ports::{Class, PortError, has};

/// How often a lost race is run again: each loss means that somebody else moved the run on.
const RACES: usize = 8;

/// A record that could not be read or moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The store did not answer as it should.
    #[error("the record of run {run} cannot be read or written")]
    Store {
        /// Which run.
        run: RunId,
        /// What the store said.
        #[source]
        source: PortError,
    },
    /// The run stands where this cannot happen.
    #[error("run {run} has moved on")]
    Illegal {
        /// Which run.
        run: RunId,
        /// What was tried.
        #[source]
        source: IllegalEvent,
    },
}

impl RecordError {
    pub(crate) fn store(run: &RunId) -> impl FnOnce(PortError) -> Self + use<'_> {
        |source| Self::Store { run: run.clone(), source }
    }
}

/// Where a run stands, and its plan: read side by side.
pub(crate) async fn planned(world: &impl has::Runs, id: &RunId) -> Result<(Run, Plan), RecordError> {
    futures_util::try_join!(world.runs().run(id), world.runs().plan(id)).map_err(RecordError::store(id))
}

/// Moves a run by an event and a change, however many others write it too.
///
/// Repeating is harmless where [`drill_model::run::next`] lets the event repeat. Nothing is written when nothing changes.
pub(crate) async fn update(
    world: &impl has::Runs,
    id: &RunId,
    event: Event,
    change: impl FnMut(&mut Run),
) -> Result<Run, RecordError> {
    let known = world.runs().run(id).await.map_err(RecordError::store(id))?;
    update_from(world, known, event, change).await
}

/// As [`update`], from a record that was read a moment ago. When somebody else has written since, what stands there counts.
pub(crate) async fn update_from(
    world: &impl has::Runs,
    known: Run,
    event: Event,
    mut change: impl FnMut(&mut Run),
) -> Result<Run, RecordError> {
    let id = &known.id.clone();
    let mut before = known;
    let mut lost = None;
    for race in 0..RACES {
        if race > 0 {
            before = world.runs().run(id).await.map_err(RecordError::store(id))?;
        }
        let mut run = before.clone();
        run.apply(event).map_err(|source| RecordError::Illegal { run: id.clone(), source })?;
        change(&mut run);
        if run == before {
            return Ok(run);
        }
        match world.runs().save_run(&run).await {
            Ok(saved) => return Ok(saved),
            // Lost the race, or the reply: what stands there now decides.
            Err(error) if matches!(error.class, Class::Conflict | Class::Ambiguous) => lost = Some(error),
            Err(error) => return Err(RecordError::store(id)(error)),
        }
    }
    let source =
        lost.unwrap_or_else(|| PortError::new(Class::Conflict, "dynamodb:PutItem", "the record keeps changing"));
    Err(RecordError::Store { run: id.clone(), source })
}

/// What a caught error says, for the record.
pub(crate) fn caught(baton: &Baton) -> Option<drill_model::run::Ending> {
    let caught = baton.error.as_ref()?;
    let cause = caught.cause.chars().take(1_000).collect();
    Some(drill_model::run::Ending::Failed { error: caught.error.chars().take(200).collect(), cause })
}
