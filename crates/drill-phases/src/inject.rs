//! Inject: turn the plan into changes, each written down before it is made.
//!
//! Next state: Observe. Fails as `Inject.*`, which the machine sends to Rollback. A repeated call makes no change twice
//! that is not the same when made twice, and a late one makes none.

pub(crate) mod changes;
mod guards;
mod landing;

use std::time::Duration;

use drill_model::baton::{Baton, Word};
use drill_model::ids::RunId;
use drill_model::plan::Plan;
use drill_model::refusal::Refusal;
use drill_model::run::{Armed, Event, Run, next};
use jiff::Timestamp;

use crate::observe::course;
use crate::ports::has::prelude::*;
use crate::ports::{Class, PortError, has};
use crate::records::{self, RecordError};
use crate::undo;

/// How long after the deadline the alarm clock fires, so that it never interrupts a run that is on time.
pub const CLOCK_GRACE: Duration = Duration::from_secs(30);

/// What stopped Inject. Something may have been changed by then; Rollback sees to it.
#[derive(Debug, thiserror::Error)]
pub enum InjectError {
    /// The run has moved on: somebody is putting it back, or it is over.
    #[error("run {run} does not take injections any more")]
    Superseded {
        /// Which run.
        run: RunId,
        /// Where it stands.
        #[source]
        source: RecordError,
    },
    /// The record could not be read or moved.
    #[error("injection cannot continue")]
    RunRecord(#[source] RecordError),
    /// The plan is not the one that was made ready.
    #[error("the plan of run {run} is not the one that was agreed to: start a new run")]
    PlanChanged {
        /// Which run.
        run: RunId,
    },
    /// A guard forbids it now.
    #[error("{refusal}")]
    Forbidden {
        /// Which guard.
        refusal: Box<Refusal>,
    },
    /// A target belongs to another run. Nothing was changed.
    #[error("could not take the targets of run {run}: another run has them; start again when it is over")]
    TargetBusy {
        /// Which run.
        run: RunId,
        /// Who holds what.
        #[source]
        source: PortError,
    },
    /// Without an alarm clock nothing is broken.
    #[error("could not set the alarm clock of run {run}: nothing is broken without one")]
    NoClock {
        /// Which run.
        run: RunId,
        /// What the scheduler said.
        #[source]
        source: PortError,
    },
    /// Without an undo that needs nothing of ours, nothing is broken.
    #[error("could not arm the scheduled undo of {fault}: nothing is broken without one")]
    NoScheduledUndo {
        /// Which fault.
        fault: drill_model::ids::FaultName,
        /// What the scheduler said.
        #[source]
        source: PortError,
    },
    /// The time for this is over.
    #[error("run {run} was to be over by {deadline}: this call comes too late")]
    TooLate {
        /// Which run.
        run: RunId,
        /// When it was to be over.
        deadline: Timestamp,
    },
    /// An intent could not be written, so the change was not made.
    #[error("could not record the intent of {fault}: it was not done")]
    IntentNotWritten {
        /// Which fault.
        fault: drill_model::ids::FaultName,
        /// What the store said.
        #[source]
        source: PortError,
    },
    /// A change failed after its intent was written.
    #[error("the call that makes {fault} failed")]
    CallFailed {
        /// Which fault.
        fault: drill_model::ids::FaultName,
        /// Whether something may be there all the same.
        residue: Residue,
        /// What the service said.
        #[source]
        source: PortError,
    },
    /// What the changes did could not be read.
    #[error("could not see whether {fault} landed")]
    OutcomeUnknown {
        /// Which fault.
        fault: drill_model::ids::FaultName,
        /// What the service said.
        #[source]
        source: PortError,
    },
}

/// Whether a failed change may have left something behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residue {
    /// The service says that it did nothing.
    None,
    /// The reply was lost: it may have been done.
    Possible,
}

impl Residue {
    pub(crate) const fn of(error: &PortError) -> Self {
        match error.class {
            Class::Ambiguous => Self::Possible,
            Class::Transient | Class::Refused | Class::Missing | Class::Conflict => Self::None,
        }
    }
}

has::bundle! {
    /// What Inject needs of the world.
    pub trait InjectPorts =
        Clock + Place + Runs + Ledger + Leases + EmergencyStop + AlarmClock + ArmUndo + Sees + Groups + Harms +
        HostHarm + HostAnswers + Metrics + Prometheus + Http;
}

/// Breaks what is due.
pub async fn inject(world: &impl InjectPorts, baton: &Baton) -> Result<Baton, InjectError> {
    let id = &baton.run_id;
    let (run, plan) = records::planned(world, id).await.map_err(InjectError::RunRecord)?;
    if run.plan.as_ref() != Some(&plan.scope.digest()) {
        return Err(InjectError::PlanChanged { run: id.clone() });
    }
    in_place(world, &plan)?;
    let first = run.armed.is_none();
    let (run, armed) = begin(world, &plan, run).await?;
    lease(world, &plan).await?;
    // None of these waits for another, and all are heard before anything is broken. A call under way is never dropped.
    let (set, permitted, rows) = futures_util::join!(
        set_clock(world, id, armed),
        async { if first { guards::permit(world, &plan, armed).await } else { Ok(()) } },
        world.ledger().rows(id),
    );
    set?;
    permitted?;
    let rows = rows.map_err(|error| InjectError::RunRecord(RecordError::store(id)(error)))?;
    // A call is repeated, and faults start later: what was permitted then may be forbidden now.
    let now = world.clock().now();
    if !first && course::due(&plan, armed, now).any(|change| !course::is_begun(&plan, &rows, change)) {
        guards::permit(world, &plan, armed).await?;
    }
    // Everything is ordered before anything is waited for.
    let mut made = Vec::new();
    for change in course::due(&plan, armed, world.clock().now()) {
        made.push(changes::make(world, &plan, armed, change, &rows).await?);
    }
    landing::look(world, made).await?;
    records::update_from(world, run, Event::Injected, |_| {}).await.map_err(stands_elsewhere(id))?;
    Ok(Baton::new(id.clone(), Word::Injected))
}

/// A plan is for one account and one region: the same ids elsewhere are other targets.
fn in_place(world: &impl has::Place, plan: &Plan) -> Result<(), InjectError> {
    let (here, there) = ((world.place().account(), world.place().region()), (&plan.scope.account, &plan.scope.region));
    if (&here.0, &here.1) == there {
        return Ok(());
    }
    let (account, region) = (there.0.clone(), there.1.clone());
    forbidden(Refusal::Elsewhere { account, region, here: format!("account {} in {}", here.0, here.1) })
}

/// Moves the run to breaking things, and writes its deadline, once.
async fn begin(world: &impl InjectPorts, plan: &Plan, run: Run) -> Result<(Run, Armed), InjectError> {
    let id = &plan.scope.run_id;
    let now = world.clock().now();
    let fresh = arms(run.armed, plan, now).map_err(|deadline| InjectError::TooLate { run: id.clone(), deadline })?;
    let run = records::update_from(world, run, Event::BeginInjection, |run| {
        run.armed.get_or_insert(fresh);
    })
    .await
    .map_err(stands_elsewhere(id))?;
    let armed = run.armed.unwrap_or(fresh);
    Ok((run, armed))
}

/// The targets are this run's, as long as it injects.
async fn lease(world: &impl InjectPorts, plan: &Plan) -> Result<(), InjectError> {
    let id = &plan.scope.run_id;
    let taken = world.leases().lease(id, &undo::holding(&plan.scope)).await;
    let Err(source) = taken else { return Ok(()) };
    if source.class != Class::Conflict {
        return Err(InjectError::RunRecord(RecordError::store(id)(source)));
    }
    let stands = world.runs().run(id).await.map_err(|error| InjectError::RunRecord(RecordError::store(id)(error)))?;
    match next(stands.status, Event::BeginInjection) {
        Ok(_) => Err(InjectError::TargetBusy { run: id.clone(), source }),
        Err(source) => {
            let source = RecordError::Illegal { run: id.clone(), source };
            Err(InjectError::Superseded { run: id.clone(), source })
        }
    }
}

async fn set_clock(world: &impl InjectPorts, id: &RunId, armed: Armed) -> Result<(), InjectError> {
    let rings = armed.deadline + CLOCK_GRACE;
    world.alarm_clock().set_clock(id, rings).await.map_err(|source| InjectError::NoClock { run: id.clone(), source })
}

/// From when to when something may be broken: as it was written once, or from now. An error when that is over.
pub fn arms(armed: Option<Armed>, plan: &Plan, now: Timestamp) -> Result<Armed, Timestamp> {
    match armed {
        Some(armed) if now >= armed.deadline => Err(armed.deadline),
        Some(armed) => Ok(armed),
        None => Ok(Armed { from: now, deadline: now + Duration::from(plan.scope.worst_case) }),
    }
}

fn forbidden(refusal: Refusal) -> Result<(), InjectError> {
    Err(InjectError::Forbidden { refusal: Box::new(refusal) })
}

fn stands_elsewhere(run: &RunId) -> impl FnOnce(RecordError) -> InjectError + use<'_> {
    |error| match error {
        RecordError::Illegal { .. } => InjectError::Superseded { run: run.clone(), source: error },
        RecordError::Store { .. } => InjectError::RunRecord(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, plan};

    #[test]
    fn a_deadline_is_written_once_and_what_comes_after_it_is_too_late() {
        let plan = plan("\n  stop_when: none", 1.0);
        let once = Armed { from: at(0), deadline: at(180) };

        assert_eq!(arms(None, &plan, at(0)), Ok(once));
        assert_eq!(arms(Some(once), &plan, at(100)), Ok(once));
        assert_eq!(arms(Some(once), &plan, at(180)), Err(at(180)));
    }
}
