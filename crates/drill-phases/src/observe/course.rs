//! Where a run is on its way: what is due now, and until when nothing is.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::faults::Ends;
use drill_model::ids::FaultName;
use drill_model::ledger::{Row, State};
use drill_model::plan::{Plan, PlannedChange};
use drill_model::quantity::Span;
use drill_model::run::Armed;
use drill_model::target::TargetId;
use jiff::Timestamp;

/// What is still there so long after its end is not put back at once.
const PUT_BACK_AT_ONCE: Duration = Duration::from_secs(10);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Nothing until then but watching.
    Watch {
        /// The next instant at which something is due.
        until: Timestamp,
    },
    /// Another fault begins.
    Inject,
    /// A fault has run its time, or all have.
    PutBack,
}

/// What is due now.
pub fn course(plan: &Plan, rows: &[Row], armed: Armed, now: Timestamp) -> Course {
    if is_over(plan, rows, Some(armed), now) || ended(plan, rows, armed, now).next().is_some() {
        return Course::PutBack;
    }
    let waiting: Vec<&PlannedChange> =
        plan.scope.changes.iter().filter(|change| !is_begun(plan, rows, change)).collect();
    if waiting.iter().any(|change| instant(armed.from, change.slot.from) <= now) {
        return Course::Inject;
    }
    let begins = waiting.iter().map(|change| instant(armed.from, change.slot.from));
    let faults: BTreeSet<&FaultName> = rows.iter().filter(|row| must_be_put_back(row)).map(|row| &row.fault).collect();
    let ends = faults.into_iter().map(|fault| end(plan, rows, armed, fault));
    let last = over(plan, rows, armed);
    Course::Watch {
        until: begins.chain(ends).chain([last, armed.deadline]).filter(|at| *at > now).min().unwrap_or(last),
    }
}

/// True when nothing is left to watch: the time is over, or nothing that was begun took and nothing else will begin.
pub fn is_over(plan: &Plan, rows: &[Row], armed: Option<Armed>, now: Timestamp) -> bool {
    let Some(armed) = armed else { return true };
    let nothing_took = !rows.is_empty()
        && rows.iter().all(|row| matches!(row.state, State::NeverMade { .. }))
        && plan.scope.changes.iter().all(|change| is_begun(plan, rows, change));
    nothing_took || now >= over(plan, rows, armed) || now >= armed.deadline
}

/// The changes whose fault has run its time, and that must be put back.
pub fn ended<'a>(plan: &'a Plan, rows: &'a [Row], armed: Armed, now: Timestamp) -> impl Iterator<Item = &'a Row> {
    let changes = plan.scope.changes.iter().map(|change| &change.fault);
    let over: BTreeSet<&FaultName> = changes.filter(|fault| end(plan, rows, armed, fault) <= now).collect();
    rows.iter().filter(move |row| must_be_put_back(row) && over.contains(&row.fault))
}

/// Whether what has ended takes its time to be put back while other faults go on: they are watched meanwhile.
pub(crate) fn takes_its_time(plan: &Plan, rows: &[Row], armed: Armed, now: Timestamp) -> bool {
    let mut ended = ended(plan, rows, armed, now).peekable();
    !is_over(plan, rows, Some(armed), now)
        && ended.peek().is_some()
        && ended.all(|row| end(plan, rows, armed, &row.fault) + PUT_BACK_AT_ONCE <= now)
}

/// When a fault ends: its duration after it landed on the last of those targets on which it is known to have landed. Where it
/// is not known to have landed on any, and in any case at the latest, when its slot ends.
pub(crate) fn end(plan: &Plan, rows: &[Row], armed: Armed, fault: &FaultName) -> Timestamp {
    let Some(change) = plan.scope.changes.iter().find(|change| change.fault == *fault) else { return armed.from };
    let latest = instant(armed.from, change.slot.to);
    let landed = rows.iter().filter(|row| row.fault == *fault).filter_map(|row| row.state.landed()).max();
    landed.map_or(latest, |landed| latest.min(instant(landed, change.slot.lasts)))
}

/// When the last fault ends.
fn over(plan: &Plan, rows: &[Row], armed: Armed) -> Timestamp {
    let ends = plan.scope.changes.iter().map(|change| end(plan, rows, armed, &change.fault));
    ends.max().unwrap_or(armed.from)
}

/// The changes that are due and not begun on every target.
pub(crate) fn due(plan: &Plan, armed: Armed, now: Timestamp) -> impl Iterator<Item = &PlannedChange> {
    plan.scope.changes.iter().filter(move |change| instant(armed.from, change.slot.from) <= now)
}

/// The number of the first sample that is not past.
pub(crate) fn index(from: Timestamp, every: Span, now: Timestamp) -> u32 {
    let past = now.duration_since(from).as_millis().max(0);
    let every = i128::from(every.as_millis().max(1));
    // A sample that is due right now, or was a moment ago, is still taken.
    u32::try_from((past + every - 1 - every / 2) / every).unwrap_or(u32::MAX)
}

/// An instant, counted from the run's first fault.
pub(crate) fn instant(from: Timestamp, after: Span) -> Timestamp {
    from + Duration::from(after)
}

fn must_be_put_back(row: &Row) -> bool {
    row.state.is_open() && row.change.ends() == Ends::PutBack
}

/// A change is begun when every one of its targets has a row.
pub(crate) fn is_begun(plan: &Plan, rows: &[Row], change: &PlannedChange) -> bool {
    let begun: BTreeSet<&TargetId> =
        rows.iter().filter(|row| row.fault == change.fault).map(|row| &row.target).collect();
    plan.scope.targets_of(change).iter().all(|target| begun.contains(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{armed, at, plan, row};

    const GUARDS: &str = "\n  stop_when: none";

    #[test]
    fn a_fault_that_is_due_and_not_begun_is_injected() {
        assert_eq!(course(&plan(GUARDS, 1.0), &[], armed(), at(0)), Course::Inject);
    }

    #[test]
    fn a_fault_gets_its_whole_duration_from_its_landing_and_is_then_put_back() {
        let plan = plan(GUARDS, 1.0);
        let rows = [row(&plan, State::Landed { at: at(12) })];

        assert_eq!(course(&plan, &rows, armed(), at(15)), Course::Watch { until: at(72) });
        assert_eq!(course(&plan, &rows, armed(), at(71)), Course::Watch { until: at(72) });
        assert_eq!(course(&plan, &rows, armed(), at(72)), Course::PutBack);
    }

    #[test]
    fn the_last_target_decides_when_a_fault_ends() {
        let plan = plan(GUARDS, 1.0);
        let [first, last] = [1, 20].map(|second| row(&plan, State::Landed { at: at(second) }));

        assert_eq!(course(&plan, &[first, last], armed(), at(61)), Course::Watch { until: at(80) });
    }

    #[test]
    fn what_landed_late_ends_with_its_slot() {
        let plan = plan(GUARDS, 1.0);
        let rows = [row(&plan, State::Landed { at: at(45) })];

        assert_eq!(course(&plan, &rows, armed(), at(61)), Course::Watch { until: at(90) });
        assert_eq!(course(&plan, &rows, armed(), at(90)), Course::PutBack);
    }

    #[test]
    fn when_nothing_took_there_is_nothing_to_watch() {
        let plan = plan(GUARDS, 1.0);
        let refused = [row(&plan, State::NeverMade { why: "no-netem".into() })];

        assert_eq!(course(&plan, &refused, armed(), at(1)), Course::PutBack);
    }

    #[test]
    fn what_may_have_run_is_watched_like_what_ran() {
        let plan = plan(GUARDS, 1.0);
        let silent = [row(&plan, State::Intended)];

        assert_eq!(course(&plan, &silent, armed(), at(1)), Course::Watch { until: at(90) });
    }

    #[test]
    fn a_deadline_that_passed_ends_everything() {
        let plan = plan(GUARDS, 1.0);
        let late = Armed { from: at(0), deadline: at(30) };

        assert_eq!(course(&plan, &[row(&plan, State::Landed { at: at(1) })], late, at(30)), Course::PutBack);
    }

    #[test]
    fn what_takes_its_time_to_come_back_is_no_reason_not_to_watch_the_others() {
        let mut plan = plan(GUARDS, 1.0);
        let mut other = plan.scope.changes[0].clone();
        other.fault = FaultName::try_from("other".to_owned()).unwrap();
        other.slot.to = Span::seconds(170);
        plan.scope.changes.push(other);
        let rows = [row(&plan, State::Landed { at: at(0) })];

        assert_eq!(course(&plan, &rows, armed(), at(60)), Course::PutBack);
        assert!(!takes_its_time(&plan, &rows, armed(), at(60)));
        assert!(takes_its_time(&plan, &rows, armed(), at(70)));
        // There is nothing else to watch any more.
        assert!(!takes_its_time(&plan, &rows, armed(), at(170)));
    }

    #[test]
    fn a_sample_that_is_due_now_is_taken_and_one_long_past_is_not() {
        let every = Span::seconds(5);

        assert_eq!(index(at(0), every, at(0)), 0);
        assert_eq!(index(at(0), every, at(1)), 0);
        assert_eq!(index(at(0), every, at(4)), 1);
        assert_eq!(index(at(0), every, at(10)), 2);
    }
}
