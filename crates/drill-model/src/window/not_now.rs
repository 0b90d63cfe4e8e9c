//! A run that may not begin now, and when it may.

use std::fmt;

use jiff::{Timestamp, ToSpan};

use super::calendar::{Calendar, UnknownYear};
use super::{Window, Zone};
use crate::faults::FaultKind;
use crate::quantity::Span;

/// So far ahead a window that is long enough is looked for.
const DAYS_AHEAD: usize = 400;

/// Why a run may not begin now, and when it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// No window is for a kind of fault in the run.
    #[error("no window is for `{kind}`: add one, or remove `faults` from one")]
    NoWindow {
        /// The kind.
        kind: FaultKind,
    },
    /// The run is longer than any window for a kind of fault in it.
    #[error(
        "the run needs {needs} and no window for `{kind}` is ever open for longer than {longest}: shorten the run, or widen a window"
    )]
    TooLong {
        /// The kind.
        kind: FaultKind,
        /// How long the run takes.
        needs: Span,
        /// The longest that a window for the kind is open.
        longest: Span,
    },
    /// The windows are closed, or close too early.
    #[error("{}", Shut { kind: *kind, needs: *needs, closes: closes.as_ref(), next: next.as_deref() })]
    Closed {
        /// A kind of fault that may not be done now.
        kind: FaultKind,
        /// How long the run takes.
        needs: Span,
        /// When the window closes that is open now, if one is.
        closes: Option<Moment>,
        /// The next time at which the whole run fits; absent when there is none within a year.
        next: Option<Box<Opening>>,
    },
    /// A calendar has no holidays for a year that would have to be looked at.
    #[error(
        "the holidays of `{calendar}` are not known for {year}: a window that depends on them stays closed, so write one with `on_holidays: open`, or use a version that knows them"
    )]
    UnknownHolidays {
        /// The calendar.
        calendar: Calendar,
        /// The year.
        year: i16,
    },
}

/// When a run would fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The run may begin then.
    pub opens: Moment,
    /// And must have ended by then.
    pub closes: Moment,
}

/// An instant, told in the zone of a window and in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: Timestamp,
    /// The zone of the window.
    pub zone: Zone,
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.at.to_zoned(self.zone.get().clone());
        write!(out, "{} {}", local.strftime("%a %Y-%m-%d %H:%M"), self.zone)?;
        if self.zone.name() == "UTC" { Ok(()) } else { write!(out, " ({})", self.at.strftime("%Y-%m-%d %H:%M UTC")) }
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} and closes {}", self.opens, self.closes)
    }
}

/// The words of a window that is shut.
struct Shut<'a> {
    kind: FaultKind,
    needs: Span,
    closes: Option<&'a Moment>,
    next: Option<&'a Opening>,
}

impl fmt::Display for Shut<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, needs, closes, next } = self;
        match closes {
            Some(closes) => write!(out, "the window for `{kind}` closes {closes}, and the run needs {needs}: ")?,
            None => write!(out, "no window for `{kind}` is open, and the run needs {needs}: ")?,
        }
        match next {
            Some(next) => write!(out, "the next that is long enough opens {next}"),
            None => out.write_str("none within a year is long enough"),
        }
    }
}

pub(super) fn decide(windows: &[Window], kinds: &[FaultKind], from: Timestamp, until: Timestamp) -> Result<(), NotNow> {
    if windows.is_empty() {
        return Ok(());
    }
    let needs = length(from, until);
    let mut shut = None;
    for kind in kinds {
        let fits = fits(windows, *kind, from, until);
        let Fit::No { closes, unknown } = fits else { continue };
        let longest = windows.iter().filter(|window| window.is_for(*kind)).map(Window::longest).max();
        match longest {
            None => return Err(NotNow::NoWindow { kind: *kind }),
            // A night is an hour longer once a year; a run that only fits there may wait for it.
            Some(longest) if longest.plus(Span::seconds(2 * 3600)) < needs => {
                return Err(NotNow::TooLong { kind: *kind, needs, longest });
            }
            Some(_) => shut = shut.or(Some((*kind, closes, unknown))),
        }
    }
    let Some((kind, closes, unknown)) = shut else { return Ok(()) };
    match (next(windows, kinds, from, until), unknown) {
        (None, Some(UnknownYear { calendar, year })) => Err(NotNow::UnknownHolidays { calendar, year }),
        (next, _) => Err(NotNow::Closed { kind, needs, closes, next: next.map(Box::new) }),
    }
}

/// Whether a run fits into one opening of one window for a kind of fault.
enum Fit {
    Yes,
    No {
        /// When the window closes that is open when the run begins, if one is.
        closes: Option<Moment>,
        /// A year that a window could not be decided for.
        unknown: Option<UnknownYear>,
    },
}

fn fits(windows: &[Window], kind: FaultKind, from: Timestamp, until: Timestamp) -> Fit {
    let (mut closes, mut unknown): (Option<Moment>, _) = (None, None);
    for window in windows.iter().filter(|window| window.is_for(kind)) {
        match window.open_until(from) {
            Ok(Some(end)) if end >= until => return Fit::Yes,
            Ok(Some(end)) => {
                if closes.as_ref().is_none_or(|known| known.at < end) {
                    closes = Some(Moment { at: end, zone: window.zone.clone() });
                }
            }
            Ok(None) => {}
            Err(year) => unknown = unknown.or(Some(year)),
        }
    }
    Fit::No { closes, unknown }
}

/// The next time at which the whole run fits for every kind: the first opening of a window that all the others allow too.
fn next(windows: &[Window], kinds: &[FaultKind], from: Timestamp, until: Timestamp) -> Option<Opening> {
    let run = until.duration_since(from);
    let mut openings: Vec<(Timestamp, &Window)> = windows.iter().flat_map(|window| openings(window, from)).collect();
    openings.sort_by_key(|(opens, _)| *opens);
    openings.into_iter().find_map(|(opens, window)| {
        let until = opens.checked_add(run).ok()?;
        if !kinds.iter().all(|kind| matches!(fits(windows, *kind, opens, until), Fit::Yes)) {
            return None;
        }
        let closes = window.open_until(opens).ok().flatten()?;
        let moment = |at| Moment { at, zone: window.zone.clone() };
        Some(Opening { opens: moment(opens), closes: moment(closes) })
    })
}

fn openings(window: &Window, after: Timestamp) -> impl Iterator<Item = (Timestamp, &Window)> {
    let today = window.zone.get().to_datetime(after).date();
    today
        .series(1.day())
        .take(DAYS_AHEAD)
        .filter_map(move |date| window.on(date).ok().flatten())
        .filter(move |(opens, _)| *opens > after)
        .map(move |(opens, _)| (opens, window))
}

fn length(from: Timestamp, until: Timestamp) -> Span {
    Span::millis(u64::try_from(until.duration_since(from).as_millis()).unwrap_or(u64::MAX))
}
