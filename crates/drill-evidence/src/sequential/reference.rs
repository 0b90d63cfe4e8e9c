//! What a probe showed before the fault, and how much its samples repeat each other.

use super::Scale;
use super::comparison::Comparison;

/// The fewest values that a reference is made of.
pub const FEWEST: usize = 30;

/// The chance that a steady reference is called unsteady.
const UNSTEADY_BY_CHANCE: f64 = 0.05;

/// What a probe showed before, on the scale of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    scale: Scale,
    /// The mean of the values as they were read.
    pub(super) plain_mean: f64,
    pub(crate) sums: Sums,
    vif: f64,
}

/// Why values are no reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unfit {
    /// Fewer than [`FEWEST`] values.
    TooFew(usize),
    /// A value that is no number, or has no place on the scale.
    NotOnTheScale(f64),
    /// All values are the same: there is no noise to compare with, and only a plain limit can say what is too much.
    Constant(f64),
    /// The values follow each other so closely that there are fewer than four independent ones: the count that they are worth.
    Correlated(f64),
    /// The last third differs from the first: the means of the two, as values.
    Unsteady {
        /// Of the first third.
        first: f64,
        /// Of the last third.
        last: f64,
    },
}

/// How many values, their mean, their squared deviations from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sums {
    pub n: f64,
    pub mean: f64,
    pub ss: f64,
}

impl Sums {
    pub const NONE: Self = Self { n: 0.0, mean: 0.0, ss: 0.0 };

    /// With one value more (Welford).
    pub fn and(self, value: f64) -> Self {
        let (n, off) = (self.n + 1.0, value - self.mean);
        let mean = self.mean + off / n;
        Self { n, mean, ss: self.ss + off * (value - mean) }
    }

    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n.max(1.0);
        Self { n, mean, ss: values.iter().map(|value| (value - mean).powi(2)).sum() }
    }
}

impl Reference {
    /// Of distinct datapoints from before the fault, oldest first.
    pub fn of(values: &[f64], scale: Scale) -> Result<Self, Unfit> {
        Self::unchecked(values, scale)?.is_told_apart()
    }

    pub(super) fn unchecked(values: &[f64], scale: Scale) -> Result<Self, Unfit> {
        let mut scaled = Vec::with_capacity(values.len());
        for value in values {
            scaled.push(scale.of(*value).ok_or(Unfit::NotOnTheScale(*value))?);
        }
        if scaled.len() < FEWEST {
            return Err(Unfit::TooFew(scaled.len()));
        }
        let sums = Sums::of(&scaled);
        let plain_mean = Sums::of(values).mean;
        // Equal values leave a rounding error of the mean behind, which is no noise.
        if sums.ss <= sums.n * (sums.mean.abs().max(1.0) * 1e-12).powi(2) {
            return Err(Unfit::Constant(values[0]));
        }
        Ok(Self { scale, plain_mean, sums, vif: inflation(&scaled, sums) })
    }

    /// Refuses values that are worth fewer than four independent ones.
    pub(super) fn is_told_apart(self) -> Result<Self, Unfit> {
        if self.vif > self.sums.n / 4.0 { Err(Unfit::Correlated(self.effective())) } else { Ok(self) }
    }

    /// Refuses values that changed by more than the margin while nothing was broken.
    ///
    /// Their inflation is taken within each third: over all of them a drift looks like noise that is slow.
    pub(super) fn is_steady(self, values: &[f64], margin: f64) -> Result<(), Unfit> {
        let scaled: Vec<f64> = values.iter().filter_map(|value| self.scale.of(*value)).collect();
        let thirds: Vec<&[f64]> = scaled.chunks(scaled.len().div_ceil(3)).collect();
        let within: Vec<f64> = thirds
            .iter()
            .flat_map(|third| {
                let mean = Sums::of(third).mean;
                third.iter().map(move |value| value - mean)
            })
            .collect();
        let vif = inflation(&within, Sums::of(&within));
        let (Some(first), Some(last)) = (thirds.first(), thirds.last()) else { return Ok(()) };
        let (first, last) = (Sums::of(first), Sums::of(last));
        let comparison = Comparison::new(first, last, vif);
        let alpha = UNSTEADY_BY_CHANCE / 2.0;
        if comparison.is_beyond(margin, alpha) || comparison.mirrored().is_beyond(margin, alpha) {
            return Err(Unfit::Unsteady { first: self.scale.back(first.mean), last: self.scale.back(last.mean) });
        }
        Ok(())
    }

    /// The scale that its values are compared on.
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// The mean on the scale, as a value: the geometric mean of positive values.
    pub fn middle(&self) -> f64 {
        self.scale.back(self.sums.mean)
    }

    /// How many values it is of.
    pub const fn values(&self) -> f64 {
        self.sums.n
    }

    /// How many values of it tell as much as one independent value: the variance inflation of its mean.
    pub const fn vif(&self) -> f64 {
        self.vif
    }

    /// How many independent values it is worth.
    pub fn effective(&self) -> f64 {
        (self.sums.n / self.vif).max(1.0)
    }

    /// The variance of one value. The deviations from a mean of few independent values are too small, by this share at most.
    pub(crate) fn variance(&self) -> f64 {
        self.sums.ss / (self.sums.n - 1.0) / (1.0 - (self.vif - 1.0) / self.sums.n).max(0.3)
    }
}

/// 1 + 2 times the sum of the autocorrelations, and never estimated downwards: the largest of an AR(1) fit with one standard
/// error added (bias as in Kendall 1954, Marriott and Pope 1954), an ARMA(1,1) fit, and the sum of the falling positive pairs
/// (Geyer 1992).
pub(crate) fn inflation(values: &[f64], sums: Sums) -> f64 {
    let Sums { n, mean, ss } = sums;
    if ss <= 0.0 {
        return 1.0;
    }
    let plain = |lag: usize| -> f64 {
        values.windows(lag + 1).map(|window| (window[0] - mean) * (window[lag] - mean)).sum::<f64>() / ss
    };
    let rho = |lag: usize| plain(lag) + 1.0 / n;
    let unbiased = plain(1) + (1.0 + 4.0 * plain(1)) / n;
    let phi = (unbiased + ((1.0 - unbiased * unbiased).max(0.02) / n).sqrt()).clamp(0.0, 0.95);
    let ar = (1.0 + phi) / (1.0 - phi);
    let first = rho(1);
    let arma = 1.0 + 2.0 * first.max(0.0) / (1.0 - (rho(2) / first.max(1e-3)).clamp(0.0, 0.95));
    let (mut pairs, mut last) = (0.0, f64::INFINITY);
    for lag in (1..(values.len() / 4).max(2)).step_by(2) {
        last = (rho(lag) + rho(lag + 1)).min(last);
        if last <= 0.0 {
            break;
        }
        pairs += last;
    }
    ar.max(arma).max(1.0 + 2.0 * pairs).min(n)
}
