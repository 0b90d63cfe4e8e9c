//! How the hosts are at one instant: what a model of their service is a function of.

use std::collections::BTreeMap;
use std::rc::Rc;

use drill_model::faults::Ends;
use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::host::Document;
use drill_model::ids::InstanceId;
use jiff::Timestamp;

use super::Order;

/// Every host.
#[derive(Debug, Clone, Default)]
pub struct HostsView {
    /// Each, by its id.
    pub hosts: BTreeMap<InstanceId, Rc<HostView>>,
}

/// One host.
#[derive(Debug, Clone)]
pub struct HostView {
    /// Its instance.
    pub instance: Instance,
    /// Since when it is up; `None` while it is not.
    pub up_since: Option<Timestamp>,
    /// The faults that are alive on it.
    pub faults: Vec<Order>,
    /// The processes that were killed there, and when their supervisor has them back.
    pub down: BTreeMap<String, Timestamp>,
}

impl HostView {
    /// Whether a fault by this document is alive here.
    pub fn has(&self, document: Document) -> bool {
        self.faults.iter().any(|fault| fault.document == document)
    }

    /// Whether the instance is up.
    pub fn is_up(&self) -> bool {
        self.instance.state == InstanceState::Running && self.up_since.is_some()
    }

    /// Whether a process runs here at that instant: not on a host that is down, nor killed, stopped or paused.
    pub fn runs(&self, process: &str, at: Timestamp) -> bool {
        let withheld = |fault: &Order| {
            let named = |name: &str| fault.parameters.get(name).is_some_and(|value| value == process);
            // A fault that happens once has left already; its process is down until it is started again.
            let lasts = fault.fault().is_some_and(|kind| kind.ends() == Ends::PutBack);
            lasts && (named("Process") || named("Service"))
        };
        self.is_up() && self.down.get(process).is_none_or(|back| at >= *back) && !self.faults.iter().any(withheld)
    }
}

impl HostsView {
    /// The hosts with this tag.
    pub fn tagged<'a>(&'a self, name: &'a str, value: &'a str) -> impl Iterator<Item = &'a HostView> {
        let tagged = move |host: &&HostView| host.instance.tags.get(name).is_some_and(|found| found == value);
        self.hosts.values().map(Rc::as_ref).filter(tagged)
    }

    /// Whether a fault by this document is alive on any host.
    pub fn any(&self, document: Document) -> bool {
        self.hosts.values().any(|host| host.has(document))
    }
}
