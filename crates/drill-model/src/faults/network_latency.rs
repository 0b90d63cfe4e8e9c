//! `network-latency`: packets leave late.
//!
//! Landed: the kernel shows our own netem queue with the delay. Undone by: removing that queue, and only that one. Needs a kernel with netem.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Harm, Reversal, Surface, order};
use crate::experiment::Dependency;
use crate::faults::Peers;
use crate::host::{Capability, Document};
use crate::ids::{DependencyName, InterfaceName};
use crate::quantity::Span;

/// Packets to some peers leave late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLatency {
    /// How late each packet leaves.
    pub delay: Span,
    /// How much that varies, either way.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub jitter: Span,
    /// Whose traffic; everybody's when left out.
    #[serde(default)]
    pub to: Peers,
    /// The interface; the one of the default route when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<InterfaceName>,
}

impl Harm for NetworkLatency {
    fn change(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(
            Document::NetworkLatency,
            [
                ("DelayMs", self.delay.as_millis().to_string()),
                ("JitterMs", self.jitter.as_millis().to_string()),
                ("Interface", self.interface.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string)),
                ("To", self.to.addresses(dependencies)),
            ],
        )
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::Netem]
    }

    fn surface(&self) -> Surface {
        Surface::Queue
    }

    fn problems(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        let mut problems = self.to.problems(dependencies, false);
        if !(1..=60_000).contains(&self.delay.as_millis()) {
            problems.push((
                "delay",
                format!("a delay of {} is out of range", self.delay),
                "write 1ms to 60s".to_owned(),
            ));
        }
        if self.jitter > self.delay {
            problems.push((
                "jitter",
                format!("a jitter of {} is more than the delay of {}", self.jitter, self.delay),
                "write a jitter that is at most the delay".to_owned(),
            ));
        }
        problems
    }
}
