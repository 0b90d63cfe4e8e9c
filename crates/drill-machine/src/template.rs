//! Payload templates: the `Parameters` of a state, where a name that ends in `.$` has a path for its value.
//!
//! Filling one gives the whole payload or the first path that leads nowhere, which ends an execution as `States.Runtime`.

use serde_json::{Map, Value};

use crate::path::{InvalidPath, Path, Root};

/// A payload to be filled in.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value that is taken as it is.
    Literal(Value),
    /// A value that is looked up.
    Path(Path),
    /// An object, member by member; the names are without their `.$`.
    Object(Vec<(String, Template)>),
    /// An array, element by element.
    Array(Vec<Template>),
}

impl Template {
    /// Reads a template; names ending in `.$` must hold a path.
    pub fn parse(value: &Value) -> Result<Self, (String, InvalidPath)> {
        match value {
            Value::Object(members) => members.iter().map(member).collect::<Result<_, _>>().map(Self::Object),
            Value::Array(items) => items.iter().map(Self::parse).collect::<Result<_, _>>().map(Self::Array),
            literal @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                Ok(Self::Literal(literal.clone()))
            }
        }
    }

    /// The payload for this input and context, or the path that leads nowhere.
    pub fn fill(&self, input: &Value, context: &Value) -> Result<Value, Path> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Path(path) => path
                .find(match path.root() {
                    Root::Input => input,
                    Root::Context => context,
                })
                .cloned()
                .ok_or_else(|| path.clone()),
            Self::Object(members) => members
                .iter()
                .map(|(name, value)| Ok((name.clone(), value.fill(input, context)?)))
                .collect::<Result<Map<_, _>, _>>()
                .map(Value::Object),
            Self::Array(items) => {
                items.iter().map(|item| item.fill(input, context)).collect::<Result<_, _>>().map(Value::Array)
            }
        }
    }

    /// Every path it reads.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Literal(_) => Vec::new(),
            Self::Path(path) => vec![path],
            Self::Object(members) => members.iter().flat_map(|(_, value)| value.paths()).collect(),
            Self::Array(items) => items.iter().flat_map(Self::paths).collect(),
        }
    }

    /// The value of a member that is the same whatever the input.
    pub fn constant(&self, name: &str) -> Option<&Value> {
        let Self::Object(members) = self else { return None };
        members.iter().find_map(|(member, value)| match value {
            Self::Literal(value) if member == name => Some(value),
            Self::Literal(_) | Self::Path(_) | Self::Object(_) | Self::Array(_) => None,
        })
    }

    /// Runs over every text that is taken as it is.
    pub fn for_each_text(&mut self, change: &mut impl FnMut(&mut String)) {
        match self {
            Self::Literal(Value::String(text)) => change(text),
            Self::Literal(_) | Self::Path(_) => {}
            Self::Object(members) => members.iter_mut().for_each(|(_, value)| value.for_each_text(change)),
            Self::Array(items) => items.iter_mut().for_each(|item| item.for_each_text(change)),
        }
    }
}

fn member((name, value): (&String, &Value)) -> Result<(String, Template), (String, InvalidPath)> {
    let Some(plain) = name.strip_suffix(".$") else { return Ok((name.clone(), Template::parse(value)?)) };
    let text = value.as_str().ok_or_else(|| (name.clone(), InvalidPath::NoRoot(value.to_string())))?;
    Path::parse(text).map(|path| (plain.into(), Template::Path(path))).map_err(|invalid| (name.clone(), invalid))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn template(value: Value) -> Template {
        Template::parse(&value).unwrap()
    }

    #[test]
    fn paths_are_filled_in_at_any_depth_and_literals_are_kept() {
        let template =
            template(json!({"a.$": "$.x", "b": {"c.$": "$$.Execution.Name", "d": "$.x"}, "e": [{"f.$": "$"}, 1]}));

        let payload = template.fill(&json!({"x": 7}), &json!({"Execution": {"Name": "run"}}));

        assert_eq!(payload, Ok(json!({"a": 7, "b": {"c": "run", "d": "$.x"}, "e": [{"f": {"x": 7}}, 1]})));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_named() {
        let template = template(json!({"a.$": "$.x.y"}));

        assert_eq!(template.fill(&json!({"x": 1}), &json!({})).unwrap_err().to_string(), "$.x.y");
    }

    #[test]
    fn a_dollar_name_without_a_path_is_refused() {
        assert_eq!(Template::parse(&json!({"deep": {"a.$": 5}})).unwrap_err().0, "a.$");
        assert!(matches!(Template::parse(&json!({"a.$": "States.UUID()"})), Err((_, InvalidPath::Intrinsic(_)))));
    }
}
