//! The area under a degradation: how much worse for how long, as minutes at +100 %.

use crate::interval::Interval;
use crate::numbers::student_quantile;
use crate::sequential::reference::Sums;
use crate::sequential::{Reference, Scale, Unfit, Worse};

const MINUTE: f64 = 60_000.0;

/// How much worse it was, in minutes at twice what was before (or at nothing, where less is worse): two minutes at x1.5 are
/// one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    /// More than the noise of the reference makes by itself; below zero when it was quieter than before.
    pub minutes: f64,
    /// How far off that may be on either side.
    pub radius: f64,
    /// What can be added by the time that nothing is known of. `None` when the values have no bound: the area is at least this.
    pub unknown: Option<f64>,
}

/// Why there is no area to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoArea {
    /// The reference is none.
    Unfit(Unfit),
    /// Its median is not above zero: there is no "twice as much" of it.
    NothingBefore,
    /// Fewer than two values of the fault.
    TooFew,
}

/// The excess over the reference, of values that each stand for a time.
///
/// The plain sum of what lies above the reference grows with the noise: its mean over the reference is taken off. `uncovered`
/// are milliseconds that nothing is known of, and `most` the worst value that there can be. The truth lies beyond each end of
/// the radius with a probability of at most `alpha`.
pub fn area(
    before: &[f64],
    scale: Scale,
    during: &[(Interval, f64)],
    worse: Worse,
    uncovered: i64,
    most: Option<f64>,
    alpha: f64,
) -> Result<Area, NoArea> {
    let reference = Reference::of(before, scale).map_err(NoArea::Unfit)?;
    let median = median(before);
    if median <= 0.0 {
        return Err(NoArea::NothingBefore);
    }
    let excess = |value: f64| {
        let share = value / median - 1.0;
        match worse {
            Worse::Up => share.max(0.0),
            Worse::Down => (-share).max(0.0),
            Worse::Either => share.abs(),
        }
    };
    let noise = Sums::of(&before.iter().map(|value| excess(*value)).collect::<Vec<_>>());
    let told: Vec<(f64, f64)> = during
        .iter()
        .filter(|(_, value)| value.is_finite())
        .map(|(covers, value)| (covers.milliseconds() as f64 / MINUTE, excess(*value)))
        .collect();
    if told.len() < 2 {
        return Err(NoArea::TooFew);
    }
    let seen = Sums::of(&told.iter().map(|(_, excess)| *excess).collect::<Vec<_>>());
    let (weight, squares) =
        told.iter().fold((0.0, 0.0), |(sum, squares), (weight, _)| (sum + weight, squares + weight * weight));
    let (variance, before_variance) = (seen.ss / (seen.n - 1.0), noise.ss / (noise.n - 1.0));
    let freedom = (reference.effective() + seen.n / reference.vif() - 2.0).max(1.0);
    let error = (reference.vif() * (squares * variance + weight * weight * before_variance / noise.n)).sqrt();
    let unknown = uncovered.max(0) as f64 / MINUTE;
    Ok(Area {
        minutes: told.iter().map(|(weight, excess)| weight * (excess - noise.mean)).sum(),
        radius: student_quantile(1.0 - alpha, freedom) * error,
        unknown: if unknown > 0.0 { most.map(|most| unknown * excess(most)) } else { Some(0.0) },
    })
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before() -> Vec<f64> {
        (0..60).map(|at| 100.0 * (1.0 + 0.1 * (f64::from(at) * 2.4).sin())).collect()
    }

    fn during(values: &[f64], seconds: i64) -> Vec<(Interval, f64)> {
        (0..).zip(values).map(|(at, value)| (Interval::look(at * seconds * 1000, seconds * 1000), *value)).collect()
    }

    fn told(values: &[f64], seconds: i64, worse: Worse) -> Area {
        area(&before(), Scale::Positive, &during(values, seconds), worse, 0, None, 0.05).unwrap()
    }

    #[test]
    fn two_minutes_at_half_more_are_one_minute_at_twice_as_much() {
        let Area { minutes, radius, unknown } = told(&[150.0; 4], 30, Worse::Up);

        // 1, less what the noise of the reference adds to two minutes.
        assert!((0.92..0.96).contains(&minutes) && radius < 0.1, "{minutes} within {radius}");
        assert_eq!(unknown, Some(0.0));
    }

    #[test]
    fn a_healthy_hour_adds_up_to_nothing() {
        let Area { minutes, radius, .. } = told(&before(), 60, Worse::Up);

        assert!(minutes.abs() < 1e-9 && radius > 0.0, "{minutes} within {radius}");
    }

    #[test]
    fn less_is_worse_where_less_is_worse() {
        assert!(told(&[50.0; 4], 30, Worse::Down).minutes > 0.9);
        assert!(told(&[50.0; 4], 30, Worse::Up).minutes < 0.0);
        assert!(told(&[50.0; 4], 30, Worse::Either).minutes > 0.8);
    }

    #[test]
    fn a_time_that_is_not_known_adds_what_it_can() {
        let with = |most| {
            area(&before(), Scale::Positive, &during(&[100.0; 4], 30), Worse::Up, 120_000, most, 0.05).unwrap().unknown
        };
        let bounded = with(Some(300.0)).unwrap();

        assert!((bounded - 4.0).abs() < 0.05, "{bounded}");
        assert_eq!(with(None), None, "no bound: at least this");
    }

    #[test]
    fn without_a_reference_or_values_there_is_no_area() {
        let of =
            |before: &[f64], during: &[(Interval, f64)]| area(before, Scale::Plain, during, Worse::Up, 0, None, 0.05);
        let below: Vec<f64> = before().iter().map(|value| -value).collect();

        assert_eq!(of(&[1.0; 60], &during(&[1.0; 4], 30)), Err(NoArea::Unfit(Unfit::Constant(1.0))));
        assert_eq!(of(&below, &during(&[1.0; 4], 30)), Err(NoArea::NothingBefore));
        assert_eq!(of(&before(), &during(&[f64::NAN, 1.0], 30)), Err(NoArea::TooFew));
    }
}
