//! Undo: put back what the ledger says, and see that it is gone. Recover, Rollback and the janitor all come here.
//!
//! It can be run for ever, does nothing to a target that was never touched, and goes on past every failure.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::faults::{Fault, Way};
use drill_model::ids::RunId;
use drill_model::ledger::{Gone, Row, State};
use drill_model::plan::{Plan, Scope};
use drill_model::quantity::Span;
use drill_model::run::{Ending, Event, Run, Status};

use crate::drive;
use crate::ports::has::prelude::*;
use crate::ports::{BATCH, Class, Healing, Holding, PortError, Step};
use crate::records::{self, RecordError};

/// How long a call waits for resources, and for hosts while other faults go on, which nobody watches meanwhile.
pub(crate) const SOON: Duration = Duration::from_secs(20);
/// How long it waits for hosts where nothing else is left to do: an order to revert that comes as late as it may is still
/// heard. Who gives up sooner, and sends another one, never hears a host that takes longer. Sweeps overlap while a host is
/// silent: one begins each minute, and each is tried three times.
pub(crate) const HEARING: Duration = Duration::from_secs(150);

/// How long putting a host back may take.
const HOSTS_BACK_WITHIN: Span = Span::seconds(180);
/// How much more each command may take: they are sent and asked after one by one.
const SECONDS_PER_COMMAND: u64 = 1;

/// How long putting back may take after the last fault has ended, before the run counts as overdue.
///
/// Takes the faults, and how many targets each has.
pub(crate) fn longest<'a>(faults: impl Iterator<Item = (&'a Fault, usize)>) -> Span {
    let (mut slowest, mut commands) = (Span::ZERO, 0);
    for (fault, targets) in faults {
        slowest = slowest.max(match fault.way() {
            Way::Resource(fault) => fault.back_within(),
            Way::Host(_) => HOSTS_BACK_WITHIN,
        });
        commands += targets.div_ceil(BATCH);
    }
    let more = u64::try_from(commands).unwrap_or(u64::MAX).saturating_mul(SECONDS_PER_COMMAND);
    slowest.plus(Span::seconds(more))
}

/// A change that is not confirmed to be gone yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Left {
    /// Whose.
    pub row: Row,
    /// Why it is still there, or not known to be gone.
    pub why: String,
    /// Nothing went wrong: its target takes its time.
    pub is_on_its_way: bool,
}

impl Left {
    /// What something went wrong with.
    pub(crate) fn behind(row: &Row, why: String) -> Self {
        Self { row: row.clone(), why, is_on_its_way: false }
    }
}

impl std::fmt::Display for Left {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} on {}: {}", self.row.fault, self.row.target, self.why)
    }
}

/// The first few of what is left, in words.
pub(crate) fn summary(left: &[Left]) -> String {
    const SHOWN: usize = 5;
    let mut text: Vec<String> = left.iter().take(SHOWN).map(ToString::to_string).collect();
    if left.len() > SHOWN {
        text.push(format!("and {} more", left.len() - SHOWN));
    }
    text.join("; ")
}

/// Undoes these rows and closes those that are confirmed to be gone; hosts are heard for as long as `patience`. What
/// it could not is returned, never dropped.
pub(crate) async fn undo(world: &impl Healing, run: &RunId, rows: &[Row], patience: Duration) -> Vec<Left> {
    let open: Vec<&Row> = rows.iter().filter(|row| row.state.is_open()).collect();
    let (on_hosts, on_resources): (Vec<&Row>, Vec<&Row>) =
        open.into_iter().partition(|row| row.change.on_resource().is_none());
    // Side by side: a host that does not answer delays no resource, nor the other way round.
    let (mut left, others) = futures_util::join!(
        drive::hosts::put_back(world, run, &on_hosts, patience),
        drive::undo::put_back(world, run, &on_resources),
    );
    left.extend(others);
    left
}

/// Closes rows as undone; when that cannot be written they are left, because nobody else would know.
pub(crate) async fn close(world: &impl Healing, closed: Vec<(&Row, State)>) -> Vec<Left> {
    if closed.is_empty() {
        return Vec::new();
    }
    let steps: Vec<Step> = closed.into_iter().map(|(row, to)| Step { row: row.clone(), to }).collect();
    match world.ledger().advance(&steps, world.clock().now()).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            let why = format!("it is gone, and that could not be recorded: {error}");
            steps.iter().map(|step| Left::behind(&step.row, why.clone())).collect()
        }
    }
}

pub(crate) fn undone(row: &Row, how: Gone) -> State {
    State::undone(row.state.landed(), how)
}

/// Cleans a whole run, whoever calls: undoes every open row, and when all are closed gives back its targets and its clock.
///
/// Returns what is left. Repeating it on a clean run changes nothing.
pub(crate) async fn clean(world: &impl Healing, run: &RunId, ending: &Ending) -> Result<Vec<Left>, RecordError> {
    let rows = world.ledger().rows(run).await.map_err(RecordError::store(run))?;
    clean_rows(world, run, &rows, ending).await
}

/// As [`clean`], for a caller that has read the rows after the last of them could be written.
pub(crate) async fn clean_rows(
    world: &impl Healing,
    run: &RunId,
    rows: &[Row],
    ending: &Ending,
) -> Result<Vec<Left>, RecordError> {
    let mut left = undo(world, run, rows, HEARING).await;
    // Read again: a row is closed when the store says so, not when we meant to close it.
    let (rows, plan, stands) =
        futures_util::join!(world.ledger().rows(run), world.runs().plan(run), world.runs().run(run));
    let rows = rows.map_err(RecordError::store(run))?;
    let known: BTreeSet<_> = left.iter().map(|left| (left.row.fault.clone(), left.row.target.clone())).collect();
    let open = rows.iter().filter(|row| row.state.is_open());
    let silent = open.filter(|row| !known.contains(&(row.fault.clone(), row.target.clone())));
    left.extend(silent.map(|row| Left::behind(row, "it is still open in the ledger".to_owned())));
    if left.is_empty() {
        // A run that died early has no plan.
        let plan = match plan {
            Ok(plan) => Some(plan),
            Err(error) if error.class == Class::Missing => None,
            Err(error) => return Err(RecordError::store(run)(error)),
        };
        finish(world, stands.map_err(RecordError::store(run))?, &rows, plan.as_ref(), ending).await?;
    }
    Ok(left)
}

/// What a run holds while it may harm: its targets, and a share of what those are a part of.
pub(crate) fn holding(scope: &Scope) -> Holding {
    Holding { whole: scope.selected(), shares: scope.shares.clone() }
}

/// Gives back what a clean run holds. Nothing is taken for it any more, since it does not inject. Until the record says
/// that all is given back, the sweep comes back to the run; the clock goes last.
async fn finish(
    world: &impl Healing,
    stands: Run,
    rows: &[Row],
    plan: Option<&Plan>,
    ending: &Ending,
) -> Result<(), RecordError> {
    let run = &stands.id.clone();
    let whole = rows.iter().map(|row| row.target.clone()).collect();
    let mut held = Holding { whole, shares: BTreeSet::new() };
    // A run can hold targets that it never came to change.
    if let Some(plan) = plan {
        let planned = holding(&plan.scope);
        held.whole.extend(planned.whole);
        held.shares.extend(planned.shares);
    }
    // Before the targets are given back: a call that came later would meet somebody else's run.
    let armed: BTreeSet<_> =
        rows.iter().filter(|row| row.change.on_resource().is_some()).map(|row| row.unit.clone()).collect();
    for disarmed in drive::side_by_side(armed, async |unit| world.disarm_undo().disarm(&unit).await).await {
        disarmed.map_err(RecordError::store(run))?;
    }
    if held != Holding::default() {
        world.leases().release(run, &held).await.map_err(RecordError::store(run))?;
    }
    let now = world.clock().now();
    if rows.iter().any(|row| matches!(row.state, State::Abandoned { .. })) {
        // A person has taken it on: the run is over, and was never confirmed to be whole.
        records::update_from(world, stands, Event::GiveUp, |run| {
            run.given_back_at.get_or_insert(now);
            run.end(ending.clone());
        })
        .await?;
    } else if !matches!(stands.status, Status::Judged | Status::Refused | Status::Planned) {
        records::update_from(world, stands, Event::Cleaned, |run| {
            run.clean_at.get_or_insert(now);
            run.given_back_at.get_or_insert(now);
            run.end(ending.clone());
        })
        .await?;
    }
    world.clear_clock().clear_clock(run).await.map_err(RecordError::store(run))
}

/// Why something is left, from a call that failed.
pub(crate) fn because(error: &PortError) -> String {
    error.to_string()
}
