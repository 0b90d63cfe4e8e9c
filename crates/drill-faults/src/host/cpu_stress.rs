//! `cpu-stress`: the processors are busy.
//!
//! Landed: the workers are seen running. Undone by: ending the unit that holds them.

use std::num::NonZeroU16;

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters, range_problem, whole_percent};
use crate::{Capability, Ends, Problem, Surface};

/// The processors are busy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuStress {
    /// How busy each worker is.
    #[schemars(example = &"80%")]
    pub load: Percent,
    /// How many workers; one for each processor when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 2)]
    pub workers: Option<NonZeroU16>,
}

impl HostFault for CpuStress {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::StressNg, Capability::Bounds];
    const SCRIPT: &'static str = include_str!("cpu_stress.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([
            ("Percent", whole_percent(self.load)),
            ("Workers", self.workers.map_or(0, NonZeroU16::get).to_string()),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Cpu
    }

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        range_problem("load", self.load, 1.0..=100.0).into_iter().collect()
    }
}
