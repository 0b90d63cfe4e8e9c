//! Weekdays, as people write them.

use std::fmt;

use jiff::civil::Weekday;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Some weekdays, at least one; written `mon-fri`, `sat,sun`, `sun-thu` or `daily`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^(daily|(mon|tue|wed|thu|fri|sat|sun)([,-](mon|tue|wed|thu|fri|sat|sun))*)$"))]
pub struct Days([bool; 7]);

/// Text that names no weekdays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` are not weekdays: write for example `mon-fri`, `sat,sun` or `daily`")]
pub struct InvalidDays(String);

const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    /// True when this is one of them.
    pub fn contains(self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|index| self.0[index])
    }

    /// How many follow each other at most, or `None` for all of them, which never end.
    pub(super) fn longest_row(self) -> Option<u64> {
        if self.0 == [true; 7] {
            return None;
        }
        let (mut longest, mut row) = (0, 0);
        for day in self.0.iter().chain(&self.0) {
            row = if *day { row + 1 } else { 0 };
            longest = longest.max(row);
        }
        Some(longest)
    }
}

impl TryFrom<String> for Days {
    type Error = InvalidDays;

    fn try_from(text: String) -> Result<Self, InvalidDays> {
        let wrong = || InvalidDays(text.chars().take(40).collect());
        if text == "daily" {
            return Ok(Self([true; 7]));
        }
        let index = |name: &str| NAMES.iter().position(|known| *known == name).ok_or_else(wrong);
        let mut days = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (mut day, last) = (index(first)?, index(last)?);
            while day != last {
                days[day] = true;
                day = (day + 1) % 7;
            }
            days[last] = true;
        }
        Ok(Self(days))
    }
}

impl From<Days> for String {
    fn from(days: Days) -> Self {
        days.to_string()
    }
}

impl fmt::Display for Days {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_first = |day: usize| self.0[day] && !self.0[(day + 6) % 7];
        let firsts: Vec<usize> = (0..7).filter(|day| is_first(*day)).collect();
        if firsts.is_empty() {
            return out.write_str("daily");
        }
        let mut separator = "";
        for first in firsts {
            let length = (1..7).find(|length| !self.0[(first + length) % 7]).unwrap_or(7);
            let last = NAMES[(first + length - 1) % 7];
            match length {
                1 => write!(out, "{separator}{last}")?,
                2 => write!(out, "{separator}{},{last}", NAMES[first])?,
                _ => write!(out, "{separator}{}-{last}", NAMES[first])?,
            }
            separator = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written_alike() {
        for text in ["daily", "mon-fri", "sat,sun", "sun-thu", "mon", "mon,wed,fri", "tue,thu-sat"] {
            assert_eq!(Days::try_from(text.to_owned()).map(String::from), Ok(text.to_owned()));
        }
        assert_eq!(Days::try_from("fri-mon".to_owned()).map(String::from), Ok("fri-mon".to_owned()));
        assert_eq!(Days::try_from("mon,tue,wed".to_owned()).map(String::from), Ok("mon-wed".to_owned()));
        assert_eq!(Days::try_from("mon-sun".to_owned()).map(String::from), Ok("daily".to_owned()));
    }

    #[test]
    fn every_set_of_days_is_written_as_itself() {
        for set in 1..128u8 {
            let days = Days(std::array::from_fn(|day| set & (1 << day) != 0));

            assert_eq!(Days::try_from(days.to_string()), Ok(days), "{days}");
        }
    }

    #[test]
    fn other_words_are_answered_with_the_right_ones() {
        for wrong in ["", "weekdays", "Mon-Fri", "monday", "mon-", ",mon", "mon--fri", "mon-fri-sun", "mon, tue"] {
            let error = Days::try_from(wrong.to_owned()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{wrong}` are not weekdays: write for example `mon-fri`, `sat,sun` or `daily`")
            );
        }
    }

    #[test]
    fn a_row_of_days_may_pass_the_end_of_the_week() {
        let row = |text: &str| Days::try_from(text.to_owned()).unwrap().longest_row();

        assert_eq!(row("sat-mon"), Some(3));
        assert_eq!(row("mon,wed"), Some(1));
        assert_eq!(row("daily"), None);
    }
}
