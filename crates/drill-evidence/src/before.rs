//! What was out of tolerance before the fault is not the fault's doing, unless it was out more often with it.

use crate::numbers::ln_beta;

/// The chance of at least `out` of `taken` during the fault, when the fault changed nothing: the one-sided exact test of
/// Fisher (1935), given how many were out before and during it together.
///
/// It takes the datapoints for independent. Datapoints that repeat each other make it too small: it is used to take a blame
/// back, never to lay one.
pub fn chance_of(out: usize, taken: usize, out_before: usize, before: usize) -> f64 {
    let (all_out, all) = (out + out_before, taken + before);
    let most = all_out.min(taken);
    let whole = ln_choose(all, taken);
    let chance = |hits: usize| {
        if all_out - hits > before || hits > most {
            return 0.0;
        }
        (ln_choose(all_out, hits) + ln_choose(all - all_out, taken - hits) - whole).exp()
    };
    (out..=most).map(chance).sum::<f64>().min(1.0)
}

/// The logarithm of how many ways there are to pick `some` of `all`.
fn ln_choose(all: usize, some: usize) -> f64 {
    let (all, some) = (all as f64, some as f64);
    -(all + 1.0).ln() - ln_beta(all - some + 1.0, some + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fishers_test_of_the_textbooks() {
        for (out, taken, out_before, before, expected) in [
            // The lady who tasted tea: 4 of 4, and 3 of 4.
            (4, 4, 0, 4, 1.0 / 70.0),
            (3, 4, 1, 4, 17.0 / 70.0),
            (2, 12, 1, 5, 5005.0 / 6188.0),
            (0, 12, 3, 5, 1.0),
            (12, 12, 1, 5, 13.0 / 6188.0),
        ] {
            let chance = chance_of(out, taken, out_before, before);
            assert!((chance - expected).abs() < 1e-6, "{out}/{taken} after {out_before}/{before}: {chance}");
        }
    }

    #[test]
    fn many_datapoints_do_not_overflow() {
        let chance = chance_of(100_000, 200_000, 50_000, 100_000);
        assert!((0.4..0.6).contains(&chance), "{chance}");
    }
}
