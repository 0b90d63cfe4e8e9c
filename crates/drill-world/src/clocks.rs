//! Alarm clocks: one-time schedules that go off at least once at their time, and are gone when they have.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::ids::RunId;
use drill_phases::ports::{AlarmClock, Answer, ClearClock};
use jiff::Timestamp;

use crate::calls::Method;
use crate::time::Bell;
use crate::world::World;

/// Between the two times that a clock goes off, when it does so twice.
const ECHO: Duration = Duration::from_secs(5);

/// The clocks that are set, and those that went off.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    set: BTreeMap<RunId, Timestamp>,
    fired: Vec<Fired>,
    /// Those that were ever set.
    known: BTreeSet<RunId>,
    bell: std::rc::Rc<Bell>,
}

/// A clock that went off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fired {
    /// Whose.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
}

impl Clocks {
    pub(crate) fn was_set(&self, run: &RunId) -> bool {
        self.known.contains(run)
    }

    pub(crate) fn set(&self) -> &BTreeMap<RunId, Timestamp> {
        &self.set
    }
}

impl AlarmClock for World {
    async fn set_clock(&self, run: &RunId, at: Timestamp) -> Answer<()> {
        self.call(Method::SetClock, async |_| {
            let (at, twice) = {
                let mut state = self.state();
                if state.clocks.set.contains_key(run) {
                    return Ok(());
                }
                state.clocks.set.insert(run.clone(), at);
                state.clocks.known.insert(run.clone());
                (at + state.timing.clock, state.timing.clock_twice)
            };
            let (world, run) = (self.downgrade(), run.clone());
            let (due, echo) = (self.sleep_until(at), self.sleep_until(at + ECHO));
            self.spawn(async move {
                due.await;
                let went_off = world.upgrade().is_some_and(|world| world.go_off(&run, true));
                if went_off && twice {
                    echo.await;
                    if let Some(world) = world.upgrade() {
                        world.go_off(&run, false);
                    }
                }
            });
            Ok(())
        })
        .await
    }
}

impl ClearClock for World {
    async fn clear_clock(&self, run: &RunId) -> Answer<()> {
        self.call(Method::ClearClock, async |_| {
            self.judge_giving_back(run, "its alarm clock", |_| true);
            self.state().clocks.set.remove(run);
            Ok(())
        })
        .await
    }
}

impl World {
    /// The clocks that went off and were not taken yet, oldest first.
    pub fn due(&self) -> Vec<Fired> {
        std::mem::take(&mut self.state().clocks.fired)
    }

    /// Ends with the next clock that goes off, or that went off and was not taken.
    pub async fn next_clock(&self) -> Fired {
        loop {
            let bell = {
                let mut state = self.state();
                if !state.clocks.fired.is_empty() {
                    return state.clocks.fired.remove(0);
                }
                std::rc::Rc::clone(&state.clocks.bell)
            };
            bell.next().await;
        }
    }

    fn go_off(&self, run: &RunId, must_be_set: bool) -> bool {
        let at = self.time().now();
        let bell = {
            let mut state = self.state();
            // A clock that was cleared does not go off; an echo of one that did may come all the same.
            if state.clocks.set.remove(run).is_none() && must_be_set {
                return false;
            }
            state.clocks.fired.push(Fired { run: run.clone(), at });
            std::rc::Rc::clone(&state.clocks.bell)
        };
        bell.ring();
        true
    }
}
