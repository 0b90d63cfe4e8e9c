//! The clock on the wall, the only one that a function has.
//!
//! It is the one place in the functions that reads the time or lets it pass.

use std::time::Duration;

use drill_phases::ports::Clock;
use jiff::Timestamp;

/// The machine's own clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the Clock port")]
    async fn pause(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_passes_while_it_pauses() {
        let before = SystemClock.now();

        SystemClock.pause(Duration::from_millis(2)).await;

        assert!(SystemClock.now() > before);
    }
}
