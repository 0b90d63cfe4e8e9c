//! When the faults were there: a beginning and an end that are each known to lie between two instants.
//!
//! A fault begins between the intent that was written and the look that saw it land, and ends between the order to put it
//! back, or its target's own word, and the look that saw it gone. What the targets said meanwhile bounds it further.

use std::collections::BTreeMap;

use drill_evidence::interval::{Between, Cover, Exposure, Interval, Lasting, Times as Instants};
use jiff::Timestamp;

use crate::faults::Ends;
use crate::ids::FaultName;
use crate::ledger::{Gone, Row, State};
use crate::observation::{FaultLook, Sample};
use crate::plan::{PlannedChange, Scope};
use crate::run::{Ending, Run};

/// By then a host that was asked has answered: what it says of the past is later than it says by no more than this.
const ANSWER: i64 = 30_000;
/// A look at a fault so shortly before its end shows that it was there till the end: Observe makes one.
const BEFORE_THE_END: i64 = 15_000;

/// When the faults of a run were there.
pub(super) struct Times {
    faults: BTreeMap<FaultName, Had>,
    /// All faults together. The gap between two of them is not a fault.
    pub(super) exposure: Exposure,
    /// When the first of them began.
    onset: Option<Between>,
    /// When the last of them was over: of one that happens once, when it happened.
    pub(super) over: Option<Between>,
    /// While faults were put back: they may have been there, and may not.
    put_back: Instants,
}

/// When one fault was there.
pub(super) struct Had {
    exposure: Exposure,
    /// How long it should have been there.
    asked: i64,
}

impl Had {
    /// For how much of its time all of its targets certainly had it.
    pub(super) fn cover(&self) -> Cover {
        Cover::of_length(self.exposure.certain(), self.asked)
    }
}

impl Times {
    pub(super) fn of(run: &Run, scope: &Scope, ledger: &[Row], samples: &[Sample]) -> Self {
        let mut faults = BTreeMap::new();
        let mut onsets = Vec::new();
        let mut ends = Vec::new();
        let mut put_back = Vec::new();
        for change in &scope.changes {
            let targets = scope.targets_of(change);
            let rows: Vec<&Row> = ledger
                .iter()
                .filter(|row| row.run_id == run.id && row.fault == change.fault && targets.contains(&row.target))
                .collect();
            let looks = Looks::of(&change.fault, targets.len(), samples);
            let fault = Fault { run, due: due(change, &rows), looks };
            let exposure = fault.exposure(&rows, targets.len());
            onsets.extend(rows.iter().filter_map(|row| onset(row)));
            ends.extend(rows.iter().filter_map(|row| fault.over(row)));
            let lasting = rows.iter().filter(|row| row.change.ends() == Ends::PutBack);
            let uncertain = |end: Between| Interval::new(end.earliest(), end.latest());
            put_back.extend(lasting.filter_map(|row| uncertain(fault.end(row)?)));
            let asked = i64::try_from(change.slot.lasts.as_millis()).unwrap_or(i64::MAX);
            faults.insert(change.fault.clone(), Had { exposure, asked });
        }
        let all: Vec<Exposure> = faults.values().map(|had| had.exposure.clone()).collect();
        Self {
            exposure: Exposure::of_faults(&all),
            faults,
            onset: Between::first(onsets),
            over: Between::last(ends),
            put_back: put_back.into_iter().collect(),
        }
    }

    /// From the first fault, and not certain before `not_before`, to an instant after it, gaps included; `None` when there was
    /// no fault.
    pub(super) fn span_from(&self, not_before: i64, end: i64) -> Option<Exposure> {
        let onset = self.onset?;
        let from = |begin| Interval::new(begin, end).into_iter().collect::<Instants>();
        Some(Exposure::between(from(onset.latest().max(not_before)).minus(&self.put_back), from(onset.earliest())))
    }

    /// When one of the faults was there.
    pub(super) fn fault(&self, name: &FaultName) -> Option<&Had> {
        self.faults.get(name)
    }

    /// True when no target may have had any fault.
    pub(super) fn is_empty(&self) -> bool {
        self.exposure.possible().is_empty()
    }
}

/// When a fault has had its time: its duration after the last landing, and with its slot at the latest.
fn due(change: &PlannedChange, rows: &[&Row]) -> i64 {
    let lasts = i64::try_from(change.slot.lasts.as_millis()).unwrap_or(i64::MAX);
    let slot = rows.iter().map(|row| millis(row.ends_at)).max().unwrap_or(i64::MAX);
    let landed = rows.iter().filter_map(|row| row.state.landed()).max();
    landed.map_or(slot, |landed| millis(landed).saturating_add(lasts).min(slot))
}

/// What the targets of a fault said while it lasted.
#[derive(Default)]
struct Looks {
    /// At this instant all of them had it.
    all_had_it: Option<i64>,
    /// Not all of them had it any more from this instant on, or from an earlier one.
    ended: Option<i64>,
}

impl Looks {
    fn of(fault: &FaultName, targets: usize, samples: &[Sample]) -> Self {
        let mut looks: Vec<&FaultLook> =
            samples.iter().flat_map(|sample| &sample.faults).filter(|look| look.fault == *fault).collect();
        looks.sort_by_key(|look| look.asked);
        let mut seen = Self::default();
        for look in looks {
            if look.ended > 0 {
                // Without a word of when, it may have ended right after all of them were last seen to have it.
                let ended = look.first_end.map(millis).or(seen.all_had_it).unwrap_or(i64::MIN);
                seen.ended = Some(seen.ended.map_or(ended, |known| known.min(ended)));
            } else if look.silent == 0 && usize::try_from(look.holds) == Ok(targets) && seen.ended.is_none() {
                seen.all_had_it = Some(millis(look.asked));
            }
        }
        seen
    }
}

/// A fault of a run.
struct Fault<'a> {
    run: &'a Run,
    due: i64,
    looks: Looks,
}

impl Fault<'_> {
    fn exposure(&self, rows: &[&Row], targets: usize) -> Exposure {
        let lasting: Vec<Lasting> = rows.iter().filter_map(|row| self.lasting(row)).collect();
        let exposure = Exposure::of_fault(&lasting);
        let landed = rows.iter().filter(|row| row.state.landed().is_some()).count();
        let certain = if landed < targets {
            Instants::none()
        } else {
            match self.looks.ended {
                None => exposure.certain().clone(),
                Some(ended) => {
                    let before = Interval::new(i64::MIN, ended);
                    exposure.certain().intersection(&before.into_iter().collect())
                }
            }
        };
        Exposure::between(certain, exposure.possible().clone())
    }

    /// When a change was there; `None` when it never was. What happens once is watched for its duration.
    fn lasting(&self, row: &Row) -> Option<Lasting> {
        let (onset, end) = (onset(row)?, self.end(row)?);
        let end = match row.change.ends() {
            Ends::PutBack => end,
            Ends::ByItself | Ends::Never if self.completed() => Between::at(self.due),
            Ends::ByItself | Ends::Never => Between::at(self.due.min(millis(row.since))),
        };
        Some(Lasting { onset, end })
    }

    /// When a change was over: one that happens once, when it happened.
    fn over(&self, row: &Row) -> Option<Between> {
        match row.change.ends() {
            Ends::PutBack => self.end(row),
            Ends::ByItself | Ends::Never => onset(row),
        }
    }

    /// When a change that lasts ended.
    fn end(&self, row: &Row) -> Option<Between> {
        let State::Undone { how, told, .. } = &row.state else { return None };
        let gone = millis(row.since);
        let last_seen = self.looks.all_had_it.unwrap_or_else(|| row.state.landed().map_or(gone, millis)).min(gone);
        if let Some(ended) = told.ended.map(millis) {
            let by = told.ended_by.map_or(ended.saturating_add(ANSWER), millis);
            return Some(Between::new(ended, gone.min(by.max(ended))));
        }
        let order = self.order(last_seen);
        let earliest = match how {
            // It was there when the order came.
            Gone::Reverted => order,
            // It was there shortly before.
            Gone::Restored if last_seen.saturating_add(BEFORE_THE_END) >= order => order,
            // Nobody tells when.
            Gone::Restored | Gone::Absent | Gone::TargetGone | Gone::Converged => last_seen,
        };
        Some(Between::new(earliest.min(gone), gone))
    }

    /// Nobody put the fault back before this.
    fn order(&self, last_seen: i64) -> i64 {
        match &self.run.ending {
            Some(Ending::Completed) => self.due,
            Some(Ending::Breached { at, .. } | Ending::Blind { at, .. }) => millis(*at).max(last_seen),
            Some(
                Ending::Vanished { .. }
                | Ending::Lever { .. }
                | Ending::Failed { .. }
                | Ending::Stopped { .. }
                | Ending::Refused { .. }
                | Ending::DryRun,
            )
            | None => last_seen,
        }
    }

    fn completed(&self) -> bool {
        self.run.ending == Some(Ending::Completed)
    }
}

/// When a change began; `None` when it is known not to have been made.
fn onset(row: &Row) -> Option<Between> {
    match &row.state {
        State::Undone { landed, .. } => {
            Some(Between::new(millis(row.intended_at), millis(landed.unwrap_or(row.since))))
        }
        State::Intended | State::Landed { .. } | State::NeverMade { .. } | State::Abandoned { .. } => None,
    }
}

/// An instant in milliseconds.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// The instant again, for people.
pub(super) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}
