//! Undoing what was done on hosts: the revert document, which also writes the tombstone that refuses a late start.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::faults::Reversal;
use drill_model::host::{Document, HostOutcome};
use drill_model::ids::{InstanceId, RunId, UnitId};
use drill_model::ledger::{Gone, Row};

use super::{Left, PATIENCE, because, close, undone};
use crate::answers;
use crate::ports::{BATCH, Class, CommandId, Healing, HostAnswer, HostCommand, InstanceState};

pub(super) async fn undo(world: &impl Healing, run: &RunId, rows: &[&Row]) -> Vec<Left> {
    if rows.is_empty() {
        return Vec::new();
    }
    let (gone, rows) = apart(world, rows).await;
    let mut left = close(world, gone.into_iter().map(|row| (row, undone(row, Gone::TargetGone))).collect()).await;
    let mut by_unit: BTreeMap<&UnitId, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_unit.entry(&row.unit).or_default().push(row);
    }
    for (unit, rows) in by_unit {
        let ids: Vec<InstanceId> = rows.iter().map(|row| row.target.clone()).collect();
        let (commands, unsent) = send(world, run, unit, ids).await;
        let said = answers::wait(world, &commands, PATIENCE).await;
        let mut closed = Vec::new();
        for row in rows {
            let answer = match (&said, unsent.get(&row.target)) {
                (_, Some(why)) => Err(why.clone()),
                (Err(error), None) => Err(because(error)),
                (Ok(said), None) => judge(row, said.get(&row.target)),
            };
            match answer {
                Ok(how) => closed.push((row, undone(row, how))),
                Err(why) => left.push(Left { row: row.clone(), why }),
            }
        }
        left.extend(close(world, closed).await);
    }
    left
}

/// The rows whose target does not exist any more, and the others. When nobody can tell, all of them are others.
async fn apart<'a>(world: &impl Healing, rows: &[&'a Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    let ids: BTreeSet<InstanceId> = rows.iter().map(|row| row.target.clone()).collect();
    let Ok(found) = world.describe(&ids).await else {
        return (Vec::new(), rows.to_vec());
    };
    let alive: BTreeSet<InstanceId> = found
        .into_iter()
        .filter(|instance| !matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated))
        .map(|instance| instance.id)
        .collect();
    rows.iter().copied().partition(|row| !alive.contains(&row.target))
}

/// Sends the revert document to these hosts; a command that is refused is halved until the host it is about stands alone.
async fn send(
    world: &impl Healing,
    run: &RunId,
    unit: &UnitId,
    ids: Vec<InstanceId>,
) -> (Vec<CommandId>, BTreeMap<InstanceId, String>) {
    let mut commands = Vec::new();
    let mut unsent = BTreeMap::new();
    let mut batches: Vec<Vec<InstanceId>> = ids.chunks(BATCH).map(<[_]>::to_vec).collect();
    while let Some(batch) = batches.pop() {
        let parameters = [("Unit", unit.to_string()), ("Run", run.to_string())];
        let order = HostCommand {
            document: Document::Revert,
            targets: batch.iter().cloned().collect(),
            parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            comment: format!("stormdrill:{run}:revert"),
        };
        match world.revert(&order).await {
            Ok(command) => commands.push(command),
            Err(error) if batch.len() > 1 && matches!(error.class, Class::Refused | Class::Missing) => {
                let (one, two) = batch.split_at(batch.len() / 2);
                batches.extend([one.to_vec(), two.to_vec()]);
            }
            Err(error) => unsent.extend(batch.into_iter().map(|id| (id, because(&error)))),
        }
    }
    (commands, unsent)
}

fn judge(row: &Row, answer: Option<&HostAnswer>) -> Result<Gone, String> {
    match answer {
        None | Some(HostAnswer::Pending) => Err("the host has not answered yet".to_owned()),
        Some(HostAnswer::Silent(why)) => Err(format!("the host did not say that it is gone: {why}")),
        Some(HostAnswer::Report(report)) => {
            if report.unit.as_ref().is_some_and(|unit| *unit != row.unit) {
                return Err("the host answered for another change".to_owned());
            }
            match report.outcome {
                HostOutcome::Reverted | HostOutcome::Absent if row.reversal == Reversal::Converges => {
                    Ok(Gone::Converged)
                }
                HostOutcome::Reverted => Ok(Gone::Reverted),
                HostOutcome::Absent => Ok(Gone::Absent),
                HostOutcome::Landed
                | HostOutcome::Already
                | HostOutcome::Refused
                | HostOutcome::Failed
                | HostOutcome::Residue
                | HostOutcome::Alive => Err(format!(
                    "the host says {:?}: {}",
                    report.outcome,
                    report.detail.as_deref().or(report.reason.as_deref()).unwrap_or("no more")
                )),
            }
        }
    }
}
