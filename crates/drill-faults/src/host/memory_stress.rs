//! `memory-stress`: memory is taken away.
//!
//! Landed: the workers are seen holding it. Undone by: ending the unit that holds them, which is also the first that the kernel would kill.

use std::num::NonZeroU16;

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters, range_problem, whole_percent};
use crate::{Capability, Ends, Problem, Surface};

/// Memory is taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemoryStress {
    /// How much of the memory that the host may use.
    #[schemars(example = &"80%")]
    pub fill: Percent,
    /// How many workers share it; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 1)]
    pub workers: Option<NonZeroU16>,
}

impl HostFault for MemoryStress {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::StressNg, Capability::Bounds];
    const SCRIPT: &'static str = include_str!("memory_stress.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([
            ("Percent", whole_percent(self.fill)),
            ("Workers", self.workers.map_or(1, NonZeroU16::get).to_string()),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Memory
    }

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        range_problem("fill", self.fill, 1.0..=90.0).into_iter().collect()
    }
}
