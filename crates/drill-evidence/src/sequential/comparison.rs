//! The difference of two means, and what it is worth.

use super::reference::Sums;
use crate::numbers::student_quantile;

/// The differences that are looked for, in standard deviations of one sample, squared.
const PRIOR: f64 = 1.0;

/// A second mean minus a first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Comparison {
    pub difference: f64,
    /// The standard error of the difference.
    pub error: f64,
    /// The independent values that it is of, as of one mean: `1 / (1/n0 + 1/n1)`.
    pub size: f64,
    /// Degrees of freedom.
    pub freedom: f64,
}

impl Comparison {
    /// Both of values that repeat each other `vif` times. The second may be of one value, not of none.
    pub fn new(first: Sums, second: Sums, vif: f64) -> Self {
        let taken = first.n + second.n;
        let free = taken - if second.n > 1.0 { 2.0 } else { 1.0 };
        let variance = (first.ss + second.ss) / free / (1.0 - (vif - 1.0) / taken).max(0.3);
        let (freedom, size) = Self::worth((first.n / vif).max(1.0), second.n / vif);
        Self { difference: second.mean - first.mean, error: (variance / size).sqrt(), size, freedom }
    }

    /// Degrees of freedom and size for so many independent values before and after.
    pub fn worth(before: f64, after: f64) -> (f64, f64) {
        ((before - 1.0).max(0.5) + (after - 1.0).max(0.0), 1.0 / (1.0 / before + 1.0 / after))
    }

    /// The other way round: what went down has gone up.
    pub const fn mirrored(self) -> Self {
        Self { difference: -self.difference, ..self }
    }

    /// The logarithm of the e-value against "not larger by more than the margin". What is not larger has none.
    pub fn log_e(self, margin: f64) -> f64 {
        let over = self.difference - margin;
        if over.is_nan() || over <= 0.0 || self.error.is_nan() || self.error <= 0.0 {
            return f64::NEG_INFINITY;
        }
        let (squared, r) = ((over / self.error).powi(2), 1.0 + self.size * PRIOR);
        let ratio = (squared / self.freedom).ln_1p() - (squared / (self.freedom * r)).ln_1p();
        0.5 * ((self.freedom + 1.0) * ratio - r.ln())
    }

    /// True when it is larger by more than the margin; by chance with a probability of `alpha`, however often one asks.
    pub fn is_beyond(self, margin: f64, alpha: f64) -> bool {
        self.log_e(margin) >= (0.5 / alpha).ln()
    }

    /// How far off the difference may be on one side, at any time: the margin at which the e-value reaches its bound.
    pub fn any_time(self, alpha: f64) -> f64 {
        any_time_errors(self.size, self.freedom, alpha) * self.error
    }

    /// The same at a time that was fixed before.
    pub fn at_the_end(self, alpha: f64) -> f64 {
        student_quantile(1.0 - alpha, self.freedom.max(1.0)) * self.error
    }
}

/// The radius at any time, in standard errors; infinite while no difference at all could be told.
pub(crate) fn any_time_errors(size: f64, freedom: f64, alpha: f64) -> f64 {
    let r = 1.0 + size * PRIOR;
    let c = (r.sqrt() / (2.0 * alpha)).powf(2.0 / (freedom + 1.0));
    if c < r { (freedom * (c - 1.0) / (1.0 - c / r)).sqrt() } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radius_is_the_margin_at_which_the_test_stops() {
        let first = Sums { n: 180.0, mean: 0.0, ss: 11.0 };
        for after in [2.0, 12.0, 60.0, 600.0] {
            let comparison = Comparison::new(first, Sums { n: after, mean: 1.0, ss: after / 16.0 }, 4.0);
            let edge = comparison.difference - comparison.any_time(0.05);

            assert!(comparison.is_beyond(edge - 1e-9, 0.05), "{after}");
            assert!(!comparison.is_beyond(edge + 1e-9, 0.05), "{after}");
        }
    }

    #[test]
    fn what_may_be_asked_at_any_time_is_wider_than_what_is_asked_once() {
        let first = Sums { n: 180.0, mean: 0.0, ss: 11.0 };
        let comparison = Comparison::new(first, Sums { n: 60.0, mean: 0.0, ss: 4.0 }, 4.0);

        assert!(comparison.any_time(0.05) > 1.2 * comparison.at_the_end(0.05));
        assert_eq!(any_time_errors(0.5, 0.5, 0.01), f64::INFINITY);
    }
}
