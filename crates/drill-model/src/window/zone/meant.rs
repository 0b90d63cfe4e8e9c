//! What somebody meant who wrote something that is not a zone: a place, and never one whose clock is hours off.
//!
//! `EDT` is spelt like `EET` and is seven hours away from it: an abbreviation is looked up, an offset is looked for, and only
//! what is spelt like a place is compared by its letters.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::read::nearest;

/// Abbreviations, and the names that Windows has, with the places that they are meant for: the likeliest first.
const ABBREVIATIONS: &[(&str, &[&str])] = &[
    ("ACDT", &["Australia/Adelaide"]),
    ("ACST", &["Australia/Adelaide", "Australia/Darwin"]),
    ("ADT", &["America/Halifax"]),
    ("AEDT", &["Australia/Sydney"]),
    ("AEST", &["Australia/Sydney", "Australia/Brisbane"]),
    ("AKDT", &["America/Anchorage"]),
    ("AKST", &["America/Anchorage"]),
    ("ART", &["America/Argentina/Buenos_Aires"]),
    ("AST", &["America/Halifax", "America/Puerto_Rico", "Asia/Riyadh"]),
    ("AWST", &["Australia/Perth"]),
    ("BRT", &["America/Sao_Paulo"]),
    ("BST", &["Europe/London", "Asia/Dhaka"]),
    ("CAT", &["Africa/Maputo"]),
    ("CDT", &["America/Chicago", "America/Havana"]),
    ("CEST", &["Europe/Berlin"]),
    ("CST", &["America/Chicago", "Asia/Shanghai", "America/Havana"]),
    ("EAT", &["Africa/Nairobi"]),
    ("EDT", &["America/New_York"]),
    ("EEST", &["Europe/Helsinki"]),
    ("EST", &["America/New_York"]),
    ("ET", &["America/New_York"]),
    ("CT", &["America/Chicago"]),
    ("MT", &["America/Denver"]),
    ("PT", &["America/Los_Angeles"]),
    ("GST", &["Asia/Dubai"]),
    ("HKT", &["Asia/Hong_Kong"]),
    ("HDT", &["America/Adak"]),
    ("IDT", &["Asia/Jerusalem"]),
    ("IST", &["Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"]),
    ("JST", &["Asia/Tokyo"]),
    ("KST", &["Asia/Seoul"]),
    ("MDT", &["America/Denver"]),
    ("MEST", &["Europe/Berlin"]),
    ("MESZ", &["Europe/Berlin"]),
    ("MEZ", &["Europe/Berlin"]),
    ("MSK", &["Europe/Moscow"]),
    ("MST", &["America/Denver", "America/Phoenix"]),
    ("NDT", &["America/St_Johns"]),
    ("NST", &["America/St_Johns"]),
    ("NZDT", &["Pacific/Auckland"]),
    ("NZST", &["Pacific/Auckland"]),
    ("PDT", &["America/Los_Angeles"]),
    ("PKT", &["Asia/Karachi"]),
    ("PST", &["America/Los_Angeles", "Asia/Manila"]),
    ("SAST", &["Africa/Johannesburg"]),
    ("SGT", &["Asia/Singapore"]),
    ("WAT", &["Africa/Lagos"]),
    ("WEST", &["Europe/Lisbon"]),
    ("WIB", &["Asia/Jakarta"]),
    ("Z", &["UTC"]),
    ("Eastern Standard Time", &["America/New_York"]),
    ("Central Standard Time", &["America/Chicago"]),
    ("Mountain Standard Time", &["America/Denver"]),
    ("Pacific Standard Time", &["America/Los_Angeles"]),
    ("GMT Standard Time", &["Europe/London"]),
    ("W. Europe Standard Time", &["Europe/Berlin"]),
    ("India Standard Time", &["Asia/Kolkata"]),
    ("Tokyo Standard Time", &["Asia/Tokyo"]),
];

/// Places to name for an offset: the best known first.
const PLACES: &[&str] = &[
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Bogota",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Helsinki",
    "Europe/Moscow",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "Africa/Nairobi",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Dhaka",
    "Asia/Jakarta",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Sydney",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Halifax",
    "America/St_Johns",
    "Atlantic/Reykjavik",
];

/// How many places are named.
const MOST: usize = 3;

/// What to write instead of this text.
pub(super) fn by(text: &str) -> String {
    if let Some((_, places)) = ABBREVIATIONS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return match places {
            [one] if one.contains('/') => format!("the place, `{one}`"),
            [one] => format!("`{one}`"),
            several => format!("the place that is meant: {}", listed(several)),
        };
    }
    if let Some(minutes) = offset(text) {
        return by_offset(minutes);
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // `New_York` is meant more often than a zone that is spelt a little like it.
    let last =
        |name: &&&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&text.replace(' ', "_")));
    let spelt = || if is_like_a_place(text) { nearest(text, &names) } else { None };
    match names.iter().find(last).copied().or_else(spelt) {
        Some(meant) if !text.is_empty() => format!("`{meant}`, or another name such as `Europe/Berlin` or `UTC`"),
        Some(_) | None => "a name such as `America/New_York`, `Europe/Berlin` or `UTC`".to_owned(),
    }
}

/// An abbreviation, or anything with a number in it, is hours away from what is spelt like it.
fn is_like_a_place(text: &str) -> bool {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).count();
    letters > 5 && !text.chars().any(|letter| letter.is_ascii_digit())
}

/// The minutes of `+01:00`, `UTC-5`, `GMT+0530`.
fn offset(text: &str) -> Option<i32> {
    let number = ["UTC", "GMT", "Z"]
        .iter()
        .find_map(|word| {
            text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)).map(|_| &text[word.len()..])
        })
        .unwrap_or(text)
        .trim();
    let (sign, number) = match number.as_bytes().first()? {
        b'+' => (1, &number[1..]),
        b'-' => (-1, &number[1..]),
        _ => return None,
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    let (hours, minutes) = match (number.split_once(':'), number.len()) {
        (Some((hours, minutes)), _) => (hours, minutes),
        (None, 1 | 2) => (number, "0"),
        (None, 4) => number.split_at(2),
        (None, _) => return None,
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then(|| sign * (i32::from(hours) * 60 + i32::from(minutes)))
}

/// Places whose clock shows this offset, in winter or in summer, and the zone that does all year.
fn by_offset(minutes: i32) -> String {
    if minutes == 0 {
        return "`UTC`, or `Europe/London` if the clock changes".to_owned();
    }
    // A northern winter and a northern summer; both lie before any day on which this is asked.
    let shows = |place: &&&str, second: i64| -> bool {
        let instant = Timestamp::from_second(second).ok();
        let zone = TimeZone::get(place).ok();
        instant.zip(zone).is_some_and(|(instant, zone)| zone.to_offset(instant).seconds() == minutes * 60)
    };
    let places: Vec<&str> = PLACES
        .iter()
        .filter(|place| shows(place, 1_736_899_200) || shows(place, 1_752_537_600))
        .copied()
        .take(MOST)
        .collect();
    // In these names the sign says how far UTC is from here.
    let hours = minutes / 60;
    let fixed = (minutes % 60 == 0 && (-12..=14).contains(&hours)).then(|| format!("`Etc/GMT{:+}`", -hours));
    match (places.as_slice(), fixed) {
        ([], Some(fixed)) => format!("{fixed}: the sign in this name is the other way round"),
        ([], None) => "the name of a place, such as `America/New_York` or `Europe/Berlin`".to_owned(),
        (places, None) => format!("a place with this clock, such as {}", listed(places)),
        (places, Some(fixed)) => format!(
            "a place that has this clock, in winter or in summer, such as {}, or {fixed} for all year: the sign in this name is the other way round",
            listed(places)
        ),
    }
}

fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_that_is_named_is_a_zone() {
        let named = ABBREVIATIONS.iter().flat_map(|(_, places)| places.iter()).chain(PLACES);
        for place in named {
            assert_eq!(TimeZone::get(place).ok().as_ref().and_then(TimeZone::iana_name), Some(*place), "{place}");
        }
    }

    #[test]
    fn an_abbreviation_is_answered_with_the_places_that_use_it() {
        for (text, expected) in [
            ("EDT", "the place, `America/New_York`"),
            ("edt", "the place, `America/New_York`"),
            ("PST", "the place that is meant: `America/Los_Angeles` or `Asia/Manila`"),
            ("CST", "the place that is meant: `America/Chicago`, `Asia/Shanghai` or `America/Havana`"),
            ("Z", "`UTC`"),
            ("Pacific Standard Time", "the place, `America/Los_Angeles`"),
            ("XYT", "a name such as `America/New_York`, `Europe/Berlin` or `UTC`"),
        ] {
            assert_eq!(by(text), expected, "{text}");
        }
    }

    #[test]
    fn an_offset_is_answered_with_places_that_have_it_and_the_sign_is_told() {
        for (text, expected) in [
            (
                "GMT+1",
                "a place that has this clock, in winter or in summer, such as `Europe/London`, `Europe/Berlin` or \
                 `Africa/Lagos`, or `Etc/GMT-1` for all year: the sign in this name is the other way round",
            ),
            (
                "UTC-05:00",
                "a place that has this clock, in winter or in summer, such as `America/New_York`, `America/Chicago` or \
                 `America/Bogota`, or `Etc/GMT+5` for all year: the sign in this name is the other way round",
            ),
            ("+0530", "a place with this clock, such as `Asia/Kolkata`"),
            ("-12", "`Etc/GMT+12`: the sign in this name is the other way round"),
            ("+00:00", "`UTC`, or `Europe/London` if the clock changes"),
            ("+25:00", "a name such as `America/New_York`, `Europe/Berlin` or `UTC`"),
            ("+aéb", "a name such as `America/New_York`, `Europe/Berlin` or `UTC`"),
            ("UTC+é", "a name such as `America/New_York`, `Europe/Berlin` or `UTC`"),
        ] {
            assert_eq!(by(text), expected, "{text}");
        }
    }

    /// The offset that an abbreviation stands for is one that each of its places has, in winter or in summer.
    #[test]
    fn no_place_is_hours_off_its_abbreviation() {
        for (word, offsets) in [
            ("EDT", &[-4][..]),
            ("EST", &[-5][..]),
            ("PST", &[-8, 8][..]),
            ("PDT", &[-7][..]),
            ("CST", &[-6, 8, -5][..]),
            ("CEST", &[2][..]),
            ("BST", &[1, 6][..]),
            ("JST", &[9][..]),
            ("AEDT", &[11][..]),
            ("NZST", &[12][..]),
            ("MSK", &[3][..]),
            ("EEST", &[3][..]),
        ] {
            let (_, places) = ABBREVIATIONS.iter().find(|(known, _)| *known == word).unwrap();
            for (place, hours) in places.iter().zip(offsets) {
                let zone = TimeZone::get(place).unwrap();
                let shown = [1_736_899_200, 1_752_537_600]
                    .map(|second| zone.to_offset(Timestamp::from_second(second).unwrap()).seconds() / 3600);
                assert!(shown.contains(hours), "{word}: {place} shows {shown:?}");
            }
        }
    }
}
