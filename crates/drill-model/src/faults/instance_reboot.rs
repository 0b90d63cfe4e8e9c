//! `instance-reboot`: an instance is rebooted, once.
//!
//! Landed: it booted after it was told to. Undone by: nothing; it comes back by itself, and that is watched.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface};
use crate::experiment::Dependency;
use crate::host::Capability;
use crate::ids::DependencyName;

/// An instance is rebooted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceReboot {}

impl Harm for InstanceReboot {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        Change::RebootInstance
    }

    fn reversal(&self) -> Reversal {
        Reversal::Converges
    }

    fn needs(&self) -> &'static [Capability] {
        &[]
    }

    fn surface(&self) -> Surface {
        Surface::Instance
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        Vec::new()
    }
}
