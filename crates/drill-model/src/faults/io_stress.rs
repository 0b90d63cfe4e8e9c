//! `io-stress`: the disk is busy.
//!
//! Landed: the workers are seen running. Undone by: ending the unit that holds them and removing its files.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::DependencyName;

/// The disk is busy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IoStress {
    /// How many workers write and read.
    pub workers: NonZeroU16,
    /// How many megabytes each worker uses.
    pub megabytes: NonZeroU16,
}

impl Harm for IoStress {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(Document::IoStress, [("Workers", self.workers.to_string()), ("Megabytes", self.megabytes.to_string())])
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::StressNg, Capability::Bounds]
    }

    fn surface(&self) -> Surface {
        Surface::Disk
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        Vec::new()
    }
}
