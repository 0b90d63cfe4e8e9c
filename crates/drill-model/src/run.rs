//! A run: one execution of an experiment, and the one function that says what may follow what.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::approval::Approval;
use crate::ids::{Environment, ExperimentId, FaultName, RunId};
use crate::plan::Digest;
use crate::refusal::Refusal;
use crate::verdict::Judgement;

/// The record of a run. Every change to it goes through [`Run::apply`] or sets what one phase alone may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Which run.
    pub id: RunId,
    /// The execution, by its ARN.
    pub execution: String,
    /// Counts the writes; a write that does not know the latest is refused.
    pub version: u64,
    /// Where it stands.
    pub status: Status,
    /// Of which experiment; absent when the start could not be read.
    pub experiment: Option<ExperimentId>,
    /// Where.
    pub environment: Option<Environment>,
    /// Who asked for it.
    pub requested_by: String,
    /// Nothing is changed.
    pub dry_run: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// The digest of its plan, once there is one. Set by Prepare.
    pub plan: Option<Digest>,
    /// Whether somebody agreed. Set by Prepare and by the approval.
    pub approval: Approval,
    /// From when to when something may be broken. Set by Inject, once.
    pub armed: Option<Armed>,
    /// Why it ended as it did. The first reason stays.
    pub ending: Option<Ending>,
    /// When it was confirmed that everything is whole again. Set by Recover, Rollback or the janitor.
    pub clean_at: Option<Timestamp>,
    /// The verdict and what it rests on. Set by Report.
    pub judgement: Option<Judgement>,
    /// When the files of the report were all stored. Without it what was learned stands here only, and Report is tried
    /// again by the aftermath. Set by Report, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_at: Option<Timestamp>,
    /// When the targets of a run that was armed were all given back. Until then the sweep comes back to it. Set by
    /// Recover, Rollback or the janitor, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_back_at: Option<Timestamp>,
}

/// From when to when something may be broken. Written once, never extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Armed {
    /// The instant from which the faults' times count.
    pub from: Timestamp,
    /// Everything is gone by then, whoever has to see to it.
    pub deadline: Timestamp,
}

/// Why a run ended as it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Ending {
    /// It was never begun.
    Refused {
        /// Every reason that was found.
        reasons: Vec<Refusal>,
    },
    /// It was a dry run.
    DryRun,
    /// The faults ran their time.
    Completed,
    /// A stop condition held.
    Breached {
        /// Which, in words.
        condition: String,
        /// When.
        at: Timestamp,
    },
    /// Safety data was missing for too long.
    Blind {
        /// What was missing, in words.
        what: String,
        /// When.
        at: Timestamp,
    },
    /// A fault was not there any more, before its time and without us.
    Vanished {
        /// Which.
        fault: FaultName,
        /// On whom, in words.
        what: String,
        /// When it ended, by the word of its target; when its targets were asked, where none of them tells.
        at: Timestamp,
    },
    /// The emergency stop was pulled.
    Lever {
        /// The reason that was given.
        reason: String,
    },
    /// A phase failed.
    Failed {
        /// The name of the error.
        error: String,
        /// What was said about it.
        cause: String,
    },
    /// The execution was stopped, timed out or died.
    Stopped {
        /// How one knows.
        how: String,
    },
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It is being prepared.
    Preparing,
    /// Somebody has to agree.
    AwaitingApproval,
    /// It will not be begun.
    Refused,
    /// It was planned, and that is all.
    Planned,
    /// It may begin.
    Ready,
    /// Something is being broken.
    Injecting,
    /// It is watched.
    Observing,
    /// What was broken is being put back, in the regular way.
    Recovering,
    /// What was broken, or may have been, is being put back after something went wrong.
    RollingBack,
    /// Something is left behind after many tries. It is still being tried.
    Stuck,
    /// It is confirmed that everything is whole.
    Clean,
    /// The verdict is written.
    Judged,
}

/// What can happen to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// Prepare found that somebody has to agree.
    AskApproval,
    /// Prepare found that nothing forbids it.
    MakeReady,
    /// Prepare, an approval or an announcement refused it.
    Refuse,
    /// A dry run was planned.
    PlanOnly,
    /// Inject begins, or begins again.
    BeginInjection,
    /// What was due is broken.
    Injected,
    /// Recover begins, or begins again.
    BeginRecovery,
    /// What ended is put back, and other faults go on.
    GoOn,
    /// Rollback or the janitor begins, or begins again.
    BeginRollback,
    /// It is confirmed that everything is whole.
    Cleaned,
    /// The tries are used up and something is left.
    GiveUp,
    /// The verdict is written.
    Judge,
}

/// An event that cannot happen to a run where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {status:?} cannot take {event:?}")]
pub struct IllegalEvent {
    /// Where the run stands.
    pub status: Status,
    /// What was tried.
    pub event: Event,
}

/// What may follow what: the one rule that the phases, the stores and every proof share.
///
/// Repeating what has just happened is allowed wherever a repeated call can bring it about. What comes late is not:
/// nothing leads from a run that is being cleaned, or is clean, back to one that breaks things.
pub const fn next(status: Status, event: Event) -> Result<Status, IllegalEvent> {
    use Event as E;
    use Status as S;
    let to = match (status, event) {
        (S::Preparing | S::AwaitingApproval, E::AskApproval) => S::AwaitingApproval,
        (S::Preparing | S::AwaitingApproval | S::Ready, E::MakeReady) => S::Ready,
        (S::Preparing | S::AwaitingApproval | S::Ready | S::Refused, E::Refuse) => S::Refused,
        (S::Preparing | S::Planned, E::PlanOnly) => S::Planned,
        (S::Ready | S::Injecting | S::Observing, E::BeginInjection) => S::Injecting,
        (S::Injecting | S::Observing, E::Injected) => S::Observing,
        (S::Observing | S::Recovering, E::BeginRecovery) => S::Recovering,
        (S::Recovering, E::GoOn) => S::Observing,
        (
            S::Preparing
            | S::AwaitingApproval
            | S::Ready
            | S::Injecting
            | S::Observing
            | S::Recovering
            | S::RollingBack
            | S::Stuck,
            E::BeginRollback,
        ) => S::RollingBack,
        (S::Recovering | S::RollingBack | S::Stuck | S::Clean, E::Cleaned) => S::Clean,
        (S::RollingBack | S::Stuck, E::GiveUp) => S::Stuck,
        (S::Clean | S::Judged, E::Judge) => S::Judged,
        // Their verdict is the status itself; and what is stuck stays so until it is clean.
        (S::Refused, E::Judge) => S::Refused,
        (S::Planned, E::Judge) => S::Planned,
        (S::Stuck, E::Judge) => S::Stuck,
        (status, event) => return Err(IllegalEvent { status, event }),
    };
    Ok(to)
}

impl Status {
    /// Every status.
    pub const ALL: &[Self] = &[
        Self::Preparing,
        Self::AwaitingApproval,
        Self::Refused,
        Self::Planned,
        Self::Ready,
        Self::Injecting,
        Self::Observing,
        Self::Recovering,
        Self::RollingBack,
        Self::Stuck,
        Self::Clean,
        Self::Judged,
    ];

    /// True while something may be broken, or may become so.
    pub const fn may_harm(self) -> bool {
        matches!(self, Self::Injecting | Self::Observing | Self::Recovering | Self::RollingBack | Self::Stuck)
    }
}

impl Event {
    /// Every event.
    pub const ALL: &[Self] = &[
        Self::AskApproval,
        Self::MakeReady,
        Self::Refuse,
        Self::PlanOnly,
        Self::BeginInjection,
        Self::Injected,
        Self::BeginRecovery,
        Self::GoOn,
        Self::BeginRollback,
        Self::Cleaned,
        Self::GiveUp,
        Self::Judge,
    ];
}

impl Run {
    /// A run of which nothing is known yet but its name and when it began.
    pub fn new(id: RunId, created_at: Timestamp) -> Self {
        Self {
            id,
            execution: String::new(),
            version: 0,
            status: Status::Preparing,
            experiment: None,
            environment: None,
            requested_by: "unknown".to_owned(),
            dry_run: false,
            created_at,
            plan: None,
            approval: Approval::NotNeeded,
            armed: None,
            ending: None,
            clean_at: None,
            judgement: None,
            reported_at: None,
            given_back_at: None,
        }
    }

    /// Takes an event: the status moves, or the event is illegal and nothing changes.
    pub fn apply(&mut self, event: Event) -> Result<(), IllegalEvent> {
        self.status = next(self.status, event)?;
        Ok(())
    }

    /// By when a run has to be finished that is not: it may hold targets, whatever its ledger says. `None` for one that
    /// never could, and for one that has given them back.
    pub fn unfinished(&self) -> Option<Timestamp> {
        if self.given_back_at.is_some() { None } else { self.armed.map(|armed| armed.deadline) }
    }

    /// Notes why the run ends. The first reason stays: what comes after is a consequence.
    pub fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_from_cleaning_back_to_harm() {
        for status in
            [Status::RollingBack, Status::Stuck, Status::Clean, Status::Judged, Status::Refused, Status::Planned]
        {
            for event in [Event::BeginInjection, Event::Injected, Event::GoOn, Event::MakeReady] {
                assert!(next(status, event).is_err(), "{status:?} {event:?}");
            }
        }
    }

    #[test]
    fn every_status_that_may_harm_can_be_rolled_back() {
        for status in Status::ALL.iter().filter(|status| status.may_harm()) {
            assert_eq!(next(*status, Event::BeginRollback), Ok(Status::RollingBack));
        }
    }

    #[test]
    fn every_event_that_is_taken_can_be_taken_twice() {
        for status in Status::ALL {
            for event in Event::ALL {
                let Ok(after) = next(*status, *event) else { continue };
                // Going on to other faults happens once: the next Recover begins with an Observe between.
                if *event != Event::GoOn {
                    assert_eq!(next(after, *event), Ok(after), "{status:?} {event:?}");
                }
            }
        }
    }
}
