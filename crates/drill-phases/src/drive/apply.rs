//! Bringing changes about on resources: stage what does no harm yet, arm what ends it without us, then make the one call.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Ends, Harm, Next, ScheduledUndo, Seen, UniversalCall};
use drill_model::ledger::{Row, State};
use drill_model::target::TargetId;
use jiff::Timestamp;

use super::{Batches, attempt, in_time, look, settled, side_by_side, targets_of};
use crate::ports::has::prelude::*;
use crate::ports::{Class, PortError, Step, TimedUndo, has};

/// The scheduled undo comes this long after the deadline, so that it never meets a run that is on time, nor the janitor
/// that its alarm clock wakes.
pub const UNDO_GRACE: Duration = Duration::from_secs(120);

/// What stopped a change.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The targets could not be looked at.
    Unseen(PortError),
    /// What ends it without us could not be armed, so nothing was harmed.
    Unarmed(PortError),
    /// A call failed.
    Call(PortError),
}

/// The changes of one fault on their way.
#[derive(Debug)]
pub(crate) struct Changing {
    rows: Vec<Row>,
    /// Another call of Inject makes the change, and may do it any time: we only look.
    theirs: BTreeSet<TargetId>,
    /// A harming call may have been made.
    tried: BTreeSet<TargetId>,
    armed: BTreeSet<TargetId>,
    /// A call that was made is not made again: what is seen may lie behind.
    made: BTreeSet<(TargetId, Harm)>,
    landed: BTreeMap<TargetId, Timestamp>,
}

impl Changing {
    /// Changes whose intents are written: `by` this call of Inject, or by another one.
    ///
    /// Each change has one caller. When it is seen to have landed, nobody makes it again, and its row can be closed as
    /// soon as it is gone.
    pub(crate) fn of(rows: Vec<Row>, by: Caller) -> Self {
        let theirs: BTreeSet<TargetId> = match by {
            Caller::This => BTreeSet::new(),
            Caller::Another => rows.iter().map(|row| row.target.clone()).collect(),
        };
        let tried = theirs.clone();
        Self { rows, theirs, tried, armed: BTreeSet::new(), made: BTreeSet::new(), landed: BTreeMap::new() }
    }

    /// Goes on until there is nothing to do but to look again.
    pub(crate) async fn advance(
        &mut self,
        world: &(impl has::Sees + has::Harms + has::ArmUndo + has::Clock),
    ) -> Result<(), Stopped> {
        while self.step(world).await? {}
        Ok(())
    }

    /// True when every change is seen to have landed, or can only be seen when its host is asked: that is done when it is
    /// put back.
    pub(crate) fn is_done(&self) -> bool {
        let asks = |row: &Row| row.change.on_resource().is_some_and(|fault| fault.asks_host());
        self.rows
            .iter()
            .all(|row| self.landed.contains_key(&row.target) || asks(row) && self.tried.contains(&row.target))
    }

    /// What was seen to have landed, for the ledger.
    pub(crate) fn landings(&self) -> Vec<Step> {
        let landed = |row: &Row| {
            let at = *self.landed.get(&row.target)?;
            Some(Step { row: row.clone(), to: State::Landed { at } })
        };
        self.rows.iter().filter(|row| row.state == State::Intended).filter_map(landed).collect()
    }

    /// One look, and the calls that follow from it. True when something was staged, so that there is more to do at once.
    async fn step(
        &mut self,
        world: &(impl has::Sees + has::Harms + has::ArmUndo + has::Clock),
    ) -> Result<bool, Stopped> {
        let open: Vec<Row> = self.rows.iter().filter(|row| !self.landed.contains_key(&row.target)).cloned().collect();
        let Some(fault) = open.first().and_then(|row| row.change.on_resource()) else { return Ok(false) };
        let found = look(world, fault.kind(), &open.iter().map(|row| row.target.clone()).collect()).await;
        let found = found.map_err(Stopped::Unseen)?;
        let now = world.clock().now();
        let (mut stages, mut harms) = (Batches::new(), Batches::new());
        for row in &open {
            let by = if self.theirs.contains(&row.target) { Caller::Another } else { Caller::This };
            match forth(row, found.get(&row.target), self.tried.contains(&row.target), by, now) {
                Forth::Landed(at) => {
                    self.landed.insert(row.target.clone(), at);
                }
                Forth::Stage(call) if self.made.insert((row.target.clone(), call.clone())) => {
                    stages.add(call, row);
                }
                Forth::Do(call) if !self.made.contains(&(row.target.clone(), call.clone())) => {
                    harms.add(call, row);
                }
                Forth::Stage(_) | Forth::Do(_) | Forth::Wait => {}
            }
        }
        let staged = !stages.is_empty();
        call(world, stages).await?;
        self.arm(world, &harms, &found).await?;
        for (call, rows) in &harms.0 {
            for row in rows {
                self.tried.insert(row.target.clone());
                self.made.insert((row.target.clone(), call.clone()));
            }
        }
        call(world, harms).await?;
        Ok(staged)
    }

    /// Arms what ends these changes without us, and reads it back.
    async fn arm(
        &mut self,
        world: &impl has::ArmUndo,
        harms: &Batches<'_, Harm>,
        found: &BTreeMap<TargetId, Seen>,
    ) -> Result<(), Stopped> {
        let rows: Vec<&Row> = harms.0.values().flatten().copied().collect();
        let rows: Vec<&Row> = rows.into_iter().filter(|row| !self.armed.contains(&row.target)).collect();
        let undos = rows.iter().flat_map(|row| timed(row, found.get(&row.target)));
        let armed = side_by_side(undos, async |undo| {
            world.arm_undo().arm(&undo).await?;
            match world.arm_undo().armed(&undo.name).await? {
                Some(read) if read == undo => Ok(()),
                Some(_) => Err(PortError::new(
                    Class::Refused,
                    "scheduler:GetSchedule",
                    format!("schedule {} is not as it was armed", undo.name),
                )),
                None => Err(PortError::new(
                    Class::Refused,
                    "scheduler:GetSchedule",
                    format!("schedule {} is not there after it was armed", undo.name),
                )),
            }
        })
        .await;
        armed.into_iter().collect::<Result<Vec<()>, PortError>>().map_err(Stopped::Unarmed)?;
        self.armed.extend(rows.iter().map(|row| row.target.clone()));
        Ok(())
    }
}

/// What comes next on the way to a change of a resource.
#[derive(Debug, Clone, PartialEq)]
pub enum Forth {
    /// Nothing: it is seen since then.
    Landed(Timestamp),
    /// This call, which does no harm yet.
    Stage(Harm),
    /// This call, when what ends it without us is armed.
    Do(Harm),
    /// Another look.
    Wait,
}

/// Who makes a change: the one call of Inject that wrote its intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// This one.
    This,
    /// Another one, which may still be under way.
    Another,
}

/// Asks a row's fault for the next step toward the change, from what is seen of its target. A call whose time is over is
/// none, nor is one that another caller makes. `tried` when a harming call may have been made.
pub fn forth(row: &Row, seen: Option<&Seen>, tried: bool, by: Caller, now: Timestamp) -> Forth {
    let Some(fault) = row.change.on_resource() else { return Forth::Wait };
    let Some(seen) = seen else {
        return if fault.ends() == Ends::Never { Forth::Landed(now) } else { Forth::Wait };
    };
    let attempt = attempt(row, tried, false, settled(row, now));
    match fault.apply(&attempt, seen) {
        Next::Done => Forth::Landed(fault.happened_at(&attempt, seen).unwrap_or(now)),
        Next::Stage(call) if in_time(row, now) && by == Caller::This => Forth::Stage(call),
        Next::Do(call) if in_time(row, now) && by == Caller::This => Forth::Do(call),
        Next::Stage(_) | Next::Do(_) | Next::Wait(_) => Forth::Wait,
    }
}

/// Makes these calls side by side. The first that failed is told when all are through.
async fn call(world: &impl has::Harms, calls: Batches<'_, Harm>) -> Result<(), Stopped> {
    let made = side_by_side(calls.into_calls(), async |(call, rows)| {
        let targets = targets_of(&rows);
        world.harms().harm(&call, &targets).await
    })
    .await;
    made.into_iter().collect::<Result<Vec<()>, PortError>>().map(|_| ()).map_err(Stopped::Call)
}

/// The calls that the scheduler is to make for a change.
fn timed(row: &Row, seen: Option<&Seen>) -> Vec<TimedUndo> {
    let (Some(fault), Some(seen)) = (row.change.on_resource(), seen) else { return Vec::new() };
    let (calls, repeats) = match fault.scheduled_undo(&attempt(row, true, false, false), seen) {
        ScheduledUndo::Calls { calls, repeats } => (calls, repeats),
        ScheduledUndo::EndsByItself | ScheduledUndo::Nothing(_) => return Vec::new(),
    };
    let target = row.target.digest();
    calls
        .into_iter()
        .enumerate()
        .map(|(place, UniversalCall { service, action, permission: _, input })| TimedUndo {
            name: format!("{}-{target}-{place}", row.unit),
            at: Timestamp::from_second((row.deadline + UNDO_GRACE).as_second()).unwrap_or(row.deadline),
            repeats,
            service: service.to_owned(),
            action: action.to_owned(),
            input,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use drill_model::faults::ec2::{Instance, InstanceState};
    use drill_model::faults::{Change, Sight};

    use super::*;
    use crate::fixtures::{at, plan, row};

    fn stop() -> Row {
        let change = serde_json::json!({ "kind": "instance-stop" });
        let change: Change = serde_json::from_value(serde_json::json!({ "by": "resource", "fault": change })).unwrap();
        Row { change, ..row(&plan("\n  stop_when: none", 1.0), State::Intended) }
    }

    fn running(row: &Row) -> Seen {
        let instance = Instance {
            id: row.target.instance().unwrap(),
            state: InstanceState::Running,
            healthy: Some(true),
            group: None,
            subnet: None,
            tags: BTreeMap::new(),
            spot: false,
            booted: None,
        };
        Seen { id: row.target.clone(), sight: Sight::Ec2Instance(instance) }
    }

    #[test]
    fn a_change_is_made_in_time_and_by_its_one_caller() {
        let row = stop();
        let next = |by, now| forth(&row, Some(&running(&row)), by == Caller::Another, by, now);

        assert!(matches!(next(Caller::This, at(60)), Forth::Do(_)));
        assert_eq!(next(Caller::This, at(61)), Forth::Wait);
        assert_eq!(next(Caller::Another, at(1)), Forth::Wait);
    }
}
