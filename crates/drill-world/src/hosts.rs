//! What happens on hosts and instances: the half of the world that is not the control plane.
//!
//! [`SimulatedHosts`] is a fleet of state machines; the lab gives a plane of real hosts instead. Both tell the truth:
//! delays, lags and lost replies are the business of the services in front of them.

mod contract;
mod groups;
mod lifecycle;
mod machine;
mod simulated;
mod spec;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use drill_model::faults::ec2::Instance;
use drill_model::host::Document;
use drill_model::ids::{InstanceId, UnitId};
use drill_phases::ports::{Class, Group};
use jiff::Timestamp;

pub use self::machine::Quirks;
pub use self::simulated::SimulatedHosts;
pub use self::spec::{HostSpec, HostTiming};
pub use self::view::{HostView, HostsView};
use crate::time::Local;

/// Hosts and instances, real or simulated.
pub trait HostPlane {
    /// Every instance there is, as it truly is now; a terminated one for an hour.
    fn instances(&self) -> Vec<Instance>;

    /// Every Auto Scaling group.
    fn groups(&self) -> Vec<Group>;

    /// Whether orders reach a host.
    fn agent(&self, id: &InstanceId) -> Agent;

    /// Ends when orders reach a host; never, if they never do again.
    fn reachable(&self, id: &InstanceId) -> Local<'static, ()>;

    /// Runs one of our documents on a host, now, to its end.
    fn run_document(&self, id: &InstanceId, order: &Order) -> Local<'static, Heard>;

    /// Changes the power of instances. They are all there, and each is asked for once.
    fn power(&self, power: Power, ids: &BTreeSet<InstanceId>) -> Local<'static, Result<(), Refusal>>;

    /// Every fault that is alive, as seen from outside of the hosts. Empty where nobody can look.
    fn alive(&self) -> Vec<Alive> {
        Vec::new()
    }

    /// How the hosts are, for models of the service that runs on them.
    fn view(&self) -> HostsView {
        HostsView::default()
    }

    /// `eyes` is told of every change as it happens, where the plane can tell.
    fn watch(&self, eyes: Eyes) {
        drop(eyes);
    }
}

/// What can be done to the power of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is EC2's word for it")]
pub enum Power {
    Stop,
    Start,
    Reboot,
    Terminate,
}

/// Somebody who watches the hosts.
pub type Eyes = Rc<dyn Fn(&Sight)>;

/// Whether orders reach a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agent {
    /// They do.
    Online,
    /// They do not, for now.
    Offline,
    /// They never did: the service does not know it.
    Unknown,
}

/// One of our documents, with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Order {
    pub document: Document,
    pub parameters: BTreeMap<String, String>,
}

/// How a document ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It ended by itself, and printed this.
    Ended {
        /// Its standard output.
        stdout: String,
    },
    /// It was not heard of to its end: the service's word for why.
    Silence(String),
}

/// Why a verb was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Refusal {
    pub class: Class,
    pub message: String,
}

/// A fault that is alive on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct Alive {
    pub instance: InstanceId,
    pub unit: UnitId,
    pub document: Document,
    pub since: Timestamp,
}

/// A change that happened just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// A fault took hold on a host.
    Landed(Alive),
    /// A fault ended.
    Ended(Alive),
    /// An instance is not as it was.
    Instance(Instance),
}
