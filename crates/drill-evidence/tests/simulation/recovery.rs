//! Recovery of a service whose metric is an average, read late and seen late; and the area under a degradation.

use std::num::NonZeroU16;

use drill_evidence::area::area;
use drill_evidence::interval::{Between, Interval};
use drill_evidence::recovery::{Rule, Tells, recovery};
use drill_evidence::sequential::{Scale, Worse};
use drill_evidence::series::Series;

use crate::noise::{Kind, Noise};

/// A fault is gone at 0 and seen gone up to `late` milliseconds later; the service is back after 20 s on average. Its metric
/// is the share of good time of each `period`.
fn one(seed: u64, period: i64, late: f64) -> (i64, drill_evidence::recovery::Took) {
    let mut noise = Noise::new(seed, 0.0);
    let phase = (noise.uniform() * period as f64) as i64;
    let truth = (-20_000.0 * noise.uniform().ln()) as i64;
    let seen_gone = (noise.uniform() * late) as i64;
    let outage = Interval::new(-60_000, truth);
    let series: Series<bool> = (-70_000 / period - 1..(truth + 60_000) / period + 4)
        .map(|at| {
            let covers =
                Interval::new(at * period + phase, at * period + phase + period).expect("a period has a length");
            let down = outage.and_then(|outage| outage.intersection(covers)).map_or(0, Interval::milliseconds);
            (covers, Some(down * 100 > period))
        })
        .collect();
    let rule =
        Rule { tells: Tells::Part, good_samples: NonZeroU16::MIN.saturating_add(1), may_be_out: 0.0, every: period };
    (truth, recovery(&rule, &series, Between::new(0, seen_gone)))
}

#[test]
fn the_interval_of_a_recovery_covers_the_truth() {
    for (period, late, widest) in
        [(1000, 2000.0, 4.0), (1000, 15_000.0, 10.0), (5000, 15_000.0, 20.0), (60_000, 15_000.0, 130.0)]
    {
        let (mut covered, mut width) = (0, 0.0);
        for seed in 0..1000 {
            let (truth, took) = one(seed, period, late);
            // A hundredth of a period may be down in a datapoint that is good.
            let most = took.at_most.unwrap() + period / 100;
            covered += u32::from(took.at_least <= truth && truth <= most);
            width += (took.at_most.unwrap() - took.at_least) as f64 / 1e6;
        }

        println!("period {period}, seen {late} late: {covered} of 1000, {width:.1} s wide");
        assert_eq!(covered, 1000, "period {period}");
        assert!(width <= widest, "period {period}: {width} s wide");
    }
}

#[test]
fn the_area_is_the_truth_and_noise_adds_nothing() {
    // What a factor adds to the mean of max(0, x - 1) of a log-normal value with deviation 0.25.
    let excess = |factor: f64| {
        let mut noise = Noise::new(99, 0.0);
        (0..200_000).map(|_| (factor * (0.25 * noise.normal()).exp() - 1.0).max(0.0)).sum::<f64>() / 200_000.0
    };
    for (factor, share) in [(1.0, 0), (1.5, 4), (3.0, 10)] {
        let (mut covered, mut sum, mut told) = (0, 0.0, 0);
        let worse = if share > 0 { 60 / share } else { 0 };
        let truth = f64::from(worse) * (excess(factor) - excess(1.0));
        for seed in 0..500 {
            let mut noise = Noise::new(seed, 0.6);
            let before: Vec<f64> = (0..180).map(|_| noise.value(Kind::Latency, 1.0)).collect();
            let during: Vec<(Interval, f64)> = (0..60)
                .map(|at| {
                    (
                        Interval::look(i64::from(at) * 60_000, 60_000),
                        noise.value(Kind::Latency, if at < worse { factor } else { 1.0 }),
                    )
                })
                .collect();
            let Ok(area) = area(&before, Scale::Positive, &during, Worse::Up, 0, None, 0.05) else { continue };
            told += 1;
            sum += area.minutes;
            covered += u32::from((area.minutes - truth).abs() <= area.radius);
        }

        let mean = sum / f64::from(told);
        println!("x{factor} for {worse} of 60: {mean:.2} told, {truth:.2} true, {covered} of {told} covered");
        assert!((mean - truth).abs() < 0.6, "x{factor}: {mean} told, {truth} true");
        assert!(covered * 100 >= told * 90, "x{factor}: {covered} of {told} covered");
    }
}
