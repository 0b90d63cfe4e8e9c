//! The scale on which values of a kind are compared: one on which their noise does not grow with them.

/// The kind of a value, as far as its noise goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Milliseconds, percentiles, averages of what is positive: compared by their logarithm.
    Positive,
    /// Counts: compared by their square root (Anscombe 1948).
    Count,
    /// Percentages from 0 to 100: compared by the arcsine of the root of the share.
    Percent,
    /// Anything else: as it is.
    Plain,
}

/// In which direction a value gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worse {
    /// A larger one is worse: `at_most`.
    Up,
    /// A smaller one is worse: `at_least`.
    Down,
    /// Both are: the chance of a false alarm is halved between them.
    Either,
}

impl Scale {
    /// The value on the scale; `None` for one that has no place there, or is no number.
    pub fn of(self, value: f64) -> Option<f64> {
        let scaled = match self {
            Self::Positive if value > 0.0 => value.ln(),
            Self::Count if value >= 0.0 => 2.0 * (value + 0.375).sqrt(),
            Self::Percent if (0.0..=100.0).contains(&value) => (value / 100.0).sqrt().asin(),
            Self::Plain => value,
            Self::Positive | Self::Count | Self::Percent => return None,
        };
        scaled.is_finite().then_some(scaled)
    }

    /// From the scale back to a value. Beyond the ends of the scale it is the value at the end.
    pub fn back(self, scaled: f64) -> f64 {
        match self {
            Self::Positive => scaled.exp(),
            Self::Count => ((scaled.max(0.0) / 2.0).powi(2) - 0.375).max(0.0),
            Self::Percent => 100.0 * scaled.clamp(0.0, std::f64::consts::FRAC_PI_2).sin().powi(2),
            Self::Plain => scaled,
        }
    }

    /// How far up the scale a value of `mean` goes when it gets larger by a share `by` of itself.
    pub(super) fn margin_up(self, mean: f64, by: f64) -> f64 {
        let larger = match self {
            Self::Percent => (mean * (1.0 + by)).min(100.0),
            Self::Positive | Self::Count => mean * (1.0 + by),
            Self::Plain => return (mean * by).abs(),
        };
        self.distance(mean, larger)
    }

    /// How far down the scale a value of `mean` goes when it gets worse by a share `by` of itself. Of a percentage it is the
    /// rest to 100 that grows: an availability of 99.8 that is worse by a tenth is 99.78.
    pub(super) fn margin_down(self, mean: f64, by: f64) -> f64 {
        let smaller = match self {
            Self::Percent => 100.0 - ((100.0 - mean) * (1.0 + by)).min(100.0),
            Self::Positive | Self::Count => mean * (1.0 - by),
            Self::Plain => return (mean * by).abs(),
        };
        self.distance(mean, smaller)
    }

    /// Infinite when one of the two has no place on the scale: nothing is that much worse.
    fn distance(self, one: f64, other: f64) -> f64 {
        self.of(one).zip(self.of(other)).map_or(f64::INFINITY, |(one, other)| (other - one).abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_from_its_scale() {
        for (scale, values) in [
            (Scale::Positive, [0.01, 1.0, 4200.0]),
            (Scale::Count, [0.0, 1.0, 500.0]),
            (Scale::Percent, [0.0, 99.8, 100.0]),
            (Scale::Plain, [-3.0, 0.0, 7.0]),
        ] {
            for value in values {
                let back = scale.back(scale.of(value).unwrap());
                assert!((back - value).abs() < 1e-9 * value.abs().max(1.0), "{scale:?} {value}: {back}");
            }
        }
    }

    #[test]
    fn a_value_without_a_place_on_the_scale_says_nothing() {
        for (scale, value) in [
            (Scale::Positive, 0.0),
            (Scale::Positive, -1.0),
            (Scale::Count, -1.0),
            (Scale::Percent, 100.5),
            (Scale::Plain, f64::NAN),
            (Scale::Plain, f64::INFINITY),
            (Scale::Count, f64::NAN),
        ] {
            assert_eq!(scale.of(value), None, "{scale:?} {value}");
        }
    }

    #[test]
    fn a_margin_is_a_share_of_what_was_before() {
        assert!((Scale::Positive.margin_up(100.0, 0.1) - 1.1_f64.ln()).abs() < 1e-12);
        assert!((Scale::Positive.margin_down(100.0, 0.1) + 0.9_f64.ln()).abs() < 1e-12);
        assert!((Scale::Plain.margin_down(-50.0, 0.1) - 5.0).abs() < 1e-12);
        let worse = Scale::Percent.back(Scale::Percent.of(99.8).unwrap() - Scale::Percent.margin_down(99.8, 0.1));
        assert!((worse - 99.78).abs() < 1e-9, "{worse}");
        assert!(Scale::Count.margin_up(0.0, 0.1) == 0.0, "of nothing, every share is nothing");
        assert_eq!(Scale::Positive.margin_down(100.0, 1.0), f64::INFINITY, "by 100% down is never reached");
    }
}
