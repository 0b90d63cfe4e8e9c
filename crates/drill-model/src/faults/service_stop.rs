//! `service-stop`: a service is stopped through its supervisor.
//!
//! Landed: the supervisor says inactive. Undone by: a start, if it was active before.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::{DependencyName, ServiceName};

/// A service of this name is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceStop {
    /// The name of the service, as its supervisor knows it.
    pub service: ServiceName,
}

impl Harm for ServiceStop {
    fn change(&self, _: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(Document::ServiceStop, [("Service", self.service.to_string())])
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[]
    }

    fn surface(&self) -> Surface {
        Surface::Process(self.service.to_string())
    }

    fn problems(&self, _: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        Vec::new()
    }
}
