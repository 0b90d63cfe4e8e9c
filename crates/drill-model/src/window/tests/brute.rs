//! Every minute of two years, as the clock on the wall shows it, against the arithmetic of the windows.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use proptest::prelude::*;

use super::super::calendar::DayKind;
use super::super::*;

const ZONES: [&str; 6] =
    ["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca"];
const FIRST: i64 = 1_735_689_600; // 2025-01-01T00:00:00Z
const MINUTES: usize = 2 * 365 * 24 * 60;
/// Days at the edges whose clock is not in the table.
const EDGE: usize = 4 * 24 * 60;

/// What the clock of each zone shows, minute by minute.
static CLOCKS: LazyLock<Vec<Vec<DateTime>>> = LazyLock::new(|| {
    let shows = |zone: &TimeZone, minute: usize| zone.to_datetime(instant(minute));
    ZONES
        .iter()
        .map(|name| {
            let zone = TimeZone::get(name).unwrap();
            (0..MINUTES).map(|minute| shows(&zone, minute)).collect()
        })
        .collect()
});

/// The minutes at which the clock of each zone changes.
static CHANGES: LazyLock<Vec<Vec<usize>>> = LazyLock::new(|| {
    let changes = |clock: &Vec<DateTime>| {
        (2 * EDGE..MINUTES - 3 * EDGE).filter(|minute| clock[*minute] != clock[minute - 1] + 1.minute()).collect()
    };
    CLOCKS.iter().map(changes).collect()
});

fn instant(minute: usize) -> Timestamp {
    Timestamp::from_second(FIRST + 60 * i64::try_from(minute).unwrap()).unwrap()
}

/// The first or the last minute, near some minute, at which the clock shows a time; the first after it when it never does.
fn shown(clock: &[DateTime], near: usize, time: DateTime, last: bool) -> usize {
    let minutes = near.saturating_sub(EDGE)..(near + EDGE).min(clock.len());
    let mut equal = minutes.clone().filter(|minute| clock[*minute] == time);
    let found = if last { equal.next_back() } else { equal.next() };
    found.unwrap_or_else(|| minutes.clone().find(|minute| clock[*minute] > time).unwrap_or(minutes.end))
}

/// When the window is open around a minute: every opening of the days around, those that touch joined.
fn openings(window: &Window, clock: &[DateTime], near: usize, days_ahead: i32) -> Vec<(usize, usize)> {
    let today = clock[near].date();
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for offset in -2..=days_ahead {
        let day: Date = today + offset.days();
        let rule = match (window.calendar.day(day).unwrap(), window.on_holidays) {
            (_, OnHolidays::Open) | (DayKind::Working, OnHolidays::Closed) | (DayKind::Holiday, OnHolidays::Only) => {
                true
            }
            (DayKind::Half | DayKind::Holiday, OnHolidays::Closed)
            | (DayKind::Half | DayKind::Working, OnHolidays::Only) => false,
        };
        if !window.days.contains(day.weekday()) || !rule {
            continue;
        }
        let time = |text: String, day: Date| {
            let (hours, minutes) = text.split_once(':').unwrap();
            day.at(hours.parse().unwrap(), minutes.parse().unwrap(), 0, 0)
        };
        let end = if window.to <= window.from { day.tomorrow().unwrap() } else { day };
        let around = near + usize::try_from(offset.max(0)).unwrap() * 24 * 60;
        let opens = shown(clock, around, time(window.from.to_string(), day), false);
        let closes = shown(clock, around, time(window.to.to_string(), end), true);
        match joined.last_mut() {
            _ if opens >= closes => {}
            Some((_, end)) if opens <= *end => *end = closes.max(*end),
            _ => joined.push((opens, closes)),
        }
    }
    joined
}

fn any_window() -> impl Strategy<Value = (usize, Window)> {
    let days = prop::sample::select(vec!["daily", "mon-fri", "sat,sun", "sun", "sat-mon", "sun-thu"]);
    // Around the changes of the clock, and anywhere.
    let time = prop_oneof![0u16..240, 0u16..1440]
        .prop_map(|minutes| TimeOfDay::try_from(format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap());
    let calendar = prop::sample::select(vec![Calendar::None, Calendar::Nyse, Calendar::Lse, Calendar::Target]);
    let rule = prop::sample::select(vec![OnHolidays::Closed, OnHolidays::Open, OnHolidays::Only]);
    (0..ZONES.len(), days, time.clone(), time, any::<bool>(), calendar, rule).prop_map(
        |(zone, days, from, to, whole, calendar, on_holidays)| {
            let window = Window {
                days: Days::try_from(days.to_owned()).unwrap(),
                from,
                to: if whole { from } else { to },
                zone: Zone::try_from(ZONES[zone].to_owned()).unwrap(),
                calendar,
                on_holidays,
                faults: Vec::new(),
            };
            (zone, window)
        },
    )
}

/// A minute: anywhere, or near one at which the clock of the zone changes.
fn minute_near(zone: usize, choice: usize, offset: i64) -> usize {
    let near = match CHANGES[zone].get(choice % 8) {
        Some(change) => i64::try_from(*change).unwrap() + offset % (36 * 60),
        None => offset.rem_euclid(i64::try_from(MINUTES).unwrap()),
    };
    usize::try_from(near).unwrap().clamp(2 * EDGE, MINUTES - 3 * EDGE)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_run_is_permitted_exactly_while_the_clock_on_the_wall_says_so(
        (zone, window) in any_window(),
        choice in 0usize..16,
        offset in -1_000_000i64..1_000_000,
        length in prop_oneof![0usize..120, 0usize..3000],
    ) {
        let from = minute_near(zone, choice, offset);
        let until = from + length;
        let open = openings(&window, &CLOCKS[zone], from, 4);
        let expected = open.iter().any(|(opens, closes)| *opens <= from && from < *closes && until <= *closes);

        let permitted = permits(&[window], &[FaultKind::CpuStress], instant(from), instant(until)).is_ok();

        prop_assert_eq!(permitted, expected, "{} {}: {:?}", instant(from), instant(until), open);
    }

    #[test]
    fn the_next_opening_that_is_told_is_the_first_at_which_the_run_fits(
        (zone, window) in any_window(),
        choice in 0usize..16,
        offset in -1_000_000i64..1_000_000,
        length in 1usize..600,
    ) {
        let from = minute_near(zone, choice, offset);
        let fits = |minute: usize| {
            window.open_until(instant(minute)).unwrap().is_some_and(|end| instant(minute + length) <= end)
        };
        let answer =
            permits(std::slice::from_ref(&window), &[FaultKind::CpuStress], instant(from), instant(from + length));

        if let Err(NotNow::Closed { next: Some(next), .. }) = answer {
            let told = usize::try_from((next.opens.at.as_second() - FIRST) / 60).unwrap();
            prop_assert!(told > from);
            if told < MINUTES - EDGE {
                prop_assert!(fits(told));
            }
            for minute in from + 1..told.min(from + 3000) {
                prop_assert!(!fits(minute), "{} is earlier than {}", instant(minute), next);
            }
        }
    }
}
