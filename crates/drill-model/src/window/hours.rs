//! A time of day, to the minute.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::read::clock;

/// A time of day, from `00:00` to `23:59`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^([01][0-9]|2[0-3]):[0-5][0-9]$"))]
pub struct TimeOfDay(u16);

/// Text that is not a time of day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTime {
    /// Midnight at the end of a day.
    #[error("`24:00` is the next day: write `00:00`, which closes a window at the end of its day")]
    NextDay,
    /// It can be guessed what was meant.
    #[error("`{text}` is not a time of day: write `{meant}`")]
    Misspelt {
        /// What was written.
        text: String,
        /// What to write.
        meant: String,
    },
    /// Not a time of day at all.
    #[error("`{0}` is not a time of day: write `HH:MM` from `00:00` to `23:59`")]
    Unreadable(String),
}

impl TimeOfDay {
    /// The minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    pub(super) fn on(self, date: jiff::civil::Date) -> jiff::civil::DateTime {
        // Both are in range by construction, and a date takes every time of day.
        let part = |minutes: u16| i8::try_from(minutes).unwrap_or(0);
        date.at(part(self.0 / 60), part(self.0 % 60), 0, 0)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = InvalidTime;

    fn try_from(text: String) -> Result<Self, InvalidTime> {
        let wrong = || match clock(&text) {
            Some(meant) => InvalidTime::Misspelt { text: text.clone(), meant },
            None => InvalidTime::Unreadable(text.chars().take(40).collect()),
        };
        if text == "24:00" {
            return Err(InvalidTime::NextDay);
        }
        let two_digits = |part: &str, below: u16| -> Option<u16> {
            let plain = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            part.parse().ok().filter(|number| plain && *number < below)
        };
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        match (two_digits(hours, 24), two_digits(minutes, 60)) {
            (Some(hours), Some(minutes)) => Ok(Self(hours * 60 + minutes)),
            _ => Err(wrong()),
        }
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minute_of_a_day_is_read_and_written_alike() {
        for minutes in 0..24 * 60 {
            let time = TimeOfDay(minutes);

            assert_eq!(TimeOfDay::try_from(time.to_string()), Ok(time));
        }
    }

    #[test]
    fn digits_are_answered_with_the_time_that_they_mean() {
        for (text, meant) in [("0900", "09:00"), ("7:00", "07:00"), ("17.30", "17:30")] {
            let error = TimeOfDay::try_from(text.to_owned()).unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is not a time of day: write `{meant}`"));
        }
    }

    #[test]
    fn nothing_else_is_a_time_of_day() {
        for wrong in ["", "17", "5pm", "17:60", "25:00", "17:00:00", "+7:00", "１７:00", " 17:00"] {
            let error = TimeOfDay::try_from(wrong.to_owned()).unwrap_err();
            assert_eq!(error, InvalidTime::Unreadable(wrong.to_owned()));
        }
        assert_eq!(TimeOfDay::try_from("24:00".to_owned()), Err(InvalidTime::NextDay));
    }
}
