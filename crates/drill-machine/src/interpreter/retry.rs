//! Retry: which retrier is for an error, and how long to wait.
//!
//! The first retrier that matches decides, also when it is used up; each counts for itself until the state is left.

use crate::definition::{Jitter, Retrier};
use crate::errors;

/// How often each retrier of one visit to a state was used.
pub(super) struct Attempts<'a> {
    retriers: &'a [Retrier],
    used: Vec<u64>,
}

impl<'a> Attempts<'a> {
    pub fn of(retriers: &'a [Retrier]) -> Self {
        Self { retriers, used: vec![0; retriers.len()] }
    }

    /// Retries so far.
    pub fn used(&self) -> u64 {
        self.used.iter().sum()
    }

    /// The milliseconds to wait before the next attempt; `None` when there is none.
    pub fn next(&mut self, error: &str, random: impl FnOnce() -> f64) -> Option<i64> {
        let index = self.retriers.iter().position(|retrier| errors::matches(&retrier.error_equals, error))?;
        let (retrier, used) = (self.retriers.get(index)?, self.used.get_mut(index)?);
        if *used >= retrier.max_attempts {
            return None;
        }
        let delay = delay_seconds(retrier, *used);
        *used += 1;
        let seconds = match retrier.jitter {
            Jitter::None => delay,
            Jitter::Full => delay * random().clamp(0.0, 1.0),
        };
        Some(whole_millis(seconds))
    }
}

fn delay_seconds(retrier: &Retrier, used: u64) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    let most = retrier.max_delay_seconds.unwrap_or(crate::definition::MOST_SECONDS) as f64;
    (retrier.interval_seconds as f64 * retrier.backoff_rate.powi(exponent)).min(most)
}

fn whole_millis(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn retrier(error: &str, interval_seconds: u64, max_attempts: u64) -> Retrier {
        Retrier {
            error_equals: vec![error.into()],
            interval_seconds,
            max_attempts,
            backoff_rate: 2.0,
            max_delay_seconds: None,
            jitter: Jitter::None,
        }
    }

    fn delays(retriers: &[Retrier], errors: &[&str]) -> Vec<Option<i64>> {
        let mut attempts = Attempts::of(retriers);
        errors.iter().map(|error| attempts.next(error, || 0.5)).collect()
    }

    #[test]
    fn delays_double_until_they_reach_their_most() {
        let mut retrier = retrier("States.ALL", 3, 4);
        retrier.max_delay_seconds = Some(10);

        assert_eq!(delays(&[retrier], &["X"; 5]), [Some(3000), Some(6000), Some(10_000), Some(10_000), None]);
    }

    #[test]
    fn full_jitter_waits_a_part_of_the_delay() {
        let mut retrier = retrier("States.ALL", 3, 2);
        retrier.jitter = Jitter::Full;

        assert_eq!(delays(&[retrier], &["X"; 3]), [Some(1500), Some(3000), None]);
    }

    #[test]
    fn every_retrier_counts_for_itself_and_the_first_match_decides() {
        let retriers = [retrier("A", 1, 1), retrier("States.ALL", 5, 1)];

        assert_eq!(delays(&retriers, &["B", "A", "A", "B"]), [Some(5000), Some(1000), None, None]);
    }

    #[test]
    fn zero_attempts_means_never() {
        assert_eq!(delays(&[retrier("A", 1, 0), retrier("States.ALL", 1, 5)], &["A"]), [None]);
    }

    proptest! {
        #[test]
        fn no_delay_is_negative_or_above_its_most(
            interval in 1u64..1000, extra in 1u64..1000, rate in 1.0f64..50.0, attempts in 0u64..200, random in 0.0f64..1.0
        ) {
            let retrier = Retrier {
                error_equals: vec!["States.ALL".into()],
                interval_seconds: interval,
                max_attempts: attempts,
                backoff_rate: rate,
                max_delay_seconds: Some(interval + extra),
                jitter: Jitter::Full,
            };
            let most = i64::try_from((interval + extra) * 1000).unwrap();
            let retriers = [retrier];
            let mut counted = Attempts::of(&retriers);

            let delays: Vec<i64> = std::iter::from_fn(|| counted.next("X", || random)).take(300).collect();

            prop_assert_eq!(delays.len() as u64, attempts);
            prop_assert!(delays.iter().all(|delay| (0..=most).contains(delay)));
        }
    }
}
