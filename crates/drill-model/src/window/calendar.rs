//! Whose holidays count, and what they do.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::holidays::{self, Year};

/// Whose holidays count. A date is a holiday by its date in the window's own zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Calendar {
    /// Nobody's.
    #[default]
    None,
    /// The New York Stock Exchange.
    Nyse,
    /// The London Stock Exchange.
    Lse,
    /// T2, the payment system of the euro, and most exchanges of its countries.
    Target,
}

/// What the holidays of a calendar do.
///
/// A half day, on which an exchange closes early, is neither a working day nor a holiday: a window that is closed on holidays
/// does not open then, and neither does one that is open on holidays only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnHolidays {
    /// The window does not open on them.
    #[default]
    Closed,
    /// It opens as on any other day.
    Open,
    /// It opens on them alone.
    Only,
}

impl OnHolidays {
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

/// What a date is in a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DayKind {
    Working,
    Half,
    Holiday,
}

/// A year that a calendar has no holidays for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct UnknownYear {
    pub calendar: Calendar,
    pub year: i16,
}

impl Calendar {
    /// True for nobody's holidays.
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    const fn years(self) -> &'static [Year] {
        match self {
            Self::None => &[],
            Self::Nyse => &holidays::NYSE,
            Self::Lse => &holidays::LSE,
            Self::Target => &holidays::TARGET,
        }
    }

    /// What a date is. A year without data is never taken for one without holidays.
    pub(super) fn day(self, date: Date) -> Result<DayKind, UnknownYear> {
        if self.is_none() {
            return Ok(DayKind::Working);
        }
        let unknown = UnknownYear { calendar: self, year: date.year() };
        let year = self.years().iter().find(|known| known.year == date.year()).ok_or(unknown)?;
        let day = (date.month(), date.day());
        if year.closed.contains(&day) {
            Ok(DayKind::Holiday)
        } else if year.half.contains(&day) {
            Ok(DayKind::Half)
        } else {
            Ok(DayKind::Working)
        }
    }

    /// Whether a window with this rule opens on a date.
    pub(super) fn opens_on(self, date: Date, rule: OnHolidays) -> Result<bool, UnknownYear> {
        match rule {
            OnHolidays::Open => Ok(true),
            OnHolidays::Closed => self.day(date).map(|day| day == DayKind::Working),
            OnHolidays::Only => self.day(date).map(|day| day == DayKind::Holiday),
        }
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::None => "none",
            Self::Nyse => "nyse",
            Self::Lse => "lse",
            Self::Target => "target",
        })
    }
}
