//! `network-loss`: a share of the packets is lost.
//!
//! Landed: our own chain is hooked and drops. Undone by: removing that chain, and only that one.

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, HostFault, Parameters, Peers, parameters, range_problem, whole_percent};
use crate::{Capability, Ends, Problem, Surface};

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

impl HostFault for NetworkLoss {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Iptables];

    fn parameters(&self, dependencies: &Dependencies) -> Parameters {
        parameters([
            ("Percent", whole_percent(self.loss)),
            ("Direction", self.direction.word().to_owned()),
            ("To", self.to.addresses(dependencies)),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Packets
    }

    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        let mut problems = self.to.problems(dependencies, false);
        problems.extend(range_problem("loss", self.loss, 1.0..=100.0));
        if self.to == Peers::Any && self.loss.get() > 90.0 {
            problems.push(Problem::new(
                "loss",
                format!("a loss of {} from everybody cuts the host off from whoever would undo it", self.loss),
                "name whose packets in `to`, or write at most 90%".to_owned(),
            ));
        }
        problems
    }
}
