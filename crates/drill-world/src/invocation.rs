//! An invocation of a function: it runs beside whoever started it, can be killed at any call, and is timed.
//!
//! Whoever stops waiting for it does not stop it: it goes on as a Lambda does after StopExecution, up to its own limit.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::time::Slot;
use crate::world::World;

/// Who makes calls.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) name: Rc<str>,
    pub(crate) killed: Cell<bool>,
}

impl Actor {
    pub(crate) fn named(name: &str) -> Rc<Self> {
        Rc::new(Self { name: name.into(), killed: Cell::new(false) })
    }
}

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invoked<T> {
    /// It returned.
    Returned(T),
    /// It died on the way: out of memory, a panic, a lost machine.
    Killed,
    /// Its time limit passed.
    TimedOut,
}

/// An invocation on its way.
#[derive(Debug)]
pub struct Invocation<T> {
    outcome: Rc<Slot<Invoked<T>>>,
}

impl<T> Invocation<T> {
    /// Ends with it.
    pub async fn outcome(self) -> Invoked<T> {
        self.outcome.take().await
    }
}

impl World {
    /// Starts an invocation. `work` gets a handle of its own, whose calls carry the name.
    pub fn start<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        name: &str,
        limit: Duration,
        work: impl FnOnce(World) -> F,
    ) -> Invocation<T> {
        let actor = Actor::named(name);
        let work = work(self.as_actor(&actor));
        let limit = self.time().sleep_until(self.time().now() + limit);
        let outcome = Rc::new(Slot::default());
        let told = Rc::clone(&outcome);
        self.spawn(async move {
            told.fill(lifetime(work, limit, &actor).await);
        });
        Invocation { outcome }
    }

    /// Starts an invocation and waits for its end.
    pub async fn invoke<T: 'static, F: Future<Output = T> + 'static>(
        &self,
        name: &str,
        limit: Duration,
        work: impl FnOnce(World) -> F,
    ) -> Invoked<T> {
        self.start(name, limit, work).outcome().await
    }

    /// The caller dies: it is marked, and this never returns.
    pub(crate) async fn die(&self) -> ! {
        self.actor().killed.set(true);
        match std::future::pending::<std::convert::Infallible>().await {}
    }
}

async fn lifetime<T>(work: impl Future<Output = T>, limit: impl Future<Output = ()>, actor: &Actor) -> Invoked<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Invoked::Returned(value));
        }
        // A killed invocation is dropped where it stands: nothing of it goes on.
        if actor.killed.get() {
            return Poll::Ready(Invoked::Killed);
        }
        limit.as_mut().poll(context).map(|()| Invoked::TimedOut)
    })
    .await
}
