//! `service-stop`: a service is stopped through its supervisor.
//!
//! Landed: the supervisor says inactive. Undone by: a start, if it was active before.

use drill_words::dependency::Dependencies;
use drill_words::ids::ServiceName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters};
use crate::{Ends, Problem, Surface};

/// A service of this name is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceStop {
    /// The name of the service, as its supervisor knows it.
    #[schemars(example = &"order-service")]
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

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        let service = self.service.as_str();
        let problem = |message: String| Problem::new("service", message, "name a service of your own".to_owned());
        if keeps_the_host(service) {
            return vec![problem(format!("without `{service}` nobody could put it back"))];
        }
        let other = OTHER_UNITS.iter().find(|kind| service.ends_with(*kind));
        if let Some(kind) = other {
            return vec![problem(format!("`{service}` is a unit of the kind `{kind}`, and no service"))];
        }
        if service.ends_with('@') || service.ends_with("@.service") {
            return vec![problem(format!("`{service}` is a template, of which each instance is a service"))];
        }
        Vec::new()
    }
}

/// Units of systemd that are no services.
const OTHER_UNITS: [&str; 10] =
    [".target", ".socket", ".mount", ".automount", ".swap", ".slice", ".scope", ".timer", ".path", ".device"];

/// The agent, the way in, and systemd's own: what puts a host back, or keeps it one. As the document has it.
pub(super) fn keeps_the_host(name: &str) -> bool {
    let plain = name.strip_suffix(".service").unwrap_or(name);
    let begins = |starts: &[&str]| starts.iter().any(|start| name.starts_with(start));
    ["ssh", "sshd", "systemd", "init"].contains(&plain)
        || begins(&["amazon-ssm-agent", "snap.amazon-ssm-agent", "ssh@", "sshd@", "systemd-", "dbus", "init."])
        || begins(&["user@", "user-runtime-dir@", "stormdrill-"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_host_and_what_is_no_service_is_refused() {
        let problems = |service: &str| {
            let fault: ServiceStop = serde_json::from_value(serde_json::json!({ "service": service })).unwrap();
            fault.problems(&Default::default()).len()
        };

        for own in [
            "amazon-ssm-agent",
            "snap.amazon-ssm-agent.amazon-ssm-agent.service",
            "sshd",
            "ssh.service",
            "systemd-resolved",
            "dbus.socket",
            "init.scope",
            "system.slice",
            "multi-user.target",
            "home.mount",
            "orders@",
            "orders@.service",
        ] {
            assert_eq!(problems(own), 1, "{own}");
        }
        for service in ["orders", "orders.service", "orders@one", "sshuttle", "orders.v2", "db-init"] {
            assert_eq!(problems(service), 0, "{service}");
        }
    }
}
