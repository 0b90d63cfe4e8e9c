//! From raw values to datapoints, as GetMetricData makes them: whole periods from the epoch on, nothing where nothing was.

use std::time::Duration;

use drill_phases::ports::Datapoint;
use jiff::Timestamp;

/// How the values of a period become one, by the service's word for it: `Average`, `p99.9`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Statistic {
    Average,
    Sum,
    Minimum,
    Maximum,
    SampleCount,
    /// From 0 to 1.
    Percentile(f64),
}

impl Statistic {
    /// `None` for a word that the service does not know.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "Average" => Some(Self::Average),
            "Sum" => Some(Self::Sum),
            "Minimum" => Some(Self::Minimum),
            "Maximum" => Some(Self::Maximum),
            "SampleCount" => Some(Self::SampleCount),
            _ => {
                let percent: f64 = word.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(Self::Percentile(percent / 100.0))
            }
        }
    }
}

/// The datapoints of the periods that begin in `[from, to)`, oldest first. `values` are oldest first.
pub(super) fn datapoints(
    values: &[(Timestamp, f64)],
    statistic: Statistic,
    period: Duration,
    from: Timestamp,
    to: Timestamp,
) -> Vec<Datapoint> {
    let period = i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1);
    let begin = |at: Timestamp| at.as_millisecond().div_euclid(period) * period;
    let mut sorted: Vec<(i64, f64)> = values.iter().map(|(at, value)| (begin(*at), *value)).collect();
    sorted.sort_by_key(|(begin, _)| *begin);
    let of_period = |group: &[(i64, f64)]| {
        let at = Timestamp::from_millisecond(group.first()?.0).ok().filter(|at| (from..to).contains(at))?;
        let values: Vec<f64> = group.iter().map(|(_, value)| *value).collect();
        Some(Datapoint { at, value: apply(statistic, values) })
    };
    sorted.chunk_by(|one, two| one.0 == two.0).filter_map(of_period).collect()
}

/// A statistic of at least one value.
#[expect(clippy::cast_precision_loss, reason = "no period has 2^52 values")]
fn apply(statistic: Statistic, mut values: Vec<f64>) -> f64 {
    match statistic {
        Statistic::Average => values.iter().sum::<f64>() / values.len() as f64,
        Statistic::Sum => values.iter().sum(),
        Statistic::Minimum => values.into_iter().fold(f64::INFINITY, f64::min),
        Statistic::Maximum => values.into_iter().fold(f64::NEG_INFINITY, f64::max),
        Statistic::SampleCount => values.len() as f64,
        Statistic::Percentile(share) => {
            values.sort_by(f64::total_cmp);
            percentile(&values, share)
        }
    }
}

/// Between the two nearest ranks, in proportion. `sorted` is not empty.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank is between 0 and the number of values"
)]
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
    below + (above - below) * rank.fract()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(statistic: &str, expected: &[(i64, f64)]) {
        let values = [(at(9), 1.0), (at(10), 2.0), (at(19), 4.0), (at(30), 8.0), (at(35), 16.0), (at(40), 32.0)];
        let word = statistic;
        let statistic = Statistic::of(word).unwrap();

        let points = datapoints(&values, statistic, Duration::from_secs(10), at(10), at(40));

        let expected: Vec<Datapoint> =
            expected.iter().map(|(second, value)| Datapoint { at: at(*second), value: *value }).collect();
        assert_eq!(points, expected, "{word}");
    }

    #[test]
    fn periods_are_whole_and_the_end_is_not_included() {
        check("Average", &[(10, 3.0), (30, 12.0)]);
        check("Sum", &[(10, 6.0), (30, 24.0)]);
        check("Minimum", &[(10, 2.0), (30, 8.0)]);
        check("Maximum", &[(10, 4.0), (30, 16.0)]);
        check("SampleCount", &[(10, 2.0), (30, 2.0)]);
        check("p50", &[(10, 3.0), (30, 12.0)]);
        check("p75", &[(10, 3.5), (30, 14.0)]);
    }

    proptest! {
        #[test]
        fn a_percentile_lies_between_the_extremes(values in prop::collection::vec(-1e9..1e9, 1..50), share in 0.0..1.0) {
            let least = apply(Statistic::Minimum, values.clone());
            let most = apply(Statistic::Maximum, values.clone());
            let value = apply(Statistic::Percentile(share), values);

            prop_assert!((least..=most).contains(&value));
        }
    }
}
