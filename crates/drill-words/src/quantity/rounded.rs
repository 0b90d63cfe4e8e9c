//! Lengths of time as people say them.

use std::fmt;

use super::Span;

/// A length of time as people say it, rounded to what matters: `250 ms`, `2.5 s`, `13 s`, `1 min 5 s`, `2 h 3 min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded(Span);

impl fmt::Display for Rounded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: u64 = 86_400;
        const HOUR: u64 = 3_600;
        let millis = self.0.as_millis();
        if millis == 0 {
            return out.write_str("0");
        }
        if millis < 1_000 {
            return write!(out, "{millis} ms");
        }
        let tenths = millis.saturating_add(50) / 100;
        if tenths < 100 {
            return match tenths % 10 {
                0 => write!(out, "{} s", tenths / 10),
                rest => write!(out, "{}.{rest} s", tenths / 10),
            };
        }
        // Two units say enough.
        let seconds = millis.saturating_add(500) / 1_000;
        let (unit, name, part, part_name) = match seconds {
            0..60 => return write!(out, "{seconds} s"),
            60..HOUR => (60, "min", 1, "s"),
            HOUR..DAY => (HOUR, "h", 60, "min"),
            DAY.. => (DAY, "d", HOUR, "h"),
        };
        let parts = (seconds + part / 2) / part;
        let (whole, rest) = (parts / (unit / part), parts % (unit / part));
        match rest {
            0 => write!(out, "{whole} {name}"),
            rest => write!(out, "{whole} {name} {rest} {part_name}"),
        }
    }
}

impl Span {
    /// As people say it. Not for a file: what is left away is lost.
    pub const fn rounded(self) -> Rounded {
        Rounded(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_away() {
        for (millis, said) in [
            (0, "0"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (2_999, "3 s"),
            (2_549, "2.5 s"),
            (9_949, "9.9 s"),
            (9_960, "10 s"),
            (59_600, "1 min"),
            (65_499, "1 min 5 s"),
            (3_599_600, "1 h"),
            (7_384_000, "2 h 3 min"),
            (14_380_000, "4 h"),
            (90_061_001, "1 d 1 h"),
        ] {
            assert_eq!(Span::millis(millis).rounded().to_string(), said, "{millis} ms");
        }
    }
}
