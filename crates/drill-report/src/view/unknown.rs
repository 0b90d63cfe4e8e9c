//! What is not known, in words. A report that leaves this out says more than the run knows.

use std::collections::BTreeMap;

use drill_model::ids::AlarmName;
use drill_model::ledger::{Gone, Row, State};
use drill_model::observation::{AlarmState, Reading, Stage};
use drill_model::report::Report;
use drill_model::verdict::{Finding, Holds, Judgement, Verdict};

use crate::words::counted;

pub(crate) fn of(report: &Report, judgement: &Judgement) -> Vec<String> {
    let mut unknown = of_findings(judgement);
    if judgement.verdict == Verdict::Aborted {
        unknown.push("whether the hypothesis holds: the run was stopped before its time".to_owned());
    }
    unknown.extend(of_rows(&report.ledger));
    unknown.extend(of_probes(report));
    unknown.extend(of_alarms(report));
    unknown
}

/// Why a run was refused or only planned is known; what it would have shown is not a finding.
fn of_findings(judgement: &Judgement) -> Vec<String> {
    match judgement.verdict {
        Verdict::Refused | Verdict::Planned => {
            vec!["whether the hypothesis holds: nothing was tried".to_owned()]
        }
        Verdict::Supported
        | Verdict::Refuted
        | Verdict::Inconclusive
        | Verdict::Invalid
        | Verdict::Aborted
        | Verdict::Stuck => judgement
            .findings
            .iter()
            // How the run ended is known; it is a finding because the rest was not tried.
            .filter(|finding| finding.holds == Holds::Unknown && finding.about != "ending")
            .map(|Finding { about, seen, .. }| format!("{about}: {seen}"))
            .collect(),
    }
}

fn of_rows(ledger: &[Row]) -> Vec<String> {
    let targets = |wanted: fn(&Row) -> bool| {
        let count = ledger.iter().filter(|row| wanted(row)).count();
        (count > 0).then(|| counted(count, "change"))
    };
    let never_seen = targets(|row| matches!(row.state, State::Undone { landed: None, .. }))
        .map(|rows| format!("whether {rows} ever landed: gone now, and never seen to be there"));
    let vanished = targets(|row| {
        matches!(row.state, State::Undone { how: Gone::TargetGone, .. })
            && row.change.ends() == drill_model::faults::Ends::PutBack
    })
    .map(|rows| format!("until when {rows} lasted: the target disappeared on the way"));
    never_seen.into_iter().chain(vanished).collect()
}

/// How many samples of each probe have no value, by stage, with the first reason.
fn of_probes(report: &Report) -> Vec<String> {
    let Some(plan) = &report.plan else { return Vec::new() };
    let mut unknown = Vec::new();
    for probe in &plan.scope.experiment.steady_state {
        for (stage, when) in [
            (Stage::Baseline, "before the faults"),
            (Stage::Fault, "during the faults"),
            (Stage::Recovery, "after the faults"),
        ] {
            let readings: Vec<Reading> = report
                .samples
                .iter()
                .filter(|sample| sample.stage == stage)
                .map(|sample| sample.reading(&probe.name))
                .collect();
            let reasons: Vec<&String> = readings.iter().filter_map(reason).collect();
            if let Some(first) = reasons.first() {
                let (missing, taken) = (reasons.len(), counted(readings.len(), "sample"));
                unknown.push(format!("{missing} of {taken} of {} {when} have no value: {first}", probe.name));
            }
        }
        if plan.baseline(&probe.name).is_none() {
            unknown.push(format!("what {} showed before anything was broken: it has no baseline", probe.name));
        }
    }
    unknown
}

const fn reason(reading: &Reading) -> Option<&String> {
    match reading {
        Reading::Known(_) | Reading::MoreThan(_) => None,
        Reading::Unknown(why) => Some(why),
    }
}

fn of_alarms(report: &Report) -> Vec<String> {
    let mut alarms: BTreeMap<&AlarmName, usize> = BTreeMap::new();
    for alarm in report.samples.iter().flat_map(|sample| &sample.alarms) {
        match alarm.state {
            AlarmState::Ok | AlarmState::InAlarm => {}
            AlarmState::InsufficientData | AlarmState::Missing | AlarmState::Unknown(_) => {
                *alarms.entry(&alarm.alarm).or_default() += 1;
            }
        }
    }
    let text = |(alarm, count)| format!("the state of alarm {alarm} in {}", counted(count, "sample"));
    alarms.into_iter().map(text).collect()
}
