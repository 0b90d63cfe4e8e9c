//! The parts of a refusal's sentence that depend on what is in it.

use std::collections::BTreeSet;

use crate::faults::Family;
use crate::ids::{Environment, FaultName, InstanceId, TargetName};
use crate::observation::AlarmState;
use crate::target::TargetId;

pub(super) fn alarm_is(state: &AlarmState) -> String {
    match state {
        AlarmState::Ok => "is OK".to_owned(),
        AlarmState::InAlarm => "is in alarm already: start again when it is OK".to_owned(),
        AlarmState::InsufficientData => "has insufficient data: it could not stop the run; check its metric".to_owned(),
        AlarmState::Missing => {
            "does not exist, or may not be seen: it could not stop the run; create it, or correct its name".to_owned()
        }
        AlarmState::Unknown(why) => format!("cannot be read: {why}; start again when it can"),
    }
}

/// The families that are on, and this one as well.
pub(super) fn with(on: &BTreeSet<Family>, family: Family) -> String {
    let all: BTreeSet<Family> = on.iter().copied().chain([family]).collect();
    all.into_iter().map(Family::word).collect::<Vec<_>>().join(",")
}

pub(super) fn not_opted_in(target: &TargetId, tag: &str, environment: &Environment, tagged: Option<&String>) -> String {
    match tagged {
        Some(value) => format!(
            "{target} opted in for {value}, not for {environment}: start the run there, or change its tag {tag}"
        ),
        None => format!("{target} did not opt in: give it the tag {tag}={environment}, or pick others"),
    }
}

pub(super) fn protected_by(part: Option<&TargetId>, tag: &str) -> String {
    match part {
        Some(part) => format!("holds {part}, which is protected by the tag {tag}"),
        None => format!("is protected by the tag {tag}"),
    }
}

pub(super) fn quoted(groups: &[TargetName]) -> String {
    groups.iter().map(|group| format!("`{group}`")).collect::<Vec<_>>().join(" and ")
}

pub(super) fn without(ailing: usize) -> String {
    if ailing == 0 { String::new() } else { format!(" (without {ailing} that are not known to be healthy)") }
}

pub(super) fn listed(faults: &[FaultName]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// How many hosts are named; the others are counted.
const NAMED: usize = 3;

pub(super) fn some_of(hosts: &[InstanceId]) -> String {
    let shown = hosts.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if hosts.len() > NAMED { format!("{shown} and {} more", hosts.len() - NAMED) } else { shown }
}

pub(super) fn because(why: Option<&String>) -> String {
    why.map_or_else(String::new, |why| format!(" ({why})"))
}
