//! The machine's clock, in one place: the lab's hosts are real, so their time is too.
//!
//! Everything in the lab that asks for the time or waits does it here.

use std::time::{Duration, Instant};

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "real hosts live in real time")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "real hosts live in real time")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Lets real time go by.
#[expect(clippy::disallowed_methods, reason = "real hosts live in real time")]
pub(crate) async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Lets real time go by on a thread of its own.
#[expect(clippy::disallowed_methods, reason = "real hosts live in real time")]
pub(crate) fn pause_thread(duration: Duration) {
    std::thread::sleep(duration);
}
