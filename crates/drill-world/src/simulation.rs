//! A world with simulated hosts and a clock that jumps, ready to be played.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use crate::hosts::SimulatedHosts;
use crate::time::{Stalled, VirtualTime};
use crate::world::World;

/// Monday 2026-03-02, ten in the morning, UTC.
const BEGINNING: Timestamp = Timestamp::constant(1_772_445_600, 0);

/// A world, its hosts and its time. What still runs in it ends with it.
pub struct Simulation {
    /// The control plane.
    pub world: World,
    /// The hosts behind it.
    pub hosts: SimulatedHosts,
    time: VirtualTime,
}

impl Simulation {
    /// A world without hosts, on a Monday morning. The same seed plays the same.
    pub fn new(seed: u64) -> Self {
        Self::beginning_at(BEGINNING, seed)
    }

    /// A world without hosts, at an instant.
    pub fn beginning_at(now: Timestamp, seed: u64) -> Self {
        let time = VirtualTime::starting_at(now);
        let hosts = SimulatedHosts::new(time.keeper(), seed);
        let world = World::new(time.keeper(), Rc::new(hosts.clone()), seed);
        let seen = world.downgrade();
        time.before_jump(move |from, to| {
            if let Some(world) = seen.upgrade() {
                world.passes(from, to);
            }
        });
        Self { world, hosts, time }
    }

    /// Plays a future to its end, letting as much time pass as it waits for.
    pub fn play<T>(&self, future: impl Future<Output = T>) -> Result<T, Stalled> {
        self.time.play(future)
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        self.time.play_until(self.now() + time);
    }

    /// Lets time pass until an instant.
    pub fn pass_until(&self, at: Timestamp) {
        self.time.play_until(at);
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.time.now()
    }

    /// The next instant at which something happens by itself.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.time.next_event_at()
    }
}
