//! How tasks on one thread tell each other something: a signal that stays, a bell that rings, a slot that is filled once.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Given once, it stays given.
#[derive(Debug, Default)]
pub struct Signal {
    given: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Signal {
    /// Gives it.
    pub fn give(&self) {
        self.given.set(true);
        wake(&self.waiting);
    }

    /// Takes it back, for the next time.
    pub fn reset(&self) {
        self.given.set(false);
    }

    /// Whether it is given.
    pub const fn is_given(&self) -> bool {
        self.given.get()
    }

    /// Ends when it is given.
    pub async fn wait(&self) {
        poll_fn(|context| {
            if self.given.get() {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

/// Rings any number of times; whoever waits hears the next ring.
#[derive(Debug, Default)]
pub struct Bell {
    rings: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Bell {
    /// Rings it.
    pub fn ring(&self) {
        self.rings.set(self.rings.get() + 1);
        wake(&self.waiting);
    }

    /// Ends at the next ring after this call.
    pub fn next(&self) -> impl Future<Output = ()> + use<'_> {
        let heard = self.rings.get();
        poll_fn(move |context| {
            if self.rings.get() > heard {
                return Poll::Ready(());
            }
            self.waiting.borrow_mut().push(context.waker().clone());
            Poll::Pending
        })
    }
}

/// Filled once, taken once.
#[derive(Debug)]
pub struct Slot<T> {
    value: RefCell<Option<T>>,
    waiting: RefCell<Vec<Waker>>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { value: RefCell::new(None), waiting: RefCell::default() }
    }
}

impl<T> Slot<T> {
    /// Fills it.
    pub fn fill(&self, value: T) {
        *self.value.borrow_mut() = Some(value);
        wake(&self.waiting);
    }

    /// Ends with the value when it is there.
    pub async fn take(&self) -> T {
        poll_fn(|context| match self.value.borrow_mut().take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }
}

fn wake(waiting: &RefCell<Vec<Waker>>) {
    let woken = std::mem::take(&mut *waiting.borrow_mut());
    for waker in woken {
        waker.wake();
    }
}
