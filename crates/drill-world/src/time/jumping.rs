//! Time that jumps: when no task can go on, it is the next instant that somebody waits for.
//!
//! Deterministic: tasks go on in the order in which they were woken, and of two that wait for the same instant the one
//! that began first is woken first. The owner holds the tasks, and drops them with itself.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use jiff::Timestamp;

use super::{Local, Timekeeper};

/// A clock that jumps, and the tasks that wait for it.
pub struct VirtualTime {
    clockwork: Rc<Clockwork>,
}

/// Nothing can happen any more, and what was waited for has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at {at} nothing can happen any more, and what is waited for has not happened")]
pub struct Stalled {
    /// When.
    pub at: Timestamp,
}

type BeforeJump = Rc<dyn Fn(Timestamp, Timestamp)>;

struct Clockwork {
    now: Cell<Timestamp>,
    next: Cell<u64>,
    sleepers: RefCell<BTreeMap<(Timestamp, u64), Waker>>,
    tasks: RefCell<BTreeMap<u64, Local<'static, ()>>>,
    ready: Ready,
    before_jump: RefCell<Option<BeforeJump>>,
}

type Ready = Arc<Mutex<VecDeque<u64>>>;

/// The task that `play` plays; the others count from 1.
const MAIN: u64 = 0;

struct Knock {
    task: u64,
    ready: Ready,
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.task) {
            ready.push_back(self.task);
        }
    }
}

impl VirtualTime {
    /// A clock that stands at an instant.
    pub fn starting_at(now: Timestamp) -> Self {
        let clockwork = Clockwork {
            now: Cell::new(now),
            next: Cell::new(1),
            sleepers: RefCell::default(),
            tasks: RefCell::default(),
            ready: Ready::default(),
            before_jump: RefCell::default(),
        };
        Self { clockwork: Rc::new(clockwork) }
    }

    /// What the world keeps: it does not keep the tasks alive, so that a world and its tasks can end.
    pub fn keeper(&self) -> Rc<dyn Timekeeper> {
        Rc::new(Keeper { clockwork: Rc::downgrade(&self.clockwork), last: Cell::new(self.clockwork.now.get()) })
    }

    /// Is called with the two instants before every jump: until it returns, nothing has changed since the first.
    pub fn before_jump(&self, see: impl Fn(Timestamp, Timestamp) + 'static) {
        *self.clockwork.before_jump.borrow_mut() = Some(Rc::new(see));
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clockwork.now.get()
    }

    /// The next instant that anybody waits for.
    pub fn next_event_at(&self) -> Option<Timestamp> {
        self.clockwork.sleepers.borrow().keys().next().map(|(at, _)| *at)
    }

    /// Plays a future to its end, with every task beside it, letting as much time pass as they wait for.
    ///
    /// Tasks that are not at their end then stay, and go on when something is played again.
    pub fn play<T>(&self, future: impl Future<Output = T>) -> Result<T, Stalled> {
        let mut future = pin!(future);
        self.clockwork.knock(MAIN).wake();
        loop {
            while let Some(task) = self.clockwork.next_ready() {
                if task == MAIN {
                    let waker = self.clockwork.knock(MAIN);
                    if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                        self.settle();
                        return Ok(value);
                    }
                } else {
                    self.clockwork.poll(task);
                }
            }
            if !self.clockwork.jump() {
                return Err(Stalled { at: self.now() });
            }
        }
    }

    /// Lets time pass until an instant, and everything happen that is due by then.
    pub fn play_until(&self, at: Timestamp) {
        let sleep = self.clockwork.sleep(&self.clockwork, at);
        match self.play(sleep) {
            Ok(()) => {}
            Err(Stalled { .. }) => unreachable!("a sleeper is always woken"),
        }
    }

    /// Lets every task go on as far as it can without time passing.
    pub fn settle(&self) {
        while let Some(task) = self.clockwork.next_ready() {
            if task != MAIN {
                self.clockwork.poll(task);
            }
        }
    }
}

impl Drop for VirtualTime {
    fn drop(&mut self) {
        // Tasks hold the world, which holds the clock: taken apart here, or it would hold itself for ever.
        drop(self.clockwork.before_jump.take());
        loop {
            let tasks = self.clockwork.tasks.take();
            if tasks.is_empty() {
                break;
            }
            drop(tasks);
        }
    }
}

impl Clockwork {
    fn knock(&self, task: u64) -> Waker {
        Arc::new(Knock { task, ready: Arc::clone(&self.ready) }).into()
    }

    fn next_ready(&self) -> Option<u64> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    fn number(&self) -> u64 {
        let number = self.next.get();
        self.next.set(number + 1);
        number
    }

    fn poll(&self, task: u64) {
        // Taken out while it runs: it may spawn others.
        let Some(mut future) = self.tasks.borrow_mut().remove(&task) else { return };
        let waker = self.knock(task);
        if future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.tasks.borrow_mut().insert(task, future);
        }
    }

    /// Goes to the next instant that somebody waits for. False when nobody waits.
    fn jump(&self) -> bool {
        let Some(to) = self.sleepers.borrow().keys().next().map(|(at, _)| *at) else { return false };
        let from = self.now.get();
        let see = self.before_jump.borrow().clone();
        if let Some(see) = see {
            see(from, to);
        }
        self.now.set(to.max(from));
        let woken = {
            let mut sleepers = self.sleepers.borrow_mut();
            let later = sleepers.split_off(&(to, u64::MAX));
            std::mem::replace(&mut *sleepers, later)
        };
        for waker in woken.into_values() {
            waker.wake();
        }
        true
    }

    fn sleep(&self, myself: &Rc<Self>, at: Timestamp) -> Sleep {
        Sleep { clockwork: Rc::downgrade(myself), key: (at, self.number()) }
    }
}

struct Sleep {
    clockwork: Weak<Clockwork>,
    key: (Timestamp, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // A clock that is gone never comes to any instant.
        let Some(clockwork) = self.clockwork.upgrade() else { return Poll::Pending };
        if clockwork.now.get() >= self.key.0 {
            return Poll::Ready(());
        }
        clockwork.sleepers.borrow_mut().insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(clockwork) = self.clockwork.upgrade() {
            clockwork.sleepers.borrow_mut().remove(&self.key);
        }
    }
}

struct Keeper {
    clockwork: Weak<Clockwork>,
    /// The last time that was told, for whoever asks after the clock is gone.
    last: Cell<Timestamp>,
}

impl Timekeeper for Keeper {
    fn now(&self) -> Timestamp {
        if let Some(clockwork) = self.clockwork.upgrade() {
            self.last.set(clockwork.now.get());
        }
        self.last.get()
    }

    fn sleep_until(&self, at: Timestamp) -> Local<'static, ()> {
        match self.clockwork.upgrade() {
            Some(clockwork) => Box::pin(clockwork.sleep(&clockwork, at)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn spawn(&self, task: Local<'static, ()>) {
        if let Some(clockwork) = self.clockwork.upgrade() {
            let number = clockwork.number();
            clockwork.tasks.borrow_mut().insert(number, task);
            clockwork.knock(number).wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn time_jumps_to_what_is_waited_for_in_order() {
        let time = VirtualTime::starting_at(at(0));
        let keeper = time.keeper();
        let heard = Rc::new(RefCell::new(Vec::new()));
        for second in [30, 10, 20] {
            let (clock, heard) = (Rc::clone(&keeper), Rc::clone(&heard));
            keeper.spawn(Box::pin(async move {
                clock.sleep_until(at(second)).await;
                heard.borrow_mut().push(clock.now());
            }));
        }

        time.play(keeper.sleep_until(at(3600))).unwrap();

        assert_eq!(*heard.borrow(), [at(10), at(20), at(30)]);
        assert_eq!(time.now(), at(3600));
    }

    #[test]
    fn what_is_due_at_the_last_instant_has_happened() {
        let time = VirtualTime::starting_at(at(0));
        let keeper = time.keeper();
        let done = Rc::new(Cell::new(false));
        let (clock, flag) = (Rc::clone(&keeper), Rc::clone(&done));
        keeper.spawn(Box::pin(async move {
            clock.sleep_until(at(10)).await;
            flag.set(true);
        }));

        time.play_until(at(10));

        assert!(done.get());
    }

    #[test]
    fn waiting_for_nothing_is_said() {
        let time = VirtualTime::starting_at(at(7));

        assert_eq!(time.play(std::future::pending::<()>()), Err(Stalled { at: at(7) }));
    }

    #[test]
    fn a_sleep_that_is_dropped_holds_nobody_up() {
        let time = VirtualTime::starting_at(at(0));

        drop(time.keeper().sleep_until(at(50)));

        assert_eq!(time.next_event_at(), None);
    }

    #[test]
    fn tasks_end_with_their_clock() {
        let time = VirtualTime::starting_at(at(0));
        let keeper = time.keeper();
        let held = Rc::new(());
        let (inside, clock) = (Rc::clone(&held), Rc::clone(&keeper));
        keeper.spawn(Box::pin(async move {
            clock.sleep_until(at(0) + Duration::from_secs(60)).await;
            drop(inside);
        }));
        time.settle();

        drop(time);

        assert_eq!(Rc::strong_count(&held), 1);
    }
}
