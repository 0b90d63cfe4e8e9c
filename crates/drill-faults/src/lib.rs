//! The faults: one file each, with its parameters, how it is done, how it is undone, and how one sees both.
//!
//! A fault on a resource answers [`fault::ResourceFault`]; a fault on a host is a script and answers [`host::HostFault`].
//! Adding one is its file and a line in [`faults!`]; a new kind of target is its folder and a line in [`targets!`].

pub mod ec2;
pub mod family;
pub mod fault;
pub mod grant;
pub mod host;
pub mod report;
pub mod surface;
pub mod target;
pub mod vpc;

use drill_words::dependency::Dependencies;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::family::Family;
use self::fault::faults;
pub use self::fault::{Attempt, Call, Ends, Erased, Next, Objection, Problem, ScheduledUndo, UniversalCall, Way};
pub use self::report::{Capability, Document, HostOrder, HostOutcome, HostReport};
pub use self::surface::Surface;
use self::target::targets;
pub use self::target::{Part, Target};

targets! {
    Ec2Instance = ec2::Instance, "ec2-instance", "ec2", "instance/";
    Subnet = vpc::Subnet, "subnet", "ec2", "subnet/";
}

faults! {
    host {
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
    }
    resource {
        "instance-stop" => ec2::InstanceStop;
        "instance-reboot" => ec2::InstanceReboot;
        "instance-terminate" => ec2::InstanceTerminate;
        "subnet-partition" => vpc::SubnetPartition;
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

impl Fault {
    /// The change that does this harm to one target.
    ///
    /// A named dependency must be one of the experiment's: the experiment's check says so when it is not.
    pub fn change(&self, dependencies: &Dependencies) -> Change {
        match self.way() {
            Way::Host(fault) => Change::Host(HostOrder {
                document: Document::Fault(self.kind()),
                parameters: fault.parameters(dependencies),
            }),
            Way::Resource(_) => Change::Resource { fault: self.clone() },
        }
    }

    /// How it ends.
    pub const fn ends(&self) -> Ends {
        self.kind().ends()
    }

    /// What a host must be able to do before this is tried on it.
    pub fn needs(&self) -> &'static [Capability] {
        match self.way() {
            Way::Host(fault) => fault.needs(),
            Way::Resource(_) => &[],
        }
    }

    /// Which part of a target this takes for itself.
    pub fn surface(&self) -> Surface {
        match self.way() {
            Way::Host(fault) => fault.surface(),
            Way::Resource(fault) => fault.surface(),
        }
    }

    /// What is wrong with the parameters taken together.
    pub fn problems(&self, dependencies: &Dependencies) -> Vec<Problem> {
        match self.way() {
            Way::Host(fault) => fault.problems(dependencies),
            Way::Resource(fault) => fault.problems(),
        }
    }
}

/// A change to one target, as data: what the plan shows, the ledger keeps, and the driver carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Change {
    /// An order to the host itself.
    Host(HostOrder),
    /// Calls to a service.
    Resource {
        /// The fault, which decides on each call from what it sees.
        fault: Fault,
    },
}

impl Change {
    /// The kind of fault that it is.
    pub const fn kind(&self) -> Option<FaultKind> {
        match self {
            Self::Host(HostOrder { document: Document::Fault(kind), .. }) => Some(*kind),
            Self::Host(_) => None,
            Self::Resource { fault } => Some(fault.kind()),
        }
    }

    /// The API calls that carry it out, for plans and messages.
    pub const fn calls(&self) -> &'static [&'static str] {
        match self {
            Self::Host(_) => &["ssm:SendCommand"],
            Self::Resource { fault } => fault.kind().actions().0,
        }
    }

    /// How it ends.
    pub const fn ends(&self) -> Ends {
        match self.kind() {
            Some(kind) => kind.ends(),
            None => Ends::PutBack,
        }
    }

    /// The fault, if it is done by calls to a service.
    pub fn on_resource(&self) -> Option<&dyn Erased> {
        match self {
            Self::Host(_) => None,
            Self::Resource { fault } => match fault.way() {
                Way::Resource(fault) => Some(fault),
                Way::Host(_) => None,
            },
        }
    }
}
