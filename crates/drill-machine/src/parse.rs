//! Reading a machine, YAML or JSON, strictly.
//!
//! A field or feature outside our subset is refused with its name and its state; it is never skipped.
//! A machine that was read has no dangling target, no duplicate key and no path that needs more than a lookup.

mod fields;
mod rules;
mod states;

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

use crate::definition::{Kind, Machine, Next};
use crate::path::InvalidPath;
use fields::Fields;

/// Why a text is not a machine of ours.
#[derive(Debug, Error)]
pub enum ParseError {
    /// Neither YAML nor JSON, or a key is there twice.
    #[error("the state machine is not readable YAML or JSON")]
    Syntax(#[source] Box<serde_saphyr::Error>),
    /// The language has it, we do not.
    #[error("{place} uses {feature}, which is outside the supported subset")]
    Unsupported {
        /// The state, or the machine.
        place: String,
        /// The feature.
        feature: String,
    },
    /// The language does not have it, at least not there.
    #[error("{place} has a field `{field}` that is not known there: remove it, or correct its name")]
    UnknownField {
        /// The state, or the machine.
        place: String,
        /// The field.
        field: String,
    },
    /// A field that must be there.
    #[error("{place} needs `{field}`")]
    Missing {
        /// The state, or the machine.
        place: String,
        /// The field.
        field: &'static str,
    },
    /// A field with a wrong value.
    #[error("{place}: `{field}` must be {expected}, and is {found}")]
    Wrong {
        /// The state, or the machine.
        place: String,
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// A path that we cannot follow.
    #[error("{place}: `{field}` cannot be followed")]
    Path {
        /// The state.
        place: String,
        /// The field.
        field: String,
        /// Why.
        #[source]
        source: InvalidPath,
    },
    /// A target that is not there.
    #[error("{place} goes to `{target}`, and there is no such state")]
    NoSuchState {
        /// The state, or the machine.
        place: String,
        /// Where it goes.
        target: String,
    },
}

impl Machine {
    /// Reads a machine from YAML or JSON.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let document = serde_saphyr::from_str(text).map_err(|error| ParseError::Syntax(Box::new(error)))?;
        Self::from_value(&document)
    }

    /// Reads a machine from a document.
    pub fn from_value(document: &Value) -> Result<Self, ParseError> {
        let mut fields = Fields::of("the machine", document)?;
        let machine = Self {
            comment: fields.optional_text("Comment")?,
            start_at: fields.text("StartAt")?,
            timeout_seconds: fields.optional_seconds("TimeoutSeconds")?,
            states: fields
                .object("States")?
                .iter()
                .map(|(name, state)| Ok((name.clone(), states::state(name, state)?)))
                .collect::<Result<BTreeMap<_, _>, ParseError>>()?,
        };
        fields.finish(&["Version", "QueryLanguage"])?;
        machine.targets_exist()?;
        Ok(machine)
    }

    fn targets_exist(&self) -> Result<(), ParseError> {
        let exists = |place: &str, target: &str| {
            if self.states.contains_key(target) {
                return Ok(());
            }
            Err(ParseError::NoSuchState { place: place.into(), target: target.into() })
        };
        exists("the machine", &self.start_at)?;
        for (name, state) in &self.states {
            let targets: Vec<&str> = match &state.kind {
                Kind::Task(task) => {
                    task.catch.iter().map(|catcher| catcher.next.as_str()).chain(next(&task.next)).collect()
                }
                Kind::Choice(choice) => {
                    choice.rules.iter().map(|rule| rule.next.as_str()).chain(choice.default.as_deref()).collect()
                }
                Kind::Wait(wait) => next(&wait.next).collect(),
                Kind::Pass(pass) => next(&pass.next).collect(),
                Kind::Succeed | Kind::Fail(_) => Vec::new(),
            };
            targets.into_iter().try_for_each(|target| exists(&format!("state `{name}`"), target))?;
        }
        Ok(())
    }
}

fn next(next: &Next) -> std::option::IntoIter<&str> {
    match next {
        Next::State(name) => Some(name.as_str()).into_iter(),
        Next::End => None.into_iter(),
    }
}

#[cfg(test)]
mod tests;
