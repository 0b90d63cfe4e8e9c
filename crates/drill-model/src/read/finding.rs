//! What a pass found wrong, before it is told: a place, a message, and what to write instead if that is known.

use std::fmt;
use std::ops::Range;

use serde::de::{self, Expected, Unexpected};

use super::{Complaint, words};

/// Everything that one pass found. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong(pub Vec<Finding>);

/// One thing that a pass found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The bytes it is about; not known where the node was not read from a text.
    pub at: Option<Range<usize>>,
    /// The way to it from the node that was read, innermost first.
    pub steps: Vec<Step>,
    pub kind: Kind,
    pub message: String,
    pub help: Option<String>,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Field(String),
    Item(usize),
}

/// What kind of mistake it is, where that decides what else is worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A field that is not known here.
    UnknownField,
    /// A field that must be there.
    MissingField(&'static str),
    /// What a type says of its own text, in its own words.
    Custom,
    /// Anything else.
    Other,
}

impl Finding {
    pub fn new(at: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at: Some(at), steps: Vec::new(), kind: Kind::Other, message: message.into(), help: Some(help.into()) }
    }

    /// The field of the node that was read in which it was found.
    pub fn outermost(&self) -> Option<String> {
        match self.steps.last() {
            Some(Step::Field(name)) => Some(name.clone()),
            Some(Step::Item(_)) | None => None,
        }
    }

    /// The path from the outermost node that was read.
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps.iter().rev() {
            match step {
                Step::Field(name) if path.is_empty() => path.push_str(name),
                Step::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// The same, as it is told about a text.
    pub fn into_complaint(self, text: &str) -> Complaint {
        let path = self.path();
        let span = self.at.clone().unwrap_or(0..0);
        let (line, column) = position(text, span.start);
        let missing = match self.kind {
            Kind::MissingField(field) => Some(field),
            Kind::UnknownField | Kind::Custom | Kind::Other => None,
        };
        let help = self.help.unwrap_or_else(|| words::example(&self.steps, missing));
        Complaint { line, column, span, path, message: words::plain(&self.message), help: words::plain(&help) }
    }
}

/// The line and the column, both from 1, of a byte.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte.min(text.len()))];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

impl Wrong {
    fn one(kind: Kind, message: String, help: Option<String>) -> Self {
        Self(vec![Finding { at: None, steps: Vec::new(), kind, message, help }])
    }

    /// Both. A field that is missing is not told beside one that is unknown: that is where it is, misspelt.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        if self.0.iter().any(|finding| finding.kind == Kind::UnknownField) {
            self.0.retain(|finding| !matches!(finding.kind, Kind::MissingField(_)));
        }
        self
    }

    /// The same, one step further out.
    #[must_use]
    pub fn under(mut self, step: &Step) -> Self {
        for finding in &mut self.0 {
            finding.steps.push(step.clone());
        }
        self
    }

    /// The same, some steps further out; the outermost is given first.
    #[must_use]
    pub fn under_all(self, steps: &[Step]) -> Self {
        steps.iter().rev().fold(self, Self::under)
    }
}

impl std::error::Error for Wrong {}

/// For readers without a text: each finding with its path.
impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            let path = finding.path();
            let colon = if path.is_empty() { "" } else { ": " };
            write!(out, "{separator}{path}{colon}{}", finding.message)?;
            if let Some(help) = &finding.help {
                write!(out, " ({help})")?;
            }
        }
        Ok(())
    }
}

impl de::Error for Wrong {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let (message, help) = words::split(&message.to_string());
        Self::one(Kind::Custom, message, help)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::one(
            Kind::Other,
            format!("{} is not {}", words::found(found), words::expected(&expected.to_string())),
            words::help_with_type(found, &expected.to_string()),
        )
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let help = Some(format!("write {}", words::expected(&expected.to_string())));
        Self::one(Kind::Other, format!("{} cannot stand here", words::found(found)), help)
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let help = Some(format!("write {}", words::expected(&expected.to_string())));
        Self::one(Kind::Other, format!("a list of {length} cannot stand here"), help)
    }

    fn unknown_variant(word: &str, allowed: &'static [&'static str]) -> Self {
        Self::one(Kind::Other, format!("`{word}` is not known here"), Some(words::choose(word, allowed)))
    }

    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        Self::one(Kind::UnknownField, format!("unknown field `{field}`"), Some(words::choose(field, allowed)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::one(Kind::MissingField(field), format!("`{field}` is missing"), None)
    }

    fn duplicate_field(field: &'static str) -> Self {
        let help = Some("keep one of the two".to_owned());
        Self::one(Kind::Other, format!("`{field}` is written twice"), help)
    }
}
