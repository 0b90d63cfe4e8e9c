//! `process-pause`: every process of a name stands still.
//!
//! Landed: each is in state T. Undone by: SIGCONT to exactly those that were stopped, if they are still the same processes.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::{DependencyName, ProcessName};

/// A process of this name stands still.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessPause {
    /// The exact name of the process.
    pub process: ProcessName,
}

impl Harm for ProcessPause {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(Document::ProcessPause, [("Process", self.process.to_string())])
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[]
    }

    fn surface(&self) -> Surface {
        Surface::Process(self.process.to_string())
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        Vec::new()
    }
}
