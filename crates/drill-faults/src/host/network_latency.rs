//! `network-latency`: packets leave late.
//!
//! Landed: the kernel shows our own netem queue with the delay. Undone by: removing that queue, and only that one. Needs a kernel with netem.

use drill_words::dependency::Dependencies;
use drill_words::ids::InterfaceName;
use drill_words::quantity::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, Peers, parameters};
use crate::{Capability, Ends, Problem, Surface};

/// Packets to some peers leave late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLatency {
    /// How late each packet leaves.
    #[schemars(example = &"100ms")]
    pub delay: Span,
    /// How much that varies, either way.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    #[schemars(example = &"20ms")]
    pub jitter: Span,
    /// Whose traffic; everybody's when left out.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "cidrs": ["10.0.0.0/8"] }))]
    pub to: Peers,
    /// The interface; the one of the default route when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"eth0")]
    pub interface: Option<InterfaceName>,
}

impl HostFault for NetworkLatency {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Netem];
    const SCRIPT: &'static str = include_str!("network_latency.sh");

    fn parameters(&self, dependencies: &Dependencies) -> Parameters {
        parameters([
            ("DelayMs", self.delay.as_millis().to_string()),
            ("JitterMs", self.jitter.as_millis().to_string()),
            ("Interface", self.interface.as_ref().map_or_else(|| "default".to_owned(), ToString::to_string)),
            ("To", self.to.addresses(dependencies)),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Queue
    }

    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        let mut problems = self.to.problems(dependencies, false);
        if !(1..=60_000).contains(&self.delay.as_millis()) {
            problems.push(Problem::new(
                "delay",
                format!("a delay of {} is out of range", self.delay),
                "write 1ms to 60s".to_owned(),
            ));
        }
        if self.jitter > self.delay {
            problems.push(Problem::new(
                "jitter",
                format!("a jitter of {} is more than the delay of {}", self.jitter, self.delay),
                "write a jitter that is at most the delay".to_owned(),
            ));
        }
        problems
    }
}
