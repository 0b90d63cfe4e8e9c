//! JSON that is the same bytes wherever it is written.
//!
//! `serde_json` keeps the keys of an object sorted, unless any crate of the same build asks it to keep their order instead.
//! What is digested or committed must not depend on who else is in the build.

use serde_json::Value;

/// The same value with the keys of every object in order.
pub fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> = fields.into_iter().collect();
            fields.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(fields.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_every_object_are_in_order() {
        let value: Value = serde_json::from_str(r#"{"b": [{"z": 1, "a": {"d": null, "c": 2}}], "a": true}"#).unwrap();

        assert_eq!(sorted(value).to_string(), r#"{"a":true,"b":[{"a":{"c":2,"d":null},"z":1}]}"#);
    }
}
