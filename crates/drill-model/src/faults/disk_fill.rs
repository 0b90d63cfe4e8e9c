//! `disk-fill`: the root volume is nearly full.
//!
//! Landed: the file system says so. Undone by: removing the one file that fills it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order, range_problem, whole_percent};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::DependencyName;
use crate::quantity::Percent;

/// The root volume is nearly full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskFill {
    /// How full it shall be, what was there before included.
    pub fill: Percent,
}

impl Harm for DiskFill {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(Document::DiskFill, [("Percent", whole_percent(self.fill))])
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::Fallocate]
    }

    fn surface(&self) -> Surface {
        Surface::Disk
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        range_problem("fill", self.fill, 1.0..=99.0).into_iter().collect()
    }
}
