use proptest::prelude::*;
use serde_json::Value;

use super::*;

const WHOLE: &str = include_str!("../../tests/whole.yaml");

fn complaints(text: &str) -> Vec<(usize, usize, String)> {
    let error = experiment(text).unwrap_err();
    error.complaints().iter().map(|told| (told.line, told.column, told.message.clone())).collect()
}

#[test]
fn json_is_read_like_yaml() {
    let from_yaml = experiment(WHOLE).unwrap();
    let value = serde_json::to_value(&from_yaml).unwrap();

    assert_eq!(experiment(&value.to_string()), Ok(from_yaml.clone()));
    assert_eq!(experiment(&serde_json::to_string_pretty(&value).unwrap()), Ok(from_yaml.clone()));
    assert_eq!(experiment(&serde_json::to_string_pretty(&value).unwrap().replace("  ", "\t")), Ok(from_yaml));
}

#[test]
fn other_line_breaks_and_a_byte_order_mark_change_nothing() {
    let expected = experiment(WHOLE);

    assert!(expected.is_ok());
    assert_eq!(experiment(&WHOLE.replace('\n', "\r\n")), expected);
    assert_eq!(experiment(&format!("\u{feff}{WHOLE}")), expected);
    assert_eq!(experiment(&format!("---\n{WHOLE}...\n")), expected);
    assert_eq!(
        complaints(&format!("\u{feff}{}", WHOLE.replace("100ms", "100").replace('\n', "\r\n"))),
        [(15, 12, "`100` has no unit".to_owned())]
    );
}

#[test]
fn a_text_that_is_too_long_is_not_looked_at() {
    let text = "#".repeat(LONGEST_TEXT + 1);
    let error = experiment(&text).unwrap_err();

    assert_eq!(
        error.to_string(),
        "experiment.yaml:1:1: 262145 bytes are too many for an experiment\n  = help: write at most 262144 bytes: split the experiment"
    );
    assert_eq!(error.text(), "");
    assert_eq!(
        complaints(&"#".repeat(LONGEST_TEXT)),
        [(1, LONGEST_TEXT + 1, "there is no experiment in this text".to_owned())]
    );
}

#[test]
fn programs_get_the_bytes_the_path_and_the_help() {
    let text = WHOLE.replace("jitter: 20ms", "jitter: 20");
    let error = experiment(&text).unwrap_err().in_file("orders.yaml");
    let [complaint] = error.complaints() else { panic!("{error}") };

    assert_eq!(&text[complaint.span.clone()], "20");
    assert_eq!(complaint.path, "faults[0].jitter");
    assert_eq!(complaint.help, "write `20s`, `20ms` or `20m`");
    assert_eq!((error.file(), error.text()), ("orders.yaml", text.as_str()));
}

#[test]
fn a_column_counts_characters() {
    let text = WHOLE.replace("environments: [staging]", "environments: [staging, \"größe\", X]");

    assert_eq!(
        complaints(&text),
        [(5, 25, "`größe` is not an environment".to_owned()), (5, 34, "`X` is not an environment".to_owned())]
    );
}

#[test]
fn words_that_yaml_once_took_for_truth_stay_words() {
    let text = WHOLE
        .replace("environments: [staging]", "environments: [no, on, y]")
        .replace("Service: order-service }", "Service: off }");
    let experiment = experiment(&text).unwrap();

    let environments: Vec<&str> = experiment.environments.iter().map(|name| name.as_str()).collect();
    assert_eq!(environments, ["no", "on", "y"]);
    assert_eq!(experiment.targets.values().next().unwrap().tags["Service"], "off");
}

#[test]
fn what_looks_like_a_control_of_the_terminal_is_not_repeated() {
    let text = WHOLE.replace("staging", "\"\\e[31mred\"");
    let shown = experiment(&text).unwrap_err().to_string();

    assert!(shown.contains("`\u{fffd}[31mred` is not an environment"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn many_complaints_are_counted() {
    let environments: Vec<String> = (0..30).map(|number| format!("X{number}")).collect();
    let error = experiment(&WHOLE.replace("[staging]", &format!("[{}]", environments.join(", ")))).unwrap_err();

    assert_eq!(error.complaints().len(), 30);
    assert!(error.to_string().ends_with("\n\nand 10 more"), "{error}");
}

#[test]
fn a_fault_without_its_text_is_answered_with_paths() {
    let fault = serde_json::json!({
        "name": "dark", "kind": "network-blackhole", "on": "hosts", "duration": "1m",
        "direction": "ingress", "to": { "cidrs": ["10.0.0.0/8", "10.1.2.3/8"] },
    });
    let error = serde_json::from_value::<crate::faults::FaultSpec>(fault).unwrap_err();

    assert_eq!(error.to_string(), "to.cidrs[1]: `10.1.2.3/8` has address bits beyond its length (write `10.0.0.0/8`)");
}

/// Every schema that has this name among the properties of something.
fn properties<'s>(schema: &'s Value, name: &str, found: &mut Vec<&'s Value>) {
    match schema {
        Value::Object(fields) => {
            found.extend(fields.get("properties").and_then(|properties| properties.get(name)));
            fields.values().for_each(|part| properties(part, name, found));
        }
        Value::Array(parts) => parts.iter().for_each(|part| properties(part, name, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_example_can_be_written_as_it_stands() {
    let schema = serde_json::to_value(crate::schema::experiment()).unwrap();
    let parameters = examples::parameters().iter().map(|(field, example)| (field.as_str(), example.as_str()));
    for (field, example) in examples::EXAMPLES.iter().map(|(_, field, example)| (*field, *example)).chain(parameters) {
        let document: Value = serde_saphyr::from_str(&format!("{{ {example} }}")).unwrap();
        let value = document.get(field).unwrap_or_else(|| panic!("`{example}` is not an example of `{field}`"));
        let mut schemas = Vec::new();
        properties(&schema, field, &mut schemas);
        let is_right = schemas.into_iter().any(|part| {
            let mut part = part.clone();
            part["definitions"] = schema["definitions"].clone();
            jsonschema::draft7::new(&part).unwrap().is_valid(value)
        });
        assert!(is_right, "{example}");
    }
}

#[test]
fn every_field_of_the_schema_has_an_example() {
    fn names(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
        match schema {
            Value::Object(fields) => {
                found.extend(
                    fields.get("properties").and_then(Value::as_object).into_iter().flat_map(|own| own.keys().cloned()),
                );
                fields.values().for_each(|part| names(part, found));
            }
            Value::Array(parts) => parts.iter().for_each(|part| names(part, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = std::collections::BTreeSet::new();
    names(&serde_json::to_value(crate::schema::experiment()).unwrap(), &mut found);
    found.retain(|name| !examples::EXAMPLES.iter().any(|(_, field, _)| field == name));
    found.retain(|name| !examples::parameters().contains_key(name));

    assert_eq!(found, std::collections::BTreeSet::new());
}

/// An experiment with some of its bytes changed: most of it is still what it was.
fn damaged() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[\\PC\\t\\n]{0,4}",
        prop::sample::select(vec![
            "{", "}", "[", "]", ": ", "- ", "\n", "  ", "&a", "*a", "!!x ", "---\n", "\"", "'", "|", "#", "\t", "é"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((0..WHOLE.len(), 0usize..6, piece), 1..6).prop_map(|changes| {
        let mut text = WHOLE.to_owned();
        for (at, length, piece) in changes {
            let from = text.floor_char_boundary(at.min(text.len()));
            let to = text.floor_char_boundary((from + length).min(text.len())).max(from);
            text.replace_range(from..to, &piece);
        }
        text
    })
}

proptest! {
    #[test]
    fn whatever_is_read_a_complaint_stands_in_the_text(text in prop_oneof![damaged(), "\\PC{0,200}", "[ \\n:\\-\\[\\]{},a\"'&*!|>#?\\t]{0,80}"]) {
        if let Err(error) = experiment(&text) {
            prop_assert!(!error.complaints().is_empty());
            for complaint in error.complaints() {
                prop_assert!(text.get(complaint.span.clone()).is_some(), "{:?}", complaint);
                let lines = text.matches('\n').count() + 1;
                prop_assert!((1..=lines).contains(&complaint.line) && complaint.column >= 1);
                prop_assert!(!complaint.message.is_empty() && !complaint.help.is_empty());
            }
            let shown = error.to_string();
            prop_assert!(!shown.contains(char::from(27)), "{}", shown);
        }
    }
}
