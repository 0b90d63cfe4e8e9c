//! The faults: one file each, with its parameters, how it is done, how it is undone, how one sees both.
//!
//! A fault says what is to be done as data ([`Change`]); the phases do it. Adding a fault is a file and a line below.

pub mod conflict;
mod cpu_stress;
mod disk_fill;
mod instance_reboot;
mod instance_stop;
mod instance_terminate;
mod io_stress;
mod memory_stress;
mod network_blackhole;
mod network_latency;
mod network_loss;
pub mod peers;
mod process_kill;
mod process_pause;
mod service_stop;
mod spec;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::conflict::Surface;
pub use self::cpu_stress::CpuStress;
pub use self::disk_fill::DiskFill;
pub use self::instance_reboot::InstanceReboot;
pub use self::instance_stop::InstanceStop;
pub use self::instance_terminate::{InstanceTerminate, Irreversible};
pub use self::io_stress::IoStress;
pub use self::memory_stress::MemoryStress;
pub use self::network_blackhole::{Direction, NetworkBlackhole, Protocol};
pub use self::network_latency::NetworkLatency;
pub use self::network_loss::NetworkLoss;
pub use self::peers::{Cidr, Peers};
pub use self::process_kill::{ProcessKill, Signal};
pub use self::process_pause::ProcessPause;
pub use self::service_stop::ServiceStop;
pub(crate) use self::spec::Entry;
pub use self::spec::FaultSpec;
use crate::experiment::Dependency;
use crate::host::{Capability, Document, HostOrder};
use crate::ids::DependencyName;

macro_rules! faults {
    ($($word:literal => $kind:ident;)*) => {
        /// One kind of harm, with its parameters.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind")]
        #[expect(missing_docs, reason = "each variant is the fault of the same name, documented in its file")]
        pub enum Fault {
            $(#[serde(rename = $word)] $kind($kind),)*
        }

        /// The name of a fault, without its parameters.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[expect(missing_docs, reason = "each variant is the fault of the same name, documented in its file")]
        pub enum FaultKind {
            $(#[serde(rename = $word)] $kind,)*
        }

        impl FaultKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The word for it in an experiment.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }

        impl Fault {
            /// Which kind this is.
            pub const fn kind(&self) -> FaultKind {
                match self {
                    $(Self::$kind(_) => FaultKind::$kind,)*
                }
            }

            fn harm(&self) -> &dyn Harm {
                match self {
                    $(Self::$kind(fault) => fault,)*
                }
            }

            /// Reads the parameters of a fault of this kind.
            pub(crate) fn read<'de, D: serde::Deserializer<'de>>(kind: FaultKind, parameters: D) -> Result<Self, D::Error> {
                match kind {
                    $(FaultKind::$kind => $kind::deserialize(parameters).map(Self::$kind),)*
                }
            }

            /// The schema of each kind's own parameters, in order.
            pub(crate) fn parameter_schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(&'static str, schemars::Schema)> {
                vec![$(($word, <$kind as JsonSchema>::json_schema(generator)),)*]
            }
        }
    };
}

faults! {
    "process-kill" => ProcessKill;
    "process-pause" => ProcessPause;
    "service-stop" => ServiceStop;
    "cpu-stress" => CpuStress;
    "memory-stress" => MemoryStress;
    "io-stress" => IoStress;
    "disk-fill" => DiskFill;
    "network-latency" => NetworkLatency;
    "network-loss" => NetworkLoss;
    "network-blackhole" => NetworkBlackhole;
    "instance-stop" => InstanceStop;
    "instance-reboot" => InstanceReboot;
    "instance-terminate" => InstanceTerminate;
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

/// What every fault's file answers.
trait Harm {
    /// The change that does the harm to one target.
    fn change(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Change;

    /// How the harm ends.
    fn reversal(&self) -> Reversal;

    /// What a host must be able to do.
    fn needs(&self) -> &'static [Capability];

    /// Which part of a target it takes for itself.
    fn surface(&self) -> Surface;

    /// What is wrong with the parameters taken together: the field, what is wrong, what to write instead.
    fn problems(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)>;
}

impl Fault {
    /// The change that does this harm to one target.
    ///
    /// A named dependency must be one of the experiment's: the experiment's check says so when it is not.
    pub fn change(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Change {
        self.harm().change(dependencies)
    }

    /// How this harm ends.
    pub fn reversal(&self) -> Reversal {
        self.harm().reversal()
    }

    /// What a host must be able to do before this is tried on it.
    pub fn needs(&self) -> &'static [Capability] {
        self.harm().needs()
    }

    /// Which part of a target this takes for itself.
    pub fn surface(&self) -> Surface {
        self.harm().surface()
    }

    /// What is wrong with the parameters taken together.
    pub fn problems(&self, dependencies: &BTreeMap<DependencyName, Dependency>) -> Vec<(&'static str, String, String)> {
        self.harm().problems(dependencies)
    }
}

/// A change to one target, as data: what the plan shows, the ledger keeps and Inject carries out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Change {
    /// An order to the host itself.
    Host(HostOrder),
    /// StopInstances.
    StopInstance,
    /// RebootInstances.
    RebootInstance,
    /// TerminateInstances.
    TerminateInstance,
}

impl Change {
    /// The API call that carries it out, for plans and messages.
    pub const fn call(&self) -> &'static str {
        match self {
            Self::Host(_) => "ssm:SendCommand",
            Self::StopInstance => "ec2:StopInstances",
            Self::RebootInstance => "ec2:RebootInstances",
            Self::TerminateInstance => "ec2:TerminateInstances",
        }
    }
}

/// How a fault ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversal {
    /// The host puts it back: by the revert document, or by its own dead man.
    Revert,
    /// StartInstances.
    Start,
    /// Nothing to undo: a supervisor or the platform brings the target back, and that is watched.
    Converges,
    /// Nothing brings this target back; a replacement may come.
    Irreversible,
}

/// An order to a host, from its parts.
fn order<const N: usize>(document: Document, parameters: [(&str, String); N]) -> Change {
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Change::Host(HostOrder { document, parameters })
}

/// A percentage as the documents take it: a whole number.
fn whole_percent(share: crate::quantity::Percent) -> String {
    format!("{:.0}", share.get())
}

/// A percentage outside of what a document takes.
fn range_problem(
    field: &'static str,
    share: crate::quantity::Percent,
    range: std::ops::RangeInclusive<f64>,
) -> Option<(&'static str, String, String)> {
    let whole = share.get().fract() == 0.0;
    (!whole || !range.contains(&share.get())).then(|| {
        (
            field,
            format!("{share} cannot be done"),
            format!("write a whole number from {}% to {}%", range.start(), range.end()),
        )
    })
}
