//! Time and the tasks that wait for it: one trait, a clock that jumps for tests and the machine's clock for the lab.
//!
//! Everything that happens later in the world (a delivery, a boot, a dead man) is a task that waits for its instant, so
//! both clocks run the same code. Next: [`Simulation`](crate::Simulation) plays tasks in virtual time.

mod jumping;
mod signal;
#[cfg(feature = "wall")]
mod wall;

use std::pin::Pin;

use jiff::Timestamp;

pub use self::jumping::{Stalled, VirtualTime};
pub use self::signal::{Bell, Signal, Slot};
#[cfg(feature = "wall")]
pub use self::wall::WallTime;

/// A boxed future that stays on its thread.
pub type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A clock, and somewhere to leave tasks that wait for it.
pub trait Timekeeper {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Ends when that instant has come; at once when it is past.
    fn sleep_until(&self, at: Timestamp) -> Local<'static, ()>;

    /// Runs a task beside whatever is running.
    fn spawn(&self, task: Local<'static, ()>);
}

/// Waits for a future until `limit` ends; `None` when that came first.
pub(crate) async fn within<T>(future: impl Future<Output = T>, limit: impl Future<Output = ()>) -> Option<T> {
    let (mut future, mut limit) = (std::pin::pin!(future), std::pin::pin!(limit));
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(value));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}
