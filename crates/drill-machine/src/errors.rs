//! Error names: which of them an `ErrorEquals` matches.
//!
//! The reserved names behave as they do on AWS, where `States.ALL` does not mean all.

/// Matches everything but the two names below.
pub const ALL: &str = "States.ALL";
/// Matches every error of a task but a time-out.
pub const TASK_FAILED: &str = "States.TaskFailed";
/// A task, or the execution, took longer than its limit.
pub const TIMEOUT: &str = "States.Timeout";
/// A payload was larger than 256 KiB: caught by its own name only.
pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
/// The machine itself is wrong, for instance a path that leads nowhere: never retried, never caught.
pub const RUNTIME: &str = "States.Runtime";
/// No rule of a Choice matched and it has no Default.
pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
/// A `ResultPath` does not fit the input that it is applied to.
pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";

/// The reserved names that a machine may write in `ErrorEquals`.
pub const RESERVED: [&str; 9] = [
    ALL,
    TASK_FAILED,
    TIMEOUT,
    DATA_LIMIT_EXCEEDED,
    RUNTIME,
    NO_CHOICE_MATCHED,
    RESULT_PATH_MATCH_FAILURE,
    "States.HeartbeatTimeout",
    "States.Permissions",
];

/// True if a retrier or catcher with this `ErrorEquals` is for `error`.
pub fn matches(error_equals: &[String], error: &str) -> bool {
    if error == RUNTIME {
        return false;
    }
    error_equals.iter().any(|pattern| match pattern.as_str() {
        ALL => error != DATA_LIMIT_EXCEEDED,
        TASK_FAILED => error != TIMEOUT && error != DATA_LIMIT_EXCEEDED,
        name => name == error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, error: &str, expected: bool) {
        assert_eq!(matches(&[pattern.into()], error), expected, "{pattern} on {error}");
    }

    #[test]
    fn states_all_is_not_all() {
        check(ALL, "Inject.IntentNotWritten", true);
        check(ALL, TIMEOUT, true);
        check(ALL, DATA_LIMIT_EXCEEDED, false);
        check(ALL, RUNTIME, false);
    }

    #[test]
    fn task_failed_is_everything_but_a_timeout() {
        check(TASK_FAILED, "Lambda.Unknown", true);
        check(TASK_FAILED, TIMEOUT, false);
    }

    #[test]
    fn a_name_matches_itself_but_nothing_matches_a_runtime_error() {
        check(DATA_LIMIT_EXCEEDED, DATA_LIMIT_EXCEEDED, true);
        check("Lambda.Unknown", "Lambda.ServiceException", false);
        check(RUNTIME, RUNTIME, false);
    }
}
