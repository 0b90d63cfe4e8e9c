//! From days and times on a clock to instants: when a window opens, and until when it stays open.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::calendar::UnknownYear;
use super::{TimeOfDay, Window};

/// A window whose openings touch, day after day, is followed so far.
const MOST_DAYS: usize = 400;

impl Window {
    /// When it opens on a date, and closes; `None` when it does not open then.
    pub(super) fn on(&self, date: Date) -> Result<Option<(Timestamp, Timestamp)>, UnknownYear> {
        if !self.days.contains(date.weekday()) || !self.calendar.opens_on(date, self.on_holidays)? {
            return Ok(None);
        }
        let end = if self.to > self.from { Some(date) } else { date.tomorrow().ok() };
        let (Some(opens), Some(closes)) =
            (self.instant(date, self.from, Clock::First), end.and_then(|end| self.instant(end, self.to, Clock::Last)))
        else {
            return Ok(None);
        };
        // Both may be in the same gap of the clock.
        Ok((opens < closes).then_some((opens, closes)))
    }

    /// Until when it stays open from an instant on; `None` when it is not open then.
    pub(super) fn open_until(&self, from: Timestamp) -> Result<Option<Timestamp>, UnknownYear> {
        let today = self.zone.get().to_datetime(from).date();
        let mut end = None;
        for date in [today.yesterday().ok(), Some(today)].into_iter().flatten() {
            // Both days may be open: one that began yesterday, and the one of today that begins before it ends.
            if let Some((opens, closes)) = self.on(date)?
                && (opens..closes).contains(&from)
            {
                end = end.max(Some((closes, date)));
            }
        }
        let Some((mut end, mut date)) = end else { return Ok(None) };
        for _ in 0..MOST_DAYS {
            let Ok(next) = date.tomorrow() else { break };
            // What is not known of a day that was not asked about does not matter.
            match self.on(next) {
                Ok(Some((opens, closes))) if opens <= end => (end, date) = (end.max(closes), next),
                Ok(_) | Err(_) => break,
            }
        }
        Ok(Some(end))
    }

    fn instant(&self, date: Date, time: TimeOfDay, which: Clock) -> Option<Timestamp> {
        instant(self.zone.get(), time.on(date), which)
    }
}

/// Which of the two instants at which a clock shows the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    First,
    Last,
}

/// The instant at which a clock shows a time; the first after the gap when it never does.
fn instant(zone: &TimeZone, time: DateTime, which: Clock) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(time).ok(),
        AmbiguousOffset::Fold { before, after } => {
            let offset = if which == Clock::First { before } else { after };
            offset.to_timestamp(time).ok()
        }
        AmbiguousOffset::Gap { before, .. } => {
            // With the offset from before the gap, a time in it is an instant after it: the last change then is the gap.
            let inside = before.to_timestamp(time).ok()?.checked_add(1.nanosecond()).ok()?;
            zone.preceding(inside).next().map(|change| change.timestamp())
        }
    }
}
