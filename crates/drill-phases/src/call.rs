//! The edge of a function, without Lambda: a document in, a document or a named error out.
//!
//! Whoever calls a phase, in a Lambda or on one machine, reads its input and writes its answer and its errors here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Named, error_name};

/// The input of a function is not what it reads.
pub const INPUT: &str = "Input";
/// The answer of a function cannot be written.
pub const OUTPUT: &str = "Output";
/// A function panicked.
pub const PANIC: &str = "Panic";

/// The names of what goes wrong around a phase; those of the phases are [`ERROR_NAMES`](crate::ERROR_NAMES).
pub const EDGE_NAMES: &[&str] = &[INPUT, OUTPUT, PANIC];

/// The longest cause, in bytes: it is carried by the state machine, whose payload must stay small.
const LONGEST_CAUSE: usize = 4_000;

/// What a function answers instead of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {cause}")]
pub struct Failure {
    /// The name that the state machine can match.
    pub error: String,
    /// The whole chain, in words.
    pub cause: String,
}

impl Failure {
    /// A failure by its name. A cause that is too long is cut, at a character.
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        let mut cause = cause.into();
        if cause.len() > LONGEST_CAUSE {
            cause.truncate(cause.floor_char_boundary(LONGEST_CAUSE - '…'.len_utf8()));
            cause.push('…');
        }
        Self { error: error.into(), cause }
    }

    /// What a phase could not do.
    pub fn of(error: &(impl Named + 'static)) -> Self {
        let (name, cause) = error_name(error);
        Self::new(name, cause)
    }
}

/// Reads the input of a function.
pub fn input<T: DeserializeOwned>(payload: &Value) -> Result<T, Failure> {
    T::deserialize(payload).map_err(|error| Failure::new(INPUT, format!("the input cannot be read: {error}")))
}

/// Writes the answer of a function.
pub fn answer<T: Serialize>(result: Result<T, impl Named + 'static>) -> Result<Value, Failure> {
    let answer = result.map_err(|error| Failure::of(&error))?;
    serde_json::to_value(answer).map_err(|error| Failure::new(OUTPUT, format!("the answer cannot be written: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_cause_is_cut_at_a_character() {
        let failure = Failure::new("Inject.CallFailed", "é".repeat(LONGEST_CAUSE));

        assert!(failure.cause.len() <= LONGEST_CAUSE);
        assert!(failure.cause.ends_with("é…"));
    }

    #[test]
    fn the_edge_and_the_phases_share_no_name() {
        assert_eq!(EDGE_NAMES.iter().find(|name| crate::ERROR_NAMES.contains(name)), None);
    }
}
