//! The world itself: a handle that is cheap to clone, on one state that is never borrowed across an await.
//!
//! Each port stands in the file of its service. A handle carries the name of whoever calls.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::{Rc, Weak};
use std::time::Duration;

use drill_model::faults::Family;
use drill_phases::ports::{Clock, Place};
use jiff::Timestamp;

use crate::alarms::AlarmStore;
use crate::builder::Timing;
use crate::calls::{Called, Calls, Method};
use crate::clocks::Clocks;
use crate::commands::Commands;
use crate::faulty::Trouble;
use crate::hosts::HostPlane;
use crate::instances::Sightings;
use crate::invocation::{Actor, Invocations};
use crate::leases::LeaseTable;
use crate::ledger::LedgerTable;
use crate::metrics::MetricStore;
use crate::oracle::Oracle;
use crate::outbox::Outbox;
use crate::random::Random;
use crate::store::Store;
use crate::subnets::Subnets;
use crate::time::{Local, Signal, Timekeeper};
use crate::tokens::Tokens;
use crate::undos::Undos;

/// A control plane. Clones are the same one.
#[derive(Clone)]
pub struct World {
    pub(crate) inner: Rc<Inner>,
    actor: Rc<Actor>,
}

pub(crate) struct Inner {
    time: Rc<dyn Timekeeper>,
    plane: Rc<dyn HostPlane>,
    state: RefCell<State>,
    stop: Signal,
    gate: Signal,
    under_way: Rc<Invocations>,
}

pub(crate) struct State {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) switched_on: BTreeSet<Family>,
    pub(crate) timing: Timing,
    pub(crate) random: Random,
    pub(crate) calls: Calls,
    pub(crate) trouble: Trouble,
    pub(crate) store: Store,
    pub(crate) ledger: LedgerTable,
    pub(crate) leases: LeaseTable,
    pub(crate) lever: Option<String>,
    pub(crate) undo_proven: Option<Timestamp>,
    pub(crate) clocks: Clocks,
    pub(crate) undos: Undos,
    pub(crate) subnets: Subnets,
    pub(crate) tokens: Tokens,
    pub(crate) outbox: Outbox,
    pub(crate) sightings: Sightings,
    pub(crate) commands: Commands,
    pub(crate) metrics: MetricStore,
    pub(crate) alarms: AlarmStore,
    pub(crate) oracle: Oracle,
    pub(crate) event_lost: bool,
}

impl World {
    /// A world with these hosts and this clock.
    pub fn new(time: Rc<dyn Timekeeper>, plane: Rc<dyn HostPlane>, seed: u64) -> Self {
        let state = State {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            switched_on: Family::all().collect(),
            timing: Timing::default(),
            random: Random::seeded(seed),
            calls: Calls::default(),
            trouble: Trouble::default(),
            store: Store::default(),
            ledger: LedgerTable::default(),
            leases: LeaseTable::default(),
            lever: None,
            undo_proven: Some(Timestamp::UNIX_EPOCH),
            clocks: Clocks::default(),
            undos: Undos::default(),
            subnets: Subnets::default(),
            tokens: Tokens::default(),
            outbox: Outbox::default(),
            sightings: Sightings::default(),
            commands: Commands::default(),
            metrics: MetricStore::default(),
            alarms: AlarmStore::default(),
            oracle: Oracle::default(),
            event_lost: false,
        };
        let inner = Inner {
            time,
            plane,
            state: RefCell::new(state),
            stop: Signal::default(),
            gate: Signal::default(),
            under_way: Rc::default(),
        };
        let world = Self { inner: Rc::new(inner), actor: Actor::named("nobody") };
        let weak = world.downgrade();
        world.plane().watch(Rc::new(move |sight| {
            if let Some(world) = weak.upgrade() {
                world.see(sight);
            }
        }));
        world
    }

    /// How fast and how badly the services work, to be changed.
    pub fn timing(&self, change: impl FnOnce(&mut Timing)) {
        change(&mut self.state().timing);
    }

    /// Where this world says that it is.
    pub fn place(&self, account: &str, region: &str) {
        let mut state = self.state();
        account.clone_into(&mut state.account);
        region.clone_into(&mut state.region);
    }

    /// Only these families of faults are switched on here, instead of all.
    pub fn switch_on(&self, families: &[Family]) {
        self.state().switched_on = families.iter().copied().collect();
    }

    /// Reports are written into this folder as well.
    pub fn keep_reports_in(&self, folder: PathBuf) {
        self.state().outbox.folder = Some(folder);
    }

    /// Runs a task beside whatever is running.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.inner.time.spawn(Box::pin(task));
    }

    /// Lets time pass.
    pub fn sleep(&self, time: Duration) -> Local<'static, ()> {
        self.sleep_until(self.inner.time.now() + time)
    }

    /// Lets time pass until an instant.
    pub fn sleep_until(&self, at: Timestamp) -> Local<'static, ()> {
        self.inner.time.sleep_until(at)
    }

    /// A number from 0 up to 1, the same every time.
    pub fn random(&self) -> f64 {
        self.state().random.fraction()
    }

    /// How many requests each API call got.
    pub fn calls(&self) -> std::collections::BTreeMap<&'static str, u64> {
        self.state().calls.requests()
    }

    /// Every call that was made, in order.
    pub fn call_log(&self) -> Vec<Called> {
        self.state().calls.log.clone()
    }

    /// How often each port method was called; zero for those that never were.
    pub fn coverage(&self) -> std::collections::BTreeMap<Method, u64> {
        self.state().calls.coverage()
    }

    /// Somebody stops the execution. Its invocations go on.
    pub fn stop_execution(&self, event_lost: bool) {
        self.state().event_lost = event_lost;
        self.inner.stop.give();
    }

    /// Whether the execution was stopped.
    pub fn stopped(&self) -> bool {
        self.inner.stop.is_given()
    }

    /// Ends when the execution is stopped.
    pub async fn until_stopped(&self) {
        self.inner.stop.wait().await;
    }

    /// Whether the event that tells of the stop is lost.
    pub fn event_lost(&self) -> bool {
        self.state().event_lost
    }

    /// Invocations that a stop made wait for the janitor go on.
    pub fn let_zombies_go(&self) {
        self.inner.gate.give();
    }

    /// Forgets a stop, for the next execution in the same world.
    pub fn forget_stop(&self) {
        self.inner.stop.reset();
        self.inner.gate.reset();
        self.state().event_lost = false;
    }

    /// A handle whose calls carry this name.
    pub fn named(&self, name: &str) -> Self {
        self.as_actor(&Actor::named(name))
    }

    pub(crate) fn as_actor(&self, actor: &Rc<Actor>) -> Self {
        Self { inner: Rc::clone(&self.inner), actor: Rc::clone(actor) }
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(crate) fn actor_name(&self) -> Rc<str> {
        Rc::clone(&self.actor.name)
    }

    pub(crate) fn state(&self) -> RefMut<'_, State> {
        self.inner.state.borrow_mut()
    }

    pub(crate) fn time(&self) -> &dyn Timekeeper {
        &*self.inner.time
    }

    pub(crate) fn plane(&self) -> &dyn HostPlane {
        &*self.inner.plane
    }

    pub(crate) fn plane_rc(&self) -> Rc<dyn HostPlane> {
        Rc::clone(&self.inner.plane)
    }

    pub(crate) fn gate(&self) -> &Signal {
        &self.inner.gate
    }

    pub(crate) fn under_way(&self) -> Rc<Invocations> {
        Rc::clone(&self.inner.under_way)
    }

    pub(crate) fn downgrade(&self) -> WeakWorld {
        WeakWorld { inner: Rc::downgrade(&self.inner), actor: Rc::clone(&self.actor) }
    }
}

/// What tasks keep that must not keep the world alive.
#[derive(Clone)]
pub(crate) struct WeakWorld {
    inner: Weak<Inner>,
    actor: Rc<Actor>,
}

impl WeakWorld {
    pub(crate) fn upgrade(&self) -> Option<World> {
        Some(World { inner: self.inner.upgrade()?, actor: Rc::clone(&self.actor) })
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("World").field("now", &self.inner.time.now()).finish_non_exhaustive()
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.inner.time.now()
    }

    async fn pause(&self, time: Duration) {
        self.sleep(time).await;
    }
}

impl Place for World {
    fn account(&self) -> String {
        self.state().account.clone()
    }

    fn region(&self) -> String {
        self.state().region.clone()
    }

    fn switched_on(&self) -> BTreeSet<Family> {
        self.state().switched_on.clone()
    }
}
