//! `cpu-stress`: the processors are busy.
//!
//! Landed: the workers are seen running. Undone by: ending the unit that holds them.

use std::collections::BTreeMap;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order, range_problem, whole_percent};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::DependencyName;
use crate::quantity::Percent;

/// The processors are busy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuStress {
    /// How busy each worker is.
    pub load: Percent,
    /// How many workers; one for each processor when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<NonZeroU16>,
}

impl Harm for CpuStress {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(
            Document::CpuStress,
            [("Percent", whole_percent(self.load)), ("Workers", self.workers.map_or(0, NonZeroU16::get).to_string())],
        )
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::StressNg, Capability::Bounds]
    }

    fn surface(&self) -> Surface {
        Surface::Cpu
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        range_problem("load", self.load, 1.0..=100.0).into_iter().collect()
    }
}
