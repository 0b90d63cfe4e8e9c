//! The names that the state machine sees when a phase fails: one for each variant of each phase's error.

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
}

/// The name and the whole chain of an error, as a function answers it.
pub fn error_name(error: &(impl Named + 'static)) -> (&'static str, String) {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    (error.name(), text)
}

macro_rules! named {
    ($($error:ident { $($variant:ident => $name:literal,)* })*) => {
        $(impl Named for $error {
            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }
        })*

        /// Every name there is.
        pub const ERROR_NAMES: &[&str] = &[$($($name,)*)*];
    };
}

named! {
    PrepareError {
        Name => "Prepare.Name",
        Record => "Prepare.Record",
        Unreachable => "Prepare.Unreachable",
    }
    ApprovalError {
        Record => "Approval.Record",
        Unasked => "Approval.Unasked",
        Answer => "Approval.Answer",
        Unsaid => "Approval.Unsaid",
    }
    InjectError {
        Superseded => "Inject.Superseded",
        Record => "Inject.Record",
        PlanChanged => "Inject.PlanChanged",
        Forbidden => "Inject.Forbidden",
        TargetBusy => "Inject.TargetBusy",
        NoClock => "Inject.NoClock",
        NoScheduledUndo => "Inject.NoScheduledUndo",
        TooLate => "Inject.TooLate",
        IntentNotWritten => "Inject.IntentNotWritten",
        CallFailed => "Inject.CallFailed",
        OutcomeUnknown => "Inject.OutcomeUnknown",
    }
    ObserveError {
        Superseded => "Observe.Superseded",
        Record => "Observe.Record",
        Unwritten => "Observe.Unwritten",
    }
    RecoverError {
        Record => "Recover.Record",
        NotClean => "Recover.NotClean",
    }
    RollbackError {
        Record => "Rollback.Record",
        NotClean => "Rollback.NotClean",
    }
    ValidateError {
        Record => "Validate.Record",
        Unwritten => "Validate.Unwritten",
    }
    ReportError {
        Record => "Report.Record",
        Unwritten => "Report.Unwritten",
    }
    JanitorError {
        Unread => "Janitor.Unread",
        NotClean => "Janitor.NotClean",
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
