//! Making one fault's changes: look at the targets, write the intents, make the changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Change, Seen};
use drill_model::ids::{RunId, UnitId};
use drill_model::ledger::{Row, State};
use drill_model::plan::{Plan, PlannedChange};
use drill_model::refusal::Refusal;
use drill_model::run::Armed;
use drill_model::target::TargetId;
use jiff::Timestamp;
use serde_json::Value;

use super::{InjectError, InjectPorts, Residue};
use crate::drive::apply::{Caller, Changing, Stopped};
use crate::drive::{hosts, in_time, look};
use crate::fence;
use crate::observe::course;
use crate::ports::has::prelude::*;
use crate::ports::{Answer, BATCH, PortError};

/// How long after its intent is written a change may still be made, by any caller.
pub const TIME_TO_MAKE: Duration = Duration::from_secs(60);

/// The changes of one fault, made and not looked at yet.
pub(super) struct Made {
    /// The fault.
    pub(super) fault: drill_model::ids::FaultName,
    /// What was ordered of hosts, and of which rows.
    pub(super) orders: Vec<(hosts::Sent, Vec<Row>)>,
    /// What was done to resources.
    pub(super) changing: Vec<Changing>,
}

/// Makes the changes of one fault that are not made yet.
pub(super) async fn make(
    world: &impl InjectPorts,
    plan: &Plan,
    armed: Armed,
    change: &PlannedChange,
    rows: &[Row],
) -> Result<Made, InjectError> {
    let run = &plan.scope.run_id;
    let rows: BTreeMap<&TargetId, &Row> =
        rows.iter().filter(|row| row.fault == change.fault).map(|row| (&row.target, row)).collect();
    let new: BTreeSet<TargetId> =
        plan.scope.targets_of(change).iter().filter(|target| !rows.contains_key(*target)).cloned().collect();
    let pending: Vec<Row> = rows.into_values().filter(|row| row.state == State::Intended).cloned().collect();
    let mut made = Made { fault: change.fault.clone(), orders: Vec::new(), changing: Vec::new() };
    let mut fresh = Vec::new();
    if !new.is_empty() {
        in_slot(plan, armed, change, world.clock().now())?;
        let found = seen(world, change, &new).await?;
        fresh = intents(plan, armed, change, &new, &found, world.clock().now())?;
    }
    let looked_at = world.clock().now();
    for batch in pending.chunks(BATCH) {
        carry_out(world, plan, change, batch, Caller::Another, &mut made).await?;
    }
    for batch in fresh.chunks_mut(BATCH) {
        // Each batch has its own time: the last of many is as fresh as the first.
        let now = world.clock().now();
        in_slot(plan, armed, change, now)?;
        if now > looked_at + TIME_TO_MAKE {
            // Somebody may have protected a target since. It forbids the whole fault, as at the first look.
            let targets: BTreeSet<TargetId> = batch.iter().map(|row| row.target.clone()).collect();
            let found = seen(world, change, &targets).await?;
            batch.clone_from_slice(&intents(plan, armed, change, &targets, &found, now)?);
        }
        for row in &mut *batch {
            (row.intended_at, row.not_after, row.since) = (now, now + TIME_TO_MAKE, now);
        }
        world.ledger().intend(run, batch).await.map_err(|source| not_written(change, source))?;
        let (ours, theirs) = whose(world, run, batch).await.map_err(|source| not_written(change, source))?;
        carry_out(world, plan, change, &ours, Caller::This, &mut made).await?;
        carry_out(world, plan, change, &theirs, Caller::Another, &mut made).await?;
    }
    Ok(made)
}

async fn seen(
    world: &impl InjectPorts,
    change: &PlannedChange,
    targets: &BTreeSet<TargetId>,
) -> Result<BTreeMap<TargetId, Seen>, InjectError> {
    let kind = change.change.kind().map_or(drill_model::faults::Kind::Ec2Instance, |kind| kind.on());
    look(world, kind, targets).await.map_err(|source| unknown(&change.fault, source))
}

/// Nothing new is intended when the time of its fault is over.
fn in_slot(plan: &Plan, armed: Armed, change: &PlannedChange, now: Timestamp) -> Result<(), InjectError> {
    let deadline = course::instant(armed.from, change.slot.to);
    if now < deadline { Ok(()) } else { Err(InjectError::TooLate { run: plan.scope.run_id.clone(), deadline }) }
}

/// The intents for targets that have none yet. A target that must not be harmed forbids the whole fault.
fn intents(
    plan: &Plan,
    armed: Armed,
    change: &PlannedChange,
    targets: &BTreeSet<TargetId>,
    found: &BTreeMap<TargetId, Seen>,
    now: Timestamp,
) -> Result<Vec<Row>, InjectError> {
    let run = &plan.scope.run_id;
    let unsuitable =
        |target: &TargetId, why| Refusal::Unsuitable { fault: change.fault.clone(), target: target.clone(), why };
    let forbidden = |refusal| InjectError::Forbidden { refusal: Box::new(refusal) };
    let mut rows = Vec::with_capacity(targets.len());
    for target in targets {
        let seen = found.get(target).ok_or_else(|| forbidden(Refusal::TargetGone { target: target.clone() }))?;
        if let Some(why) = seen.ailing() {
            return Err(forbidden(unsuitable(target, why.to_string())));
        }
        if let Some(objection) = fence::objection(seen, &plan.scope.environment) {
            return Err(forbidden(objection));
        }
        let saved = match change.change.on_resource() {
            None => Value::Null,
            Some(fault) => fault.save(seen).map_err(|why| forbidden(unsuitable(target, why)))?,
        };
        rows.push(Row {
            run_id: run.clone(),
            fault: change.fault.clone(),
            target: target.clone(),
            unit: UnitId::of(run, &change.fault),
            change: change.change.clone(),
            saved,
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

/// Which of these intents are ours, and which are open and another call's: two calls of Inject can be under way at once,
/// and the one that came second finds the rows written. What is closed by now is neither.
async fn whose(world: &impl InjectPorts, run: &RunId, batch: &[Row]) -> Answer<(Vec<Row>, Vec<Row>)> {
    let there = world.ledger().rows(run).await?;
    let written = |row: &Row| batch.iter().find(|ours| (&ours.fault, &ours.target) == (&row.fault, &row.target));
    let open = there.into_iter().filter(|row| row.state == State::Intended && written(row).is_some());
    Ok(open.partition(|row| written(row).is_some_and(|ours| ours.intended_at == row.intended_at)))
}

/// Makes the change on one batch of targets, whose intents are written by a caller. Orders to hosts are sent again whoever
/// wrote the intent: a host knows whether it has the fault, and whether it was put back.
///
/// The time may have run out since then; then nothing is made, and Rollback closes them.
async fn carry_out(
    world: &impl InjectPorts,
    plan: &Plan,
    change: &PlannedChange,
    batch: &[Row],
    by: Caller,
    made: &mut Made,
) -> Result<(), InjectError> {
    match &change.change {
        Change::Host(order) => {
            let now = world.clock().now();
            let rows: Vec<&Row> = batch.iter().filter(|row| in_time(row, now)).collect();
            if rows.is_empty() {
                return Ok(());
            }
            let sent = hosts::order(world, &plan.scope.run_id, change, order, &rows, now).await;
            let mut sent = sent.map_err(|source| call_failed(&change.fault, source))?;
            sent.first &= by == Caller::This;
            made.orders.push((sent, rows.into_iter().cloned().collect()));
        }
        Change::Resource { .. } => {
            if batch.is_empty() {
                return Ok(());
            }
            let mut changing = Changing::of(batch.to_vec(), by);
            let advanced = changing.advance(world).await;
            advanced.map_err(|stopped| stopped_by(&change.fault, stopped))?;
            made.changing.push(changing);
        }
    }
    Ok(())
}

fn not_written(change: &PlannedChange, source: PortError) -> InjectError {
    InjectError::IntentNotWritten { fault: change.fault.clone(), source }
}

fn unknown(fault: &drill_model::ids::FaultName, source: PortError) -> InjectError {
    InjectError::OutcomeUnknown { fault: fault.clone(), source }
}

fn call_failed(fault: &drill_model::ids::FaultName, source: PortError) -> InjectError {
    InjectError::CallFailed { fault: fault.clone(), residue: Residue::of(&source), source }
}

pub(super) fn stopped_by(fault: &drill_model::ids::FaultName, stopped: Stopped) -> InjectError {
    match stopped {
        Stopped::Unseen(source) => unknown(fault, source),
        Stopped::Unarmed(source) => InjectError::NoScheduledUndo { fault: fault.clone(), source },
        Stopped::Call(source) => call_failed(fault, source),
    }
}
