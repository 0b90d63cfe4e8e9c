//! Putting resources back: ask the fault for the next step back, take it, and close a row only when nothing is seen.
//!
//! A call that was only intended may still be made by a function that nobody can stop, until its `not_after` and the
//! time that a call can be under way. Until then such a row is not closed, whatever its target looks like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Ends, Heal, Kind, Next, Seen, Sight};
use drill_model::host::Document;
use drill_model::ids::RunId;
use drill_model::ledger::{Gone, Row, State};
use drill_model::target::TargetId;
use jiff::Timestamp;

use super::{Batches, UNDER_WAY, attempt, look, settled, side_by_side, targets_of};
use crate::answers;
use crate::ports::has::prelude::*;
use crate::ports::{BATCH, Class, Healing, HostAnswer, HostCommand, PortError};
use crate::undo::{Left, SOON, close};

/// Between two looks at the targets.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// Puts these rows back and closes those that are confirmed to be gone; the others are returned.
pub(crate) async fn put_back(world: &impl Healing, run: &RunId, rows: &[&Row]) -> Vec<Left> {
    if rows.is_empty() {
        return Vec::new();
    }
    let give_up = world.clock().now() + SOON;
    let mut failures: BTreeMap<TargetId, String> = BTreeMap::new();
    let mut healed: BTreeSet<(&str, &TargetId)> = BTreeSet::new();
    let mut seen_once: BTreeSet<(&str, &TargetId)> = BTreeSet::new();
    loop {
        let found = see(world, run, rows).await;
        let now = world.clock().now();
        let mut calls = Batches::new();
        let looked: Vec<(&Row, Result<State, String>)> = rows
            .iter()
            .map(|row| {
                let key = (row.unit.as_str(), &row.target);
                let judged = judge(row, &found, healed.contains(&key), now, &mut calls);
                let is_new = judged.is_ok() && seen_once.insert(key);
                let judged = match judged {
                    Ok(_) if is_new && just_landed(row, now) => Err("it is looked at once more".to_owned()),
                    Ok(state) => Ok(state),
                    Err(why) => {
                        seen_once.remove(&key);
                        Err(why)
                    }
                };
                (*row, judged)
            })
            .collect();
        let made = side_by_side(calls.into_calls(), async |(call, rows)| heal(world, &call, &rows).await).await;
        for (done, refused) in made {
            healed.extend(done.into_iter().filter(|row| settled(row, now)).map(|row| (row.unit.as_str(), &row.target)));
            failures.extend(refused);
        }
        if world.clock().now() >= give_up || looked.iter().all(|(_, seen)| seen.is_ok()) {
            let (mut closed, mut left) = (Vec::new(), Vec::new());
            for (row, seen) in looked {
                match seen {
                    Ok(state) => closed.push((row, state)),
                    Err(why) => {
                        left.push(match failures.get(&row.target) {
                            Some(failure) => Left::behind(row, format!("{why} ({failure})")),
                            None => Left { row: row.clone(), why, is_on_its_way: was_seen(row, &found) },
                        });
                    }
                }
            }
            left.extend(close(world, closed).await);
            return left;
        }
        world.clock().pause(BETWEEN_LOOKS).await;
    }
}

/// Whether its target could be looked at.
fn was_seen(row: &Row, found: &Found) -> bool {
    row.change.on_resource().is_some_and(|fault| matches!(found.get(&fault.kind()), Some(Ok(_))))
}

/// A change that was seen a moment ago: a look that shows nothing of it may be from before it was made, and does not count
/// alone.
pub fn just_landed(row: &Row, now: Timestamp) -> bool {
    row.state.landed().is_some_and(|landed| now < landed + UNDER_WAY)
}

/// What was seen of the targets of a kind, or why nothing could be.
type Found = BTreeMap<Kind, Result<BTreeMap<TargetId, Seen>, PortError>>;

async fn see(world: &impl Healing, run: &RunId, rows: &[&Row]) -> Found {
    let mut by_kind: BTreeMap<Kind, BTreeSet<TargetId>> = BTreeMap::new();
    for (row, fault) in rows.iter().filter_map(|row| Some((row, row.change.on_resource()?))) {
        by_kind.entry(fault.kind()).or_default().insert(row.target.clone());
    }
    let mut found: Found =
        side_by_side(by_kind, async |(kind, ids)| (kind, look(world, kind, &ids).await)).await.into_iter().collect();
    let asked: Vec<&Row> =
        rows.iter().copied().filter(|row| row.change.on_resource().is_some_and(|fault| fault.asks_host())).collect();
    let boots = boots(world, run, &asked, &found).await;
    if let Some(Ok(instances)) = found.get_mut(&Kind::Ec2Instance) {
        for (id, booted) in boots {
            if let Some(Seen { sight: Sight::Ec2Instance(instance), .. }) = instances.get_mut(&id) {
                instance.booted = Some(booted);
            }
        }
    }
    found
}

/// What can be said of a row, from what its target looks like; what is to be done about it goes to the calls.
fn judge<'a>(
    row: &'a Row,
    found: &Found,
    healed: bool,
    now: Timestamp,
    calls: &mut Batches<'a, Heal>,
) -> Result<State, String> {
    let Some(fault) = row.change.on_resource() else { return Err("it is no change to a resource".to_owned()) };
    let seen = match found.get(&fault.kind()) {
        Some(Ok(found)) => found.get(&row.target),
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err("it was not looked at".to_owned()),
    };
    match back(row, seen, healed, now) {
        Back::Gone(state) => Ok(state),
        Back::Wait(why) => Err(why),
        Back::Call(call) => {
            let why = format!("{} is still to take effect", drill_model::faults::Call::api(&call));
            calls.add(call, row);
            Err(why)
        }
    }
}

/// What comes next on the way back of a change to a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Back {
    /// Nothing: the row is closed like this.
    Gone(State),
    /// This call.
    Call(Heal),
    /// Another look, later; why.
    Wait(String),
}

/// Asks a row's fault for the next step back, from what is seen of its target. `healed` when a healing call was made since
/// nobody could harm any more.
pub fn back(row: &Row, seen: Option<&Seen>, healed: bool, now: Timestamp) -> Back {
    let Some(fault) = row.change.on_resource() else { return Back::Wait("it is no change to a resource".to_owned()) };
    let undone = |landed, how| Back::Gone(State::undone(landed, how));
    let Some(seen) = seen.filter(|seen| !seen.is_gone()) else {
        return undone(row.state.landed(), Gone::TargetGone);
    };
    let settled = settled(row, now);
    let attempt = attempt(row, true, healed, settled);
    let happened = fault.happened_at(&attempt, seen);
    match fault.undo(&attempt, seen) {
        Next::Stage(call) | Next::Do(call) => Back::Call(call),
        Next::Wait(why) => Back::Wait(why.to_owned()),
        Next::Done if !settled && happened.is_none() => {
            Back::Wait(format!("the call may still be made until {}", row.not_after + UNDER_WAY))
        }
        Next::Done => match (fault.ends(), happened.or(row.state.landed())) {
            (Ends::ByItself, landed @ Some(_)) => undone(landed, Gone::Converged),
            (Ends::PutBack | Ends::Never | Ends::ByItself, landed) => undone(landed, Gone::Restored),
        },
    }
}

/// Makes a healing call for these rows: those for which it was made, and why not for the others. One target that cannot
/// take it makes a service refuse the whole call, so halves are tried then.
async fn heal<'a>(world: &impl Healing, call: &Heal, rows: &[&'a Row]) -> (Vec<&'a Row>, BTreeMap<TargetId, String>) {
    let (mut done, mut refused) = (Vec::new(), BTreeMap::new());
    let mut batches = vec![rows];
    while let Some(batch) = batches.pop() {
        match world.heals().heal(call, &targets_of(batch)).await {
            Ok(()) => done.extend_from_slice(batch),
            Err(error) if batch.len() > 1 && matches!(error.class, Class::Refused | Class::Missing) => {
                let (first, second) = batch.split_at(batch.len() / 2);
                batches.extend([second, first]);
            }
            Err(error) => refused.extend(batch.iter().map(|row| (row.target.clone(), error.to_string()))),
        }
    }
    (done, refused)
}

/// When hosts say that they booted. Who does not answer is not in it.
async fn boots(world: &impl Healing, run: &RunId, rows: &[&Row], found: &Found) -> BTreeMap<TargetId, Timestamp> {
    let Some(Ok(instances)) = found.get(&Kind::Ec2Instance) else { return BTreeMap::new() };
    let up = |id: &TargetId| instances.get(id).is_some_and(|seen| seen.ailing().is_none());
    let targets: Vec<TargetId> = rows.iter().map(|row| row.target.clone()).filter(up).collect();
    let orders = targets.chunks(BATCH).map(|batch| HostCommand {
        document: Document::Probe,
        targets: batch.iter().filter_map(TargetId::instance).collect(),
        parameters: [("Unit".to_owned(), "-".to_owned())].into(),
        comment: format!("stormdrill:{run}:probe"),
    });
    // A host that is still booting has no agent: it is asked again in the next look.
    let sent = side_by_side(orders, async |order| world.host_probe().probe(&order).await).await;
    let commands: Vec<_> = sent.into_iter().filter_map(Result::ok).collect();
    let said = answers::wait(world, &commands, Duration::from_secs(5)).await.unwrap_or_default();
    targets
        .into_iter()
        .filter_map(|target| {
            let Some(HostAnswer::Report(report)) = target.instance().and_then(|id| said.get(&id)) else { return None };
            Some((target, Timestamp::from_second(report.booted?).ok()?))
        })
        .collect()
}
