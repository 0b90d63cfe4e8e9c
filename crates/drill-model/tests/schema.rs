//! The committed schema is that of the types, and editors and the reader agree on what is right.

use std::path::{Path, PathBuf};

use drill_model::{read, schema};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn validator() -> jsonschema::Validator {
    let schema = serde_json::to_value(schema::experiment()).expect("a schema is JSON");
    jsonschema::draft7::new(&schema).expect("the schema is one")
}

/// A file as an editor sees it.
fn document(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("the text is YAML")
}

fn broken(name: &str) -> String {
    std::fs::read_to_string(root().join("tests/cli/broken").join(format!("{name}.yaml"))).expect("the file is there")
}

#[test]
fn the_committed_schema_is_that_of_the_types() {
    let committed = std::fs::read_to_string(root().join("experiments/experiment.schema.json")).unwrap_or_default();

    assert!(
        committed == schema::text(),
        "experiments/experiment.schema.json is not what the types say: write it again with `make schema` \
         (cargo run -p drill-model --example schema) and commit it"
    );
}

#[test]
fn the_whole_example_is_right_for_editors_and_for_the_reader() {
    let text = include_str!("whole.yaml");

    assert_eq!(read::experiment(text).map(|_| ()), Ok(()));
    let errors: Vec<String> = validator().iter_errors(&document(text)).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn every_ready_made_experiment_is_right_for_editors_and_for_the_reader() {
    let validator = validator();
    let mut read = 0;
    for folder in std::fs::read_dir(root().join("experiments")).unwrap() {
        let file = folder.unwrap().path().join("experiment.yaml");
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let answer = read::experiment(&text).map_err(|error| error.in_file(file.display().to_string()).to_string());
        assert_eq!(answer.map(|_| ()), Ok(()));
        let errors: Vec<String> = validator.iter_errors(&document(&text)).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", file.display());
        read += 1;
    }
    assert!(read > 0, "there are no ready-made experiments");
}

#[test]
fn editors_refuse_what_a_schema_can_refuse() {
    let validator = validator();
    for name in [
        "a-list",
        "empty-selector",
        "irreversible",
        "many-mistakes",
        "missing-fields",
        "missing-size",
        "missing-unit",
        "no-source",
        "no-value",
        "stop-when-empty",
        "stop-when-missing",
        "stop-when-never",
        "stop-when-no-limit",
        "stop-when-two-triggers",
        "success-without-probe",
        "two-sources",
        "unknown-fault",
        "unknown-field",
        "unknown-field-of-another-kind",
        "wrong-choice",
        "wrong-name",
        "wrong-type",
    ] {
        assert!(!validator.is_valid(&document(&broken(name))), "{name}");
    }
}

#[test]
fn nothing_in_the_schema_takes_fields_that_it_does_not_name() {
    fn check(path: &str, schema: &Value) {
        if let Some(object) = schema.as_object() {
            if object.contains_key("properties") {
                assert_eq!(object.get("additionalProperties"), Some(&Value::Bool(false)), "{path}");
                for (name, field) in object["properties"].as_object().unwrap() {
                    // The field of a choice such as `{ count: 1 }` is told with the choice.
                    let told = [field.get("description"), field.get("$ref"), object.get("description")];
                    assert!(told.iter().any(Option::is_some), "{path}/{name} has no description");
                }
            }
            for (name, part) in object {
                check(&format!("{path}/{name}"), part);
            }
        }
        if let Some(list) = schema.as_array() {
            for (index, part) in list.iter().enumerate() {
                check(&format!("{path}/{index}"), part);
            }
        }
    }

    check("", &serde_json::to_value(schema::experiment()).unwrap());
}
