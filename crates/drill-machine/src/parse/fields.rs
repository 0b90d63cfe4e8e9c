//! The members of one object, taken one by one; what nobody took is an error.
//!
//! Next: `states` and `rules`, which take them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ParseError;
use crate::path::{Path, Root, Step};
use crate::template::Template;

/// The context object as far as this crate gives it.
const CONTEXT: [[&str; 2]; 6] = [
    ["Execution", "Id"],
    ["Execution", "Name"],
    ["Execution", "Input"],
    ["State", "Name"],
    ["State", "RetryCount"],
    ["Task", "Token"],
];

pub(super) struct Fields<'a> {
    place: String,
    left: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Fields<'a> {
    pub fn of(place: impl Into<String>, value: &'a Value) -> Result<Self, ParseError> {
        let place = place.into();
        let Some(members) = value.as_object() else {
            return Err(ParseError::Wrong {
                place,
                field: "the whole".into(),
                expected: "an object",
                found: value.to_string(),
            });
        };
        Ok(Self { place, left: members.iter().map(|(name, value)| (name.as_str(), value)).collect() })
    }

    pub fn place(&self) -> &str {
        &self.place
    }

    pub fn take(&mut self, field: &str) -> Option<&'a Value> {
        self.left.remove(field)
    }

    pub fn has(&self, field: &str) -> bool {
        self.left.contains_key(field)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.left.keys().copied()
    }

    pub fn is_null(&self, field: &str) -> bool {
        self.left.get(field).is_some_and(|value| value.is_null())
    }

    /// Ends the reading: what is left is unsupported if the language knows it there, else unknown.
    pub fn finish(self, known: &[&str]) -> Result<(), ParseError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(field) if known.contains(field) => {
                Err(ParseError::Unsupported { place: self.place, feature: format!("`{field}`") })
            }
            Some(field) => Err(ParseError::UnknownField { place: self.place, field: (*field).into() }),
        }
    }

    pub fn missing(&self, field: &'static str) -> ParseError {
        ParseError::Missing { place: self.place.clone(), field }
    }

    pub fn wrong(&self, field: &str, expected: &'static str, found: &Value) -> ParseError {
        ParseError::Wrong { place: self.place.clone(), field: field.into(), expected, found: found.to_string() }
    }

    pub fn unsupported(&self, feature: impl Into<String>) -> ParseError {
        ParseError::Unsupported { place: self.place.clone(), feature: feature.into() }
    }

    pub fn object(&mut self, field: &'static str) -> Result<&'a Map<String, Value>, ParseError> {
        let value = self.take(field).ok_or_else(|| self.missing(field))?;
        value.as_object().ok_or_else(|| self.wrong(field, "an object", value))
    }

    pub fn optional_list(&mut self, field: &str) -> Result<Option<&'a Vec<Value>>, ParseError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let list = value.as_array().filter(|list| !list.is_empty());
        list.map(Some).ok_or_else(|| self.wrong(field, "a list with something in it", value))
    }

    pub fn optional_text(&mut self, field: &str) -> Result<Option<String>, ParseError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| self.wrong(field, "a text", value))
    }

    pub fn text(&mut self, field: &'static str) -> Result<String, ParseError> {
        self.optional_text(field)?.ok_or_else(|| self.missing(field))
    }

    pub fn optional_count(&mut self, field: &str) -> Result<Option<u64>, ParseError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let count = value.as_u64().filter(|count| *count <= crate::definition::MOST_SECONDS);
        count.map(Some).ok_or_else(|| self.wrong(field, "a whole number from 0 to 99999999", value))
    }

    pub fn optional_seconds(&mut self, field: &str) -> Result<Option<u64>, ParseError> {
        match self.optional_count(field)? {
            Some(0) => Err(self.wrong(field, "a whole number of seconds above 0", &Value::from(0))),
            seconds => Ok(seconds),
        }
    }

    pub fn optional_path(&mut self, field: &str) -> Result<Option<Path>, ParseError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| self.wrong(field, "a path", value))?;
        let path = Path::parse(text).map_err(|source| self.bad_path(field, source))?;
        self.context_is_known(&path)?;
        Ok(Some(path))
    }

    pub fn optional_template(&mut self, field: &str) -> Result<Option<Template>, ParseError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let template =
            Template::parse(value).map_err(|(member, source)| self.bad_path(&format!("{field}.{member}"), source))?;
        template.paths().into_iter().try_for_each(|path| self.context_is_known(path))?;
        Ok(Some(template))
    }

    fn bad_path(&self, field: &str, source: crate::path::InvalidPath) -> ParseError {
        ParseError::Path { place: self.place.clone(), field: field.into(), source }
    }

    fn context_is_known(&self, path: &Path) -> Result<(), ParseError> {
        if path.root() == Root::Input {
            return Ok(());
        }
        let known = matches!(path.steps(), [Step::Field(first), Step::Field(second), ..]
            if CONTEXT.contains(&[first.as_str(), second.as_str()]));
        if known { Ok(()) } else { Err(self.unsupported(format!("`{path}` of the context object"))) }
    }
}
