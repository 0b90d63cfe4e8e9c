//! `memory-stress`: memory is taken away.
//!
//! Landed: the workers are seen holding it. Undone by: ending the unit that holds them, which is also the first that the kernel would kill.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order, range_problem, whole_percent};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::DependencyName;
use crate::quantity::Percent;

/// Memory is taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryStress {
    /// How much of the memory that the host may use.
    pub fill: Percent,
    /// How many workers share it; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroU16>,
}

impl Harm for MemoryStress {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(
            Document::MemoryStress,
            [("Percent", whole_percent(self.fill)), ("Workers", self.workers.map_or(1, NonZeroU16::get).to_string())],
        )
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::StressNg, Capability::Bounds]
    }

    fn surface(&self) -> Surface {
        Surface::Memory
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        range_problem("fill", self.fill, 1.0..=90.0).into_iter().collect()
    }
}
