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

/// How far a host's clock may be ahead of the one that the deadline was read from, in seconds.
const SKEW: i64 = 60;

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
            Document::Probe => Ran { stdout: self.probe(order, now), ..Ran::default() },
            Document::Revert => self.revert(order, now),
            Document::Fault(_) => self.harm(order, now, number, restart).unwrap_or_else(|said| {
                // Nothing of the unit is there, and nothing will be: no later copy of the order starts it.
                let refused = HostReport::from_output(&said).is_some_and(|said| said.outcome == HostOutcome::Refused);
                if let Some(unit) = order.unit().filter(|_| refused) {
                    drop(self.bury(&unit, "refused", now));
                }
                Ran { stdout: said, ..Ran::default() }
            }),
        }
    }

    fn harm(&mut self, order: &Order, now: Timestamp, number: u64, restart: Duration) -> Result<Ran, String> {
        let clock = self.clock(now).as_second();
        let unit = order.unit().ok_or_else(|| refused(None, "bad-parameter", "Unit does not match its pattern"))?;
        let refuse = |reason: &str, detail: &str| refused(Some(&unit), reason, detail);
        // A repeated order is answered from what is there, before anything that speaks against a first one.
        if let Some(held) = self.units.get(&unit) {
            if !same_order(&held.order, order) {
                let what = "the unit is alive with other parameters";
                return Err(line(&report(Some(&unit), HostOutcome::Residue, Some("other-order"), what)));
            }
            if held.removed.is_some() {
                let said = report(Some(&unit), HostOutcome::Residue, Some("busy"), "it is being put back");
                return Err(line(&self.known_of(&unit, now, said)));
            }
            let said = report(Some(&unit), HostOutcome::Already, None, "the fault is there already");
            return Err(line(&self.known_of(&unit, now, said)));
        }
        if self.tombstones.contains_key(&unit) {
            let detail = "this unit has been put back before, and does not start again";
            let said = report(Some(&unit), HostOutcome::Refused, Some("tombstone"), detail);
            return Err(line(&self.known_of(&unit, now, said)));
        }
        let [not_after, deadline, most] = TIMES.map(|name| order.number(name));
        let (Some(not_after), Some(deadline), Some(most)) = (not_after, deadline, most) else {
            return Err(refuse("bad-parameter", "NotAfter, Deadline or MaxSeconds does not match its pattern"));
        };
        if clock > not_after {
            return Err(refuse("too-late", "it is after the last moment to start"));
        }
        // The length governs; the deadline bounds it from outside, by a clock that may be another's.
        let seconds = (deadline + SKEW - clock).min(most);
        if seconds < 1 {
            return Err(refuse("deadline-passed", "the deadline has passed"));
        }
        self.preflight(order).map_err(|(reason, detail)| refuse(reason, &detail))?;
        if self.quirks.full_disk {
            return Err(refuse("no-state", "could not write the state that the way back needs: 0 KiB are free"));
        }
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
        let fires = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let held = Unit { order: order.clone(), since: now, until: now + fires, removed: None, number };
        let landed = self.as_alive(&unit, &held);
        self.units.insert(unit.clone(), held);
        let said =
            self.known_of(&unit, now, report(Some(&unit), HostOutcome::Landed, None, "the fault is seen to be there"));
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
        let was = self.units.contains_key(&unit);
        let buried = self.tombstones.get(&unit).map(|tombstone| tombstone.cause);
        let ended = self.bury(&unit, "revert", now);
        let said = match (was, buried) {
            (true, _) => report(Some(&unit), HostOutcome::Reverted, None, "the fault is seen to be gone"),
            (false, Some(cause)) if cause != "refused" => {
                report(Some(&unit), HostOutcome::Absent, Some(cause), "this unit ended before")
            }
            (false, Some(_) | None) => {
                report(Some(&unit), HostOutcome::Absent, Some("never-started"), "nothing of this unit was ever here")
            }
        };
        let said = match said.reason.as_deref() {
            Some("never-started") => said,
            Some(_) | None => self.known_of(&unit, now, said),
        };
        Ran { stdout: line(&said), ended, ..Ran::default() }
    }

    /// What this host knows of a unit, in an answer: since when it is there, until when and what it met; or when it ended.
    fn known_of(&self, unit: &UnitId, now: Timestamp, said: HostReport) -> HostReport {
        let second = |at: Timestamp| Some(self.clock(at).as_second());
        match (self.units.get(unit), self.tombstones.get(unit)) {
            (Some(held), _) => HostReport {
                time: second(now),
                since: second(held.since),
                until: second(held.until),
                holds: Some(held.removed.is_none()),
                counters: counters(self.packets(unit)),
                ..said
            },
            (None, Some(buried)) => HostReport {
                time: second(now),
                since: buried.since.and_then(second),
                ended_at: second(buried.at),
                counters: counters(buried.packets),
                ..said
            },
            (None, None) => said,
        }
    }

    /// How many packets have met a fault that counts them.
    pub(super) fn packets(&self, unit: &UnitId) -> Option<u64> {
        let needs = self.units.get(unit)?.order.fault()?.needs();
        let counts = needs.contains(&Capability::Netem) || needs.contains(&Capability::Iptables);
        counts.then_some(if self.quirks.meets_nothing { 0 } else { 1_000 })
    }

    fn probe(&self, order: &Order, now: Timestamp) -> String {
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
            ..report(order.unit().as_ref(), HostOutcome::Alive, None, "")
        };
        let said = HostReport { detail: None, ..said };
        let Some(unit) = order.unit() else { return line(&said) };
        let reason = self.tombstones.get(&unit).filter(|_| !self.units.contains_key(&unit)).map(|buried| buried.cause);
        line(&HostReport { reason: reason.map(str::to_owned), ..self.known_of(&unit, now, said) })
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

fn counters(packets: Option<u64>) -> Option<serde_json::Value> {
    packets.map(|packets| serde_json::json!({ "packets": packets, "bytes": packets * 60 }))
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
