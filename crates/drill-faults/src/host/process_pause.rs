//! `process-pause`: every process of a name stands still.
//!
//! Landed: each is in state T. Undone by: SIGCONT to exactly those that were stopped, if they are still the same processes.

use drill_words::dependency::Dependencies;
use drill_words::ids::ProcessName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters};
use crate::{Ends, Surface};

/// A process of this name stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessPause {
    /// The exact name of the process.
    pub process: ProcessName,
}

impl HostFault for ProcessPause {
    const ENDS: Ends = Ends::PutBack;

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([("Process", self.process.to_string())])
    }

    fn surface(&self) -> Surface {
        Surface::Process(self.process.to_string())
    }
}
