//! The machine's clock: the shop is real processes, so its time is real too.

use std::time::Instant;

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "real services live in real time")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// The monotonic clock.
#[expect(clippy::disallowed_methods, reason = "real services live in real time")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
