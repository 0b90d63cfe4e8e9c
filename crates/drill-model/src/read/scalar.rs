//! What a plain word of YAML is: text, a number, true or false, or nothing.
//!
//! YAML 1.2's core schema, so that `on`, `no` and `17:00` are text; what 1.1 and 1.2 read differently is not guessed at.

/// A scalar, as it was written and as it is understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    /// Nothing at all, `~` or `null`.
    Nothing,
    /// `true` or `false`.
    Truth(bool),
    /// A whole number that is not negative.
    Whole(u64),
    /// A negative whole number.
    Negative(i64),
    /// Any other finite number.
    Real(f64),
    /// A number that no machine can compare: `.nan`, `.inf`, `1e400`.
    NotFinite,
    /// `010` and `0x10`: ten, eight or sixteen, depending on who reads it.
    Ambiguous,
    /// Text.
    Text,
}

/// What a plain, unquoted word is.
pub(super) fn plain(word: &str) -> Scalar {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Nothing,
        "true" | "True" | "TRUE" => return Scalar::Truth(true),
        "false" | "False" | "FALSE" => return Scalar::Truth(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::NotFinite,
        _ => {}
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Scalar::NotFinite;
    }
    if is_ambiguous(unsigned) {
        return Scalar::Ambiguous;
    }
    if !is_number(unsigned) {
        return Scalar::Text;
    }
    if let Ok(whole) = word.parse() {
        return Scalar::Whole(whole);
    }
    if let Ok(negative) = word.parse() {
        return Scalar::Negative(negative);
    }
    match word.parse::<f64>() {
        Ok(real) if real.is_finite() => Scalar::Real(real),
        Ok(_) | Err(_) => Scalar::NotFinite,
    }
}

fn is_ambiguous(unsigned: &str) -> bool {
    let digits = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix));
    match unsigned.as_bytes() {
        [b'0', b'x', ..] => digits(&unsigned[2..], 16),
        [b'0', b'o', ..] => digits(&unsigned[2..], 8),
        [b'0', b'b', ..] => digits(&unsigned[2..], 2),
        [b'0', _, ..] => digits(unsigned, 10),
        _ => false,
    }
}

/// `[0-9]+(\.[0-9]*)?` or `\.[0-9]+`, with or without an exponent.
fn is_number(unsigned: &str) -> bool {
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some_digits = !whole.is_empty() || !part.is_empty();
    some_digits
        && all_digits(whole)
        && all_digits(part)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_yaml_once_took_for_something_else_are_text() {
        for word in ["on", "off", "yes", "no", "y", "n", "17:00", "1_000", "2024-01-01", "NaN", "inf", "1e", "-", "."] {
            assert_eq!(plain(word), Scalar::Text, "{word}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        assert_eq!(plain("0"), Scalar::Whole(0));
        assert_eq!(plain("+7"), Scalar::Whole(7));
        assert_eq!(plain("-7"), Scalar::Negative(-7));
        assert_eq!(plain("99.0"), Scalar::Real(99.0));
        assert_eq!(plain("1e3"), Scalar::Real(1000.0));
        assert_eq!(plain("0.5"), Scalar::Real(0.5));
    }

    #[test]
    fn what_cannot_be_compared_or_is_read_two_ways_is_no_number() {
        for word in [".nan", ".inf", "-.INF", "1e400", "-1e999"] {
            assert_eq!(plain(word), Scalar::NotFinite, "{word}");
        }
        for word in ["010", "0x1f", "0o17", "-007", "08"] {
            assert_eq!(plain(word), Scalar::Ambiguous, "{word}");
        }
    }
}
