//! The machine's clock, for real hosts. Tasks run on the tokio `LocalSet` that is current.

use std::time::Duration;

use jiff::Timestamp;

use super::{Local, Timekeeper};

/// Real time. Must be used inside a `tokio::task::LocalSet`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallTime;

impl Timekeeper for WallTime {
    #[expect(clippy::disallowed_methods, reason = "this is the port through which everybody else gets the time")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the port through which everybody else waits")]
    fn sleep_until(&self, at: Timestamp) -> Local<'static, ()> {
        let wait = Duration::try_from(at.duration_since(self.now())).unwrap_or(Duration::ZERO);
        Box::pin(tokio::time::sleep(wait))
    }

    fn spawn(&self, task: Local<'static, ()>) {
        drop(tokio::task::spawn_local(task));
    }
}
