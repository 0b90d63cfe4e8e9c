//! `network-loss`: a share of the packets is lost.
//!
//! Landed: our own chain is hooked and drops. Undone by: removing that chain, and only that one.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Change, Direction, Harm, Peers, Reversal, Surface, order, range_problem, whole_percent};
use crate::experiment::Dependency;
use crate::host::{Capability, Document};
use crate::ids::DependencyName;
use crate::quantity::Percent;

/// A share of the packets is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLoss {
    /// How many of the packets.
    pub loss: Percent,
    /// `ingress` or `egress`.
    pub direction: Direction,
    /// Whose traffic; everybody's when left out, which must be less than all of it.
    #[serde(default)]
    pub to: Peers,
}

impl Harm for NetworkLoss {
    fn change(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Change {
        order(
            Document::NetworkLoss,
            [
                ("Percent", whole_percent(self.loss)),
                ("Direction", self.direction.word().to_owned()),
                ("To", self.to.addresses(dependencies)),
            ],
        )
    }

    fn reversal(&self) -> Reversal {
        Reversal::Revert
    }

    fn needs(&self) -> &'static [Capability] {
        &[Capability::Iptables]
    }

    fn surface(&self) -> Surface {
        Surface::Packets
    }

    fn problems(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        let mut problems = self.to.problems(dependencies, false);
        problems.extend(range_problem("loss", self.loss, 1.0..=100.0));
        if self.to == Peers::Any && self.loss.get() > 90.0 {
            problems.push((
                "loss",
                format!("a loss of {} from everybody cuts the host off from whoever would undo it", self.loss),
                "name whose packets in `to`, or write at most 90%".to_owned(),
            ));
        }
        problems
    }
}
