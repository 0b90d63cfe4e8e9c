//! The few functions of statistics that the rest needs: Student's t, the incomplete beta function, the normal distribution.

/// The point below which a share `p` of Student's distribution lies. Exact to about 1e-9 of itself.
pub(crate) fn student_quantile(p: f64, freedom: f64) -> f64 {
    if p < 0.5 {
        return -student_quantile(1.0 - p, freedom);
    }
    // A bracket that is doubled until it holds, then halved: slow and plain, and it cannot fail to end.
    let mut high = 1.0;
    while high < 1e12 && student(high, freedom) < p {
        high *= 2.0;
    }
    bisect(0.0, high, |t| student(t, freedom) < p)
}

/// The share of Student's distribution that lies below `t`.
pub(crate) fn student(t: f64, freedom: f64) -> f64 {
    let tail = 0.5 * beta(freedom / 2.0, 0.5, freedom / (freedom + t * t));
    if t < 0.0 { tail } else { 1.0 - tail }
}

/// The share of the normal distribution that lies below `z`: Abramowitz and Stegun 7.1.26, exact to 1.5e-7.
pub(crate) fn normal(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let sum = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592]
        .into_iter()
        .fold(0.0, |sum, factor| (sum + factor) * t);
    let tail = 0.5 * sum * (-x * x).exp();
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// The largest share that is still likely when `hits` of `tries` were hit: it is not exceeded with confidence `1 - alpha`
/// (Clopper and Pearson 1934). The counts may be fractions, as effective numbers are.
pub(crate) fn share_at_most(hits: f64, tries: f64, alpha: f64) -> f64 {
    if hits >= tries {
        return 1.0;
    }
    // P(binomial(tries, p) <= hits) = 1 - I_p(hits + 1, tries - hits)
    bisect(0.0, 1.0, |p| 1.0 - beta(hits + 1.0, tries - hits, p) > alpha)
}

/// Where `below` turns from true to false.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if below(middle) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// The regularized incomplete beta function `I_x(a, b)`.
pub(crate) fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (a * x.ln() + b * (-x).ln_1p() - ln_beta(a, b)).exp();
    // The fraction converges fast on one side of the mean; the other side is its mirror.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function, by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut value = d;
    for step in 1..400 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            value *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-14 {
            break;
        }
    }
    value
}

/// The logarithm of the beta function.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The logarithm of the gamma function of a positive number: Stirling's series, after the argument is moved beyond 10.
fn ln_gamma(x: f64) -> f64 {
    const SERIES: [f64; 5] = [1.0 / 1188.0, -1.0 / 1680.0, 1.0 / 1260.0, -1.0 / 360.0, 1.0 / 12.0];
    let (mut x, mut moved) = (x, 0.0);
    while x < 10.0 {
        moved += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let sum = SERIES.into_iter().fold(0.0, |sum, factor| sum * inverse + factor) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + sum - moved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, within: f64) {
        assert!((found - expected).abs() <= within * expected.abs().max(1.0), "{found} is not {expected}");
    }

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, freedom, expected) in [
            (0.95, 1.0, 6.313_751_514_8),
            (0.975, 2.0, 4.302_652_729_9),
            (0.95, 10.0, 1.812_461_122_8),
            (0.975, 30.0, 2.042_272_456_3),
            (0.05, 10.0, -1.812_461_122_8),
            (0.95, 1e6, 1.644_855),
        ] {
            close(student_quantile(p, freedom), expected, 1e-6);
            close(student(student_quantile(p, freedom), freedom), p, 1e-9);
        }
        assert!(student_quantile(1.0, 3.0).is_finite());
    }

    #[test]
    fn the_normal_distribution_is_that_of_the_tables() {
        for (z, expected) in [(0.0, 0.5), (1.0, 0.841_344_7), (-1.0, 0.158_655_3), (1.959_964, 0.975), (0.841_621, 0.8)]
        {
            close(normal(z), expected, 2e-7);
        }
        assert_eq!((normal(40.0), normal(-40.0)), (1.0, 0.0));
    }

    #[test]
    fn the_beta_function_is_that_of_the_tables() {
        close(beta(2.0, 3.0, 0.5), 0.6875, 1e-12);
        close(beta(0.5, 0.5, 0.25), 1.0 / 3.0, 1e-12);
        close(beta(30.0, 70.0, 0.3), 0.511_625_104_558_6, 1e-11);
        close(ln_gamma(0.5), std::f64::consts::PI.sqrt().ln(), 1e-12);
        close(ln_gamma(11.0), 3_628_800.0_f64.ln(), 1e-12);
        close(ln_beta(2.0, 3.0), (1.0_f64 / 12.0).ln(), 1e-12);
    }

    #[test]
    fn none_of_n_is_the_rule_of_three() {
        for tries in [3.0, 12.0, 60.0, 600.0] {
            close(share_at_most(0.0, tries, 0.05), 1.0 - 0.05_f64.powf(1.0 / tries), 1e-9);
        }
        close(share_at_most(0.0, 300.0, 0.05), 3.0 / 300.0, 1e-2);
        close(share_at_most(3.0, 60.0, 0.05), 0.124_187_210_477, 1e-9);
        close(share_at_most(12.0, 12.0, 0.05), 1.0, 0.0);
    }
}
