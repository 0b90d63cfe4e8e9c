//! From instants and values to coordinates, for any finite numbers, with round numbers on the axes.

use drill_model::quantity::Span;
use jiff::Timestamp;

use super::{BOTTOM, LEFT, Mark, RIGHT, TOP};

/// The horizontal axis.
pub(super) struct Times {
    from: Timestamp,
    /// In seconds, more than 0.
    length: f64,
}

/// The steps of a time axis, in seconds.
const STEPS: [u64; 16] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400, 172_800];

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

impl Times {
    pub(super) fn over(instants: impl Iterator<Item = Timestamp> + Clone) -> Self {
        let from = instants.clone().min().unwrap_or_default();
        let to = instants.max().unwrap_or_default();
        Self { from, length: seconds(from, to).max(1.0) }
    }

    pub(super) fn x(&self, at: Timestamp) -> f64 {
        (RIGHT - LEFT).mul_add((seconds(self.from, at) / self.length).clamp(0.0, 1.0), LEFT)
    }

    /// At most nine places, counted from `zero`.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an axis of a few days")]
    pub(super) fn ticks(&self, zero: Timestamp) -> Vec<Mark> {
        let Some(step) = STEPS.into_iter().find(|step| self.length / *step as f64 <= 8.0) else { return Vec::new() };
        let before = seconds(zero, self.from);
        let first = (before / step as f64).ceil() as i64;
        let tick = |index: i64| {
            let second = index as f64 * step as f64;
            let place = (RIGHT - LEFT).mul_add((second - before) / self.length, LEFT);
            let span = Span::seconds(index.unsigned_abs().saturating_mul(step)).rounded();
            (place <= RIGHT + 0.1).then(|| Mark::at(place, format!("{}{span}", if index < 0 { "-" } else { "" })))
        };
        (first..first.saturating_add(10)).map_while(tick).collect()
    }
}

/// The vertical axis.
pub(super) struct Values {
    low: f64,
    high: f64,
}

impl Values {
    pub(super) fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let low = finite.clone().reduce(f64::min).unwrap_or(0.0);
        let high = finite.reduce(f64::max).unwrap_or(1.0);
        // Halves first: the distance between two finite numbers may not be finite.
        let room = (high / 2.0 - low / 2.0) * 0.16;
        let room = if room > 0.0 { room } else { (low.abs() * 0.1).max(0.5) };
        // Room above and below; an axis of amounts begins at 0 rather than below it.
        let lower = if low >= 0.0 { (low - room).max(0.0) } else { (low - room).max(f64::MIN) };
        Self { low: lower, high: (high + room).min(f64::MAX) }
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        (BOTTOM - TOP).mul_add(-share.clamp(0.0, 1.0), BOTTOM)
    }

    /// Up to six round values; only the ends where no step is representable.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let rough = (self.high / 4.0) - (self.low / 4.0);
        let power = 10_f64.powf(rough.log10().floor());
        let round = [1.0, 2.0, 5.0, 10.0].into_iter().map(|times| times * power).find(|step| *step >= rough);
        let Some(step) = round.filter(|step| step.is_finite() && *step > 0.0) else { return vec![self.low, self.high] };
        let first = (self.low / step).ceil();
        let ticks = (0..6).map(|index| (first + f64::from(index)) * step);
        ticks.take_while(|tick| *tick <= self.high).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_value_is_inside_of_the_plot(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 1..6)) {
            let scale = Values::over(values.iter().copied());

            for value in values.into_iter().chain(scale.ticks()) {
                let y = scale.y(value);
                prop_assert!((TOP..=BOTTOM).contains(&y), "{value} is at {y}");
            }
        }

        #[test]
        fn every_instant_is_inside_of_the_plot(seconds in prop::collection::vec(-377_000_000_000_i64..253_000_000_000, 1..6)) {
            let instants: Vec<Timestamp> = seconds.iter().map(|second| Timestamp::from_second(*second).unwrap()).collect();
            let scale = Times::over(instants.iter().copied());

            for at in instants {
                prop_assert!((LEFT..=RIGHT).contains(&scale.x(at)));
                prop_assert!(scale.ticks(at).len() <= 10);
            }
        }
    }

    #[test]
    fn axes_have_round_numbers() {
        let values = Values::over([112.0, 240.0].into_iter());
        assert_eq!(values.ticks(), [150.0, 200.0, 250.0]);

        let at = |second| Timestamp::from_second(second).unwrap();
        let times = Times::over([at(0), at(100)].into_iter());
        let labels: Vec<String> = times.ticks(at(20)).into_iter().map(|mark| mark.label).collect();
        assert_eq!(labels, ["-15 s", "0", "15 s", "30 s", "45 s", "1 min", "1 min 15 s"]);
    }
}
