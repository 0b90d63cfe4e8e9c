//! Making one fault's changes: look at the targets, write the intents, make the changes, see whether they landed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::Change;
use drill_model::host::HostOrder;
use drill_model::ids::{InstanceId, RunId, UnitId};
use drill_model::ledger::{Original, Row, State};
use drill_model::plan::{Plan, PlannedChange};
use drill_model::run::Armed;
use jiff::Timestamp;

use super::{InjectError, InjectPorts, Residue, landing};
use crate::fence;
use crate::observe::course;
use crate::ports::{BATCH, Class, CommandId, HostCommand, Instance, InstanceState, PortError};

/// A change may be made until so long after its intent was written, and not later, whoever delivers it.
const TIME_TO_MAKE: Duration = Duration::from_secs(60);
/// A host puts its own fault back so long after the fault's time, if nobody else did.
const HOST_GRACE: Duration = Duration::from_secs(15);

/// Makes the changes of one fault that are not made yet, and looks for those of which nothing was heard.
pub(super) async fn make(
    world: &impl InjectPorts,
    plan: &Plan,
    armed: Armed,
    change: &PlannedChange,
) -> Result<(), InjectError> {
    let unread = |source| InjectError::Unread { fault: change.fault.clone(), source };
    let run = &plan.scope.run_id;
    let rows: BTreeMap<InstanceId, Row> = world
        .rows(run)
        .await
        .map_err(unread)?
        .into_iter()
        .filter(|row| row.fault == change.fault)
        .map(|row| (row.target.clone(), row))
        .collect();
    let new: BTreeSet<InstanceId> =
        plan.scope.targets_of(change).iter().filter(|target| !rows.contains_key(*target)).cloned().collect();
    let mut pending: Vec<Row> = rows.into_values().filter(|row| row.state == State::Intended).collect();
    let mut fresh = Vec::new();
    if !new.is_empty() {
        in_slot(run, armed, change, world.now())?;
        let found = world.describe(&new).await.map_err(unread)?;
        fresh = intents(plan, armed, change, &new, found, world.now())?;
    }
    let looked_at = world.now();
    let mut commands = Vec::new();
    for batch in pending.chunks(BATCH) {
        // A reboot that may have been done is not done again; everything else is the same when done twice.
        if change.change != Change::RebootInstance {
            commands.extend(carry_out(world, plan, change, batch).await?);
        }
    }
    for batch in fresh.chunks_mut(BATCH) {
        // Each batch has its own time: the last of many is as fresh as the first.
        let now = world.now();
        in_slot(run, armed, change, now)?;
        if now > looked_at + TIME_TO_MAKE {
            // Somebody may have protected a target since. It forbids the whole fault, as at the first look.
            let targets: BTreeSet<InstanceId> = batch.iter().map(|row| row.target.clone()).collect();
            let found = world.describe(&targets).await.map_err(unread)?;
            batch.clone_from_slice(&intents(plan, armed, change, &targets, found, now)?);
        }
        for row in &mut *batch {
            (row.intended_at, row.not_after, row.since) = (now, now + TIME_TO_MAKE, now);
        }
        world.intend(run, batch).await.map_err(|source| unrecorded(change, source))?;
        commands.extend(carry_out(world, plan, change, batch).await?);
    }
    pending.extend(fresh);
    landing::look(world, &pending, &commands).await.map_err(unread)
}

/// Nothing new is intended when the time of its fault is over.
fn in_slot(run: &RunId, armed: Armed, change: &PlannedChange, now: Timestamp) -> Result<(), InjectError> {
    let deadline = course::instant(armed.from, change.slot.to);
    if now < deadline { Ok(()) } else { Err(InjectError::TooLate { run: run.clone(), deadline }) }
}

/// The intents for targets that have none yet. A target that must not be harmed forbids the whole fault.
fn intents(
    plan: &Plan,
    armed: Armed,
    change: &PlannedChange,
    targets: &BTreeSet<InstanceId>,
    found: Vec<Instance>,
    now: Timestamp,
) -> Result<Vec<Row>, InjectError> {
    let run = &plan.scope.run_id;
    let forbidden = |what: String| InjectError::Forbidden { what };
    let running: BTreeMap<InstanceId, Instance> = found
        .into_iter()
        .filter(|instance| instance.state == InstanceState::Running)
        .map(|instance| (instance.id.clone(), instance))
        .collect();
    let mut rows = Vec::with_capacity(targets.len());
    for target in targets {
        let instance = running.get(target).ok_or_else(|| forbidden(format!("{target} is not running any more")))?;
        if let Some(objection) = fence::objection(instance, &plan.scope.environment) {
            return Err(forbidden(objection));
        }
        rows.push(Row {
            run_id: run.clone(),
            fault: change.fault.clone(),
            target: target.clone(),
            unit: UnitId::of(run, &change.fault),
            change: change.change.clone(),
            reversal: change.reversal,
            original: match change.change {
                Change::Host(_) => Original::Host,
                Change::StopInstance | Change::RebootInstance | Change::TerminateInstance => {
                    Original::RunningInstance { group: instance.group.clone() }
                }
            },
            intended_at: now,
            not_after: now + TIME_TO_MAKE,
            ends_at: course::instant(armed.from, change.slot.to),
            deadline: armed.deadline,
            state: State::Intended,
            since: now,
        });
    }
    Ok(rows)
}

/// Makes the change on one batch of targets. The intents are written.
///
/// The time may have run out since then; then nothing is made, and Rollback closes them.
async fn carry_out(
    world: &impl InjectPorts,
    plan: &Plan,
    change: &PlannedChange,
    batch: &[Row],
) -> Result<Option<CommandId>, InjectError> {
    let now = world.now();
    let rows: Vec<&Row> = batch.iter().filter(|row| now <= row.not_after).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let targets: BTreeSet<InstanceId> = rows.iter().map(|row| row.target.clone()).collect();
    let made = match &change.change {
        Change::Host(order) => {
            let order = command(plan, change, order, &rows, targets, now);
            match world.harm(&order).await {
                // The hosts answer a second order with `already`, so asking again is how one learns what happened.
                Err(error) if error.class == Class::Ambiguous => world.harm(&order).await.map(Some),
                sent => sent.map(Some),
            }
        }
        Change::StopInstance => world.stop(&targets).await.map(|()| None),
        Change::TerminateInstance => world.terminate(&targets).await.map(|()| None),
        Change::RebootInstance => world.reboot(&targets).await.map(|()| None),
    };
    made.map_err(|source| unmade(change, source))
}

/// The order to the hosts, with what every fault document takes.
fn command(
    plan: &Plan,
    change: &PlannedChange,
    order: &HostOrder,
    rows: &[&Row],
    targets: BTreeSet<InstanceId>,
    now: Timestamp,
) -> HostCommand {
    let run = &plan.scope.run_id;
    let earliest = |at: fn(&Row) -> Timestamp| rows.iter().map(|row| at(row)).min().unwrap_or(now);
    let ends = earliest(|row| row.ends_at) + HOST_GRACE;
    let seconds = ends.duration_since(now).as_secs().clamp(1, 43_200);
    let mut parameters = order.parameters.clone();
    parameters.extend(
        [
            ("Unit", UnitId::of(run, &change.fault).to_string()),
            ("Run", run.to_string()),
            ("NotAfter", earliest(|row| row.not_after).as_second().to_string()),
            ("Deadline", ends.as_second().to_string()),
            ("MaxSeconds", seconds.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    HostCommand { document: order.document, targets, parameters, comment: format!("stormdrill:{run}:{}", change.fault) }
}

fn unrecorded(change: &PlannedChange, source: PortError) -> InjectError {
    InjectError::Unrecorded { fault: change.fault.clone(), source }
}

fn unmade(change: &PlannedChange, source: PortError) -> InjectError {
    InjectError::Unmade { fault: change.fault.clone(), residue: Residue::of(&source), source }
}
