//! How findings write numbers, lists and lengths of time: short, and never rounded towards good news.

use jiff::Timestamp;

/// The longest text that a finding takes over from somewhere else.
const LONGEST: usize = 1_000;
/// So many names are spelled out; the rest is counted.
const NAMES: usize = 10;

/// A measured number: as it is when that is short, else to a millionth.
pub(super) fn number(value: f64) -> String {
    let plain = value.to_string();
    if plain.len() <= 10 {
        return plain;
    }
    if value.abs() >= 1e12 || value.abs() < 1e-3 {
        return format!("{value:.3e}");
    }
    let rounded = format!("{value:.6}");
    rounded.trim_end_matches('0').trim_end_matches('.').to_owned()
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

/// The milliseconds from one instant to another, rounded up; 0 when it is not later.
pub(super) fn millis_between(from: Timestamp, to: Timestamp) -> u64 {
    let nanos = u128::try_from(to.as_nanosecond() - from.as_nanosecond()).unwrap_or(0);
    u64::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A count with its noun.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_keep_what_crosses_a_bound() {
        for (value, expected) in [
            (200.0, "200"),
            (200.000_4, "200.0004"),
            (200.000_399_999_999_98, "200.0004"),
            (1.0 / 3.0, "0.333333"),
            (1e300, "1.000e300"),
            (0.000_000_000_012_345_6, "1.235e-11"),
        ] {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn a_length_of_time_is_never_rounded_down() {
        let at = |nanos| Timestamp::from_nanosecond(nanos).unwrap();

        assert_eq!(millis_between(at(0), at(1_000_001)), 2);
        assert_eq!(millis_between(at(5), at(0)), 0);
    }

    #[test]
    fn a_long_list_is_counted() {
        assert_eq!(names(&[1, 2]), "1, 2");
        assert_eq!(names(&(0..14).collect::<Vec<_>>()), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 4 more");
    }
}
