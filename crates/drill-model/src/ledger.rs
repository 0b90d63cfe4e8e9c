//! The ledger: one row for each (fault, target), written before the change is made and closed when it is seen undone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::Change;
use crate::ids::{FaultName, RunId, UnitId};
use crate::target::TargetId;

/// A change to one target: what is done, what undoes it, how it was before, and how far it has come.
///
/// What this version does not know is passed over: who went back to it must still be able to heal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Of which run.
    pub run_id: RunId,
    /// Which of its faults.
    pub fault: FaultName,
    /// To whom.
    pub target: TargetId,
    /// What it is called on the host.
    pub unit: UnitId,
    /// What is done.
    pub change: Change,
    /// How the target was before, as its fault saved it. Undo restores exactly this. Null where the host saved it itself.
    pub saved: Value,
    /// When the intent was written.
    pub intended_at: Timestamp,
    /// The change is not made after this instant, by anybody.
    pub not_after: Timestamp,
    /// When this fault ends at the latest: it is put back as soon as it has had its duration.
    pub ends_at: Timestamp,
    /// When the fault is gone at the latest, whoever has to see to it.
    pub deadline: Timestamp,
    /// How far it has come.
    pub state: State,
    /// When `state` was last written.
    pub since: Timestamp,
}

/// How far a change has come. A closed row is never opened again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum State {
    /// Written down; the change may have been made, or may be made until `not_after`.
    Intended,
    /// The change was looked for, and it is there.
    Landed {
        /// When that was seen.
        at: Timestamp,
    },
    /// Closed: the change was not made, and is known not to have been.
    NeverMade {
        /// Why not.
        why: String,
    },
    /// Closed: the change was there, or may have been, and it was confirmed that it is gone.
    Undone {
        /// When it had landed, if it was seen.
        landed: Option<Timestamp>,
        /// How one knows that it is gone.
        how: Gone,
        /// What the target itself said of it at the end.
        #[serde(default)]
        told: Told,
    },
    /// Closed by a person, who takes it on: nothing is known to be gone.
    Abandoned {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
}

/// What a target said of a change when it was undone. Empty when it said nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Told {
    /// When the change had ended at the earliest, where that was before anybody undid it: by the host's own dead man, or by
    /// somebody's hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// By when it had ended. A host says how long ago, and its answer may have been under way for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<Timestamp>,
    /// Whether anything met it, by its own counters. `None` where it counts nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

/// How one knows that a change is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// The host reverted it and saw its absence.
    Reverted,
    /// The host had nothing of it.
    Absent,
    /// The target is seen as it was before.
    Restored,
    /// It happened once and left nothing to remove; the target is alive.
    Converged,
    /// The target does not exist any more, as was intended or as happened on the way.
    TargetGone,
}

/// A step that a row cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a ledger row that is {from} cannot become {to}")]
pub struct IllegalStep {
    from: &'static str,
    to: &'static str,
}

impl State {
    /// Undone, without a word of the target about it.
    pub const fn undone(landed: Option<Timestamp>, how: Gone) -> Self {
        Self::Undone { landed, how, told: Told { ended: None, ended_by: None, met: None } }
    }

    /// True until the row is closed.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Intended | Self::Landed { .. })
    }

    /// When the change was seen to have landed, if it ever was.
    pub const fn landed(&self) -> Option<Timestamp> {
        match self {
            Self::Landed { at } => Some(*at),
            Self::Undone { landed, .. } => *landed,
            Self::Intended | Self::NeverMade { .. } | Self::Abandoned { .. } => None,
        }
    }

    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Landed { .. } => "landed",
            Self::NeverMade { .. } => "never made",
            Self::Undone { .. } => "undone",
            Self::Abandoned { .. } => "abandoned",
        }
    }
}

/// What may follow what: the one rule that the phases, the stores and every proof share.
///
/// A step to the state that is there already is allowed: repeating a write changes nothing.
pub fn step(from: &State, to: &State) -> Result<(), IllegalStep> {
    let allowed = from == to
        || match (from, to) {
            (State::Intended, State::Landed { .. } | State::NeverMade { .. }) => true,
            (State::Intended | State::Landed { .. }, State::Undone { .. } | State::Abandoned { .. }) => true,
            // The same fact told at another instant.
            (State::Landed { .. }, State::Landed { .. }) => true,
            (
                State::Intended
                | State::Landed { .. }
                | State::NeverMade { .. }
                | State::Undone { .. }
                | State::Abandoned { .. },
                _,
            ) => false,
        };
    if allowed { Ok(()) } else { Err(IllegalStep { from: from.word(), to: to.word() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_row_is_never_opened_again() {
        let closed = [
            State::NeverMade { why: "refused".into() },
            State::undone(None, Gone::Absent),
            State::Abandoned { by: "me".into(), why: "gone".into() },
        ];
        for state in closed {
            assert!(step(&state, &State::Intended).is_err());
            assert!(step(&state, &State::Landed { at: Timestamp::UNIX_EPOCH }).is_err());
            assert!(step(&state, &state).is_ok());
        }
    }

    #[test]
    fn a_row_of_a_later_version_can_still_be_healed() {
        let written = serde_json::json!({
            "run_id": "run", "fault": "cut", "target": "arn:aws:ec2:eu-central-1:123456789012:instance/i-0000000a",
            "unit": "00000000000000a1", "saved": null, "what_comes_later": { "more": 1 },
            "change": { "by": "resource", "fault": { "kind": "instance-stop" } },
            "intended_at": "2026-03-02T10:00:00Z", "not_after": "2026-03-02T10:01:00Z",
            "ends_at": "2026-03-02T10:02:00Z", "deadline": "2026-03-02T10:05:00Z", "since": "2026-03-02T10:00:01Z",
            "state": { "is": "landed", "at": "2026-03-02T10:00:01Z", "by": "a later field" },
        });

        let row: Row = serde_json::from_value(written).unwrap();

        assert!(row.state.is_open());
    }
}
