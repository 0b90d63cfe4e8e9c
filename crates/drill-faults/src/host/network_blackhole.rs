//! `network-blackhole`: packets to or from some peers or a port vanish.
//!
//! Landed: our own chain is hooked and drops. Undone by: removing that chain, and only that one.

use std::num::NonZeroU16;

use drill_words::dependency::Dependencies;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, Peers, parameters};
use crate::{Capability, Ends, Problem, Surface};
/// A port, a network or a dependency goes dark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkBlackhole {
    /// `ingress` or `egress`.
    #[schemars(example = &"egress")]
    pub direction: Direction,
    /// The port; every port of the peers when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 5432)]
    pub port: Option<NonZeroU16>,
    /// `tcp`, `udp` or `all`; `tcp` when left out.
    #[serde(default)]
    #[schemars(example = &"tcp")]
    pub protocol: Protocol,
    /// Whose traffic; everybody's when left out, which then needs a port.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "dependency": "database" }))]
    pub to: Peers,
}

/// Which way packets go, seen from the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Packets that arrive.
    Ingress,
    /// Packets that leave.
    Egress,
}

impl Direction {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A protocol above IP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each is the protocol of the same name")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
    All,
}

impl Protocol {
    const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::All => "all",
        }
    }
}

impl HostFault for NetworkBlackhole {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Iptables];
    const SCRIPT: &'static str = include_str!("network_blackhole.sh");

    fn parameters(&self, dependencies: &Dependencies) -> Parameters {
        let port = self.port.map(NonZeroU16::get).or_else(|| self.to.port(dependencies)).unwrap_or(0);
        parameters([
            ("Direction", self.direction.word().to_owned()),
            ("Protocol", self.protocol.word().to_owned()),
            ("Port", port.to_string()),
            ("To", self.to.addresses(dependencies)),
            ("Name", self.to.name(dependencies)),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Packets
    }

    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        let mut problems = self.to.problems(dependencies, true);
        if self.to == Peers::Any && self.port.is_none() {
            problems.push(Problem::new(
                "to",
                "every port of everybody cuts the host off from whoever would undo it".to_owned(),
                "name a `port`, or whose traffic in `to`".to_owned(),
            ));
        }
        if self.protocol == Protocol::All && self.port.is_some() {
            problems.push(Problem::new(
                "protocol",
                "a port belongs to tcp or udp".to_owned(),
                "write `tcp` or `udp`".to_owned(),
            ));
        }
        let port = self.port.map(NonZeroU16::get);
        if let Some(port) = port.filter(|port| SPARED.contains(port) && self.protocol != Protocol::Tcp) {
            problems.push(Problem::new(
                "port",
                format!("udp port {port} is what a host keeps its address and its clock by, and is never touched"),
                "name another port".to_owned(),
            ));
        }
        problems
    }
}

/// DHCP for IPv4 and IPv6, and the time.
const SPARED: [u16; 3] = [67, 547, 123];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_host_itself_is_refused_with_the_reason() {
        let problems = |protocol: &str, port: u16| {
            let fault: NetworkBlackhole = serde_json::from_value(
                serde_json::json!({ "direction": "egress", "protocol": protocol, "port": port }),
            )
            .unwrap();
            fault.problems(&Default::default())
        };

        for port in SPARED {
            assert_eq!(problems("udp", port).len(), 1, "{port}");
            assert_eq!(problems("tcp", port), [], "{port}");
        }
        assert!(problems("udp", 123)[0].message.contains("its clock"));
    }
}
