//! The input of a start: from the console, a schedule, a pipeline or the lab.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::experiment::Experiment;
use crate::ids::{Environment, ExperimentId};
use crate::read::is_hidden;

/// What a start asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Start {
    /// Which experiment.
    pub experiment: Asked,
    /// Where; may be left out when the experiment has just one environment.
    pub environment: Option<Environment>,
    /// Plan everything and change nothing.
    pub dry_run: bool,
    /// Who asked, for the record.
    pub requested_by: String,
}

/// An experiment by its id, or the whole document.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Asked {
    /// A stored experiment.
    Stored(ExperimentId),
    /// The document itself.
    Given(Box<Experiment>),
}

/// A start that cannot be read, with the right form shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{wrong}\na start is {}", Self::RIGHT)]
pub struct InvalidStart {
    wrong: String,
}

impl InvalidStart {
    /// A start that is right.
    pub const RIGHT: &str =
        r#"{"experiment": "order-service-latency", "environment": "staging", "dry_run": false, "requested_by": "you"}"#;

    fn new(wrong: impl Into<String>) -> Self {
        Self { wrong: wrong.into() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    experiment: Value,
    #[serde(default)]
    environment: Option<Environment>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    requested_by: Option<String>,
}

impl Start {
    /// Reads the input of an execution.
    pub fn read(input: &Value) -> Result<Self, InvalidStart> {
        if !input.is_object() {
            return Err(InvalidStart::new("the input is not an object"));
        }
        let written: Written =
            serde_json::from_value(input.clone()).map_err(|error| InvalidStart::new(error.to_string()))?;
        let experiment = match written.experiment {
            Value::String(id) => {
                Asked::Stored(ExperimentId::try_from(id).map_err(|error| InvalidStart::new(error.to_string()))?)
            }
            document @ Value::Object(_) => {
                let text =
                    serde_json::to_string_pretty(&document).map_err(|error| InvalidStart::new(error.to_string()))?;
                let experiment =
                    crate::read::experiment(&text).map_err(|error| InvalidStart::new(error.to_string()))?;
                Asked::Given(Box::new(experiment))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                return Err(InvalidStart::new("`experiment` is neither the id of an experiment nor a whole document"));
            }
        };
        let requested_by = written.requested_by.unwrap_or_else(|| "unknown".to_owned());
        if requested_by.chars().count() > 200 || requested_by.chars().any(is_hidden) {
            // It is shown to those who must agree: what it says must be what they read.
            return Err(InvalidStart::new(
                "`requested_by` is longer than 200 characters, or has characters that are not seen or reorder the others",
            ));
        }
        Ok(Self { experiment, environment: written.environment, dry_run: written.dry_run, requested_by })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_right_start_that_errors_show_is_right() {
        assert!(Start::read(&serde_json::from_str(InvalidStart::RIGHT).unwrap()).is_ok());
    }

    #[test]
    fn a_wrong_start_is_refused_with_the_right_one() {
        for wrong in [
            json!(null),
            json!([]),
            json!({}),
            json!({"experiment": 7}),
            json!({"experiment": "x", "dryrun": true}),
            json!({"experiment": "x", "requested_by": "a\nb"}),
            json!({"experiment": "x", "requested_by": "ada\u{202e}nna"}),
            json!({"experiment": "x", "requested_by": "\u{61c}ada"}),
            json!({"experiment": "x", "requested_by": "a".repeat(201)}),
        ] {
            let error = Start::read(&wrong).unwrap_err().to_string();
            assert!(error.contains(InvalidStart::RIGHT), "{wrong}: {error}");
        }
    }
}
