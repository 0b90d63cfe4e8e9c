//! The tables against the rules that the exchanges follow, written independently of them.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

use super::*;

fn easter(year: i16) -> Date {
    // The Gregorian computus of Meeus, Jones and Butcher.
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e, f) = (b / 4, b % 4, (b + 8) / 25);
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let (month, day) = ((h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1);
    date(year, i8::try_from(month).unwrap(), i8::try_from(day).unwrap())
}

fn nth(year: i16, month: i8, nth: i8, weekday: Weekday) -> Date {
    date(year, month, 1).nth_weekday_of_month(nth, weekday).unwrap()
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// What is on a Saturday is kept on Friday, what is on a Sunday on Monday.
fn nearest_weekday(day: Date) -> Date {
    match day.weekday() {
        Weekday::Saturday => day - 1.day(),
        Weekday::Sunday => day + 1.day(),
        _ => day,
    }
}

fn table(year: &Year) -> (Vec<Date>, Vec<Date>) {
    let dates = |days: &[(i8, i8)]| days.iter().map(|(month, day)| date(year.year, *month, *day)).collect();
    (dates(year.closed), dates(year.half))
}

fn sorted(mut days: Vec<Date>) -> Vec<Date> {
    days.sort();
    days
}

#[test]
fn new_york_keeps_its_rules() {
    for known in &NYSE {
        let year = known.year;
        let mut closed = vec![
            nth(year, 1, 3, Weekday::Monday),
            nth(year, 2, 3, Weekday::Monday),
            easter(year) - 2.days(),
            nth(year, 5, -1, Weekday::Monday),
            nearest_weekday(date(year, 6, 19)),
            nearest_weekday(date(year, 7, 4)),
            nth(year, 9, 1, Weekday::Monday),
            nth(year, 11, 4, Weekday::Thursday),
            nearest_weekday(date(year, 12, 25)),
        ];
        // New Year's Day on a Saturday is not kept: the Friday is the end of an accounting year.
        match date(year, 1, 1).weekday() {
            Weekday::Saturday => {}
            _ => closed.push(nearest_weekday(date(year, 1, 1))),
        }
        if year == 2025 {
            closed.push(date(2025, 1, 9));
        }
        let eves = [date(year, 7, 3), nth(year, 11, 4, Weekday::Thursday) + 1.day(), date(year, 12, 24)];
        let half: Vec<Date> = eves
            .into_iter()
            .filter(|eve| !is_weekend(*eve) && !closed.contains(eve))
            // The eve of a Fourth of July at the weekend is a day like any other.
            .filter(|eve| eve.month() != 7 || !is_weekend(date(year, 7, 4)))
            .collect();

        assert_eq!(table(known), (sorted(closed), half), "{year}");
    }
}

#[test]
fn london_keeps_its_rules() {
    for known in &LSE {
        let year = known.year;
        let following = |mut day: Date, taken: &[Date]| {
            while is_weekend(day) || taken.contains(&day) {
                day += 1.day();
            }
            day
        };
        let mut closed = vec![
            following(date(year, 1, 1), &[]),
            easter(year) - 2.days(),
            easter(year) + 1.day(),
            nth(year, 5, 1, Weekday::Monday),
            nth(year, 5, -1, Weekday::Monday),
            nth(year, 8, -1, Weekday::Monday),
        ];
        let christmas = following(date(year, 12, 25), &[]);
        closed.extend([christmas, following(date(year, 12, 26), &[christmas])]);
        let last_before = |mut day: Date| {
            while is_weekend(day) {
                day -= 1.day();
            }
            day
        };
        let half = vec![last_before(date(year, 12, 24)), last_before(date(year, 12, 31))];

        assert_eq!(table(known), (sorted(closed), half), "{year}");
    }
}

#[test]
fn the_euro_keeps_its_rules() {
    for known in &TARGET {
        let year = known.year;
        let closed = vec![
            date(year, 1, 1),
            easter(year) - 2.days(),
            easter(year) + 1.day(),
            date(year, 5, 1),
            date(year, 12, 25),
            date(year, 12, 26),
        ];

        assert_eq!(table(known), (sorted(closed), Vec::new()), "{year}");
    }
}

#[test]
fn the_years_follow_each_other() {
    for years in [&NYSE, &LSE, &TARGET] {
        assert_eq!(years.map(|known| known.year), [2024, 2025, 2026, 2027, 2028, 2029, 2030]);
    }
}
