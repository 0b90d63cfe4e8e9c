//! The JSON Schema of an experiment file, generated from the types.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::faults::FaultSpec;

/// The schema of an experiment file.
pub fn experiment() -> Schema {
    schemars::schema_for!(crate::experiment::Experiment)
}

impl JsonSchema for FaultSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Fault".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "object" })
    }
}
