//! A time zone, by its name in the database that is built in: a window means the same on every machine.

mod meant;

use std::fmt;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A time zone of the IANA database: `America/New_York`, `UTC`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z][A-Za-z0-9_+/-]{1,63}$"))]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Text that names no time zone, or one that is seldom meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidZone {
    /// It is in no database.
    #[error("`{name}` is not a time zone: write {meant}")]
    Unknown {
        /// What was written.
        name: String,
        /// What to write.
        meant: String,
    },
    /// It is half of a zone: the hours of its winter, all year.
    #[error("`{name}` has no summer time: write `{with}`, or `{without}` if the clock never changes")]
    NoSummer {
        /// What was written.
        name: String,
        /// The place that is meant most often.
        with: &'static str,
        /// A place with the same hours all year.
        without: &'static str,
    },
}

impl Zone {
    /// The name of the zone.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn get(&self) -> &TimeZone {
        &self.zone
    }
}

impl TryFrom<String> for Zone {
    type Error = InvalidZone;

    fn try_from(text: String) -> Result<Self, InvalidZone> {
        // The database has them, and whoever writes one wants New York or Denver, which is an hour off from March to November.
        let half = |with, without| InvalidZone::NoSummer { name: text.clone(), with, without };
        match text.as_str() {
            "EST" => return Err(half("America/New_York", "America/Panama")),
            "MST" => return Err(half("America/Denver", "America/Phoenix")),
            _ => {}
        }
        // The database would also take another case, and `posix/…`; a name is written as it is.
        match TimeZone::get(&text) {
            Ok(zone) if zone.iana_name() == Some(text.as_str()) => Ok(Self { name: text, zone }),
            known => {
                let meant = match known.as_ref().ok().and_then(TimeZone::iana_name) {
                    // `est` is known in another case, and no more meant than `EST`.
                    Some(name) if !matches!(name, "EST" | "MST") => format!("`{name}`"),
                    Some(_) | None => meant::by(&text),
                };
                Err(InvalidZone::Unknown { name: text.chars().take(40).collect(), meant })
            }
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Zone({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_written_as_its_name() {
        for name in ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"] {
            assert_eq!(Zone::try_from(name.to_owned()).map(String::from), Ok(name.to_owned()));
        }
    }

    #[test]
    fn another_name_is_answered_with_the_one_that_was_meant() {
        let answer = |name: &str| Zone::try_from(name.to_owned()).unwrap_err().to_string();

        assert_eq!(answer("america/new_york"), "`america/new_york` is not a time zone: write `America/New_York`");
        assert_eq!(
            answer("New York"),
            "`New York` is not a time zone: write `America/New_York`, or another name such as `Europe/Berlin` or `UTC`"
        );
        assert_eq!(
            answer("Europe/Berln"),
            "`Europe/Berln` is not a time zone: write `Europe/Berlin`, or another name such as `Europe/Berlin` or `UTC`"
        );
    }

    #[test]
    fn half_a_zone_is_answered_with_both_wholes() {
        let answer = |name: &str| Zone::try_from(name.to_owned()).unwrap_err().to_string();

        assert_eq!(
            answer("EST"),
            "`EST` has no summer time: write `America/New_York`, or `America/Panama` if the clock never changes"
        );
        assert_eq!(answer("est"), "`est` is not a time zone: write the place, `America/New_York`");
        for with_summer in ["CET", "EET", "EST5EDT", "PST8PDT"] {
            assert!(Zone::try_from(with_summer.to_owned()).is_ok(), "{with_summer}");
        }
    }
}
