//! `instance-stop`: an instance is stopped.
//!
//! Landed: EC2 says stopping or stopped. Undone by: StartInstances, and seen running. Not for members of an Auto Scaling group, which would be replaced.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface};
use crate::experiment::Dependency;
use crate::host::Capability;
use crate::ids::DependencyName;

/// An instance is stopped, and started again afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceStop {}

impl Harm for InstanceStop {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        Change::StopInstance
    }

    fn reversal(&self) -> Reversal {
        Reversal::Start
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
