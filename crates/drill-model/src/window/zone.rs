//! A time zone, by its name in the database that is built in: a window means the same on every machine.

use std::fmt;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::read::nearest;

/// A time zone of the IANA database: `America/New_York`, `UTC`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[A-Za-z][A-Za-z0-9_+/-]{1,63}$"))]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Text that names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone: write {meant}")]
pub struct InvalidZone {
    name: String,
    meant: String,
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
        // The database would also take another case, and `posix/…`; a name is written as it is.
        match TimeZone::get(&text) {
            Ok(zone) if zone.iana_name() == Some(text.as_str()) => Ok(Self { name: text, zone }),
            known => {
                let meant = match known.as_ref().ok().and_then(TimeZone::iana_name) {
                    Some(name) => format!("`{name}`"),
                    None => suggestion(&text),
                };
                Err(InvalidZone { name: text.chars().take(40).collect(), meant })
            }
        }
    }
}

fn suggestion(text: &str) -> String {
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // `New_York` is meant more often than a zone that is spelt a little like it.
    let last =
        |name: &&&str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&text.replace(' ', "_")));
    match names.iter().find(last).copied().or_else(|| nearest(text, &names)) {
        Some(meant) if !text.is_empty() => format!("`{meant}`, or another name such as `Europe/Berlin` or `UTC`"),
        _ => "a name such as `America/New_York`, `Europe/Berlin` or `UTC`".to_owned(),
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
        assert_eq!(
            answer("+01:00"),
            "`+01:00` is not a time zone: write a name such as `America/New_York`, `Europe/Berlin` or `UTC`"
        );
    }
}
