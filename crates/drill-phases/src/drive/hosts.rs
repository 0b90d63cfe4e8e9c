//! Changes on hosts: orders go out to all before anything is waited for, so that one silent host delays no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Ends, Kind};
use drill_model::host::{Document, HostOrder, HostOutcome, HostReport};
use drill_model::ids::{InstanceId, RunId, UnitId};
use drill_model::ledger::{Gone, Row, State, Told};
use drill_model::plan::PlannedChange;
use drill_model::target::TargetId;
use jiff::{SignedDuration, Timestamp};

use super::{look, side_by_side};
use crate::answers;
use crate::ports::has::prelude::*;
use crate::ports::{Answer, BATCH, Class, CommandId, Healing, HostAnswer, HostCommand, Step, has};
use crate::undo::{Left, because, close, undone};

/// How long after a fault's end its host reverts it without being asked.
const HOST_GRACE: Duration = Duration::from_secs(15);

/// An order that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The command.
    pub(crate) command: CommandId,
    /// No other copy of it can have reached these hosts.
    pub(crate) first: bool,
}

/// Sends the order of a fault to the hosts of these rows, whose intents are written.
pub(crate) async fn order(
    world: &impl has::HostHarm,
    run: &RunId,
    change: &PlannedChange,
    order: &HostOrder,
    rows: &[&Row],
    now: Timestamp,
) -> Answer<Sent> {
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
    let order = HostCommand {
        document: order.document,
        targets: rows.iter().filter_map(|row| row.target.instance()).collect(),
        parameters,
        comment: format!("stormdrill:{run}:{}", change.fault),
    };
    match world.host_harm().harm_hosts(&order).await {
        // The hosts answer a second order with `already`, so asking again is how one learns what happened.
        Err(error) if error.class == Class::Ambiguous => {
            world.host_harm().harm_hosts(&order).await.map(|command| Sent { command, first: false })
        }
        sent => sent.map(|command| Sent { command, first: true }),
    }
}

/// What a host's answer to an order says of its row; nothing when it may have run all the same.
///
/// Only the answer to the first order ever sent can say that nothing was made: a host that refuses a later copy may have
/// the fault in place.
pub fn heard(row: &Row, answer: &HostAnswer, first: bool, now: Timestamp) -> Option<Step> {
    let HostAnswer::Report(report) = answer else { return None };
    if report.unit.as_ref() != Some(&row.unit) {
        return None;
    }
    // The signal was sent, and nobody is seen to have obeyed it: it may still.
    let unseen = report.reason.as_deref() == Some("unseen");
    let to = match report.outcome {
        HostOutcome::Landed | HostOutcome::Already if unseen => return None,
        HostOutcome::Landed | HostOutcome::Already => State::Landed { at: now },
        HostOutcome::Refused | HostOutcome::Failed if first => State::NeverMade { why: why(report) },
        HostOutcome::Refused
        | HostOutcome::Failed
        | HostOutcome::Reverted
        | HostOutcome::Absent
        | HostOutcome::Residue
        | HostOutcome::Alive => return None,
    };
    Some(Step { row: row.clone(), to })
}

fn why(report: &HostReport) -> String {
    let reason = report.reason.as_deref().unwrap_or("no reason given");
    report.detail.as_deref().map_or_else(|| reason.to_owned(), |detail| format!("{reason}: {detail}"))
}

/// Sends the revert document to the hosts of these rows, waits once for all of them, and closes the rows that are gone.
pub(crate) async fn put_back(world: &impl Healing, run: &RunId, rows: &[&Row], patience: Duration) -> Vec<Left> {
    if rows.is_empty() {
        return Vec::new();
    }
    let (absent, rows) = apart(world, rows).await;
    let mut left = close(world, absent.into_iter().map(|row| (row, undone(row, Gone::TargetGone))).collect()).await;
    let mut by_unit: BTreeMap<&UnitId, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        by_unit.entry(&row.unit).or_default().push(row);
    }
    let asked = world.clock().now();
    let sent = side_by_side(by_unit, async |(unit, rows)| {
        let ids = rows.iter().filter_map(|row| row.target.instance()).collect();
        let (commands, unsent) = revert(world, run, unit, ids).await;
        (rows, commands, unsent)
    })
    .await;
    let commands: Vec<CommandId> = sent.iter().flat_map(|(_, commands, _)| commands.iter().cloned()).collect();
    let said = answers::wait_each(world, &commands, patience).await;
    let heard = world.clock().now();
    let mut closed = Vec::new();
    for (rows, commands, unsent) in sent {
        for row in rows {
            let instance = row.target.instance();
            if let Some(why) = instance.as_ref().and_then(|id| unsent.get(id)) {
                left.push(Left::behind(row, why.clone()));
                continue;
            }
            match commands.iter().find_map(|command| said.answer(command, instance.as_ref()?)) {
                // A look that failed explains a host that was not heard, and never what another one said.
                None | Some(HostAnswer::Pending) => {
                    let why = said.failed.clone().unwrap_or_else(|| "the host has not answered yet".to_owned());
                    left.push(Left { row: row.clone(), why, is_on_its_way: said.failed.is_none() });
                }
                Some(answer) => match gone(row, answer) {
                    Ok(how) => {
                        let told = told(row, answer, asked, heard);
                        closed.push((row, State::Undone { landed: row.state.landed(), how, told }));
                    }
                    Err(why) => left.push(Left::behind(row, why)),
                },
            }
        }
    }
    left.extend(close(world, closed).await);
    left
}

/// The rows whose target does not exist any more, and the others. When nobody can tell, all of them are others.
pub(crate) async fn apart<'a>(world: &impl has::Sees, rows: &[&'a Row]) -> (Vec<&'a Row>, Vec<&'a Row>) {
    let ids: BTreeSet<TargetId> = rows.iter().map(|row| row.target.clone()).collect();
    let Ok(found) = look(world, Kind::Ec2Instance, &ids).await else {
        return (Vec::new(), rows.to_vec());
    };
    let absent = |row: &&Row| found.get(&row.target).is_none_or(drill_model::faults::Seen::is_gone);
    rows.iter().copied().partition(absent)
}

/// Sends the revert document to these hosts.
async fn revert(
    world: &impl Healing,
    run: &RunId,
    unit: &UnitId,
    ids: Vec<InstanceId>,
) -> (Vec<CommandId>, BTreeMap<InstanceId, String>) {
    send_each(ids, async |batch| {
        let parameters = [("Unit", unit.to_string()), ("Run", run.to_string())];
        let order = HostCommand {
            document: Document::Revert,
            targets: batch.iter().cloned().collect(),
            parameters: parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            comment: format!("stormdrill:{run}:revert"),
        };
        world.host_heal().revert(&order).await
    })
    .await
}

/// Asks these hosts for what they know of a unit.
pub(crate) async fn ask(
    world: &impl has::HostProbe,
    run: &RunId,
    unit: &UnitId,
    ids: Vec<InstanceId>,
) -> (Vec<CommandId>, BTreeMap<InstanceId, String>) {
    send_each(ids, async |batch| {
        let order = HostCommand {
            document: Document::Probe,
            targets: batch.iter().cloned().collect(),
            parameters: [("Unit".to_owned(), unit.to_string())].into(),
            comment: format!("stormdrill:{run}:holds"),
        };
        world.host_probe().probe(&order).await
    })
    .await
}

/// Sends an order to these hosts in batches, side by side; a command that is refused is halved until the host it is about
/// stands alone. Returns the commands, and the hosts to whom none could be sent.
async fn send_each(
    ids: Vec<InstanceId>,
    send: impl AsyncFn(&[InstanceId]) -> Answer<CommandId>,
) -> (Vec<CommandId>, BTreeMap<InstanceId, String>) {
    let mut commands = Vec::new();
    let mut unsent = BTreeMap::new();
    let mut batches: Vec<Vec<InstanceId>> = ids.chunks(BATCH).map(<[_]>::to_vec).collect();
    while !batches.is_empty() {
        let orders = std::mem::take(&mut batches);
        let sent = side_by_side(orders, async |batch: Vec<InstanceId>| {
            let answer = send(&batch).await;
            (batch, answer)
        })
        .await;
        for (batch, answer) in sent {
            match answer {
                Ok(command) => commands.push(command),
                Err(error) if batch.len() > 1 && matches!(error.class, Class::Refused | Class::Missing) => {
                    let (one, two) = batch.split_at(batch.len() / 2);
                    batches.extend([one.to_vec(), two.to_vec()]);
                }
                Err(error) => unsent.extend(batch.into_iter().map(|id| (id, because(&error)))),
            }
        }
    }
    (commands, unsent)
}

/// When a change had ended, by its host's word and by our clock, for an answer to something that was asked at `asked`.
///
/// Clocks of hosts differ, so only the time that has passed since then counts, by one clock. What the answer took to be
/// given makes the instant earlier than it was, never later.
pub(crate) fn ended(row: &Row, report: &HostReport, asked: Timestamp) -> Option<Timestamp> {
    let ago = report.time?.checked_sub(report.ended_at?).filter(|ago| *ago >= 0)?;
    let at = asked.checked_sub(SignedDuration::from_secs(ago)).ok()?;
    Some(at.max(row.intended_at))
}

/// What a host that has put a change back says of it.
///
/// It had ended before anybody asked for that when the host says that it ended by itself, or earlier than the answer could
/// have taken.
fn told(row: &Row, answer: &HostAnswer, asked: Timestamp, heard: Timestamp) -> Told {
    let HostAnswer::Report(report) = answer else { return Told::default() };
    let by_itself = report.outcome == HostOutcome::Absent
        && matches!(report.reason.as_deref(), Some("dead-man" | "ended-early" | "folder-gone"));
    let latest = ended(row, report, heard);
    let before = by_itself || latest.is_some_and(|latest| latest < asked);
    Told { ended: ended(row, report, asked).filter(|_| before), ended_by: latest.filter(|_| before), met: report.met() }
}

/// What a host's answer to a revert says of its row: how it is gone, or why that is not known.
pub fn gone(row: &Row, answer: &HostAnswer) -> Result<Gone, String> {
    match answer {
        HostAnswer::Pending => Err("the host has not answered yet".to_owned()),
        HostAnswer::Silent(why) => Err(format!("the host did not say that it is gone: {why}")),
        HostAnswer::Report(report) => {
            if report.unit.as_ref().is_some_and(|unit| *unit != row.unit) {
                return Err("the host answered for another change".to_owned());
            }
            match report.outcome {
                HostOutcome::Reverted | HostOutcome::Absent if row.change.ends() == Ends::ByItself => {
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

#[cfg(test)]
mod judged;
#[cfg(test)]
mod tests;
