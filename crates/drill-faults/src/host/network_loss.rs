//! `network-loss`: a share of the packets is lost.
//!
//! Landed: our own chain is hooked and drops. Undone by: removing that chain, and only that one.

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, HostFault, Parameters, Peers, parameters};
use crate::{Capability, Ends, Problem, Surface};

/// A share of the packets is lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkLoss {
    /// How many of the packets.
    #[schemars(example = &"20%")]
    pub loss: Percent,
    /// `ingress` or `egress`.
    #[schemars(example = &"ingress")]
    pub direction: Direction,
    /// Whose traffic; everybody's when left out, which must be less than all of it.
    #[serde(default)]
    #[schemars(example = serde_json::json!({ "cidrs": ["10.0.0.0/8"] }))]
    pub to: Peers,
}

impl NetworkLoss {
    /// To four digits after the point.
    fn rounded(&self) -> f64 {
        (self.loss.get() * 10_000.0).round() / 10_000.0
    }

    /// As the document takes it: without zeros at the end.
    fn percent(&self) -> String {
        self.rounded().to_string()
    }
}

impl HostFault for NetworkLoss {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Iptables];
    const SCRIPT: &'static str = include_str!("network_loss.sh");

    fn parameters(&self, dependencies: &Dependencies) -> Parameters {
        parameters([
            ("Percent", self.percent()),
            ("Direction", self.direction.word().to_owned()),
            ("To", self.to.addresses(dependencies)),
        ])
    }

    fn surface(&self) -> Surface {
        Surface::Packets
    }

    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        let mut problems = self.to.problems(dependencies, false);
        // What the document takes; the kernel keeps 31 bits.
        if !(0.0001..=100.0).contains(&self.loss.get()) || (self.loss.get() - self.rounded()).abs() > 1e-9 {
            problems.push(Problem::new(
                "loss",
                format!("a loss of {} cannot be done", self.loss),
                "write 0.0001% to 100%, with at most four digits after the point".to_owned(),
            ));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_the_document_takes_or_a_problem() {
        let loss = |text: &str| -> NetworkLoss {
            serde_json::from_value(serde_json::json!({ "loss": text, "direction": "egress" })).unwrap()
        };
        let sent = |text| loss(text).parameters(&Default::default()).remove("Percent");

        for (written, percent) in [("0.1%", "0.1"), ("0.0001%", "0.0001"), ("12.5%", "12.5"), ("30%", "30")] {
            assert_eq!(sent(written).as_deref(), Some(percent));
            assert_eq!(loss(written).problems(&Default::default()), []);
        }
        for wrong in ["0.00001%", "0.12345%", "0%"] {
            assert_eq!(loss(wrong).problems(&Default::default()).len(), 1, "{wrong}");
        }
    }
}
