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
use crate::ports::{BATCH, CommandId, Healing, HostAnswer, HostCommand, Instance, InstanceState};

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
    loop {
        let found = match world.describe(&ids).await {
            Ok(found) => found.into_iter().map(|instance| (instance.id.clone(), instance)).collect(),
            Err(error) => return rows.iter().map(|row| Left { row: (*row).clone(), why: because(&error) }).collect(),
        };
        let to_start: Vec<InstanceId> =
            rows.iter().filter(|row| wants_start(row, &found)).map(|row| row.target.clone()).collect();
        for batch in to_start.chunks(BATCH) {
            if let Err(error) = world.start(&batch.iter().cloned().collect()).await {
                failures.extend(batch.iter().map(|id| (id.clone(), because(&error))));
            }
        }
        let boots = boots(world, run, rows, &found).await;
        let now = world.now();
        let looked: Vec<(&Row, Result<State, String>)> =
            rows.iter().map(|row| (*row, look(row, found.get(&row.target), boots.get(&row.target), now))).collect();
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

fn wants_start(row: &Row, found: &BTreeMap<InstanceId, Instance>) -> bool {
    row.change == Change::StopInstance
        && found.get(&row.target).is_some_and(|instance| instance.state == InstanceState::Stopped)
}

/// What can be said of a row, from what its instance looks like.
fn look(row: &Row, instance: Option<&Instance>, boot: Option<&HostReport>, now: Timestamp) -> Result<State, String> {
    let state = instance.map(|instance| instance.state);
    if matches!(state, None | Some(InstanceState::Terminated | InstanceState::ShuttingDown)) {
        return Ok(undone(row, Gone::TargetGone));
    }
    let booted = boot.and_then(|report| report.booted).and_then(|seconds| Timestamp::from_second(seconds).ok());
    let rebooted = booted.filter(|booted| row.change == Change::RebootInstance && *booted >= row.intended_at);
    let settled = row.state.landed().is_some() || rebooted.is_some();
    if !settled && now <= row.not_after + UNDER_WAY {
        return Err(format!("the call may still be made until {}", row.not_after + UNDER_WAY));
    }
    match (&row.change, state) {
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
