//! The JSON Schema of an experiment file, generated from the types.
//!
//! It is for editors: what it refuses, the reader refuses too, with better words. The reader decides.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::experiment::Experiment;
use crate::experiment::spec::Entry;
use crate::faults::{FaultKind, FaultSpec};

/// The schema of an experiment file, in the draft that editors know best.
pub fn experiment() -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<Experiment>();
    NothingIsNoValue.transform(&mut schema);
    schema
}

/// The schema as it is committed: sorted, indented, with a line break at its end.
pub fn text() -> String {
    let schema =
        serde_json::to_string_pretty(&drill_words::canonical::sorted(experiment().to_value())).unwrap_or_default();
    format!("{schema}\n")
}

/// An optional field may be left out; `null` is not a value that it can have.
struct NothingIsNoValue;

impl Transform for NothingIsNoValue {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [one] = types.as_slice() {
                let one = one.clone();
                schema.insert("type".to_owned(), one);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type") != Some(&json!("null")));
            if let [one] = choices.as_slice() {
                let one = one.clone();
                schema.remove("anyOf");
                // Beside a `$ref` this draft reads nothing else; a description stays readable next to `allOf`.
                schema.insert("allOf".to_owned(), json!([one]));
            }
        }
        if schema.get("default") == Some(&Value::Null) {
            schema.remove("default");
        }
        transform_subschemas(self, schema);
    }
}

impl JsonSchema for FaultSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = Entry::json_schema(generator);
        let kinds: Vec<Value> = FaultKind::parameter_schemas(generator)
            .into_iter()
            .map(|(kind, parameters)| fault(kind, &entry, &parameters))
            .collect();
        schemars::json_schema!({
            "description": "One thing that is broken: what, to whom, when and for how long.",
            "type": "object",
            "required": ["kind"],
            "oneOf": kinds,
        })
    }
}

/// One kind of fault: the fields of every entry, with the parameters of the kind beside them.
fn fault(kind: &str, entry: &Schema, parameters: &Schema) -> Value {
    let fields = |schema: &Schema| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required = |schema: &Schema| schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut properties: Map<String, Value> = fields(entry);
    properties.extend(fields(parameters));
    let description = parameters.get("description").cloned().unwrap_or_default();
    properties.insert("kind".to_owned(), json!({ "const": kind, "description": description }));
    json!({
        "title": kind,
        "description": description,
        "type": "object",
        "properties": properties,
        "required": ([required(entry), required(parameters)].concat()),
        "additionalProperties": false,
    })
}
