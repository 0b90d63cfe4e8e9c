//! Reference paths: `$`, `$.a.b`, `$.a[0]`, `$['a b']`, and the same on the context object with `$$`.
//!
//! Anything that could select several nodes is refused when it is read, so a lookup gives one value or none.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

/// What a path starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Root {
    /// `$`: the state's input.
    Input,
    /// `$$`: the context object.
    Context,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Field(String),
    /// An element of an array.
    Index(usize),
}

/// A path to exactly one value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    root: Root,
    steps: Vec<Step>,
}

/// A text that is not a path of the supported kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidPath {
    /// It does not start with `$`.
    #[error("`{0}` is not a path: it starts with `$`, or `$$` for the context object")]
    NoRoot(String),
    /// A function call.
    #[error("`{0}` calls an intrinsic function, and none is supported: let the function before it compute the value")]
    Intrinsic(String),
    /// `..`, `*`, filters, slices: one path, many values.
    #[error("`{0}` may select several values: write a path to one, such as `$.run_id`")]
    Several(String),
    /// The rest.
    #[error("`{0}` is not a path: expected `.name`, `['name']` or `[0]` after `{1}`")]
    Malformed(String, String),
}

impl Path {
    /// The whole input, `$`.
    pub const fn whole_input() -> Self {
        Self { root: Root::Input, steps: Vec::new() }
    }

    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        if text.starts_with("States.") {
            return Err(InvalidPath::Intrinsic(text.into()));
        }
        let (root, mut rest) = match (text.strip_prefix("$$"), text.strip_prefix('$')) {
            (Some(rest), _) => (Root::Context, rest),
            (None, Some(rest)) => (Root::Input, rest),
            (None, None) => return Err(InvalidPath::NoRoot(text.into())),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = next_step(rest).ok_or_else(|| refuse(text, rest))?;
            steps.push(step);
            rest = after;
        }
        Ok(Self { root, steps })
    }

    /// What it starts from.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The steps down from the root; none is the root itself.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// True for `$` and `$$`.
    pub fn is_root(&self) -> bool {
        self.steps.is_empty()
    }

    /// The value in `document`, which the caller picks by [`Path::root`].
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.steps.iter().try_fold(document, |value, step| match step {
            Step::Field(name) => value.as_object()?.get(name),
            Step::Index(index) => value.as_array()?.get(*index),
        })
    }

    /// Puts `value` at this path, making objects on the way; `None` when something else than an object is in the way.
    pub fn put(&self, document: Value, value: Value) -> Option<Value> {
        put(&self.steps, document, value)
    }
}

fn put(steps: &[Step], document: Value, value: Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else { return Some(value) };
    match (step, document) {
        (Step::Field(name), Value::Object(mut members)) => {
            let below = members.remove(name).unwrap_or_else(|| Value::Object(serde_json::Map::new()));
            members.insert(name.clone(), put(rest, below, value)?);
            Some(Value::Object(members))
        }
        (Step::Index(index), Value::Array(mut items)) => {
            let slot = items.get_mut(*index)?;
            *slot = put(rest, slot.take(), value)?;
            Some(Value::Array(items))
        }
        (Step::Field(_) | Step::Index(_), _) => None,
    }
}

fn next_step(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(['.', '[']).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        return plain.then(|| (Step::Field(name.into()), after));
    }
    let (inside, after) = rest.strip_prefix('[')?.split_once(']')?;
    if let Some(name) = inside.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')) {
        return (!name.is_empty()).then(|| (Step::Field(name.into()), after));
    }
    inside.parse().ok().map(|index| (Step::Index(index), after))
}

fn refuse(text: &str, rest: &str) -> InvalidPath {
    if rest.starts_with("..")
        || rest.starts_with("[*")
        || rest.starts_with(".*")
        || rest.starts_with("[?")
        || rest.contains(':')
    {
        return InvalidPath::Several(text.into());
    }
    InvalidPath::Malformed(text.into(), text.strip_suffix(rest).unwrap_or(text).into())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.root {
            Root::Input => "$",
            Root::Context => "$$",
        })?;
        self.steps.iter().try_for_each(|step| match step {
            Step::Field(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-') => {
                write!(f, ".{name}")
            }
            Step::Field(name) => write!(f, "['{name}']"),
            Step::Index(index) => write!(f, "[{index}]"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn a_path_finds_one_value_or_none() {
        let document = json!({"a": {"b c": [1, 2]}, "n": null});

        assert_eq!(path("$").find(&document), Some(&document));
        assert_eq!(path("$.a['b c'][1]").find(&document), Some(&json!(2)));
        assert_eq!(path("$.n").find(&document), Some(&json!(null)));
        assert_eq!(path("$.a.b").find(&document), None);
        assert_eq!(path("$.a").find(&json!("a")), None);
    }

    #[test]
    fn putting_makes_the_objects_on_the_way_and_nothing_else() {
        assert_eq!(
            path("$.error.cause").put(json!({"a": 1}), json!("x")),
            Some(json!({"a": 1, "error": {"cause": "x"}}))
        );
        assert_eq!(path("$").put(json!([]), json!(1)), Some(json!(1)));
        assert_eq!(path("$.error").put(json!("text"), json!(1)), None);
        assert_eq!(path("$[3]").put(json!([1]), json!(1)), None);
    }

    #[test]
    fn paths_that_are_not_to_one_value_are_refused_by_name() {
        assert!(matches!(Path::parse("run_id"), Err(InvalidPath::NoRoot(_))));
        assert!(matches!(Path::parse("States.Format('{}', $.a)"), Err(InvalidPath::Intrinsic(_))));
        for several in ["$..a", "$[*]", "$.*", "$[?(@.a)]", "$[0:2]"] {
            assert!(matches!(Path::parse(several), Err(InvalidPath::Several(_))), "{several}");
        }
        for malformed in ["$.", "$a", "$[", "$['']", "$.a b"] {
            assert!(matches!(Path::parse(malformed), Err(InvalidPath::Malformed(..))), "{malformed}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(names in proptest::collection::vec("[a-z_ ]{1,6}|[0-9]{1,3}", 0..5), context: bool) {
            let steps = names.iter().map(|n| n.parse().map_or_else(|_| Step::Field(n.clone()), Step::Index)).collect();
            let path = Path { root: if context { Root::Context } else { Root::Input }, steps };

            prop_assert_eq!(Path::parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn what_was_put_is_found(fields in proptest::collection::vec("[a-z]{1,4}", 1..4), value: i64) {
            let path = path(&format!("$.{}", fields.join(".")));

            let document = path.put(json!({"kept": true}), json!(value));

            let document = document.unwrap();
            prop_assert_eq!(path.find(&document), Some(&json!(value)));
            prop_assert!(fields[0] == "kept" || document["kept"] == json!(true));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[$.\\[\\]'a-z0-9*?:@ ]{0,20}") {
            let read = Path::parse(&text).map(|path| path.find(&json!({"a": [1]})).cloned());
            prop_assert!(read.is_ok() || read.is_err());
        }
    }
}
