//! A fleet of simulated hosts: deterministic, and true to what documents and instances do.
//!
//! Tests set it up, break it and look into it here; the world in front of it does not know that it is not real.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::ids::{GroupName, InstanceId, UnitId};
use drill_phases::ports::Group;
use jiff::Timestamp;

use super::groups::ScalingGroup;
use super::machine::{Machine, Quirks};
use super::{Agent, Alive, Eyes, Heard, HostPlane, HostSpec, HostTiming, HostsView, Order, Power, Refusal, Sight};
use crate::random::Random;
use crate::time::{Bell, Local, Timekeeper};

/// A dead man notices within this time that its fault is not there any more.
const NOTICED_AFTER: Duration = Duration::from_secs(3);

/// Simulated hosts. Clones are the same hosts.
#[derive(Clone)]
pub struct SimulatedHosts {
    pub(super) inner: Rc<Inner>,
}

pub(super) struct Inner {
    pub(super) time: Rc<dyn Timekeeper>,
    pub(super) fleet: RefCell<Fleet>,
    /// Rings whenever an agent may have come back.
    pub(super) bell: Bell,
    eyes: RefCell<Option<Eyes>>,
}

pub(super) struct Fleet {
    pub(super) machines: BTreeMap<InstanceId, Machine>,
    pub(super) groups: BTreeMap<GroupName, ScalingGroup>,
    pub(super) timing: HostTiming,
    /// Counts starts of units.
    starts: u64,
    names: Random,
}

impl SimulatedHosts {
    /// No hosts yet.
    pub fn new(time: Rc<dyn Timekeeper>, seed: u64) -> Self {
        let fleet = Fleet {
            machines: BTreeMap::new(),
            groups: BTreeMap::new(),
            timing: HostTiming::default(),
            starts: 0,
            names: Random::seeded(seed),
        };
        let inner = Inner { time, fleet: RefCell::new(fleet), bell: Bell::default(), eyes: RefCell::default() };
        Self { inner: Rc::new(inner) }
    }

    /// How long things take, to be changed.
    pub fn timing(&self, change: impl FnOnce(&mut HostTiming)) {
        change(&mut self.inner.fleet.borrow_mut().timing);
    }

    /// Adds a host that runs already.
    pub fn add(&self, spec: &HostSpec) -> InstanceId {
        self.launch(spec, InstanceState::Running)
    }

    /// What does not work on a host, to be changed.
    pub fn quirks(&self, id: &InstanceId, change: impl FnOnce(&mut Quirks)) {
        self.with(id, |machine| change(&mut machine.quirks));
    }

    /// Takes a host's agent off the network, or puts it back. Nothing else of the host changes.
    pub fn agent_offline(&self, id: &InstanceId, offline: bool) {
        self.with(id, |machine| machine.agent_offline = offline);
        self.inner.bell.ring();
    }

    /// Sets a tag of an instance, or removes it.
    pub fn set_tag(&self, id: &InstanceId, name: &str, value: Option<&str>) {
        self.with(id, |machine| match value {
            Some(value) => drop(machine.instance.tags.insert(name.to_owned(), value.to_owned())),
            None => drop(machine.instance.tags.remove(name)),
        });
        self.tell_instance(id);
    }

    /// Sets whether the status checks of an instance pass.
    pub fn set_healthy(&self, id: &InstanceId, healthy: Option<bool>) {
        self.with(id, |machine| machine.instance.healthy = healthy);
        self.tell_instance(id);
    }

    /// The units that are buried on a host, and why.
    pub fn tombstones(&self, id: &InstanceId) -> BTreeMap<UnitId, &'static str> {
        let fleet = self.inner.fleet.borrow();
        let buried = fleet.machines.get(id).map(|machine| &machine.tombstones);
        buried.into_iter().flatten().map(|(unit, tombstone)| (unit.clone(), tombstone.cause)).collect()
    }

    pub(super) fn launch(&self, spec: &HostSpec, state: InstanceState) -> InstanceId {
        let now = self.now();
        let up = state == InstanceState::Running;
        let id = {
            let mut fleet = self.inner.fleet.borrow_mut();
            let id = fleet.name();
            let instance = Instance {
                id: id.clone(),
                state,
                healthy: up.then_some(true),
                group: spec.group.clone(),
                tags: spec.tags.clone(),
                spot: spec.spot,
                subnet: None,
                booted: None,
            };
            let machine = Machine {
                spec: spec.clone(),
                instance,
                up_since: up.then_some(now),
                booted: now,
                units: BTreeMap::new(),
                tombstones: BTreeMap::new(),
                down: BTreeMap::new(),
                agent_offline: false,
                quirks: Quirks::default(),
                turn: 0,
                terminated_at: None,
            };
            fleet.machines.insert(id.clone(), machine);
            id
        };
        self.tell_instance(&id);
        id
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.time.now()
    }

    /// Does something to a host later.
    pub(super) fn later(&self, after: Duration, what: impl FnOnce(&Self) + 'static) {
        let due = self.inner.time.sleep_until(self.now() + after);
        let weak = Rc::downgrade(&self.inner);
        self.inner.time.spawn(Box::pin(async move {
            due.await;
            if let Some(inner) = weak.upgrade() {
                what(&Self { inner });
            }
        }));
    }

    pub(super) fn with<T>(&self, id: &InstanceId, change: impl FnOnce(&mut Machine) -> T) -> Option<T> {
        self.inner.fleet.borrow_mut().machines.get_mut(id).map(change)
    }

    /// Tells whoever watches. Nothing is borrowed while they look.
    pub(super) fn tell(&self, sight: &Sight) {
        let eyes = self.inner.eyes.borrow().clone();
        if let Some(eyes) = eyes {
            eyes(sight);
        }
    }

    pub(super) fn tell_instance(&self, id: &InstanceId) {
        if let Some(instance) = self.with(id, |machine| machine.instance.clone()) {
            self.tell(&Sight::Instance(instance));
        }
    }

    pub(super) fn tell_ended(&self, ended: Vec<Alive>) {
        for fault in ended {
            self.tell(&Sight::Ended(fault));
        }
    }

    fn run(&self, id: &InstanceId, order: &Order) -> Option<(String, u64)> {
        let now = self.now();
        let (ran, turn, mute) = {
            let mut fleet = self.inner.fleet.borrow_mut();
            fleet.starts += 1;
            let (number, restart) = (fleet.starts, fleet.timing.restart);
            let machine = fleet.machines.get_mut(id)?;
            let ran = machine.run(order, now, number, restart);
            (ran, machine.turn, machine.quirks.mute)
        };
        if let Some(landed) = ran.landed {
            self.tell(&Sight::Landed(landed));
        }
        self.tell_ended(ran.ended.into_iter().collect());
        if let Some((unit, number, fires)) = ran.armed {
            let id = id.clone();
            self.later(fires, move |hosts| hosts.dead_man(&id, &unit, number));
        }
        Some((if mute { String::new() } else { ran.stdout }, turn))
    }

    /// Somebody removes every fault from a host: the rules are flushed, the holder is killed. The dead man notices within
    /// seconds, and says since when. Returns which faults there were.
    pub fn remove_faults(&self, id: &InstanceId) -> Vec<UnitId> {
        let now = self.now();
        let removed = self.with(id, |machine| {
            let ended: Vec<Alive> = machine.alive().collect();
            for held in machine.units.values_mut() {
                held.removed.get_or_insert(now);
            }
            let starts: Vec<(UnitId, u64)> =
                machine.units.iter().map(|(unit, held)| (unit.clone(), held.number)).collect();
            (ended, starts)
        });
        let Some((ended, starts)) = removed else { return Vec::new() };
        let units = ended.iter().map(|fault| fault.unit.clone()).collect();
        self.tell_ended(ended);
        for (unit, number) in starts {
            let of = id.clone();
            self.later(NOTICED_AFTER, move |hosts| {
                hosts.with(&of, |machine| {
                    let held = machine.units.get(&unit).is_some_and(|held| held.number == number);
                    if held && !machine.quirks.no_dead_man {
                        drop(machine.bury(&unit, "ended-early", hosts.now()));
                    }
                });
            });
        }
        units
    }

    /// Ends one start of a unit, if it is still alive: whatever else has died.
    fn dead_man(&self, id: &InstanceId, unit: &UnitId, number: u64) {
        let now = self.now();
        let ended = self.with(id, |machine| {
            let held = machine.units.get(unit).is_some_and(|held| held.number == number);
            if held && !machine.quirks.no_dead_man { machine.bury(unit, "dead-man", now) } else { None }
        });
        self.tell_ended(ended.flatten().into_iter().collect());
    }
}

impl Fleet {
    fn name(&mut self) -> InstanceId {
        loop {
            let text = format!("i-0{:016x}", self.names.next());
            if let Ok(id) = InstanceId::try_from(text)
                && !self.machines.contains_key(&id)
            {
                return id;
            }
        }
    }
}

impl HostPlane for SimulatedHosts {
    fn instances(&self) -> Vec<Instance> {
        let now = self.now();
        let fleet = self.inner.fleet.borrow();
        let remembered = fleet.timing.remembered;
        let there = |machine: &&Machine| machine.terminated_at.is_none_or(|at| now < at + remembered);
        fleet.machines.values().filter(there).map(|machine| machine.instance.clone()).collect()
    }

    fn groups(&self) -> Vec<Group> {
        let fleet = self.inner.fleet.borrow();
        fleet.groups.iter().map(|(name, group)| group.described(name, &fleet.machines)).collect()
    }

    fn agent(&self, id: &InstanceId) -> Agent {
        let fleet = self.inner.fleet.borrow();
        match fleet.machines.get(id) {
            Some(machine) if machine.spec.agent => {
                if machine.is_up() && !machine.agent_offline {
                    Agent::Online
                } else {
                    Agent::Offline
                }
            }
            Some(_) | None => Agent::Unknown,
        }
    }

    fn reachable(&self, id: &InstanceId) -> Local<'static, ()> {
        let (hosts, id) = (self.clone(), id.clone());
        Box::pin(async move {
            while hosts.agent(&id) != Agent::Online {
                hosts.inner.bell.next().await;
            }
        })
    }

    fn run_document(&self, id: &InstanceId, order: &Order) -> Local<'static, Heard> {
        let (hosts, id, order) = (self.clone(), id.clone(), order.clone());
        Box::pin(async move {
            let Some((stdout, turn)) = hosts.run(&id, &order) else {
                return Heard::Silence("Undeliverable".to_owned());
            };
            let takes = hosts.inner.fleet.borrow().timing.document;
            hosts.inner.time.sleep_until(hosts.now() + takes).await;
            if hosts.with(&id, |machine| machine.turn) == Some(turn) {
                Heard::Ended { stdout }
            } else {
                // The host went down under the command, and nobody will ever say how it ended.
                std::future::pending().await
            }
        })
    }

    fn power(&self, verb: Power, ids: &BTreeSet<InstanceId>) -> Local<'static, Result<(), Refusal>> {
        let done = self.use_verb(verb, ids);
        Box::pin(std::future::ready(done))
    }

    fn alive(&self) -> Vec<Alive> {
        self.inner.fleet.borrow().machines.values().flat_map(Machine::alive).collect()
    }

    fn view(&self) -> HostsView {
        let fleet = self.inner.fleet.borrow();
        let hosts = fleet.machines.values().filter(|machine| machine.terminated_at.is_none());
        HostsView { hosts: hosts.map(|machine| (machine.id().clone(), Rc::new(machine.view()))).collect() }
    }

    fn watch(&self, eyes: Eyes) {
        *self.inner.eyes.borrow_mut() = Some(eyes);
        let instances = self.instances();
        for instance in instances {
            self.tell(&Sight::Instance(instance));
        }
    }
}
