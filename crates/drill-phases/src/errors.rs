//! The names that the state machine sees when a phase fails, one for each variant of each phase's error, and what to do next.

use crate::approval::ApprovalError;
use crate::inject::InjectError;
use crate::janitor::JanitorError;
use crate::observe::ObserveError;
use crate::prepare::PrepareError;
use crate::recover::RecoverError;
use crate::report::ReportError;
use crate::rollback::RollbackError;
use crate::validate::ValidateError;

/// An error with a name that the state machine can match.
pub trait Named: std::error::Error {
    /// The name: `Inject.CallFailed`.
    fn name(&self) -> &'static str;

    /// What to do next, in a sentence or two.
    fn next(&self) -> &'static str;
}

/// The name of an error, and in words its whole chain and what to do next, as a function answers it.
pub fn error_name(error: &(impl Named + 'static)) -> (&'static str, String) {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text.push_str(". ");
    text.push_str(error.next());
    (error.name(), text)
}

macro_rules! named {
    ($($error:ident { $($variant:ident => $name:literal, $next:literal;)* })*) => {
        $(impl Named for $error {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            fn next(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $next,)*
                }
            }
        })*

        /// Every name there is, and what to do next.
        pub const NEXT: &[(&str, &str)] = &[$($(($name, $next),)*)*];

        /// Every name there is.
        pub const ERROR_NAMES: &[&str] = &[$($($name,)*)*];
    };
}

named! {
    PrepareError {
        ExecutionName => "Prepare.ExecutionName", "Name it with 1 to 80 letters, digits, `-` and `_`, or let the service choose.";
        RunRecord => "Prepare.RunRecord", "Look at the table of runs and its throttling, then start again.";
        Unreachable => "Prepare.Unreachable", "Check whether the service answers, then start again.";
    }
    ApprovalError {
        RunRecord => "Approval.RunRecord", "Start again; the run is refused.";
        NoticeFailed => "Approval.NoticeFailed", "Check that the topic exists and that the function may publish to it, then start again.";
        AnswerRejected => "Approval.AnswerRejected", "Read the current plan and answer with its digest.";
        ResumeFailed => "Approval.ResumeFailed", "Answer again: that only resumes it once more.";
    }
    InjectError {
        Superseded => "Inject.Superseded", "Nothing: late work refused itself.";
        RunRecord => "Inject.RunRecord", "Look at the table of runs; Rollback has put back what there was.";
        PlanChanged => "Inject.PlanChanged", "Find out who writes to the table of runs: only the functions should.";
        Forbidden => "Inject.Forbidden", "Start again when the guard allows it.";
        TargetBusy => "Inject.TargetBusy", "Wait until that run is over.";
        NoClock => "Inject.NoClock", "Check that the schedule group exists and that Inject may create schedules in it and pass its role.";
        NoScheduledUndo => "Inject.NoScheduledUndo", "Check that the group of undos exists and that Inject may create and read schedules in it and pass their role.";
        TooLate => "Inject.TooLate", "Nothing: late work refused itself. Look for throttled functions if it happens again.";
        IntentNotWritten => "Inject.IntentNotWritten", "Look at the table of runs and its throttling.";
        CallFailed => "Inject.CallFailed", "Read the cause: usually a permission or a target that is gone. Rollback treats it as done.";
        OutcomeUnknown => "Inject.OutcomeUnknown", "Check whether Systems Manager and EC2 answer. Rollback treats the changes as done.";
    }
    ObserveError {
        Superseded => "Observe.Superseded", "Nothing: it is being put back.";
        RunRecord => "Observe.RunRecord", "Look at the table of runs. The run was put back, because it could not be observed.";
        SampleNotWritten => "Observe.SampleNotWritten", "Look at the table of runs and its throttling.";
    }
    RecoverError {
        RunRecord => "Recover.RunRecord", "Look at the table of runs; Rollback takes over.";
        NotClean => "Recover.NotClean", "Rollback takes over, and the janitor after it.";
    }
    RollbackError {
        RunRecord => "Rollback.RunRecord", "It is tried again; if it goes on, look at the table of runs.";
        NotClean => "Rollback.NotClean", "It is tried again, then people are paged. Put it back by hand (docs/how-to/stuck.md) if you cannot wait.";
    }
    ValidateError {
        RunRecord => "Validate.RunRecord", "Everything is put back; the report says that the recovery could not be judged.";
        SampleNotWritten => "Validate.SampleNotWritten", "Everything is put back; look at the table of runs and its throttling.";
    }
    ReportError {
        RunRecord => "Report.RunRecord", "It is tried again; the ledger has what happened.";
        FileNotWritten => "Report.FileNotWritten", "Check that the bucket exists and that Report may write to it. The verdict is in the record.";
    }
    JanitorError {
        LedgerUnreadable => "Janitor.LedgerUnreadable", "It tries again every minute; an alarm fires if that goes on.";
        NotClean => "Janitor.NotClean", "It is tried again every minute, for ever. Put it back by hand (docs/how-to/stuck.md) if you cannot wait.";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_errors_share_a_name() {
        let names: BTreeSet<_> = ERROR_NAMES.iter().collect();

        assert_eq!(names.len(), ERROR_NAMES.len());
    }
}
