//! What a simulated host does with an order: the contract of our documents, in the order in which they check.
//!
//! Late starts, buried units and missing tools are refused before anything is touched; a start arms its dead man first.

use std::time::Duration;

use drill_model::faults::{Ends, FaultKind};
use drill_model::host::{Capability, Document, HostOutcome, HostReport};
use drill_model::ids::UnitId;
use jiff::Timestamp;

use super::machine::{Machine, Unit};
use super::{Alive, Order};

/// The parameters in which a repeated order may differ.
const TIMES: [&str; 3] = ["NotAfter", "Deadline", "MaxSeconds"];

/// What an order came to.
#[derive(Default)]
pub(super) struct Ran {
    pub(super) stdout: String,
    pub(super) landed: Option<Alive>,
    pub(super) ended: Option<Alive>,
    /// The dead man that was armed: for which start of a unit, and after how long it fires.
    pub(super) armed: Option<(UnitId, u64, Duration)>,
}

impl Machine {
    /// Runs a document, at an instant of true time. `number` names the start, if it becomes one.
    pub(super) fn run(&mut self, order: &Order, now: Timestamp, number: u64, restart: Duration) -> Ran {
        match order.document {
            Document::Probe => Ran { stdout: self.probe(now), ..Ran::default() },
            Document::Revert => self.revert(order, now),
            Document::Fault(_) => {
                self.harm(order, now, number, restart).unwrap_or_else(|said| Ran { stdout: said, ..Ran::default() })
            }
        }
    }

    fn harm(&mut self, order: &Order, now: Timestamp, number: u64, restart: Duration) -> Result<Ran, String> {
        let clock = self.clock(now).as_second();
        let unit = order.unit().ok_or_else(|| refused(None, "bad-parameter", "Unit does not match its pattern"))?;
        let refuse = |reason: &str, detail: &str| refused(Some(&unit), reason, detail);
        // A repeated order is answered from what is there, before anything that speaks against a first one.
        if let Some(held) = self.units.get(&unit) {
            if !same_order(&held.order, order) {
                return Err(refuse("other-order", "the unit is alive with other parameters"));
            }
            return Err(line(&report(Some(&unit), HostOutcome::Already, None, "the fault is there already")));
        }
        let [not_after, deadline, most] = TIMES.map(|name| order.number(name));
        let (Some(not_after), Some(deadline), Some(most)) = (not_after, deadline, most) else {
            return Err(refuse("bad-parameter", "NotAfter, Deadline or MaxSeconds does not match its pattern"));
        };
        if clock > not_after {
            return Err(refuse("too-late", "it is after the last moment to start"));
        }
        let seconds = (deadline - clock).min(most);
        if seconds < 1 {
            return Err(refuse("deadline-passed", "the deadline has passed"));
        }
        if self.tombstones.contains_key(&unit) {
            return Err(refuse("tombstone", "this unit has been put back before, and does not start again"));
        }
        self.preflight(order).map_err(|(reason, detail)| refuse(reason, &detail))?;
        if self.quirks.never_lands {
            self.bury(&unit, "failed", now);
            let failed = report(Some(&unit), HostOutcome::Failed, Some("not-seen"), "the fault was not seen to land");
            return Err(line(&failed));
        }
        // What dies is back when its supervisor has started it again.
        let once = order.fault().is_some_and(|kind| kind.ends() == Ends::ByItself);
        if let Some(process) = order.parameters.get("Process").filter(|_| once) {
            self.down.insert(process.clone(), now + restart);
        }
        let held = Unit { order: order.clone(), since: now, number };
        let landed = self.as_alive(&unit, &held);
        self.units.insert(unit.clone(), held);
        let said = report(Some(&unit), HostOutcome::Landed, None, "the fault is seen to be there");
        let fires = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        Ok(Ran { stdout: line(&said), landed: Some(landed), armed: Some((unit, number, fires)), ended: None })
    }

    /// What must be there before a fault is tried.
    fn preflight(&self, order: &Order) -> Result<(), (&'static str, String)> {
        let needs = order.fault().map_or(&[][..], FaultKind::needs);
        // Whether the machine bounds what a fault may take is asked by the probe alone.
        let lacks = |need: &&Capability| **need != Capability::Bounds && !self.spec.capabilities.contains(*need);
        if let Some(capability) = needs.iter().find(lacks) {
            return Err((no(*capability), format!("this host has no {}", capability.word())));
        }
        if order.takes_the_queue() {
            if self.spec.foreign_queue {
                return Err(("foreign-qdisc", "the root queue is somebody's".to_owned()));
            }
            if self.units.values().any(|held| held.order.takes_the_queue()) {
                return Err(("foreign-qdisc", "the root queue is another unit's".to_owned()));
            }
        }
        for (name, reason, what) in
            [("Process", "no-match", "no process is called"), ("Service", "not-active", "there is no active service")]
        {
            let Some(wanted) = order.parameters.get(name) else { continue };
            if self.spec.processes.as_ref().is_some_and(|runs| !runs.contains(wanted)) {
                return Err((reason, format!("{what} {wanted}")));
            }
        }
        Ok(())
    }

    fn revert(&mut self, order: &Order, now: Timestamp) -> Ran {
        let Some(unit) = order.unit() else {
            let said = refused(None, "bad-parameter", "Unit does not match its pattern");
            return Ran { stdout: said, ..Ran::default() };
        };
        if self.units.contains_key(&unit) && self.quirks.stubborn > 0 {
            self.quirks.stubborn -= 1;
            let said = report(Some(&unit), HostOutcome::Residue, Some("not-gone"), "its own way back did not succeed");
            return Ran { stdout: line(&said), ..Ran::default() };
        }
        let buried = self.tombstones.get(&unit).map(|tombstone| (tombstone.cause, tombstone.at));
        let ended = self.bury(&unit, "revert", now);
        let said = match (&ended, buried) {
            (Some(_), _) => report(Some(&unit), HostOutcome::Reverted, None, "the fault is seen to be gone"),
            (None, Some((cause, at))) => {
                report(Some(&unit), HostOutcome::Absent, Some(cause), &format!("this unit ended at {at}"))
            }
            (None, None) => {
                report(Some(&unit), HostOutcome::Absent, Some("never-started"), "nothing of this unit was ever here")
            }
        };
        Ran { stdout: line(&said), ended, ..Ran::default() }
    }

    fn probe(&self, now: Timestamp) -> String {
        let queue = if self.units.values().any(|held| held.order.takes_the_queue()) {
            "ours"
        } else if self.spec.foreign_queue {
            "foreign"
        } else {
            "default"
        };
        let said = HostReport {
            time: Some(self.clock(now).as_second()),
            booted: Some(self.clock(self.booted).as_second()),
            capabilities: Some(self.spec.capabilities.iter().map(|one| one.word().to_owned()).collect()),
            units: Some(self.units.keys().cloned().collect()),
            root_qdisc: Some(queue.to_owned()),
            ..report(None, HostOutcome::Alive, None, "")
        };
        line(&HostReport { detail: None, ..said })
    }
}

impl Order {
    /// The unit that an order is about.
    pub(crate) fn unit(&self) -> Option<UnitId> {
        UnitId::try_from(self.parameters.get("Unit")?.as_str()).ok()
    }

    /// The fault that it is an order for.
    pub(crate) const fn fault(&self) -> Option<FaultKind> {
        match self.document {
            Document::Fault(kind) => Some(kind),
            Document::Revert | Document::Probe => None,
        }
    }

    /// Whether it takes the one queue of an interface.
    fn takes_the_queue(&self) -> bool {
        self.fault().is_some_and(|kind| kind.needs().contains(&Capability::Netem))
    }

    /// A parameter that is a whole number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.parameters.get(name)?.parse().ok()
    }
}

/// The word by which a host refuses for what it cannot do.
const fn no(capability: Capability) -> &'static str {
    match capability {
        Capability::Netem => "no-netem",
        Capability::Iptables => "no-iptables",
        Capability::StressNg => "no-stress-ng",
        Capability::Fallocate => "no-fallocate",
        Capability::Bounds => "no-bounds",
    }
}

fn same_order(one: &Order, other: &Order) -> bool {
    let lasting = |order: &Order| {
        let mut parameters = order.parameters.clone();
        parameters.retain(|name, _| !TIMES.contains(&name.as_str()));
        (order.document, parameters)
    };
    lasting(one) == lasting(other)
}

fn refused(unit: Option<&UnitId>, reason: &str, detail: &str) -> String {
    line(&report(unit, HostOutcome::Refused, Some(reason), detail))
}

fn report(unit: Option<&UnitId>, outcome: HostOutcome, reason: Option<&str>, detail: &str) -> HostReport {
    HostReport {
        stormdrill: 1,
        unit: unit.cloned(),
        outcome,
        reason: reason.map(str::to_owned),
        detail: Some(detail.to_owned()),
        saved: None,
        evidence: None,
        since: None,
        until: None,
        ended_at: None,
        holds: None,
        counters: None,
        time: None,
        booted: None,
        capabilities: None,
        units: None,
        root_qdisc: None,
    }
}

fn line(report: &HostReport) -> String {
    serde_json::to_string(report).unwrap_or_default()
}
