//! An invocation of a function: it runs beside whoever started it, can be killed at any call, and is timed.
//!
//! Whoever stops waiting for it does not stop it: it goes on as a Lambda does after StopExecution, up to its own limit.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use crate::time::{Bell, Slot};
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
        let under_way = UnderWay::begin(self.under_way(), &actor.name);
        self.spawn(async move {
            let ended = lifetime(work, limit, &actor).await;
            drop(under_way);
            told.fill(ended);
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

    /// Ends when no invocation of these names is under way: a zombie has come to its end.
    pub async fn until_ended(&self, names: &[&str]) {
        loop {
            let bell = self.under_way();
            if !bell.names.borrow().iter().any(|name| names.contains(&&**name)) {
                return;
            }
            bell.ended.next().await;
        }
    }

    /// The caller dies: it is marked, and this never returns.
    pub(crate) async fn die(&self) -> ! {
        self.actor().killed.set(true);
        match std::future::pending::<std::convert::Infallible>().await {}
    }
}

/// The invocations that are under way.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    names: RefCell<Vec<Rc<str>>>,
    ended: Bell,
}

/// One of them: it leaves when this is dropped.
struct UnderWay {
    all: Rc<Invocations>,
    name: Rc<str>,
}

impl UnderWay {
    fn begin(all: Rc<Invocations>, name: &Rc<str>) -> Self {
        all.names.borrow_mut().push(Rc::clone(name));
        Self { all, name: Rc::clone(name) }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        {
            let mut names = self.all.names.borrow_mut();
            if let Some(at) = names.iter().position(|name| Rc::ptr_eq(name, &self.name)) {
                names.swap_remove(at);
            }
        }
        self.all.ended.ring();
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
