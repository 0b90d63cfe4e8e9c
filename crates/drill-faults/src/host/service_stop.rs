//! `service-stop`: a service is stopped through its supervisor.
//!
//! Landed: the supervisor says inactive. Undone by: a start, if it was active before.

use drill_words::dependency::Dependencies;
use drill_words::ids::ServiceName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters};
use crate::{Ends, Surface};

/// A service of this name is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceStop {
    /// The name of the service, as its supervisor knows it.
    pub service: ServiceName,
}

impl HostFault for ServiceStop {
    const ENDS: Ends = Ends::PutBack;
    const SCRIPT: &'static str = include_str!("service_stop.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        parameters([("Service", self.service.to_string())])
    }

    fn surface(&self) -> Surface {
        Surface::process(self.service.as_str())
    }
}
