//! When an experiment may run: weekdays, hours, a time zone, a calendar of holidays.
//!
//! A run fits or it does not: for every kind of fault in it, the whole of it lies in one opening of one window. The answer to
//! a run that does not fit says when it would.

mod calendar;
mod days;
mod holidays;
mod hours;
mod not_now;
mod opening;
mod zone;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::calendar::{Calendar, OnHolidays};
pub use self::days::{Days, InvalidDays};
pub use self::hours::{InvalidTime, TimeOfDay};
pub use self::not_now::{NotNow, Opening};
pub use self::zone::{InvalidZone, Zone};
use crate::faults::FaultKind;
use crate::quantity::Span;

/// One window in which an experiment may run.
///
/// It opens on each of its days at `from` and closes at `to`, on the next day when that is not later. Times are read off a
/// clock in its zone: a time that the clock skips is the first instant after the gap; a time that the clock shows twice opens
/// the window the first time and closes it the second. A window that closes at the instant at which it opens again, such as
/// `daily` from 00:00 to 00:00, does not close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Weekdays: `mon-fri`, `sat,sun`, `daily`. A window across midnight belongs to the day it opens on.
    pub days: Days,
    /// When it opens, `17:00`.
    pub from: TimeOfDay,
    /// When it closes, `08:00`; not later than `from` means the next day.
    pub to: TimeOfDay,
    /// The time zone, `America/New_York`.
    pub zone: Zone,
    /// Whose holidays count; nobody's when left out.
    #[serde(default, skip_serializing_if = "Calendar::is_none")]
    pub calendar: Calendar,
    /// What holidays of the calendar do: `closed`, `open` or `only`; `closed` when left out.
    #[serde(default, skip_serializing_if = "OnHolidays::is_closed")]
    pub on_holidays: OnHolidays,
    /// Only for faults of these kinds; for all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultKind>,
}

/// Whether a run that begins at `from` and ends at `until` may do faults of these kinds. Without windows it may at any time.
pub fn permits(windows: &[Window], kinds: &[FaultKind], from: Timestamp, until: Timestamp) -> Result<(), NotNow> {
    not_now::decide(windows, kinds, from, until.max(from))
}

impl Window {
    /// True when it is for faults of this kind.
    pub fn is_for(&self, kind: FaultKind) -> bool {
        self.faults.is_empty() || self.faults.contains(&kind)
    }

    /// The longest that it is ever open in one go, on days of 24 hours.
    pub fn longest(&self) -> Span {
        let day = Span::seconds(24 * 3600);
        match (self.from == self.to, self.days.longest_row()) {
            (true, None) => Span::millis(u64::MAX),
            (true, Some(days)) => Span::seconds(days * 24 * 3600),
            (false, _) => {
                let (from, to) = (self.from.minutes(), self.to.minutes());
                let minutes = if to > from { to - from } else { to + 24 * 60 - from };
                Span::seconds(u64::from(minutes) * 60).min(day)
            }
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} {} to {} {}", self.days, self.from, self.to, self.zone)?;
        match (self.calendar, self.on_holidays) {
            (Calendar::None, _) | (_, OnHolidays::Open) => Ok(()),
            (calendar, OnHolidays::Closed) => write!(out, ", not on holidays ({calendar})"),
            (calendar, OnHolidays::Only) => write!(out, ", on holidays only ({calendar})"),
        }
    }
}

#[cfg(test)]
mod tests;
