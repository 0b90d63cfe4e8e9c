//! Reading an experiment, strictly: a wrong one is answered with the line, a caret and what to write instead.

use crate::experiment::Experiment;

/// An experiment that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(String);

/// Reads an experiment from YAML or JSON.
pub fn experiment(text: &str) -> Result<Experiment, Unreadable> {
    serde_saphyr::from_str(text).map_err(|error| Unreadable(error.to_string()))
}

/// Reads a part of a document that had to be kept aside first.
pub(crate) fn inside<T>(
    value: serde_json::Value,
    read: impl FnOnce(serde_json::Value) -> Result<T, serde_json::Error>,
) -> Result<T, String> {
    read(value).map_err(|error| error.to_string())
}
