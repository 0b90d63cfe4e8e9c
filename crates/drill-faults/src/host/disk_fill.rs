//! `disk-fill`: the root volume is nearly full.
//!
//! Landed: the file system says so. Undone by: removing the one file that fills it.

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters, range_problem, whole_percent};
use crate::{Capability, Ends, Problem, Surface};

/// The root volume is nearly full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskFill {
    /// How full it is made, what was there before included.
    pub fill: Percent,
}

impl HostFault for DiskFill {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Fallocate];
    const SCRIPT: &'static str = include_str!("disk_fill.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([("Percent", whole_percent(self.fill))])
    }

    fn surface(&self) -> Surface {
        Surface::Disk
    }

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        range_problem("fill", self.fill, 1.0..=99.0).into_iter().collect()
    }
}
