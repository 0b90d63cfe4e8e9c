//! Undoing what was done to instances: start what was stopped, and see that what happened once is over.
//!
//! A call that was only intended may still be made by a function that nobody can stop, until its `not_after` and the
//! time that a call can be under way. Until then such a row is not closed, whatever the instance looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::Change;
use drill_model::host::{Document, HostReport};
use drill_model::ids::{InstanceId, RunId};
use drill_model::ledger::{Gone, Row, State};
use jiff::Timestamp;

use super::{Left, PATIENCE, because, close, undone};
use crate::answers;
use crate::ports::{BATCH, Class, CommandId, Healing, HostAnswer, HostCommand, Instance, InstanceState};

/// The longest that a call can be under way: every attempt of the SDK and the network between.
pub const UNDER_WAY: Duration = Duration::from_secs(60);
/// Between two looks at the instances.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

pub(super) async fn undo(world: &impl Healing, run: &RunId, rows: &[&Row]) -> Vec<Left> {
    if rows.is_empty() {
        return Vec::new();
    }
    let ids: BTreeSet<InstanceId> = rows.iter().map(|row| row.target.clone()).collect();
    let give_up = world.now() + PATIENCE;
    let mut failures: BTreeMap<InstanceId, String> = BTreeMap::new();
    let mut started: BTreeSet<InstanceId> = BTreeSet::new();
    loop {
        let found = match world.describe(&ids).await {
            Ok(found) => found.into_iter().map(|instance| (instance.id.clone(), instance)).collect(),
            Err(error) => return rows.iter().map(|row| Left { row: (*row).clone(), why: because(&error) }).collect(),
        };
        let now = world.now();
        let to_start: Vec<&Row> =
            rows.iter().copied().filter(|row| wants_start(row, &found, started.contains(&row.target), now)).collect();
        for batch in to_start.chunks(BATCH) {
            let ids: Vec<InstanceId> = batch.iter().map(|row| row.target.clone()).collect();
            let refused = start(world, &ids).await;
            started.extend(
                batch
                    .iter()
                    .filter(|row| settled(row, now) && !refused.contains_key(&row.target))
                    .map(|row| row.target.clone()),
            );
            failures.extend(refused);
        }
        let boots = boots(world, run, rows, &found).await;
        let now = world.now();
        let looked: Vec<(&Row, Result<State, String>)> = rows
            .iter()
            .map(|row| {
                let healed = started.contains(&row.target);
                (*row, look(row, found.get(&row.target), boots.get(&row.target), healed, now))
            })
            .collect();
        if now >= give_up || looked.iter().all(|(_, seen)| seen.is_ok()) {
            let (mut closed, mut left) = (Vec::new(), Vec::new());
            for (row, seen) in looked {
                match seen {
                    Ok(state) => closed.push((row, state)),
                    Err(why) => {
                        let why = failures.get(&row.target).map_or(why.clone(), |failure| format!("{why} ({failure})"));
                        left.push(Left { row: row.clone(), why });
                    }
                }
            }
            left.extend(close(world, closed).await);
            return left;
        }
        world.pause(BETWEEN_LOOKS).await;
    }
}

/// Nobody can make the change any more: it was seen, or its time is over.
fn settled(row: &Row, now: Timestamp) -> bool {
    row.state.landed().is_some() || now > row.not_after + UNDER_WAY
}

/// An instance that is stopped wants to be started. One that seems to run does too, once: what EC2 shows may be from
/// before the stop, and starting a running instance changes nothing.
fn wants_start(row: &Row, found: &BTreeMap<InstanceId, Instance>, started: bool, now: Timestamp) -> bool {
    row.change == Change::StopInstance
        && match found.get(&row.target).map(|instance| instance.state) {
            Some(InstanceState::Stopped) => true,
            Some(InstanceState::Pending | InstanceState::Running) => !started && settled(row, now),
            None | Some(InstanceState::Stopping | InstanceState::ShuttingDown | InstanceState::Terminated) => false,
        }
}

/// Starts instances; those that could not be, and why. One that cannot be started makes EC2 refuse the whole call, so
/// halves are tried then.
async fn start(world: &impl Healing, ids: &[InstanceId]) -> BTreeMap<InstanceId, String> {
    let mut refused = BTreeMap::new();
    let mut batches = vec![ids];
    while let Some(batch) = batches.pop() {
        match world.start(&batch.iter().cloned().collect()).await {
            Ok(()) => {}
            Err(error) if batch.len() > 1 && matches!(error.class, Class::Refused | Class::Missing) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                batches.extend([second, first]);
            }
            Err(error) => refused.extend(batch.iter().map(|id| (id.clone(), because(&error)))),
        }
    }
    refused
}

/// What can be said of a row, from what its instance looks like.
fn look(
    row: &Row,
    instance: Option<&Instance>,
    boot: Option<&HostReport>,
    started: bool,
    now: Timestamp,
) -> Result<State, String> {
    let state = instance.map(|instance| instance.state);
    if matches!(state, None | Some(InstanceState::Terminated | InstanceState::ShuttingDown)) {
        return Ok(undone(row, Gone::TargetGone));
    }
    let booted = boot.and_then(|report| report.booted).and_then(|seconds| Timestamp::from_second(seconds).ok());
    let rebooted = booted.filter(|booted| row.change == Change::RebootInstance && *booted >= row.intended_at);
    if !settled(row, now) && rebooted.is_none() {
        return Err(format!("the call may still be made until {}", row.not_after + UNDER_WAY));
    }
    match (&row.change, state) {
        (Change::StopInstance, Some(InstanceState::Running)) if !started => {
            Err("it seems to run, and could not be started to make sure".to_owned())
        }
        (_, Some(InstanceState::Running)) => match rebooted {
            Some(at) => Ok(State::Undone { landed: Some(at), how: Gone::Converged }),
            None => Ok(undone(row, Gone::Running)),
        },
        (_, Some(state)) => Err(format!("the instance is {state:?}, not running")),
        (_, None) => Ok(undone(row, Gone::TargetGone)),
    }
}

/// What hosts that were rebooted say of when they booted. Who does not answer is not in it.
async fn boots(
    world: &impl Healing,
    run: &RunId,
    rows: &[&Row],
    found: &BTreeMap<InstanceId, Instance>,
) -> BTreeMap<InstanceId, HostReport> {
    let running = |id: &InstanceId| found.get(id).is_some_and(|instance| instance.state == InstanceState::Running);
    let ids: Vec<InstanceId> = rows
        .iter()
        .filter(|row| row.change == Change::RebootInstance && running(&row.target))
        .map(|row| row.target.clone())
        .collect();
    let mut commands: Vec<CommandId> = Vec::new();
    for batch in ids.chunks(BATCH) {
        let order = HostCommand {
            document: Document::Probe,
            targets: batch.iter().cloned().collect(),
            parameters: [("Unit".to_owned(), "-".to_owned())].into(),
            comment: format!("stormdrill:{run}:probe"),
        };
        // A host that is still booting has no agent: it is asked again in the next look.
        if let Ok(command) = world.probe(&order).await {
            commands.push(command);
        }
    }
    let said = answers::wait(world, &commands, Duration::from_secs(5)).await.unwrap_or_default();
    said.into_iter()
        .filter_map(|(id, answer)| match answer {
            HostAnswer::Report(report) => Some((id, *report)),
            HostAnswer::Pending | HostAnswer::Silent(_) => None,
        })
        .collect()
}
