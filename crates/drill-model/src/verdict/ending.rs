//! How a run ended, in words: anything but the end of its faults' time is a reason not to look at the numbers.

use super::Finding;
use super::words::capped;
use crate::refusal::Refusal;
use crate::run::{Ending, Run};

/// Why the run did not run its time; `None` when it did.
pub(super) fn finding(run: &Run) -> Option<Finding> {
    let seen = match &run.ending {
        Some(Ending::Completed) => return None,
        Some(Ending::Breached { condition, at }) => format!("stopped at {at:.0}: {condition}"),
        Some(Ending::Blind { what, at }) => format!("stopped at {at:.0}, blind: {what}"),
        Some(Ending::Vanished { fault, what, at }) => {
            format!("stopped: {fault} ended at {at:.0}, before its time: {what}")
        }
        Some(Ending::Lever { reason }) => format!("the emergency stop was pulled: {reason}"),
        Some(Ending::Failed { error, cause }) => format!("{error}: {cause}"),
        Some(Ending::Stopped { how }) => format!("the execution ended early: {how}"),
        Some(Ending::Refused { reasons }) => {
            format!("refused: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        }
        Some(Ending::DryRun) => "it was a dry run".to_owned(),
        None => "nothing tells how the run ended".to_owned(),
    };
    Some(Finding::unknown("ending", capped(&seen)))
}

/// Why the run was not begun: a finding for each reason.
pub(super) fn refusal(run: &Run) -> Vec<Finding> {
    match &run.ending {
        Some(Ending::Refused { reasons }) if !reasons.is_empty() => {
            let finding =
                |reason: &Refusal| Finding::unknown(format!("refusal: {}", reason.word()), capped(&reason.to_string()));
            reasons.iter().map(finding).collect()
        }
        Some(Ending::Refused { .. } | Ending::Completed) | None => {
            vec![Finding::unknown("refusal", "the run was refused and no reason was recorded")]
        }
        Some(
            Ending::DryRun
            | Ending::Breached { .. }
            | Ending::Blind { .. }
            | Ending::Vanished { .. }
            | Ending::Lever { .. }
            | Ending::Failed { .. }
            | Ending::Stopped { .. },
        ) => finding(run).into_iter().collect(),
    }
}

/// What a dry run says of the hypothesis.
pub(super) fn dry_run() -> Finding {
    Finding::unknown("dry run", "everything was planned and nothing was changed")
}
