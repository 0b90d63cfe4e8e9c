//! One parameter of a document: what its value may be, and how a wrong one is answered.
//!
//! The pattern is matched as a whole, without the exception that some engines make for a last line break.

use regex_lite::Regex;
use serde::Deserialize;

/// One parameter of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name; the script reads `SSM_<name>`.
    pub name: String,
    /// What it is, in a sentence or two.
    pub description: String,
    /// What a value must match as a whole: anchored, and in the subset that Java, Go and POSIX read alike.
    pub allowed_pattern: String,
    /// The only values there are, where they can be counted.
    pub allowed_values: Vec<String>,
    /// The most characters that a value may have.
    pub max_chars: usize,
    /// The value when none is given.
    pub default: Option<String>,
}

/// Why a value does not reach a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidParameter {
    /// The document needs it.
    #[error("document `{document}` needs a value for `{name}`")]
    Missing {
        /// The document.
        document: &'static str,
        /// The parameter.
        name: String,
    },
    /// The document does not know it.
    #[error("document `{document}` has no parameter `{name}`")]
    Unknown {
        /// The document.
        document: &'static str,
        /// What was given.
        name: String,
    },
    /// It has too many characters.
    #[error("`{name}` of document `{document}` has at most {most} characters, and this value has {has}")]
    TooLong {
        /// The document.
        document: &'static str,
        /// The parameter.
        name: String,
        /// How many it may have.
        most: usize,
        /// How many it has.
        has: usize,
    },
    /// It is not of the form that it must have.
    #[error("`{value}` is not a value of `{name}` of document `{document}`: it must match {pattern}")]
    Mismatch {
        /// The document.
        document: &'static str,
        /// The parameter.
        name: String,
        /// The value, with what cannot be printed escaped.
        value: String,
        /// What it must match.
        pattern: String,
    },
}

impl Parameter {
    pub(crate) fn new(name: String, text: Text) -> Self {
        Self {
            name,
            description: text.description,
            allowed_pattern: text.allowed_pattern,
            allowed_values: text.allowed_values,
            max_chars: text.max_chars,
            default: text.default,
        }
    }

    pub(crate) fn check(&self, document: &'static str, value: &str) -> Result<(), InvalidParameter> {
        let has = value.chars().count();
        if has > self.max_chars {
            return Err(InvalidParameter::TooLong { document, name: self.name.clone(), most: self.max_chars, has });
        }
        let listed = self.allowed_values.is_empty() || self.allowed_values.iter().any(|allowed| allowed == value);
        if listed && whole(&self.allowed_pattern, value) {
            return Ok(());
        }
        Err(InvalidParameter::Mismatch {
            document,
            name: self.name.clone(),
            value: value.escape_debug().to_string(),
            pattern: self.allowed_pattern.clone(),
        })
    }
}

/// Whether the pattern matches the whole of the value. A pattern that cannot be read matches nothing.
fn whole(pattern: &str, value: &str) -> bool {
    Regex::new(pattern).is_ok_and(|regex| regex.find(value).is_some_and(|found| found.range() == (0..value.len())))
}

/// A parameter as an SSM document writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Text {
    #[serde(rename = "type")]
    _type: Type,
    description: String,
    #[serde(rename = "interpolationType")]
    _interpolation: Interpolation,
    allowed_pattern: String,
    #[serde(default)]
    allowed_values: Vec<String>,
    max_chars: usize,
    default: Option<String>,
}

/// Text is the only type, so that every value has a pattern.
#[derive(Deserialize)]
enum Type {
    String,
}

/// A variable is the only way in: nothing is pasted into the script.
#[derive(Deserialize)]
enum Interpolation {
    #[serde(rename = "ENV_VAR")]
    Variable,
}
