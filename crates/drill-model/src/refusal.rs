//! Why a run was not begun: one variant for each guard, as data, and in words that say what to do next.
//!
//! A report's JSON has the variants, its JUnit file their words ([`Refusal::word`]), people the sentences.

mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use self::words::{alarm_is, because, listed, not_opted_in, protected_by, quoted, some_of, with, without};
use crate::faults::Family;
use crate::ids::{AlarmName, Environment, ExperimentId, FaultName, InstanceId, ProbeName, RunId, TargetName};
use crate::observation::{AlarmState, Finite};
use crate::plan::Digest;
use crate::quantity::Percent;
use crate::target::TargetId;

macro_rules! refusals {
    ($($(#[$meta:meta])* $variant:ident($word:literal) { $($(#[$doc:meta])* $field:ident: $type:ty,)* })+) => {
        /// Why a run was not begun.
        #[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
        #[serde(tag = "guard", rename_all_fields = "snake_case")]
        pub enum Refusal {
            $($(#[$meta])* #[serde(rename = $word)] $variant { $($(#[$doc])* $field: $type,)* },)+
        }

        impl Refusal {
            /// The word of every guard.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The guard that refused, in a word or two, for those who count or filter.
            pub const fn word(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $word,)+
                }
            }
        }
    };
}

refusals! {
    /// The input of the start cannot be read.
    #[error("{why}")]
    Start("start") {
        /// What is wrong with it, and the right form.
        why: String,
    }
    /// There is no such experiment.
    #[error("there is no experiment {id}: store it first, or correct the name")]
    NoExperiment("no-experiment") {
        /// Its name.
        id: ExperimentId,
    }
    /// The stored experiment cannot be read.
    #[error("experiment {id} cannot be read: {why}")]
    Experiment("experiment") {
        /// Its name.
        id: ExperimentId,
        /// What is wrong with it, and where.
        why: String,
    }
    /// It may not run there, or the start does not say where.
    #[error("{why}")]
    Environment("environment") {
        /// The environment that was asked for.
        asked: Option<Environment>,
        /// What is wrong, and which environments the experiment has.
        why: String,
    }
    /// The emergency stop is pulled.
    #[error("the emergency stop is pulled: {reason}; start again when it is released")]
    EmergencyStop("emergency-stop") {
        /// The reason that was given.
        reason: String,
    }
    /// Nobody knows whether the emergency stop is pulled.
    #[error("the emergency stop cannot be read: {why}; check the role of Prepare and the table of runs, and start again")]
    EmergencyStopUnknown("emergency-stop-unknown") {
        /// What the store said.
        why: String,
    }
    /// The stack has faults of this family switched off.
    #[error(
        "{fault} is a fault on `{family}`, and those are switched off in this stack: deploy it with the parameter Faults={} while no run is under way, and start again",
        with(on, *family)
    )]
    SwitchedOff("switched-off") {
        /// Which fault.
        fault: FaultName,
        /// Its family.
        family: Family,
        /// The families that are on.
        on: BTreeSet<Family>,
    }
    /// Nobody has seen the scheduler make an undo call.
    #[error(
        "{} could outlive everything of ours: it is not proven that the scheduler makes undo calls{}; run `make prove-undo` and start again",
        listed(faults), because(why.as_ref())
    )]
    UndoNotProven("undo-not-proven") {
        /// The faults that need a scheduled undo.
        faults: Vec<FaultName>,
        /// What the store said, where the proof could not be read.
        why: Option<String>,
    }
    /// No window is open for long enough.
    #[error("{why}")]
    Window("window") {
        /// Which fault has none, and when the next one opens.
        why: String,
    }
    /// An alarm that is to stop the run is not `OK`.
    #[error("alarm {alarm} {}", alarm_is(state))]
    Alarm("alarm") {
        /// Which alarm.
        alarm: AlarmName,
        /// Its state.
        state: AlarmState,
    }
    /// The run would be too long for the state machine.
    #[error("{why}")]
    Pacing("pacing") {
        /// The arithmetic, and what to change.
        why: String,
    }
    /// A group of targets cannot be picked from.
    #[error("{why}")]
    Pick("pick") {
        /// Which group.
        group: TargetName,
        /// What is wrong, and what to change.
        why: String,
    }
    /// A target that is named by its id is not there.
    #[error("{target} of `{group}` is not there, or not whole: take it out of `ids`, or repair it first")]
    TargetMissing("target-missing") {
        /// Which group.
        group: TargetName,
        /// Its id.
        target: String,
    }
    /// A target went away after it was picked.
    #[error("{target} does not exist any more: start again, and others are picked")]
    TargetGone("target-gone") {
        /// Which target.
        target: TargetId,
    }
    /// A target did not opt in to this environment.
    #[error("{}", not_opted_in(target, tag, environment, tagged.as_ref()))]
    NotOptedIn("not-opted-in") {
        /// Which target.
        target: TargetId,
        /// The tag by which it would opt in.
        tag: String,
        /// The environment of the run.
        environment: Environment,
        /// What the tag says, where it is there.
        tagged: Option<String>,
    }
    /// A target, or something in it, is protected.
    #[error("{target} {}: pick others, or take the tag off", protected_by(part.as_ref(), tag))]
    Protected("protected") {
        /// Which target.
        target: TargetId,
        /// What in it is protected, where it is not the target itself.
        part: Option<TargetId>,
        /// The tag that protects.
        tag: String,
    }
    /// More would be hit than the experiment allows.
    #[error(
        "{harmed} of {population} targets of {}{} would be hit by all faults together, and max_blast_radius {limit} allows {allowed}: pick fewer, or raise the limit",
        quoted(groups),
        without(*ailing)
    )]
    BlastRadius("blast-radius") {
        /// The groups that share members, or the one group.
        groups: Vec<TargetName>,
        /// How many would be hit.
        harmed: usize,
        /// Of how many that are known to be healthy, or are to be hit.
        population: usize,
        /// How many others there are: not known to be healthy.
        ailing: usize,
        /// The share that is allowed.
        limit: Percent,
        /// How many that is.
        allowed: usize,
    }
    /// Too few would be left.
    #[error(
        "`{group}` would be left with {left} targets known to be healthy ({population} less {hit} hit and {ailing} not known to be healthy), and min_healthy asks for {needed}: pick fewer, or repair those that are not healthy"
    )]
    MinHealthy("min-healthy") {
        /// Which group.
        group: TargetName,
        /// How many healthy ones would be left.
        left: usize,
        /// Of how many.
        population: usize,
        /// How many would be hit.
        hit: usize,
        /// How many of the others are not known to be healthy.
        ailing: usize,
        /// How many have to be left.
        needed: usize,
    }
    /// The targets could not be looked at again.
    #[error("the targets cannot be looked at: {why}; start again when they can")]
    TargetsUnknown("targets-unknown") {
        /// What the service said.
        why: String,
    }
    /// A target cannot have this fault.
    #[error("{fault} cannot be done to {target}: {why}")]
    Unsuitable("unsuitable") {
        /// Which fault.
        fault: FaultName,
        /// Which target.
        target: TargetId,
        /// Why not.
        why: String,
    }
    /// Two faults would disarm each other.
    #[error("{one} and {other} would meet on {target}: {why}; do one after the other (`after:`), or pick other targets")]
    Clash("clash") {
        /// One fault.
        one: FaultName,
        /// The other.
        other: FaultName,
        /// Where they meet.
        target: TargetId,
        /// Why that is a problem.
        why: String,
    }
    /// Another run has a target.
    #[error("{target} is in use by run {holder}: start again when that run is over")]
    InUse("in-use") {
        /// Which target.
        target: TargetId,
        /// The run that has it.
        holder: RunId,
    }
    /// A call that the run needs is not permitted.
    #[error("{fault} would not be allowed: {why}; check the stack's roles and the target's tags")]
    NotPermitted("not-permitted") {
        /// For which fault.
        fault: FaultName,
        /// What the service said.
        why: String,
    }
    /// Hosts cannot have this fault, or did not answer.
    #[error("{} {why}", some_of(hosts))]
    Hosts("hosts") {
        /// Which hosts.
        hosts: Vec<InstanceId>,
        /// What they lack.
        why: String,
    }
    /// A probe has no value.
    #[error("probe {probe} has no value before anything is broken{}: check what it asks for", because(why.as_ref()))]
    NoBaseline("no-baseline") {
        /// Which probe.
        probe: ProbeName,
        /// Why not, where that is known.
        why: Option<String>,
    }
    /// A probe is out of its tolerance already.
    #[error("the system is not in its steady state: {probe} is {:.4}, and it should be {tolerance}; repair it first, or correct the tolerance", measured.get())]
    NotSteady("not-steady") {
        /// Which probe.
        probe: ProbeName,
        /// What it is.
        measured: Finite,
        /// What it should be, in words.
        tolerance: String,
    }
    /// A probe is in its tolerance on the whole, and was out of it too often.
    #[error("the system is not in its steady state: {out} of {of} values of {probe} before anything is broken were not {tolerance}; repair it first, or allow for them with `in_samples`")]
    OutBefore("out-before") {
        /// Which probe.
        probe: ProbeName,
        /// So many were out of tolerance.
        out: u32,
        /// Of so many.
        of: u32,
        /// What they should be, in words.
        tolerance: String,
    }
    /// A stop condition compares a probe with what it was before, and that cannot be done.
    #[error("whether {probe} is worse than before cannot be seen: {why}; write a plain limit, such as `above`, or let the faults last longer")]
    Unseeable("unseeable") {
        /// Which probe.
        probe: ProbeName,
        /// Why not, with the numbers.
        why: String,
    }
    /// A stop condition compares with a baseline that nothing can be compared with.
    #[error("the baseline of {probe} is {:.4}: a stop condition cannot compare with that, use `above` or `below`", measured.get())]
    Incomparable("incomparable") {
        /// Which probe.
        probe: ProbeName,
        /// Its baseline.
        measured: Finite,
    }
    /// What was agreed to is not what would be done.
    #[error("what was agreed to ({agreed}) is not what would be done now ({now}): start again")]
    PlanChanged("plan-changed") {
        /// The plan that was agreed to.
        agreed: Digest,
        /// The plan of now.
        now: Digest,
    }
    /// Somebody said no.
    #[error("{by} said no: {why}")]
    Denied("denied") {
        /// Who.
        by: String,
        /// Why.
        why: String,
    }
    /// The plan is for another account or region.
    #[error("the plan is for account {account} in {region}, and this is {here}: nothing was changed; start the run there")]
    Elsewhere("elsewhere") {
        /// The account of the plan.
        account: String,
        /// The region of the plan.
        region: String,
        /// Where this is, in words.
        here: String,
    }
    /// A guard forbade it between Prepare and the first change.
    #[error("{why}")]
    Meanwhile("meanwhile") {
        /// Which, in words.
        why: String,
    }
    /// Another run was faster: nothing was changed.
    #[error("{why}")]
    TargetBusy("target-busy") {
        /// Who has what, in words.
        why: String,
    }
    /// The run was not prepared to the end.
    #[error("{why}")]
    NotPrepared("not-prepared") {
        /// The error, or what the machine said.
        why: String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_data_with_the_word_of_its_guard() {
        let refusal = Refusal::InUse {
            target: TargetId::try_from("arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0".to_owned())
                .unwrap(),
            holder: "other".parse().unwrap(),
        };

        let written = serde_json::to_value(&refusal).unwrap();

        assert_eq!(written["guard"], refusal.word());
        assert_eq!(serde_json::from_value::<Refusal>(written).unwrap(), refusal);
        assert!(refusal.to_string().contains("start again when that run is over"), "{refusal}");
    }
}
