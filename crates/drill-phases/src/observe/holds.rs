//! Holds: whether the faults that last are still there, by the word of their targets.
//!
//! All targets are asked at once, and heard while samples are taken: a look delays no sample. A target on which the fault
//! is not there is asked once more, unless it tells when it ended, because one look may err.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::time::Duration;

use drill_model::experiment::OnEarlyEnd;
use drill_model::faults::{Attempt, Ends, Kind, Next, Seen};
use drill_model::ids::{FaultName, UnitId};
use drill_model::ledger::{Row, State};
use drill_model::observation::{FaultLook, Sample};
use drill_model::plan::Plan;
use drill_model::quantity::Span;
use drill_model::run::{Armed, Ending};
use drill_model::target::TargetId;
use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use super::{ObservePorts, course};
use crate::drive::{hosts, look, side_by_side};
use crate::ports::has::prelude::*;
use crate::ports::{BATCH, CommandId, HostAnswer};
use crate::{answers, sampling};

/// How long hosts may take to answer.
const PATIENCE: Duration = Duration::from_secs(6);
/// Between two readings of their answers.
const BETWEEN_READINGS: Duration = Duration::from_secs(1);
/// A host's own dead man knows by then that its fault is gone, and when it ended.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(4);
/// Between two looks, at least.
const BETWEEN_LOOKS: Duration = Duration::from_secs(15);
/// Between two looks, at least, for each command of one look: 50 hosts.
const FOR_EACH_COMMAND: Duration = Duration::from_secs(2);
/// The last look at a fault comes that long before its end, at the latest: it takes time to be answered.
const BEFORE_THE_END: Duration = Duration::from_secs(5);
/// How many targets a look names.
const NAMED: usize = 3;

/// The faults that last and are there.
fn lasting(rows: &[Row]) -> Vec<&Row> {
    let lasts = |row: &&Row| matches!(row.state, State::Landed { .. }) && row.change.ends() == Ends::PutBack;
    rows.iter().filter(lasts).collect()
}

/// How many samples lie between two looks: the more commands a look takes, the rarer it is.
fn pace(rows: &[&Row], every: Span) -> u32 {
    let mut hosts: BTreeMap<&UnitId, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.change.on_resource().is_none()) {
        *hosts.entry(&row.unit).or_default() += 1;
    }
    let commands: usize = hosts.values().map(|hosts| hosts.div_ceil(BATCH)).sum();
    let between = BETWEEN_LOOKS.max(FOR_EACH_COMMAND * u32::try_from(commands).unwrap_or(u32::MAX));
    u32::try_from(between.as_millis().div_ceil(Duration::from(every).as_millis().max(1))).unwrap_or(u32::MAX).max(1)
}

/// Whether the faults are looked at with the sample of this number: every so many samples, and shortly before one ends.
pub(super) fn is_due(plan: &Plan, rows: &[Row], armed: Armed, last: Option<u32>, next: u32) -> bool {
    let there = lasting(rows);
    let Some(end) = there.iter().map(|row| course::end(plan, rows, armed, &row.fault)).min() else { return false };
    let every = plan.scope.pacing.every;
    let pace = pace(&there, every);
    let in_time = |number| sampling::due(armed.from, every, number) + BEFORE_THE_END <= end;
    // No later sample leaves enough time for an answer.
    let closing = |number| !in_time(number + 1);
    let regular = in_time(next) && next / pace > last.map_or(0, |last| last / pace);
    regular || closing(next) && !last.is_some_and(closing)
}

/// A look on its way, and one that was answered and is in no sample yet.
#[derive(Default)]
pub(super) struct Looks<'a> {
    open: Option<Pin<Box<dyn Future<Output = Vec<FaultLook>> + 'a>>>,
    answered: Vec<FaultLook>,
}

impl<'a> Looks<'a> {
    /// Asks all targets.
    pub(super) fn ask(&mut self, look: impl Future<Output = Vec<FaultLook>> + 'a) {
        self.open = Some(Box::pin(look));
    }

    /// Whether a sample is to take something along.
    pub(super) fn wait_for_a_sample(&self) -> bool {
        self.open.is_some() || !self.answered.is_empty()
    }

    /// Lets something happen, and listens meanwhile.
    pub(super) async fn meanwhile<T>(&mut self, what: impl Future<Output = T>) -> T {
        let Some(open) = self.open.as_mut() else { return what.await };
        match select(pin!(what), open).await {
            Either::Left((done, _)) => done,
            Either::Right((looks, what)) => {
                self.open = None;
                self.answered = looks;
                what.await
            }
        }
    }

    /// Listens until everybody has answered, or until something else has happened.
    pub(super) async fn hear(&mut self, until: impl Future<Output = ()>) {
        let Some(open) = self.open.as_mut() else { return };
        if let Either::Right((looks, _)) = select(pin!(until), open).await {
            self.open = None;
            self.answered = looks;
        }
    }

    /// What was answered, for the sample that is written next.
    pub(super) fn take(&mut self) -> Vec<FaultLook> {
        std::mem::take(&mut self.answered)
    }
}

/// What one target says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// The fault is there.
    Holds { unmet: bool },
    /// It is not, and the target tells so for certain.
    Ended { at: Option<Timestamp>, why: String },
    /// It is not, by one look.
    NotThere(String),
    /// Nothing that says either.
    Silent,
}

/// Asks the targets of every fault that lasts whether it is there.
pub(super) async fn look_at(world: &impl ObservePorts, rows: &[Row]) -> Vec<FaultLook> {
    let asked = world.clock().now();
    let rows = lasting(rows);
    let mut words = ask(world, &rows).await;
    let doubtful: Vec<usize> =
        (0..rows.len()).filter(|place| matches!(words.get(*place), Some(Word::NotThere(_)))).collect();
    if !doubtful.is_empty() {
        world.clock().pause(ASKED_AGAIN_AFTER).await;
        let again: Vec<&Row> = doubtful.iter().filter_map(|place| rows.get(*place)).copied().collect();
        for (place, word) in doubtful.into_iter().zip(ask(world, &again).await) {
            words[place] = match word {
                Word::NotThere(why) => Word::Ended { at: None, why },
                word @ (Word::Holds { .. } | Word::Ended { .. } | Word::Silent) => word,
            };
        }
    }
    summed_up(asked, &rows, words)
}

/// One look for each fault.
fn summed_up(asked: Timestamp, rows: &[&Row], words: Vec<Word>) -> Vec<FaultLook> {
    let mut looks: BTreeMap<&FaultName, FaultLook> = BTreeMap::new();
    for (row, word) in rows.iter().zip(words) {
        let look = looks.entry(&row.fault).or_insert_with(|| FaultLook {
            fault: row.fault.clone(),
            asked,
            holds: 0,
            ended: 0,
            silent: 0,
            unmet: 0,
            first_end: None,
            names: Vec::new(),
        });
        match word {
            Word::Holds { unmet } => {
                look.holds += 1;
                look.unmet += u32::from(unmet);
            }
            Word::Ended { at, why } => {
                look.ended += 1;
                look.first_end = [look.first_end, at].into_iter().flatten().min();
                if look.names.len() < NAMED {
                    look.names.push(format!("{}: {why}", row.target));
                }
            }
            Word::NotThere(_) | Word::Silent => look.silent += 1,
        }
    }
    looks.into_values().collect()
}

/// What each of these targets says now, in the order of the rows.
async fn ask(world: &impl ObservePorts, rows: &[&Row]) -> Vec<Word> {
    let (on_hosts, on_resources): (Vec<&Row>, Vec<&Row>) =
        rows.iter().partition(|row| row.change.on_resource().is_none());
    let (mut said, seen) = futures_util::join!(ask_hosts(world, &on_hosts), see_resources(world, &on_resources));
    said.extend(seen);
    rows.iter().map(|row| said.remove(&key(row)).unwrap_or(Word::Silent)).collect()
}

type Key<'a> = (&'a UnitId, &'a TargetId);

const fn key(row: &Row) -> Key<'_> {
    (&row.unit, &row.target)
}

async fn ask_hosts<'a>(world: &impl ObservePorts, rows: &[&'a Row]) -> BTreeMap<Key<'a>, Word> {
    let Some(run) = rows.first().map(|row| &row.run_id) else { return BTreeMap::new() };
    let (gone, there) = hosts::apart(world, rows).await;
    let mut words: BTreeMap<Key<'a>, Word> =
        gone.into_iter().map(|row| (key(row), Word::NotThere("it does not exist any more".to_owned()))).collect();
    let mut by_unit: BTreeMap<&UnitId, Vec<&'a Row>> = BTreeMap::new();
    for row in there {
        by_unit.entry(&row.unit).or_default().push(row);
    }
    let asked = world.clock().now();
    let sent = side_by_side(by_unit, async |(unit, rows)| {
        let ids = rows.iter().filter_map(|row| row.target.instance()).collect();
        (rows, hosts::ask(world, run, unit, ids).await.0)
    })
    .await;
    let commands: Vec<CommandId> = sent.iter().flat_map(|(_, commands)| commands.iter().cloned()).collect();
    if commands.is_empty() {
        return words;
    }
    let said = answers::wait_at(world, &commands, PATIENCE, BETWEEN_READINGS).await;
    for (rows, commands) in sent {
        for row in rows {
            let Some(host) = row.target.instance() else { continue };
            if let Some(answer) = commands.iter().find_map(|command| said.answer(command, &host)) {
                words.insert(key(row), heard(row, answer, asked));
            }
        }
    }
    words
}

/// What a host's answer says.
fn heard(row: &Row, answer: &HostAnswer, asked: Timestamp) -> Word {
    let HostAnswer::Report(report) = answer else { return Word::Silent };
    if report.unit.as_ref() != Some(&row.unit) {
        return Word::Silent;
    }
    let why = report.reason.clone().unwrap_or_else(|| "not there".to_owned());
    match (report.holds, report.ended_at) {
        (Some(true), _) => Word::Holds { unmet: report.met() == Some(false) },
        (Some(false) | None, Some(_)) => Word::Ended { at: hosts::ended(row, report, asked), why },
        (Some(false), None) => Word::NotThere(why),
        // It knows nothing of it: neither that it is there nor that it was.
        (None, None) if !report.units.as_ref().is_none_or(|units| units.contains(&row.unit)) => {
            Word::NotThere("the host knows nothing of it".to_owned())
        }
        (None, None) => Word::Silent,
    }
}

async fn see_resources<'a>(world: &impl ObservePorts, rows: &[&'a Row]) -> BTreeMap<Key<'a>, Word> {
    let mut by_kind: BTreeMap<Kind, BTreeSet<TargetId>> = BTreeMap::new();
    for (row, fault) in rows.iter().filter_map(|row| Some((row, row.change.on_resource()?))) {
        by_kind.entry(fault.kind()).or_default().insert(row.target.clone());
    }
    let found: BTreeMap<Kind, _> =
        side_by_side(by_kind, async |(kind, ids)| (kind, look(world, kind, &ids).await)).await.into_iter().collect();
    let word = |row: &Row| {
        let fault = row.change.on_resource()?;
        let Some(Ok(found)) = found.get(&fault.kind()) else { return Some(Word::Silent) };
        Some(found.get(&row.target).map_or_else(gone, |seen| still(row, seen)))
    };
    rows.iter().filter_map(|row| Some((key(row), word(row)?))).collect()
}

fn gone() -> Word {
    Word::NotThere("it does not exist any more".to_owned())
}

/// A fault is there while its `apply` has nothing left to do.
fn still(row: &Row, seen: &Seen) -> Word {
    if seen.is_gone() {
        return gone();
    }
    let Some(fault) = row.change.on_resource() else { return Word::Silent };
    let attempt = Attempt {
        run: &row.run_id,
        unit: &row.unit,
        target: &row.target,
        saved: &row.saved,
        intended_at: row.intended_at,
        tried: true,
        healed: false,
        settled: true,
    };
    match fault.apply(&attempt, seen) {
        Next::Done => Word::Holds { unmet: false },
        Next::Stage(_) | Next::Do(_) => Word::NotThere("it is as it was before".to_owned()),
        Next::Wait(why) => Word::NotThere(why.to_owned()),
    }
}

/// The fault that has ended, where the experiment says that the run stops then; with the words for it.
pub(super) fn vanished(plan: &Plan, sample: &Sample) -> Option<(Ending, String)> {
    match plan.scope.experiment.guards.on_early_end {
        OnEarlyEnd::Continue => return None,
        OnEarlyEnd::Stop => {}
    }
    let at = |look: &FaultLook| look.first_end.unwrap_or(look.asked);
    let look = sample.faults.iter().filter(|look| look.ended > 0).min_by_key(|look| at(look))?;
    let of = look.holds + look.ended + look.silent;
    let what = format!("it is not there any more on {} of {of} ({})", look.ended, look.names.join("; "));
    let text = format!("{} ended at {:.0}, before its time: {what}", look.fault, at(look));
    Some((Ending::Vanished { fault: look.fault.clone(), what, at: at(look) }, text))
}

/// Until when a sample may wait for a look that is on its way: it delays neither the next sample nor what is due.
pub(super) fn patience(now: Timestamp, next: Timestamp, until: Timestamp) -> Timestamp {
    if until <= next { until } else { now + next.duration_since(now).max(SignedDuration::ZERO) / 2 }
}

#[cfg(test)]
mod tests;
