//! The baton: the one small document that the state machine passes from function to function.

use serde::{Deserialize, Serialize};

use crate::ids::RunId;

/// What a phase takes and returns. Data is in the tables; this only says which run, and what comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baton {
    /// Which run.
    pub run_id: RunId,
    /// The word that the next Choice looks at.
    pub verdict: Word,
    /// How long the next Wait takes.
    pub hold_seconds: u32,
    /// What people are told, where the next state tells them something.
    pub notice: String,
    /// What a Catch put beside it; phases read it and never return it.
    #[serde(default, skip_serializing)]
    pub error: Option<Caught>,
}

/// The longest notice: SNS takes more, the machine's payload must stay small.
const LONGEST_NOTICE: usize = 4_000;

impl Baton {
    /// A baton without a wait or a notice.
    pub const fn new(run_id: RunId, verdict: Word) -> Self {
        Self { run_id, verdict, hold_seconds: 0, notice: String::new(), error: None }
    }

    /// The same, with a wait before what comes next.
    #[must_use]
    pub const fn holding(mut self, seconds: u32) -> Self {
        self.hold_seconds = seconds;
        self
    }

    /// The same, with something to tell people. Longer texts are cut, at a character.
    #[must_use]
    pub fn saying(mut self, notice: impl Into<String>) -> Self {
        self.notice = notice.into();
        if self.notice.len() > LONGEST_NOTICE {
            let mut end = LONGEST_NOTICE - '…'.len_utf8();
            while !self.notice.is_char_boundary(end) {
                end -= 1;
            }
            self.notice.truncate(end);
            self.notice.push('…');
        }
        self
    }
}

/// What a Catch puts beside the baton.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caught {
    /// The name of the error.
    #[serde(rename = "Error", default)]
    pub error: String,
    /// What was said about it.
    #[serde(rename = "Cause", default)]
    pub cause: String,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// A word that a Choice of the state machine looks at.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Word {
            $($(#[$doc])* #[serde(rename = $word)] $name,)*
        }

        impl Word {
            /// Every word there is.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The word itself.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

words! {
    /// Prepare: the plan is made and nothing forbids it.
    Ready = "ready",
    /// Prepare: somebody has to agree first.
    Approval = "approval",
    /// Inject: what was due has been broken.
    Injected = "injected",
    /// Observe, Recover, Validate: wait, then look again.
    Hold = "hold",
    /// Observe: another fault is due.
    Inject = "inject",
    /// Observe: something ends now. Validate: there is nothing more to wait for.
    Done = "done",
    /// Observe: a stop condition holds.
    Breached = "breached",
    /// Recover, Rollback: it is confirmed that everything is whole.
    Clean = "clean",
    /// Report: the hypothesis held.
    Supported = "supported",
    /// Report: the hypothesis did not hold.
    Refuted = "refuted",
    /// Report: too little is known.
    Inconclusive = "inconclusive",
    /// Report: the fault was not there.
    Invalid = "invalid",
    /// Report: the run was stopped.
    Aborted = "aborted",
    /// Prepare, Report: the run was not begun.
    Refused = "refused",
    /// Prepare, Report: a dry run; nothing was begun.
    Planned = "planned",
    /// Report: something is left behind.
    Stuck = "stuck",
}

impl std::fmt::Display for Word {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_notice_is_cut_at_a_character() {
        let baton = Baton::new(RunId::try_from("r").unwrap(), Word::Ready).saying("é".repeat(4000));

        assert!(baton.notice.len() <= LONGEST_NOTICE);
        assert!(baton.notice.ends_with("é…"));
    }

    #[test]
    fn the_error_beside_a_baton_is_read_and_not_returned() {
        let text =
            r#"{"run_id":"r","verdict":"hold","hold_seconds":0,"notice":"","error":{"Error":"Inject.X","Cause":"y"}}"#;
        let baton: Baton = serde_json::from_str(text).unwrap();

        assert_eq!(baton.error.as_ref().map(|caught| caught.error.as_str()), Some("Inject.X"));
        assert_eq!(
            serde_json::to_string(&baton).unwrap(),
            r#"{"run_id":"r","verdict":"hold","hold_seconds":0,"notice":""}"#
        );
    }
}
