//! A circuit breaker: after some failures in a row nothing is asked for a while, then one question decides.
//!
//! It keeps a dead dependency from costing every order its time-out.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const THRESHOLD: u32 = 5;

/// How long it stays open.
const OPEN: Duration = Duration::from_secs(2);

/// The breaker of one dependency.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open_until: Option<Instant>,
}

impl Breaker {
    /// Whether to ask now. When the breaker has been open long enough, one caller is let through and the others wait
    /// for what comes of it.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        match self.open_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.open_until = Some(now + OPEN);
                true
            }
        }
    }

    /// Learns what came of a question.
    pub(crate) fn learn(&mut self, answered: bool, now: Instant) {
        if answered {
            *self = Breaker::default();
        } else {
            self.failures += 1;
            if self.failures >= THRESHOLD {
                self.open_until = Some(now + OPEN);
            }
        }
    }

    /// Whether it is open.
    pub(crate) fn is_open(&self) -> bool {
        self.open_until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_lets_one_through_and_closes_on_an_answer() {
        let (mut breaker, start) = (Breaker::default(), crate::clock::instant());
        for _ in 0..THRESHOLD {
            assert!(breaker.allows(start));
            breaker.learn(false, start);
        }

        assert!(!breaker.allows(start + OPEN / 2));
        assert!(breaker.allows(start + OPEN));
        assert!(!breaker.allows(start + OPEN), "one at a time");
        breaker.learn(true, start + OPEN);
        assert!(breaker.allows(start + OPEN));
        assert!(!breaker.is_open());
    }
}
