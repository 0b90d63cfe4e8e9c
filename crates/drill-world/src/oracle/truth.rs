//! What was really so, second by second, and what the records say of it: a record that says something else is a lie.

use std::collections::BTreeMap;

use drill_model::faults::{Change, Ends};
use drill_model::ids::{InstanceId, RunId, UnitId};
use drill_model::ledger::{Row, State as RowState};
use drill_model::observation::{FaultLook, Sample};
use drill_model::run::{Ending, Run};
use drill_model::verdict::Verdict;
use jiff::{SignedDuration, Timestamp};

use crate::hosts::Alive;
use crate::world::World;

/// Hosts tell times in whole seconds.
const ROUNDED: SignedDuration = SignedDuration::from_secs(2);
/// An answer comes within this time, however often a look asks and however slow a call is. What is told of an end is earlier
/// than it was by at most this, and never later.
const LOOK: SignedDuration = SignedDuration::from_secs(90);

/// When each fault on a host was really there.
#[derive(Debug, Default)]
pub(super) struct Truth(BTreeMap<(UnitId, InstanceId), Vec<Time>>);

#[derive(Debug, Clone, Copy)]
struct Time {
    from: Timestamp,
    to: Option<Timestamp>,
}

impl Truth {
    pub(super) fn landed(&mut self, fault: &Alive, at: Timestamp) {
        let times = self.0.entry((fault.unit.clone(), fault.instance.clone())).or_default();
        times.push(Time { from: at, to: None });
    }

    pub(super) fn ended(&mut self, fault: &Alive, at: Timestamp) {
        let times = self.0.get_mut(&(fault.unit.clone(), fault.instance.clone()));
        if let Some(open) = times.and_then(|times| times.last_mut()) {
            open.to.get_or_insert(at);
        }
    }

    fn of(&self, row: &Row) -> &[Time] {
        let times = row.target.instance().and_then(|id| self.0.get(&(row.unit.clone(), id)));
        times.map_or(&[], Vec::as_slice)
    }
}

impl World {
    /// What the records of all runs say that was not so.
    pub fn lies(&self) -> Vec<String> {
        let state = self.state();
        let rows: Vec<&Row> = state.ledger.all().filter(|row| matches!(row.change, Change::Host(_))).collect();
        let truth = &state.oracle.truth;
        let mut lies: Vec<String> = rows.iter().filter_map(|row| of_row(row, truth.of(row))).collect();
        let runs: std::collections::BTreeSet<&RunId> = rows.iter().map(|row| &row.run_id).collect();
        for id in runs {
            let of_run: Vec<&Row> = rows.iter().copied().filter(|row| row.run_id == *id).collect();
            for sample in state.store.samples_of(id) {
                lies.extend(of_sample(&sample, &of_run, truth));
            }
            if let Some(run) = state.store.run(id) {
                lies.extend(of_ending(&run, &of_run, truth));
                lies.extend(of_verdict(&run, &of_run, truth));
            }
        }
        lies
    }
}

fn of_row(row: &Row, times: &[Time]) -> Option<String> {
    let who = || format!("{} on {}", row.fault, row.target);
    match &row.state {
        RowState::NeverMade { why } if !times.is_empty() => {
            Some(format!("{} was never made ({why}), and it was there: {times:?}", who()))
        }
        RowState::Landed { at } | RowState::Undone { landed: Some(at), .. }
            if row.change.ends() == Ends::PutBack && !times.iter().any(|time| time.from <= *at) =>
        {
            Some(format!("{} had landed at {at}, and it was not there: {times:?}", who()))
        }
        RowState::Undone { told, .. } if told.ended.is_some() => {
            let ended = told.ended?;
            (!is_an_end(ended, told.ended_by.unwrap_or(ended), times))
                .then(|| format!("{} is told to have ended at {ended}: {times:?}", who()))
        }
        RowState::Intended
        | RowState::Landed { .. }
        | RowState::NeverMade { .. }
        | RowState::Undone { .. }
        | RowState::Abandoned { .. } => None,
    }
}

/// A look says of each target what was so at some instant between the question and its end.
fn of_sample(sample: &Sample, rows: &[&Row], truth: &Truth) -> Vec<String> {
    let look = |look: &FaultLook| {
        let (from, to) = (look.asked, look.asked + LOOK);
        let times = || rows.iter().filter(|row| row.fault == look.fault).map(|row| truth.of(row));
        let held = times().filter(|times| times.iter().any(|time| time.meets(from, to))).count();
        let gone = times().filter(|times| !times.iter().any(|time| time.covers(from, to))).count();
        let end = look.first_end.is_some_and(|end| !times().any(|times| is_an_end(end, end, times)));
        let lie = end || look.holds as usize > held || look.ended as usize > gone || look.unmet > look.holds;
        lie.then(|| {
            let all: Vec<_> = times().collect();
            format!("sample {} says {look:?}, and so it was: {all:?}", sample.number)
        })
    };
    // What is done to resources is judged where they are.
    let on_hosts = |look: &&FaultLook| rows.iter().any(|row| row.fault == look.fault);
    sample.faults.iter().filter(on_hosts).filter_map(look).collect()
}

/// A fault that is told to have vanished was really gone before it was put back.
fn of_ending(run: &Run, rows: &[&Row], truth: &Truth) -> Option<String> {
    let Some(Ending::Vanished { fault, at, .. }) = &run.ending else { return None };
    let of_fault: Vec<&[Time]> = rows.iter().filter(|row| row.fault == *fault).map(|row| truth.of(row)).collect();
    // What no host knows is told of resources, and is judged where they are.
    let ended = |times: &&[Time]| times.iter().any(|time| time.to.is_some_and(|to| to <= *at + LOOK));
    let lie = !of_fault.is_empty() && !of_fault.iter().any(ended);
    lie.then(|| format!("{fault} is told to have vanished at {at}, and so it was: {of_fault:?}"))
}

/// A hypothesis is not supported by a fault that was never really there.
fn of_verdict(run: &Run, rows: &[&Row], truth: &Truth) -> Option<String> {
    let supported = run.judgement.as_ref().is_some_and(|judgement| judgement.verdict == Verdict::Supported);
    let never = rows.iter().find(|row| truth.of(row).is_empty())?;
    supported.then(|| format!("run {} is supported, and {} was never there on {}", run.id, never.fault, never.target))
}

/// Whether a fault ended then, or a little later.
fn is_an_end(told: Timestamp, by: Timestamp, times: &[Time]) -> bool {
    let mut ends = times.iter().filter_map(|time| time.to);
    ends.any(|end| told <= end + ROUNDED && end <= by.max(told + LOOK) + ROUNDED)
}

impl Time {
    fn meets(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from <= to && self.to.is_none_or(|end| end >= from)
    }

    fn covers(&self, from: Timestamp, to: Timestamp) -> bool {
        self.from <= from && self.to.is_none_or(|end| end >= to)
    }
}
