//! The guards: conditions that can stop a run and do not stop a healthy one, limits that let something through.

use super::super::{Degraded, Experiment, HttpMeasure, Probe, Source, StopCondition, Trigger};
use super::{Problems, choose_from, schedule, times};
use crate::faults::FaultKind;
use crate::quantity::Span;
use crate::window::{OnHolidays, Window};

/// The state machine holds no run longer than this for an answer.
const LONGEST_APPROVAL: Span = Span::seconds(12 * 3600);

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    for (index, condition) in experiment.guards.stop_when.conditions().iter().enumerate() {
        stop(experiment, condition, &format!("guards.stop_when[{index}]"), found);
    }
    if experiment.guards.max_blast_radius.get() <= 0.0 {
        let help = "write the largest share of a population that may be picked, such as `30%`";
        found.add("guards.max_blast_radius", "0% lets nobody be picked", help);
    }
    if experiment.guards.approval.is_some_and(|approval| approval.within < Span::seconds(60)) {
        let help = "write how long the run waits for an answer, 1m or more";
        found.add("guards.approval.within", "nobody can answer in that time", help);
    }
    if experiment.guards.approval.is_some_and(|approval| approval.within > LONGEST_APPROVAL) {
        let message = format!("a run does not wait longer than {LONGEST_APPROVAL} for an answer");
        found.add("guards.approval.within", message, format!("write at most {LONGEST_APPROVAL}"));
    }
    windows(experiment, found);
}

fn stop(experiment: &Experiment, condition: &StopCondition, path: &str, found: &mut Problems) {
    if let Some(name) = condition.trigger.probe()
        && !experiment.steady_state.iter().any(|probe| probe.name == *name)
    {
        let probes = experiment.steady_state.iter().map(|probe| probe.name.as_str());
        let help = choose_from(name.as_str(), probes, "describe it under `steady_state`");
        found.add(format!("{path}.probe"), format!("no probe is called `{name}`"), help);
    }
    match &condition.trigger {
        Trigger::Alarm(_) => {}
        Trigger::AboveBaseline(_, multiple) if multiple.get() <= 1.0 => {
            let message = format!("a healthy probe is above {multiple} of its baseline half of the time");
            found.add(format!("{path}.above_baseline"), message, "write more than `1x`, such as `2.0x`");
        }
        Trigger::BelowBaseline(_, multiple) if multiple.get() >= 1.0 => {
            let message = format!("a healthy probe is below {multiple} of its baseline half of the time");
            found.add(format!("{path}.below_baseline"), message, "write less than `1x`, such as `0.5x`");
        }
        Trigger::AboveBaseline(..) | Trigger::BelowBaseline(..) => {}
        Trigger::Degraded(name, degraded) => {
            let probe = experiment.steady_state.iter().find(|probe| probe.name == *name);
            worse(probe, *degraded, &format!("{path}.degraded"), found);
        }
        Trigger::Outside(_, bounds) => match (bounds.at_least, bounds.at_most) {
            (Some(below), Some(above)) if below >= above => {
                let message = format!("every value is below {below} or above {above}");
                found.add(path, message, "write a `below` that is less than `above`");
            }
            (below, above) if below.into_iter().chain(above).any(|bound| !bound.is_finite()) => {
                found.add(path, "a limit that is no number", "write a finite number");
            }
            _ => {}
        },
    }
    let samples = times(experiment.observe.every, schedule::lasting(&schedule(experiment)));
    if u64::from(condition.for_samples.get()) > samples {
        let message = format!("it takes {} samples in a row, and the faults last for {samples}", condition.for_samples);
        let help = "write fewer, sample more often, or let the faults last longer: this could never stop anything";
        found.add(format!("{path}.for_samples"), message, help);
    }
}

/// What is compared with before must have been something before, with noise in it.
fn worse(probe: Option<&Probe>, degraded: Degraded, path: &str, found: &mut Problems) {
    if !(0.001..=0.2).contains(&degraded.alpha) {
        let message = format!("a chance of {} to stop a healthy run is not one to choose", degraded.alpha);
        found.add(format!("{path}.alpha"), message, "write 0.001 to 0.2, such as 0.05");
    }
    if degraded.by.get() <= 0.0 {
        let help = "write how much worse it may get, such as `10%`";
        found.add(format!("{path}.by"), "no service is exactly as it was before", help);
    }
    let Some(probe) = probe else { return };
    let why = match &probe.source {
        Source::CloudWatch(_) => return,
        Source::Http(http) if http.measure == HttpMeasure::Milliseconds => return,
        Source::Alarm(_) | Source::Http(_) => "is 0 or 1",
        Source::Capacity(_) | Source::HostHealth(_) => "does not change while all is well",
        Source::Prometheus(_) => "has no history that is read",
    };
    let message = format!("`{}` {why}: there is nothing to compare with", probe.source.word());
    found.add(path, message, "write a plain limit, such as `above: 500` or `below: 90`");
}

/// Windows in which no run of this experiment would ever fit.
fn windows(experiment: &Experiment, found: &mut Problems) {
    let windows = &experiment.guards.windows;
    if windows.is_empty() {
        return;
    }
    for (index, window) in windows.iter().enumerate() {
        if window.calendar.is_none() && window.on_holidays != OnHolidays::Closed {
            let help = "say whose holidays: `calendar: nyse`, `lse` or `target`";
            found.add(format!("guards.windows[{index}].on_holidays"), "there are no holidays without a calendar", help);
        }
    }
    let length = schedule::length(&schedule(experiment));
    let mut kinds: Vec<FaultKind> = experiment.faults.iter().map(|fault| fault.fault.kind()).collect();
    kinds.sort();
    kinds.dedup();
    for kind in kinds {
        let longest = windows.iter().filter(|window| window.is_for(kind)).map(Window::longest).max();
        match longest {
            None => {
                let help = "add a window for it, or remove `faults` from one";
                found.add("guards.windows", format!("no window is for `{kind}`"), help);
            }
            Some(longest) if longest < length => {
                let message =
                    format!("the faults take up to {length}, and no window for `{kind}` is longer than {longest}");
                found.add("guards.windows", message, "let a window be open for longer, or shorten the faults");
            }
            Some(_) => {}
        }
    }
}
