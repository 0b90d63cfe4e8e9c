//! One simulated host: its instance, its units, and what does not work on it.

use std::collections::BTreeMap;

use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::ids::{InstanceId, UnitId};
use jiff::Timestamp;

use super::{Alive, HostSpec, HostView, Order};

/// What does not work on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quirks {
    /// A fault is applied and never seen to land: the document puts it back and says `failed`.
    pub never_lands: bool,
    /// So many reverts do not succeed: the document says `residue`, and the fault stays.
    pub stubborn: u32,
    /// What documents print is lost, though they run.
    pub mute: bool,
    /// The dead man never fires.
    pub no_dead_man: bool,
    /// The instance cannot be started: there is no capacity.
    pub no_capacity: bool,
    /// The instance does not stop, reboot or terminate, though the call succeeds.
    pub immovable: bool,
    /// Rules and queues are there, and nothing meets them: their counters stay at 0.
    pub meets_nothing: bool,
    /// No state can be written: a start is refused, and nothing is touched.
    pub full_disk: bool,
}

pub(super) struct Machine {
    pub(super) spec: HostSpec,
    pub(super) instance: Instance,
    /// Since when its agent runs; `None` while the host is down or boots.
    pub(super) up_since: Option<Timestamp>,
    pub(super) booted: Timestamp,
    pub(super) units: BTreeMap<UnitId, Unit>,
    pub(super) tombstones: BTreeMap<UnitId, Tombstone>,
    /// Processes that were killed, and when they are back.
    pub(super) down: BTreeMap<String, Timestamp>,
    pub(super) agent_offline: bool,
    pub(super) quirks: Quirks,
    /// Counts the changes of power: what was under way when another began does not end.
    pub(super) turn: u64,
    pub(super) terminated_at: Option<Timestamp>,
}

/// A fault that is alive, with what holds it.
pub(super) struct Unit {
    pub(super) order: Order,
    pub(super) since: Timestamp,
    /// Until when it is there, at the latest, by its own dead man.
    pub(super) until: Timestamp,
    /// Since when it is not there any more, because somebody removed it; its dead man has not noticed yet.
    pub(super) removed: Option<Timestamp>,
    /// Tells this start of the unit from every other.
    pub(super) number: u64,
}

/// A unit that does not start again.
pub(super) struct Tombstone {
    pub(super) at: Timestamp,
    pub(super) cause: &'static str,
    /// Since when the fault was there, if it ever was.
    pub(super) since: Option<Timestamp>,
    /// How many packets met it, if it counted them.
    pub(super) packets: Option<u64>,
}

impl Machine {
    pub(super) fn id(&self) -> &InstanceId {
        &self.instance.id
    }

    pub(super) fn is_up(&self) -> bool {
        self.instance.state == InstanceState::Running && self.up_since.is_some()
    }

    /// What its own clock shows.
    pub(super) fn clock(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.spec.skew).unwrap_or(now)
    }

    pub(super) fn alive(&self) -> impl Iterator<Item = Alive> {
        self.units.iter().filter(|(_, held)| held.removed.is_none()).map(|(unit, held)| self.as_alive(unit, held))
    }

    pub(super) fn as_alive(&self, unit: &UnitId, held: &Unit) -> Alive {
        Alive { instance: self.id().clone(), unit: unit.clone(), document: held.order.document, since: held.since }
    }

    /// The host goes down: what is in memory is gone, what is on disk stays.
    pub(super) fn goes_down(&mut self) -> Vec<Alive> {
        let ended = self.alive().collect();
        self.units.clear();
        self.down.clear();
        self.up_since = None;
        self.turn += 1;
        ended
    }

    pub(super) fn comes_up(&mut self, now: Timestamp) {
        self.up_since = Some(now);
        self.booted = now;
    }

    /// One unit ends, and does not start again.
    pub(super) fn bury(&mut self, unit: &UnitId, cause: &'static str, at: Timestamp) -> Option<Alive> {
        let packets = self.packets(unit);
        let held = self.units.remove(unit);
        let since = held.as_ref().map(|held| held.since);
        let removed = held.as_ref().and_then(|held| held.removed);
        self.tombstones.entry(unit.clone()).or_insert(Tombstone { at: removed.unwrap_or(at), cause, since, packets });
        held.filter(|held| held.removed.is_none()).map(|held| self.as_alive(unit, &held))
    }

    pub(super) fn view(&self) -> HostView {
        HostView {
            instance: self.instance.clone(),
            up_since: self.up_since,
            faults: self.units.values().filter(|held| held.removed.is_none()).map(|held| held.order.clone()).collect(),
            down: self.down.clone(),
        }
    }
}
