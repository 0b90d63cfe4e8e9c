//! What happened when, in order. What happened to many targets is told once, with the first and the last.

use std::collections::BTreeMap;

use drill_model::ids::{AlarmName, FaultName};
use drill_model::ledger::{Row, State};
use drill_model::observation::{AlarmState, Sample};
use drill_model::quantity::Span;
use drill_model::report::Report;
use drill_model::run::{Ending, Run};
use jiff::Timestamp;

use crate::words::{counted, instant};

/// Something that happened.
pub(crate) struct Moment {
    pub(crate) at: String,
    /// Counted from the instant at which the faults began, `+20s`; empty before there was one.
    pub(crate) after: String,
    pub(crate) what: String,
}

pub(crate) fn of(report: &Report) -> Vec<Moment> {
    let Report { run, plan, ledger, samples } = report;
    // What happened at one instant stays in this order.
    let mut moments = of_beginning(run);
    moments.extend(plan.iter().map(|plan| (plan.made_at, "the plan was made".to_owned())));
    moments.extend(of_faults(ledger));
    moments.extend(of_looks(samples));
    moments.extend(of_alarms(samples));
    moments.extend(of_end(run));
    moments.sort_by_key(|(at, _)| *at);
    let from = run.armed.as_ref().map(|armed| armed.from);
    let moment = |(at, what): (Timestamp, String)| Moment {
        at: instant(at),
        after: from.map(|from| relative(from, at)).unwrap_or_default(),
        what,
    };
    moments.into_iter().map(moment).collect()
}

fn relative(from: Timestamp, at: Timestamp) -> String {
    let millis = at.as_millisecond().saturating_sub(from.as_millisecond());
    let sign = match millis {
        ..0 => "-",
        0 => "",
        1.. => "+",
    };
    format!("{sign}{}", Span::millis(millis.unsigned_abs()).rounded())
}

fn of_beginning(run: &Run) -> Vec<(Timestamp, String)> {
    let mut moments = vec![(run.created_at, format!("{} asked for the run", run.requested_by))];
    if let drill_model::approval::Approval::Given { by, at, .. } = &run.approval {
        moments.push((*at, format!("{by} agreed to the plan")));
    }
    if let Some(armed) = &run.armed {
        moments.push((armed.from, "the faults began, with the alarm clock set".to_owned()));
    }
    moments
}

fn of_end(run: &Run) -> Vec<(Timestamp, String)> {
    let stopped = match &run.ending {
        Some(Ending::Breached { condition, at }) => Some((*at, format!("stopped: {condition}"))),
        Some(Ending::Blind { what, at }) => Some((*at, format!("stopped, blind: {what}"))),
        Some(Ending::Vanished { fault, what, at }) => Some((*at, format!("{fault} ended before its time: {what}"))),
        Some(
            Ending::Refused { .. }
            | Ending::DryRun
            | Ending::Completed
            | Ending::Lever { .. }
            | Ending::Failed { .. }
            | Ending::Stopped { .. },
        )
        | None => None,
    };
    let clean = run.clean_at.map(|clean| (clean, "everything was seen to be whole".to_owned()));
    stopped.into_iter().chain(clean).collect()
}

fn of_faults(ledger: &[Row]) -> Vec<(Timestamp, String)> {
    let mut faults: BTreeMap<&FaultName, Vec<&Row>> = BTreeMap::new();
    for row in ledger {
        faults.entry(&row.fault).or_default().push(row);
    }
    let mut moments = Vec::new();
    for (fault, rows) in faults {
        let landed: Vec<Timestamp> = rows.iter().filter_map(|row| row.state.landed()).collect();
        moments.extend(first_and_last(&landed, &format!("{fault} was seen to be there"), rows.len()));
        let gone: Vec<Timestamp> =
            rows.iter().filter(|row| matches!(row.state, State::Undone { .. })).map(|row| row.since).collect();
        moments.extend(first_and_last(&gone, &format!("{fault} was seen to be over"), rows.len()));
    }
    moments
}

fn first_and_last(instants: &[Timestamp], what: &str, of: usize) -> Vec<(Timestamp, String)> {
    let (Some(first), Some(last)) = (instants.iter().min(), instants.iter().max()) else { return Vec::new() };
    let all = format!("{what} on {} of {}", instants.len(), counted(of, "target"));
    if first == last {
        vec![(*first, all)]
    } else {
        vec![(*first, format!("{what} on the first target")), (*last, all)]
    }
}

/// The first look that did not find a fault any more, and the first that found it met by nothing.
fn of_looks(samples: &[Sample]) -> Vec<(Timestamp, String)> {
    let mut first: BTreeMap<(&FaultName, bool), (Timestamp, String)> = BTreeMap::new();
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| sample.at);
    for look in samples.iter().flat_map(|sample| &sample.faults) {
        if look.ended > 0 {
            let of = usize::try_from(look.holds + look.ended + look.silent).unwrap_or(usize::MAX);
            let what = format!("{} was not there any more on {} of {}", look.fault, look.ended, counted(of, "target"));
            first.entry((&look.fault, true)).or_insert_with(|| (look.first_end.unwrap_or(look.asked), what));
        }
        if look.unmet > 0 {
            let what = format!("{} was there on {} and nothing had met it", look.fault, look.unmet);
            first.entry((&look.fault, false)).or_insert((look.asked, what));
        }
    }
    first.into_values().collect()
}

/// The first time that each alarm was in alarm, or could not be read.
fn of_alarms(samples: &[Sample]) -> Vec<(Timestamp, String)> {
    let mut first: BTreeMap<(&AlarmName, &str), Timestamp> = BTreeMap::new();
    for sample in samples {
        for alarm in &sample.alarms {
            let what = match &alarm.state {
                AlarmState::Ok => continue,
                AlarmState::InAlarm => "is in alarm",
                AlarmState::InsufficientData => "has insufficient data",
                AlarmState::Missing => "does not exist, or may not be seen",
                AlarmState::Unknown(_) => "could not be read",
            };
            let at = first.entry((&alarm.alarm, what)).or_insert(sample.at);
            *at = (*at).min(sample.at);
        }
    }
    first.into_iter().map(|((alarm, what), at)| (at, format!("alarm {alarm} {what}"))).collect()
}
