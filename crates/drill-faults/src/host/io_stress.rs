//! `io-stress`: the disk is busy.
//!
//! Landed: the workers are seen running. Undone by: ending the unit that holds them and removing its files.

use std::num::NonZeroU16;

use drill_words::dependency::Dependencies;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters};
use crate::{Capability, Ends, Surface};
/// The disk is busy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IoStress {
    /// How many workers write and read.
    #[schemars(example = 2)]
    pub workers: NonZeroU16,
    /// How many megabytes each worker uses.
    #[schemars(example = 256)]
    pub megabytes: NonZeroU16,
}

impl HostFault for IoStress {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::StressNg, Capability::Bounds];
    const SCRIPT: &'static str = include_str!("io_stress.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([("Workers", self.workers.to_string()), ("Megabytes", self.megabytes.to_string())])
    }

    fn surface(&self) -> Surface {
        Surface::Disk
    }
}
