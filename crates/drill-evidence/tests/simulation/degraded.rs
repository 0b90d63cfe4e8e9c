//! The sequential test: how often it stops a healthy run, and how soon a degraded one.

use drill_evidence::interval::Interval;
use drill_evidence::sequential::{Degraded, Failing, Rule, Scale, Took, Unfit, Worse};

use crate::noise::{Kind, Noise};

const LOOKS: i64 = 600;

const fn scale(kind: Kind) -> (Scale, Worse) {
    match kind {
        Kind::Gauss | Kind::Latency | Kind::Heavy => (Scale::Positive, Worse::Up),
        Kind::Errors | Kind::Seldom => (Scale::Count, Worse::Up),
        Kind::Availability => (Scale::Percent, Worse::Down),
    }
}

/// The datapoint at which a run is stopped, if it is; `None` when its reference is refused.
fn stopped(seed: u64, kind: Kind, phi: f64, before: usize, factor: f64, by: f64) -> Option<Option<i64>> {
    let mut noise = Noise::new(seed, phi);
    let (scale, worse) = scale(kind);
    let values: Vec<f64> = (0..before).map(|_| noise.value(kind, 1.0)).collect();
    let mut test = Degraded::new(&values, scale, Rule { worse, by, alpha: 0.05 }, 0).ok()?;
    Some((1..=LOOKS).find(|look| {
        let took = test.take(Interval::look(look * 1000, 1000), Some(noise.value(kind, factor)));
        assert_eq!(took, Took::New);
        test.is_worse()
    }))
}

/// The share of healthy runs that are stopped at any of 600 datapoints; and the share whose reference is refused.
fn false_alarms(kind: Kind, phi: f64, before: usize, by: f64, runs: u64) -> (f64, f64) {
    let (mut alarms, mut refused) = (0, 0);
    for seed in 0..runs {
        match stopped(seed, kind, phi, before, 1.0, by) {
            Some(Some(_)) => alarms += 1,
            Some(None) => {}
            None => refused += 1,
        }
    }
    let share = |count: i32| f64::from(count) / runs as f64;
    (share(alarms), share(refused))
}

#[test]
fn a_healthy_run_that_is_asked_six_hundred_times_is_seldom_stopped() {
    for (kind, phi) in [
        (Kind::Gauss, 0.0),
        (Kind::Gauss, 0.6),
        (Kind::Gauss, 0.9),
        (Kind::Latency, 0.6),
        (Kind::Latency, 0.9),
        (Kind::Heavy, 0.6),
        (Kind::Errors, 0.6),
        (Kind::Seldom, 0.6),
        (Kind::Availability, 0.6),
    ] {
        for before in [60, 180] {
            let (alarms, refused) = false_alarms(kind, phi, before, 0.0, 1000);

            println!("{kind:?} {phi} {before}: {alarms} stopped, {refused} refused");
            assert!(alarms <= 0.05, "{kind:?}, autocorrelation {phi}, {before} before: {alarms} are stopped");
        }
    }
}

/// Where the promise ends: a slow drift under counting noise looks like independent noise to a short reference.
#[test]
fn noise_that_is_slower_than_the_reference_is_long_breaks_the_promise() {
    for (phi, before, by, least, most) in [
        (0.9, 60, 0.0, 0.05, 0.15),
        (0.9, 180, 0.0, 0.02, 0.08),
        (0.9, 180, 0.1, 0.0, 0.05),
        (0.97, 180, 0.0, 0.05, 0.25),
    ] {
        let (alarms, refused) = false_alarms(Kind::Errors, phi, before, by, 500);

        println!("Errors {phi} {before} by {by}: {alarms} stopped, {refused} refused");
        assert!(
            (least..=most).contains(&alarms),
            "autocorrelation {phi}, {before} before, by {by}: {alarms} are stopped"
        );
    }
}

#[test]
fn a_margin_makes_false_alarms_rarer_still() {
    for kind in [Kind::Latency, Kind::Errors, Kind::Availability] {
        let (alarms, _) = false_alarms(kind, 0.6, 180, 0.1, 500);

        println!("{kind:?} by 10 %: {alarms} stopped");
        assert!(alarms <= 0.016, "{kind:?}: {alarms} are stopped");
    }
}

/// A p99 that follows itself at 0.6, 180 datapoints of reference: the median delay in datapoints, and how many runs are
/// stopped by the sixtieth.
#[test]
fn a_degradation_is_seen_in_so_many_datapoints() {
    for (factor, by, median, by_sixty) in [
        (1.25, 0.0, 55..=75, 0.42..=0.56),
        (1.5, 0.0, 17..=21, 0.97..=1.0),
        (2.0, 0.0, 7..=9, 1.0..=1.0),
        (10.0, 0.0, 2..=3, 1.0..=1.0),
        (1.5, 0.1, 28..=34, 0.77..=0.88),
        (2.0, 0.1, 9..=11, 0.99..=1.0),
    ] {
        let mut delays: Vec<i64> = (0..500)
            .filter_map(|seed| stopped(1_000_000 + seed, Kind::Latency, 0.6, 180, factor, by))
            .map(|at| at.unwrap_or(i64::MAX))
            .collect();
        delays.sort_unstable();
        let middle = delays[delays.len() / 2];
        let seen = delays.iter().filter(|at| **at <= 60).count() as f64 / delays.len() as f64;

        println!("x{factor} by {by}: median {middle}, {seen} by 60");
        assert!(median.contains(&middle), "x{factor} by {by}: the median is {middle}");
        assert!(by_sixty.contains(&seen), "x{factor} by {by}: {seen} are seen by the sixtieth");
    }
}

#[test]
fn a_reference_that_drifts_by_itself_is_refused() {
    let refused = (0..500_u64).filter(|seed| {
        let mut noise = Noise::new(*seed, 0.0);
        let values: Vec<f64> = (0..180).map(|look| noise.value(Kind::Latency, 1.0 + f64::from(look) / 180.0)).collect();
        let rule = Rule { worse: Worse::Up, by: 0.1, alpha: 0.05 };
        matches!(Degraded::new(&values, Scale::Positive, rule, 0), Err(Unfit::Unsteady { .. } | Unfit::Correlated(_)))
    });

    let share = refused.count();
    println!("drift: {share} of 500 refused");
    assert!(share >= 400, "{share} of 500");
}

/// Looks that are good or bad, in bouts: a state that is kept with probability `keeps`.
fn failing(seed: u64, before: f64, during: f64, keeps: f64) -> Option<Option<u32>> {
    let mut noise = Noise::new(seed, 0.0);
    let mut state = noise.uniform() < before;
    let mut next = |share: f64, noise: &mut Noise| {
        if noise.uniform() >= keeps {
            state = noise.uniform() < share;
        }
        state
    };
    let looks: Vec<bool> = (0..180).map(|_| next(before, &mut noise)).collect();
    let mut test = Failing::new(&looks, 0.1, 0.05).ok()?;
    Some((1..=600).find(|_| {
        test.take(next(during, &mut noise));
        test.is_worse()
    }))
}

#[test]
fn looks_that_fail_as_often_as_before_seldom_stop_a_run() {
    for (share, keeps) in [(0.0, 0.0), (0.01, 0.0), (0.05, 0.0), (0.2, 0.0), (0.05, 0.6), (0.2, 0.6)] {
        let alarms = (0..500).filter(|seed| matches!(failing(*seed, share, share, keeps), Some(Some(_)))).count();

        println!("failing {share}, kept {keeps}: {alarms} of 500");
        assert!(alarms <= 25, "{share} fail, kept with {keeps}: {alarms} of 500 are stopped");
    }
}

#[test]
fn looks_that_fail_more_often_stop_a_run() {
    for (before, during, most) in [(0.0, 0.2, 30), (0.0, 0.5, 8), (0.0, 1.0, 3), (0.05, 0.5, 20), (0.05, 0.2, 400)] {
        let mut delays: Vec<u32> =
            (0..200).filter_map(|seed| failing(seed, before, during, 0.0)).map(|at| at.unwrap_or(u32::MAX)).collect();
        delays.sort_unstable();
        let median = delays[delays.len() / 2];

        println!("failing {before} then {during}: median {median}");
        assert!(median <= most, "{before} before, {during} during: the median is {median}");
    }
}
