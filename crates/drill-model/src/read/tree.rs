//! Text to a tree of nodes that know where they stand.
//!
//! Refused here: what is not YAML, a second document, aliases, tags, duplicate keys, keys that are not words, empty values,
//! more than 32 levels. Nothing is expanded, so a tree is never larger than its text.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, StructureStyle};

use super::finding::{Finding, Step, Wrong};
use super::scalar::{self, Scalar};
use super::{LONGEST_TEXT, MOST_TOLD, words};

/// Levels of lists and mappings inside each other.
const DEEPEST: usize = 32;

/// One value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub value: Value,
    /// The bytes where a caret belongs: a scalar itself, or the key of anything larger. Empty when there is no text.
    pub at: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A scalar: what it is, and its text.
    Scalar(Scalar, String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    pub text: String,
    pub at: Range<usize>,
}

impl Node {
    /// The value of a key of this mapping.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node),
            Value::List(_) | Value::Scalar(..) => None,
        }
    }
}

/// Reads one document.
pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    if text.len() > LONGEST_TEXT {
        let message = format!("{} bytes are too many for an experiment", text.len());
        return Err(Wrong(vec![Finding::new(0..0, message, "write at most 262144 bytes: split the experiment")]));
    }
    let text_without_mark = text.strip_prefix('\u{feff}').unwrap_or(text);
    let offset = text.len() - text_without_mark.len();
    let mut options = granit_parser::options! { flow_nesting_limit: DEEPEST + 8, block_nesting_limit: DEEPEST + 8 };
    options.set_emit_comments(false);
    let mut builder = Builder { text, findings: Vec::new(), open: Vec::new(), root: None, documents: 0 };
    for event in Parser::new_from_str_with_options(text_without_mark, options) {
        let (event, span) = event.map_err(|error| Wrong(vec![builder.syntax(offset, &error)]))?;
        let byte = |marker: granit_parser::Marker| marker.byte_offset().unwrap_or(0) + offset;
        let span = span.tag_span().unwrap_or(span);
        builder.take(event, byte(span.start)..byte(span.end)).map_err(|finding| Wrong(vec![*finding]))?;
    }
    match (builder.root, builder.findings) {
        (Some(root), findings) if findings.is_empty() => Ok(root),
        (None, findings) if findings.is_empty() => Err(Wrong(vec![Finding::new(
            text.len()..text.len(),
            "there is no experiment in this text",
            "begin with `id: the-name-of-your-experiment`",
        )])),
        (_, findings) => Err(Wrong(findings)),
    }
}

/// A list or a mapping that is still open.
struct Open {
    node: Value,
    at: Range<usize>,
    /// Where its bracket stands, if it has one.
    bracket: Option<usize>,
    /// Where each key stands.
    keys: HashMap<String, usize>,
    /// The key whose value comes next.
    key: Option<Key>,
}

struct Builder<'t> {
    text: &'t str,
    findings: Vec<Finding>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, at: Range<usize>) -> Result<(), Box<Finding>> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let help = "keep one experiment in one file: remove the other after `---`";
                    return Err(Box::new(Finding::new(at, "a second document begins here", help)));
                }
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let help = "write the value itself here: an experiment is read where it stands";
                return Err(Box::new(Finding::new(at, "aliases are not read", help)));
            }
            Event::Scalar(_, _, _, Some(tag))
            | Event::SequenceStart(_, _, Some(tag))
            | Event::MappingStart(_, _, Some(tag)) => {
                let message = format!("tags such as `{}` are not read", tag.original());
                return Err(Box::new(Finding::new(at, message, "remove the tag; put quotes around what is text")));
            }
            Event::Scalar(text, style, _, _) => self.scalar(text.into_owned(), style, at)?,
            Event::SequenceStart(style, ..) => self.begin(Value::List(Vec::new()), style, at)?,
            Event::MappingStart(style, ..) => self.begin(Value::Map(Vec::new()), style, at)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { node, at, .. }) = self.open.pop() {
                    self.place(Node { value: node, at });
                }
            }
            // An anchor that nothing refers to says nothing; the other events carry no value.
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, node: Value, style: StructureStyle, at: Range<usize>) -> Result<(), Box<Finding>> {
        if self.open.len() == DEEPEST {
            return Err(Box::new(too_deep(at)));
        }
        if let Some(Open { node: Value::Map(_), key: None, .. }) = self.open.last() {
            return Err(Box::new(Finding::new(at, "a key is not a word", "write `name: value`")));
        }
        // A caret under a whole block says nothing: its key does, and in a list its first character.
        let key = self.open.last().and_then(|open| open.key.as_ref());
        let first = self.text[at.start..].chars().next().map_or(0, char::len_utf8);
        let bracket = (style == StructureStyle::Flow).then_some(at.start);
        let at = key.map_or(at.start..at.start + first, |key| key.at.clone());
        self.open.push(Open { node, at, bracket, keys: HashMap::new(), key: None });
        Ok(())
    }

    fn scalar(&mut self, text: String, style: ScalarStyle, at: Range<usize>) -> Result<(), Box<Finding>> {
        let is_plain = style == ScalarStyle::Plain;
        let stray = if is_plain { stray_space(&text, self.text, &at) } else { None };
        if let Some(Open { node: Value::Map(_), keys, key: key @ None, .. }) = self.open.last_mut() {
            if is_plain && text.is_empty() {
                return Err(Box::new(Finding::new(at, "a value without its key", "write `name: value`")));
            }
            // The line belongs somewhere else: whatever follows would be told about the wrong place.
            if let Some(stray) = stray {
                return Err(Box::new(stray));
            }
            if let Some(first) = keys.get(&text) {
                if self.findings.len() < MOST_TOLD {
                    let line = self.text[..*first].matches('\n').count() + 1;
                    let message = format!("`{text}` is written twice: the first is on line {line}");
                    self.findings.push(Finding::new(at.clone(), message, "keep one of the two"));
                }
            } else {
                keys.insert(text.clone(), at.start);
            }
            *key = Some(Key { text, at });
            return Ok(());
        }
        let scalar = if is_plain { scalar::plain(&text) } else { Scalar::Text };
        self.findings.extend(stray);
        let named = self.open.last().and_then(|open| open.key.as_ref());
        let in_windows = self.open.iter().any(|open| open.key.as_ref().is_some_and(|key| key.text == "windows"));
        let is_time = in_windows && named.is_some_and(|key| matches!(key.text.as_str(), "from" | "to"));
        match scalar {
            Scalar::Ambiguous | Scalar::Whole(_) | Scalar::Real(_) if is_time => {
                let message = format!("`{text}` is a number and not a time of day");
                self.findings.push(Finding::new(at.clone(), message, words::clock_help(&text)));
            }
            Scalar::Nothing => {
                let (at, message) = match named {
                    Some(key) => (key.at.clone(), format!("`{}` has no value", key.text)),
                    None => (at.clone(), "there is no value here".to_owned()),
                };
                let help = if named.is_some() { "write one, or remove the line" } else { "write one" };
                if self.open.is_empty() {
                    return Ok(());
                }
                self.findings.push(Finding::new(at, message, help));
            }
            Scalar::Ambiguous => {
                let message = format!("`{text}` is read as different numbers by different readers");
                let digits = text.trim_start_matches(['-', '+', '0']);
                let help = if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    "write a decimal number, or quotes around it if it is text".to_owned()
                } else {
                    format!("write `{digits}`, or `\"{text}\"` if it is text")
                };
                self.findings.push(Finding::new(at.clone(), message, help));
            }
            Scalar::NotFinite => {
                let message = format!("`{text}` is not a number that anything can be compared with");
                self.findings.push(Finding::new(at.clone(), message, "write a finite number"));
            }
            Scalar::Truth(_) | Scalar::Whole(_) | Scalar::Negative(_) | Scalar::Real(_) | Scalar::Text => {}
        }
        self.place(Node { value: Value::Scalar(scalar, text), at });
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open { node: Value::List(items), .. }) => items.push(node),
            Some(Open { node: Value::Map(entries), key, .. }) => entries.extend(key.take().map(|key| (key, node))),
            Some(Open { node: Value::Scalar(..), .. }) => unreachable!("a scalar is never open"),
        }
    }

    /// What is not YAML at all.
    fn syntax(&self, offset: usize, error: &ScanError) -> Finding {
        let text = self.text;
        let byte = text.floor_char_boundary((error.marker().byte_offset().unwrap_or(0) + offset).min(text.len()));
        let line_start = text[..byte].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let indent = &line[..line.len() - line.trim_start().len()];
        if let Some(tab) = indent.find('\t') {
            let at = line_start + tab..line_start + tab + 1;
            let help = "indent with spaces: YAML does not read tabs there";
            return Finding::new(at, "a tab at the beginning of a line", help);
        }
        let whole_line = line_start..line_start + line.len();
        let stray =
            if indent.chars().any(|letter| letter != ' ') { stray_space(line, text, &whole_line) } else { None };
        if let Some(stray) = stray {
            return stray;
        }
        let end = byte + text[byte..].chars().next().map_or(0, char::len_utf8);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return too_deep(byte..end);
        }
        // A bracket that is not closed is noticed lines later; the mistake is where it opens.
        let bracket = self.open.last().and_then(|open| open.bracket).filter(|bracket| *bracket < line_start);
        if let Some(bracket) = bracket {
            let (open, close) = if text[bracket..].starts_with('[') { ('[', ']') } else { ('{', '}') };
            let message = format!("`{open}` is not closed");
            return Finding::new(
                bracket..bracket + 1,
                message,
                format!("close it with `{close}`, and separate what is inside with `,`"),
            );
        }
        Finding::new(byte..end, format!("this is not YAML: {}", error.info()), words::syntax_help(error.kind()))
    }
}

/// A space that YAML does not take for one, before or after a word that stands at `at` in the text.
fn stray_space(word: &str, text: &str, at: &Range<usize>) -> Option<Finding> {
    let is_stray = |letter: &char| letter.is_whitespace() && !letter.is_ascii();
    let begin = word.trim_start_matches(' ');
    let (offset, letter) = match begin.chars().next().filter(is_stray) {
        Some(letter) => (word.len() - begin.len(), letter),
        None => word.char_indices().next_back().filter(|(_, letter)| is_stray(letter))?,
    };
    // A word on several lines is shorter than what stands in the text.
    let span = at.start + offset..at.start + offset + letter.len_utf8();
    let span = if text.get(span.clone()).is_some_and(|found| found.starts_with(letter)) { span } else { at.clone() };
    let kind = match letter {
        '\u{a0}' => "a no-break space".to_owned(),
        other => format!("a space of another kind (U+{:04X})", u32::from(other)),
    };
    let beside: String = word.trim().chars().take(40).collect();
    let help = "replace it with an ordinary space: YAML reads it as a letter";
    Some(Finding::new(span, format!("{kind} beside `{beside}`"), help))
}

fn too_deep(at: Range<usize>) -> Finding {
    let message = format!("more than {DEEPEST} levels inside each other");
    Finding::new(at, message, "an experiment needs six levels at most")
}

impl Key {
    /// The step of a path that this key is.
    pub fn step(&self) -> Step {
        Step::Field(self.text.clone())
    }
}
