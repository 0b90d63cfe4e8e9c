//! `instance-terminate`: an instance is terminated.
//!
//! Landed: EC2 says shutting-down or terminated. Undone by: nothing. A replacement is the business of its Auto Scaling group, and is watched.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface};
use crate::experiment::Dependency;
use crate::host::Capability;
use crate::ids::DependencyName;

/// An instance is terminated, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceTerminate {
    /// Must be `accepted`: nothing brings this instance back.
    pub irreversible: Irreversible,
}

/// The word that an author must write to do harm that nothing undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Irreversible {
    /// It is understood that nothing brings the target back.
    Accepted,
}

impl Harm for InstanceTerminate {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        Change::TerminateInstance
    }

    fn reversal(&self) -> Reversal {
        Reversal::Irreversible
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
