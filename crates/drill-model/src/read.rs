//! Reading an experiment, strictly: a wrong one is answered with the line, a caret and what to write instead.
//!
//! Three passes: text to a tree of nodes that know their place ([`tree`]), nodes to types ([`typed`]), and the experiment's
//! own check. What each finds is a [`Complaint`]; all that can be found at once are told at once.

mod caret;
mod encoding;
mod examples;
mod finding;
mod held;
mod parts;
mod place;
mod scalar;
mod tree;
mod typed;
mod words;

use std::fmt;
use std::ops::Range;

use serde::Deserialize;

pub use self::encoding::text;
pub(crate) use self::finding::Wrong;
use self::finding::{Finding, Kind};
pub(crate) use self::tree::{Node, Value};
pub(crate) use self::typed::Reader;
pub(crate) use self::words::{clock, is_hidden, nearest};
use crate::experiment::Experiment;

/// The longest text that is read; the longest experiment that makes sense is a tenth of it.
pub const LONGEST_TEXT: usize = 256 * 1024;

/// So many complaints are told: whoever has more has something else to do first.
const MOST_TOLD: usize = 200;

/// So many complaints are shown; the others are counted.
const MOST_SHOWN: usize = 20;

/// An experiment that cannot be read: one or more complaints, and the text that they are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    file: String,
    text: String,
    complaints: Vec<Complaint>,
}

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The bytes of the text that the complaint is about: a key or a value. Empty at the end of a text.
    pub span: Range<usize>,
    /// The path to it, `faults[0].delay`; empty for the whole document.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// Reads an experiment from YAML or JSON.
///
/// A text of more than [`LONGEST_TEXT`] bytes is refused before it is looked at, and so are aliases, tags, a second document
/// and more than 32 levels: an experiment says what it does where it is read, and nowhere else.
pub fn experiment(text: &str) -> Result<Experiment, Unreadable> {
    let root = tree::parse(text).map_err(|wrong| Unreadable::new(text, wrong))?;
    let experiment = whole(&root).map_err(|wrong| Unreadable::new(text, wrong))?;
    let problems = experiment.problems();
    if problems.is_empty() {
        return Ok(experiment);
    }
    let findings = problems.into_iter().take(MOST_TOLD).map(|problem| place::finding(&root, problem)).collect();
    Err(Unreadable::new(text, Wrong(findings)))
}

/// Reads the form of an experiment. What the parts have to say comes first: it is more, and more exact.
fn whole(root: &Node) -> Result<Experiment, Wrong> {
    let findings = parts::findings(root);
    if findings.is_empty() { Experiment::deserialize(Reader::new(root)) } else { Err(Wrong(findings)) }
}

impl Unreadable {
    fn new(text: &str, Wrong(mut findings): Wrong) -> Self {
        findings.truncate(MOST_TOLD);
        findings.sort_by_key(|finding| finding.at.as_ref().map_or(0, |at| at.start));
        let complaints = findings.into_iter().map(|finding| finding.into_complaint(text)).collect();
        let text = if text.len() > LONGEST_TEXT { String::new() } else { text.to_owned() };
        Self { file: "experiment.yaml".to_owned(), text, complaints }
    }

    /// The same, with the name of the file that the text came from.
    #[must_use]
    pub fn in_file(self, name: impl Into<String>) -> Self {
        Self { file: name.into(), ..self }
    }

    /// The name of the file; `experiment.yaml` when none was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The text that was read; empty when it was too long to look at.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wrong, in the order of the text: at least one complaint, and no more than 200.
    pub fn complaints(&self) -> &[Complaint] {
        &self.complaints
    }
}

impl std::error::Error for Unreadable {}

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.complaints.iter().take(MOST_SHOWN).enumerate() {
            if index > 0 {
                out.write_str("\n\n")?;
            }
            caret::write(out, &self.file, &self.text, complaint)?;
        }
        match self.complaints.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(out, "\n\nand {more} more"),
        }
    }
}

/// A line that shows how a field is written; `around` are the fields that it stands in, innermost first.
pub fn example_of(field: &str, around: &[&str]) -> Option<&'static str> {
    examples::of(field, around)
}

#[cfg(test)]
mod tests;
