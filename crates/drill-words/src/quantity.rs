//! Quantities as people write them: `100ms`, `5m`, `30%`, `2.0x`. A number without its unit is an error.

mod rounded;

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

pub use self::rounded::Rounded;

/// The longest span that an experiment may name: fourteen days.
const LONGEST_MILLIS: u64 = 14 * 24 * 3_600_000;

/// A length of time, in whole milliseconds, from 0 to 14 days; written `100ms`, `60s`, `5m`, `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

/// Text that is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpan {
    /// A number without a unit.
    #[error("`{0}` has no unit: write `{0}s`, `{0}ms` or `{0}m`")]
    NoUnit(String),
    /// Not a length of time at all.
    #[error("`{0}` is not a length of time: write for example `100ms`, `60s`, `5m` or `1h30m`")]
    Unreadable(String),
    /// Longer than anything may last.
    #[error("`{0}` is longer than 14 days")]
    TooLong(String),
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds, at most 14 days.
    pub const fn seconds(seconds: u64) -> Self {
        Self::millis(seconds.saturating_mul(1000))
    }

    /// A span of milliseconds, at most 14 days.
    pub const fn millis(millis: u64) -> Self {
        Self(if millis > LONGEST_MILLIS { LONGEST_MILLIS } else { millis })
    }

    /// The span in milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The span in seconds, rounded up.
    pub const fn as_seconds(self) -> u64 {
        self.0.div_ceil(1000)
    }

    /// True for no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The sum, at most 14 days.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self::millis(self.0 + other.0)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.0)
    }
}

impl std::str::FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let shown = || text.chars().take(40).collect::<String>();
        let unreadable = || InvalidSpan::Unreadable(shown());
        if text.is_empty() || text.len() > 40 {
            return Err(unreadable());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidSpan::NoUnit(shown()));
        }
        let (mut total, mut rest) = (0u64, text);
        let mut largest_left = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let count: u64 = rest[..digits].parse().map_err(|_| unreadable())?;
            let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
            let unit = match &rest[digits..unit_end] {
                "ms" => 1,
                "s" => 1000,
                "m" | "min" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return Err(unreadable()),
            };
            if unit >= largest_left {
                return Err(unreadable());
            }
            largest_left = unit;
            total = count
                .checked_mul(unit)
                .and_then(|part| total.checked_add(part))
                .ok_or_else(|| InvalidSpan::TooLong(shown()))?;
            rest = &rest[unit_end..];
        }
        if total > LONGEST_MILLIS { Err(InvalidSpan::TooLong(shown())) } else { Ok(Self(total)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return out.write_str("0s");
        }
        let mut left = self.0;
        for (unit, name) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s"), (1, "ms")] {
            if left >= unit {
                write!(out, "{}{name}", left / unit)?;
                left %= unit;
            }
        }
        Ok(())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written::new(
            "a length of time with its unit, such as `100ms` or `5m`",
            |number| match number.parse::<Self>() {
                Err(wrong) => wrong.to_string(),
                Ok(meant) => format!("`{number}` is not text: write `\"{meant}\"`"),
            },
        ))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+(m|min))?([0-9]+s)?([0-9]+ms)?$",
            "minLength": 2,
            "description": "A length of time with its unit: `100ms`, `60s`, `5m`, `1h30m`.",
        })
    }
}

macro_rules! suffixed {
    ($($(#[$doc:meta])* $name:ident, $suffix:literal, $range:expr, $what:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// The number before the unit.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = String;

            fn try_from(number: f64) -> Result<Self, String> {
                if ($range).contains(&number) {
                    Ok(Self(number))
                } else {
                    Err(format!("`{number}{}` is out of range: {} goes from {} to {}", $suffix, $what, ($range).start(), ($range).end()))
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let shown: String = text.chars().take(40).collect();
                let Some(number) = text.strip_suffix($suffix) else {
                    return Err(if text.parse::<f64>().is_ok() {
                        format!("`{shown}` has no unit: write `{shown}{}`", $suffix)
                    } else {
                        format!("`{shown}` is not {}: write for example `{}`", $what, $example)
                    });
                };
                let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let number: f64 = number
                    .parse()
                    .ok()
                    .filter(|_| plain)
                    .ok_or_else(|| format!("`{shown}` is not {}: write for example `{}`", $what, $example))?;
                Self::try_from(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{}{}", self.0, $suffix)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Written::new(concat!($what, ", such as `", $example, "`"), |number| {
                    match format!("{number}{}", $suffix).parse::<Self>() {
                        Ok(meant) => format!("`{number}` has no unit: write `{meant}`"),
                        Err(wrong) => wrong,
                    }
                }))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": concat!("^[0-9]+(\\.[0-9]+)?", $suffix, "$"),
                    "description": concat!("Written with its unit: `", $example, "`."),
                })
            }
        }
    )*};
}

suffixed! {
    /// A share, from 0 % to 100 %; written `30%`.
    Percent, "%", 0.0..=100.0, "a percentage", "30%";
    /// A multiple of a baseline, from 0 to 1000; written `2.0x`.
    Multiple, "x", 0.0..=1000.0, "a multiple of the baseline", "2.0x";
}

/// Reads a quantity that must be written as text with its unit; a bare number is answered with how to write it.
struct Written<T>(&'static str, fn(String) -> String, std::marker::PhantomData<T>);

impl<T> Written<T> {
    const fn new(expected: &'static str, bare: fn(String) -> String) -> Self {
        Self(expected, bare, std::marker::PhantomData)
    }
}

impl<'de, T> Visitor<'de> for Written<T>
where
    T: std::str::FromStr<Err: fmt::Display>,
{
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        Err(E::custom((self.1)(number.to_string())))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        Err(E::custom((self.1)(number.to_string())))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        Err(E::custom((self.1)(number.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_read_and_written_alike() {
        for (text, millis) in [("0s", 0), ("100ms", 100), ("60s", 60_000), ("1h30m", 5_400_000), ("5m30s", 330_000)] {
            assert_eq!(text.parse::<Span>().map(Span::as_millis), Ok(millis), "{text}");
        }
        assert_eq!(Span::millis(90_061_001).to_string(), "1d1h1m1s1ms");
    }

    #[test]
    fn a_bare_number_is_answered_with_its_units() {
        assert_eq!(
            "100".parse::<Span>().unwrap_err().to_string(),
            "`100` has no unit: write `100s`, `100ms` or `100m`"
        );
        assert_eq!("30".parse::<Percent>().unwrap_err(), "`30` has no unit: write `30%`");
    }

    #[test]
    fn a_bare_number_that_no_unit_could_save_is_answered_with_the_rule() {
        fn answer<T: serde::de::DeserializeOwned + fmt::Debug>(number: f64) -> String {
            serde_json::from_value::<T>(serde_json::json!(number)).unwrap_err().to_string()
        }

        for wrong in [1.5, -5.0] {
            assert_eq!(
                answer::<Span>(wrong),
                format!("`{wrong}` is not a length of time: write for example `100ms`, `60s`, `5m` or `1h30m`")
            );
        }
        assert_eq!(answer::<Percent>(0.5), "`0.5` has no unit: write `0.5%`");
        assert_eq!(answer::<Percent>(250.0), "`250%` is out of range: a percentage goes from 0 to 100");
    }

    proptest! {
        #[test]
        fn every_span_is_read_as_it_is_written(millis in 0..=LONGEST_MILLIS) {
            let span = Span::millis(millis);

            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
            prop_assert_eq!(serde_json::from_str::<Span>(&serde_json::to_string(&span).unwrap()).unwrap(), span);
        }

        #[test]
        fn every_share_and_multiple_is_read_as_it_is_written(share in 0.0..=100.0f64, multiple in 0.0..=1000.0f64) {
            let (share, multiple) = (Percent::try_from(share).unwrap(), Multiple::try_from(multiple).unwrap());

            prop_assert_eq!(share.to_string().parse(), Ok(share));
            prop_assert_eq!(multiple.to_string().parse(), Ok(multiple));
        }

        #[test]
        fn no_text_is_read_as_more_than_there_is(text in "[0-9a-z.%+-]{0,12}") {
            if let Ok(span) = text.parse::<Span>() {
                prop_assert!(span.as_millis() <= LONGEST_MILLIS);
            }
            if let Ok(share) = text.parse::<Percent>() {
                prop_assert!((0.0..=100.0).contains(&share.get()));
            }
        }
    }

    #[test]
    fn nonsense_is_no_span() {
        for wrong in ["", "-5s", "5", "s", "1.5s", "5s5m", "5m5m", "99999999999999999999s", "15d", "5 s", "1e3s"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn shares_stay_in_range() {
        assert_eq!("2.0x".parse::<Multiple>().map(Multiple::get), Ok(2.0));
        for wrong in ["101%", "-1%", "NaN%", "inf%", "1e1%", "%"] {
            assert!(wrong.parse::<Percent>().is_err(), "{wrong}");
        }
    }
}
