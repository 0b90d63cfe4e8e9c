use jiff::Timestamp;

use super::*;

mod brute;

fn window(days: &str, from: &str, to: &str, zone: &str) -> Window {
    Window {
        days: Days::try_from(days.to_owned()).unwrap(),
        from: TimeOfDay::try_from(from.to_owned()).unwrap(),
        to: TimeOfDay::try_from(to.to_owned()).unwrap(),
        zone: Zone::try_from(zone.to_owned()).unwrap(),
        calendar: Calendar::None,
        on_holidays: OnHolidays::Closed,
        faults: Vec::new(),
    }
}

fn nyse(rule: OnHolidays) -> Window {
    Window { calendar: Calendar::Nyse, on_holidays: rule, ..window("mon-fri", "17:00", "08:00", "America/New_York") }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The answer to a run of a network-latency fault.
fn answer(windows: &[Window], from: &str, until: &str) -> Result<(), String> {
    permits(windows, &[FaultKind::NetworkLatency], at(from), at(until)).map_err(|error| error.to_string())
}

#[test]
fn without_windows_it_may_run_at_any_time() {
    assert_eq!(answer(&[], "2026-03-02T12:00:00Z", "2026-03-02T12:10:00Z"), Ok(()));
}

#[test]
fn the_whole_run_fits_into_one_window() {
    let windows = [window("mon-fri", "17:00", "08:00", "America/New_York")];

    // Monday 17:00 in New York is 22:00 UTC; Tuesday 08:00 is 13:00.
    assert_eq!(answer(&windows, "2026-03-02T22:00:00Z", "2026-03-03T13:00:00Z"), Ok(()));
    assert_eq!(
        answer(&windows, "2026-03-02T21:59:59Z", "2026-03-02T22:06:29Z"),
        Err("no window for `network-latency` is open, and the run needs 6m30s: the next that is long enough opens \
             Mon 2026-03-02 17:00 America/New_York (2026-03-02 22:00 UTC) and closes \
             Tue 2026-03-03 08:00 America/New_York (2026-03-03 13:00 UTC)"
            .to_owned())
    );
    assert_eq!(
        answer(&windows, "2026-03-03T12:55:00Z", "2026-03-03T13:01:00Z"),
        Err("the window for `network-latency` closes Tue 2026-03-03 08:00 America/New_York (2026-03-03 13:00 UTC), and \
             the run needs 6m: the next that is long enough opens \
             Tue 2026-03-03 17:00 America/New_York (2026-03-03 22:00 UTC) and closes \
             Wed 2026-03-04 08:00 America/New_York (2026-03-04 13:00 UTC)"
            .to_owned())
    );
}

#[test]
fn a_window_across_midnight_belongs_to_the_day_it_opens_on() {
    let windows = [window("fri", "22:00", "02:00", "UTC")];

    assert_eq!(answer(&windows, "2026-03-07T01:00:00Z", "2026-03-07T02:00:00Z"), Ok(()), "Saturday, from Friday");
    assert!(answer(&windows, "2026-03-06T01:00:00Z", "2026-03-06T02:00:00Z").is_err(), "Friday, from Thursday");
}

#[test]
fn a_window_that_opens_as_it_closes_does_not_close() {
    let always = [window("daily", "00:00", "00:00", "UTC")];
    let weekdays = [window("mon-fri", "09:00", "09:00", "UTC")];

    assert_eq!(answer(&always, "2026-03-02T12:00:00Z", "2026-03-12T12:00:00Z"), Ok(()));
    assert_eq!(answer(&weekdays, "2026-03-02T09:00:00Z", "2026-03-07T09:00:00Z"), Ok(()), "Monday to Saturday");
    assert!(answer(&weekdays, "2026-03-02T09:00:00Z", "2026-03-07T09:00:01Z").is_err());
    assert_eq!(weekdays[0].longest(), Span::seconds(5 * 24 * 3600));
}

#[test]
fn two_windows_do_not_add_up() {
    let windows = [window("mon", "09:00", "10:00", "UTC"), window("mon", "10:00", "11:00", "UTC")];

    assert_eq!(
        answer(&windows, "2026-03-02T09:30:00Z", "2026-03-02T10:29:00Z"),
        Err("the window for `network-latency` closes Mon 2026-03-02 10:00 UTC, and the run needs 59m: the next that is \
             long enough opens Mon 2026-03-02 10:00 UTC and closes Mon 2026-03-02 11:00 UTC"
            .to_owned())
    );
}

#[test]
fn a_run_that_no_window_is_long_enough_for_is_told_so() {
    let windows = [window("mon-fri", "09:00", "10:00", "UTC")];

    assert_eq!(
        answer(&windows, "2026-03-02T09:00:00Z", "2026-03-02T13:00:00Z"),
        Err("the run needs 4h and no window for `network-latency` is ever open for longer than 1h: shorten the run, or \
             widen a window"
            .to_owned())
    );
}

#[test]
fn every_kind_needs_a_window_of_its_own() {
    let nights = Window { faults: vec![FaultKind::InstanceStop], ..window("daily", "22:00", "04:00", "UTC") };
    let always = Window { faults: vec![FaultKind::NetworkLatency], ..window("daily", "00:00", "00:00", "UTC") };
    let windows = [nights, always];
    let ask = |kinds: &[FaultKind]| {
        permits(&windows, kinds, at("2026-03-02T12:00:00Z"), at("2026-03-02T12:05:00Z"))
            .map_err(|error| error.to_string())
    };

    assert_eq!(ask(&[FaultKind::NetworkLatency]), Ok(()));
    assert_eq!(
        ask(&[FaultKind::NetworkLatency, FaultKind::InstanceStop]),
        Err("no window for `instance-stop` is open, and the run needs 5m: the next that is long enough opens \
             Mon 2026-03-02 22:00 UTC and closes Tue 2026-03-03 04:00 UTC"
            .to_owned())
    );
    assert_eq!(
        ask(&[FaultKind::DiskFill]),
        Err("no window is for `disk-fill`: add one, or remove `faults` from one".to_owned())
    );
}

#[test]
fn no_run_begins_on_a_holiday() {
    let windows = [nyse(OnHolidays::Closed)];

    // Thanksgiving 2026 is on 26 November; the half day after it is no working day either.
    assert_eq!(
        answer(&windows, "2026-11-26T23:00:00Z", "2026-11-26T23:10:00Z"),
        Err("no window for `network-latency` is open, and the run needs 10m: the next that is long enough opens \
             Mon 2026-11-30 17:00 America/New_York (2026-11-30 22:00 UTC) and closes \
             Tue 2026-12-01 08:00 America/New_York (2026-12-01 13:00 UTC)"
            .to_owned())
    );
    assert_eq!(answer(&windows, "2026-11-26T12:00:00Z", "2026-11-26T12:10:00Z"), Ok(()), "from the evening before");
    assert_eq!(answer(&[nyse(OnHolidays::Open)], "2026-11-26T23:00:00Z", "2026-11-26T23:10:00Z"), Ok(()));
}

#[test]
fn a_window_for_holidays_opens_on_them_alone_and_not_on_half_days() {
    let windows = [nyse(OnHolidays::Only)];

    assert_eq!(answer(&windows, "2026-11-26T23:00:00Z", "2026-11-26T23:10:00Z"), Ok(()));
    assert!(answer(&windows, "2026-11-25T23:00:00Z", "2026-11-25T23:10:00Z").is_err(), "a working day");
    assert!(answer(&windows, "2026-11-27T23:00:00Z", "2026-11-27T23:10:00Z").is_err(), "a half day");
}

#[test]
fn a_year_without_holidays_is_not_a_year_without_holidays() {
    assert_eq!(
        answer(&[nyse(OnHolidays::Closed)], "2031-03-03T23:00:00Z", "2031-03-03T23:10:00Z"),
        Err("the holidays of `nyse` are not known for 2031: a window that depends on them stays closed, so write one \
             with `on_holidays: open`, or use a version that knows them"
            .to_owned())
    );
    assert_eq!(answer(&[nyse(OnHolidays::Open)], "2031-03-03T23:00:00Z", "2031-03-03T23:10:00Z"), Ok(()));
}

/// In New York the clock goes from 02:00 to 03:00 on 2026-03-08, and from 02:00 back to 01:00 on 2026-11-01.
#[test]
fn a_time_that_the_clock_skips_is_the_first_instant_after_the_gap() {
    let opens = window("daily", "02:30", "06:00", "America/New_York");
    let closes = window("daily", "00:00", "02:30", "America/New_York");
    let inside = window("daily", "02:10", "02:50", "America/New_York");
    let gap = at("2026-03-08T07:00:00Z");

    assert_eq!(opens.open_until(gap), Ok(Some(at("2026-03-08T10:00:00Z"))));
    assert_eq!(opens.open_until(at("2026-03-08T06:59:59Z")), Ok(None));
    assert_eq!(closes.open_until(at("2026-03-08T06:00:00Z")), Ok(Some(gap)));
    assert_eq!(inside.on(jiff::civil::date(2026, 3, 8)), Ok(None));
}

#[test]
fn a_time_that_the_clock_shows_twice_opens_first_and_closes_last() {
    let opens = window("daily", "01:30", "06:00", "America/New_York");
    let closes = window("daily", "00:00", "01:30", "America/New_York");
    let (first, second) = (at("2026-11-01T05:30:00Z"), at("2026-11-01T06:30:00Z"));

    assert_eq!(opens.open_until(first), Ok(Some(at("2026-11-01T11:00:00Z"))));
    assert_eq!(opens.on(jiff::civil::date(2026, 11, 1)).unwrap().map(|(opens, _)| opens), Some(first));
    assert_eq!(closes.open_until(first), Ok(Some(second)));
}

#[test]
fn a_window_is_shown_as_it_is_written() {
    assert_eq!(nyse(OnHolidays::Closed).to_string(), "mon-fri 17:00 to 08:00 America/New_York, not on holidays (nyse)");
    assert_eq!(window("daily", "00:00", "00:00", "UTC").to_string(), "daily 00:00 to 00:00 UTC");
}
