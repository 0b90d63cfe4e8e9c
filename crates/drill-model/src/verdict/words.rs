//! How findings write numbers, lists and lengths of time: short, and never rounded towards good news.

use crate::experiment::Tolerance;
use crate::quantity::{Rounded, Span};

/// The longest text that a finding takes over from somewhere else.
const LONGEST: usize = 1_000;
/// So many names are spelled out; the rest is counted.
const NAMES: usize = 10;

/// A measured number: four digits that count.
pub(super) fn number(value: f64) -> String {
    digits(value, 4)
}

/// A share, in percent: three digits that count.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", digits(share * 100.0, 3))
}

/// A measured number with as many digits as it takes to tell it from the bounds that it is measured by.
pub(super) fn apart(value: f64, tolerance: &Tolerance) -> String {
    let bounds = [tolerance.at_least, tolerance.at_most];
    let hides = |text: &str| {
        let shown: f64 = text.parse().unwrap_or(value);
        bounds
            .iter()
            .flatten()
            .any(|bound| (shown <= *bound) != (value <= *bound) || (shown >= *bound) != (value >= *bound))
    };
    (4..=17).map(|count| digits(value, count)).find(|text| !hides(text)).unwrap_or_else(|| value.to_string())
}

/// A number with so many digits that count, and no more than it has.
fn digits(value: f64, count: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let exponential = format!("{value:.*e}", count.saturating_sub(1));
    let magnitude: i32 = exponential.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    if !(-4..15).contains(&magnitude) {
        return exponential;
    }
    let decimals = usize::try_from(i32::try_from(count).unwrap_or(i32::MAX) - 1 - magnitude).unwrap_or(0);
    let rounded = format!("{value:.decimals$}");
    if rounded.contains('.') { rounded.trim_end_matches('0').trim_end_matches('.').to_owned() } else { rounded }
}

/// A length of time in milliseconds, for people.
pub(super) fn length(milliseconds: i64) -> Rounded {
    Span::millis(u64::try_from(milliseconds).unwrap_or(0)).rounded()
}

/// Some names, and how many more there are.
pub(super) fn names<T: std::fmt::Display>(names: &[T]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES).map(ToString::to_string).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text from elsewhere, cut at a character.
pub(super) fn capped(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A count with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, expected) in [
            (200.0, "200"),
            (98.923_076, "98.92"),
            (1.0 / 3.0, "0.3333"),
            (0.000_012_3, "1.230e-5"),
            (123_456.0, "123456"),
            (-0.25, "-0.25"),
            (1e300, "1.000e300"),
            (0.0, "0"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(percent(0.123_45), "12.3 %");
    }

    #[test]
    fn a_number_is_told_from_the_bound_that_it_crosses() {
        let tolerance = |most| Tolerance { at_least: None, at_most: Some(most), in_samples: None };
        for (value, most, expected) in [
            (200.000_4, 200.0, "200.0004"),
            (199.999_6, 200.0, "199.9996"),
            (200.0, 200.0, "200"),
            (250.123_4, 200.0, "250.1"),
        ] {
            assert_eq!(apart(value, &tolerance(most)), expected);
        }
    }

    #[test]
    fn a_long_list_is_counted() {
        assert_eq!(names(&[1, 2]), "1, 2");
        assert_eq!(names(&(0..14).collect::<Vec<_>>()), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 4 more");
    }
}
