//! Faults on hosts: each is a script and its Rust half, side by side. One driver sends, hears and reverts for all of them.

mod cpu_stress;
mod disk_fill;
mod io_stress;
mod memory_stress;
mod network_blackhole;
mod network_latency;
mod network_loss;
pub mod peers;
mod process_kill;
mod process_pause;
pub mod scripts;
mod service_stop;
mod whom;

use std::collections::BTreeMap;

use drill_words::dependency::Dependencies;
use drill_words::quantity::Percent;

pub use self::cpu_stress::CpuStress;
pub use self::disk_fill::DiskFill;
pub use self::io_stress::IoStress;
pub use self::memory_stress::MemoryStress;
pub use self::network_blackhole::{Direction, NetworkBlackhole, Protocol};
pub use self::network_latency::NetworkLatency;
pub use self::network_loss::NetworkLoss;
pub use self::peers::{Cidr, Peers};
pub use self::process_kill::{ProcessKill, Signal};
pub use self::process_pause::ProcessPause;
pub use self::service_stop::ServiceStop;
use crate::grant::{Grant, Hand, On, Only};
use crate::{Capability, Document, Ends, Problem, Surface};

/// What faults on hosts need of IAM. Probing is no part of it: other faults ask hosts as well.
pub const GRANTS: &[Grant] = &[
    Grant::new("HarmingDocuments", &[Hand::Harm], &["ssm:SendCommand"], &[]).on(On::FaultDocuments),
    Grant::new("HarmThoseWhoOptedIn", &[Hand::Harm], &["ssm:SendCommand"], &["ec2:instance/*"]).only(Only::OptedInHost),
    Grant::new("Revert", &[Hand::Heal], &["ssm:SendCommand"], &[]).on(On::Document(Document::Revert.name())),
];

/// The parameters that only this fault's document has, by name: typed values as text, never text of an experiment.
pub type Parameters = BTreeMap<String, String>;

/// A fault on a host. Its script has a function for each step: check, apply, landed, undo, gone.
pub trait HostFault {
    /// How it ends.
    const ENDS: Ends;
    /// What a host must be able to do before this is tried on it.
    const NEEDS: &'static [Capability] = &[];
    /// What the host runs: the script beside this file, with the head of its document.
    const SCRIPT: &'static str;

    /// The document's own parameters. A named dependency must be one of the experiment's: its check says when it is not.
    fn parameters(&self, dependencies: &Dependencies) -> Parameters;

    /// Which part of the host it takes for itself.
    fn surface(&self) -> Surface;

    /// What is wrong with the parameters taken together.
    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        Vec::new()
    }
}

/// A fault on a host whose type is forgotten.
pub trait ErasedHost {
    /// As [`HostFault::ENDS`].
    fn ends(&self) -> Ends;
    /// As [`HostFault::NEEDS`].
    fn needs(&self) -> &'static [Capability];
    /// As [`HostFault::parameters`].
    fn parameters(&self, dependencies: &Dependencies) -> Parameters;
    /// As [`HostFault::surface`].
    fn surface(&self) -> Surface;
    /// As [`HostFault::problems`].
    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem>;
}

impl<F: HostFault> ErasedHost for F {
    fn ends(&self) -> Ends {
        F::ENDS
    }

    fn needs(&self) -> &'static [Capability] {
        F::NEEDS
    }

    fn parameters(&self, dependencies: &Dependencies) -> Parameters {
        HostFault::parameters(self, dependencies)
    }

    fn surface(&self) -> Surface {
        HostFault::surface(self)
    }

    fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        HostFault::problems(self, dependencies)
    }
}

fn parameters<const N: usize>(parameters: [(&str, String); N]) -> Parameters {
    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A percentage as the documents take it: a whole number.
fn whole_percent(share: Percent) -> String {
    format!("{:.0}", share.get())
}

/// A percentage outside of what a document takes.
fn range_problem(field: &'static str, share: Percent, range: std::ops::RangeInclusive<f64>) -> Option<Problem> {
    let whole = share.get().fract() == 0.0;
    (!whole || !range.contains(&share.get())).then(|| {
        Problem::new(
            field,
            format!("{share} cannot be done"),
            format!("write a whole number from {}% to {}%", range.start(), range.end()),
        )
    })
}
