//! Somebody's agreement to one plan, bound to that plan's digest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::Digest;

/// What is known of the agreement that a run needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case", rename_all_fields = "snake_case", deny_unknown_fields)]
pub enum Approval {
    /// Nobody has to agree.
    NotNeeded,
    /// Somebody was asked.
    Asked {
        /// To what.
        plan: Digest,
        /// Until when they may answer.
        until: Timestamp,
    },
    /// Somebody agreed.
    Given {
        /// To what: another plan is not agreed to.
        plan: Digest,
        /// Who; not the one who asked for the run.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody said no.
    Denied {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
}

/// An answer that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAnswer {
    /// The one who asked cannot agree.
    #[error("{0} asked for this run and cannot agree to it: let somebody else do it")]
    OwnRun(String),
    /// It is about another plan.
    #[error("this run's plan is {asked}, not {answered}: read the plan again and answer that one")]
    OtherPlan {
        /// What was asked.
        asked: Digest,
        /// What was answered.
        answered: Digest,
    },
    /// Nobody was asked, or an answer is there already.
    #[error("this run is not waiting for an answer")]
    NotAsked,
    /// The time is over.
    #[error("the time to answer ended at {0}")]
    TooLate(Timestamp),
}

impl Approval {
    /// Takes an agreement: single use, by another person, in time, to exactly the plan that was asked about.
    pub fn give(&self, plan: &Digest, by: &str, requested_by: &str, now: Timestamp) -> Result<Self, InvalidAnswer> {
        match self {
            Self::Asked { until, .. } if now > *until => Err(InvalidAnswer::TooLate(*until)),
            Self::Asked { plan: asked, .. } if asked != plan => {
                Err(InvalidAnswer::OtherPlan { asked: asked.clone(), answered: plan.clone() })
            }
            Self::Asked { .. } if by == requested_by => Err(InvalidAnswer::OwnRun(by.to_owned())),
            Self::Asked { .. } => Ok(Self::Given { plan: plan.clone(), by: by.to_owned(), at: now }),
            Self::NotNeeded | Self::Given { .. } | Self::Denied { .. } => Err(InvalidAnswer::NotAsked),
        }
    }
}
