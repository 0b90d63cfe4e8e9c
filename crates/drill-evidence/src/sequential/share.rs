//! The same question for looks that are good or bad, such as an answer of `http`: do more of them fail than before?

use crate::numbers::{beta, ln_beta, share_at_most};

use super::reference::{FEWEST, Sums, inflation};

/// Why looks are no reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FailingUnfit {
    /// Fewer than [`FEWEST`] looks.
    TooFew(usize),
    /// Nearly all may have failed before: nothing can be worse. The share that may have.
    NothingLeft(f64),
}

/// A sequential test of the share of looks that fail, with a chance of a false alarm of at most `alpha`.
///
/// A quarter of `alpha` pays for not knowing the share before: its upper bound is taken for it. The rest pays for the bet, a
/// mixture of all larger shares. Only every n-th look counts, with n the inflation of the reference: looks that follow each
/// other fail together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Failing {
    /// The share that may have failed before, with the margin.
    before: f64,
    alpha: f64,
    every: u64,
    looks: u64,
    counted: f64,
    failed: f64,
}

impl Failing {
    /// Nothing told yet. `before` are looks, oldest first: `true` for one that failed. `by` is the share by which the failing
    /// share must have grown, 0.1 for a tenth.
    pub fn new(before: &[bool], by: f64, alpha: f64) -> Result<Self, FailingUnfit> {
        if before.len() < FEWEST {
            return Err(FailingUnfit::TooFew(before.len()));
        }
        let values: Vec<f64> = before.iter().map(|failed| f64::from(u8::from(*failed))).collect();
        let sums = Sums::of(&values);
        let vif = inflation(&values, sums);
        let share = share_at_most(sums.mean * sums.n / vif, sums.n / vif, alpha / 4.0) * (1.0 + by);
        if share >= 0.95 {
            return Err(FailingUnfit::NothingLeft(share.min(1.0)));
        }
        Ok(Self { before: share, alpha, every: vif.ceil() as u64, looks: 0, counted: 0.0, failed: 0.0 })
    }

    /// Takes the next look. One that is not known is not told.
    pub fn take(&mut self, failed: bool) {
        if self.looks.is_multiple_of(self.every) {
            self.counted += 1.0;
            self.failed += f64::from(u8::from(failed));
        }
        self.looks += 1;
    }

    /// The largest share that may have failed before, with the margin: failing more often than this is worse.
    pub const fn before(&self) -> f64 {
        self.before
    }

    /// True when more fail than before.
    pub fn is_worse(&self) -> bool {
        self.failed > 0.0 && self.log_e() >= (1.0 / (0.75 * self.alpha)).ln()
    }

    /// The mean, over all shares above that of before, of how much better they tell what was seen.
    fn log_e(&self) -> f64 {
        let (failed, good, p) = (self.failed, self.counted - self.failed, self.before);
        let above = 1.0 - beta(failed + 1.0, good + 1.0, p);
        let mixture = ln_beta(failed + 1.0, good + 1.0) + above.ln() - (-p).ln_1p();
        mixture - failed * p.ln() - good * (-p).ln_1p()
    }
}
