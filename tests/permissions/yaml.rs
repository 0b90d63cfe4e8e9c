//! A CloudFormation template as JSON: `!Ref X` becomes `{"Ref": "X"}`, `!Sub x` becomes `{"Fn::Sub": "x"}`, and so on.
//!
//! The reader of experiments drops tags, and here the tags are what matters.

use granit_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value, json};

enum Open {
    List(Vec<Value>, Option<String>),
    Map(Map<String, Value>, Option<String>, Option<String>),
}

/// Reads a template.
pub fn parse(text: &str) -> Value {
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, _) = event.unwrap();
        let tag = |tag: Option<&str>| tag.map(str::to_owned);
        let done = match event {
            Event::Scalar(text, style, _, named) => {
                let plain = matches!(style, ScalarStyle::Plain) && named.is_none();
                let value = if plain { scalar(&text) } else { Value::String(text.into_owned()) };
                Some(intrinsic(named.map(|tag| tag.original()).as_deref(), value))
            }
            Event::SequenceStart(_, _, named) => {
                open.push(Open::List(Vec::new(), tag(named.map(|tag| tag.original()).as_deref())));
                None
            }
            Event::MappingStart(_, _, named) => {
                open.push(Open::Map(Map::new(), None, tag(named.map(|tag| tag.original()).as_deref())));
                None
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop().unwrap() {
                Open::List(items, named) => Some(intrinsic(named.as_deref(), Value::Array(items))),
                Open::Map(entries, _, named) => Some(intrinsic(named.as_deref(), Value::Object(entries))),
            },
            Event::Alias(_) | Event::UnresolvedAlias(_) => panic!("CloudFormation knows no aliases"),
            _ => None,
        };
        let Some(value) = done else { continue };
        match open.last_mut() {
            None => root = Some(value),
            Some(Open::List(items, _)) => items.push(value),
            Some(Open::Map(entries, key, _)) => match key.take() {
                None => *key = Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
                Some(key) => assert!(entries.insert(key.clone(), value).is_none(), "`{key}` is there twice"),
            },
        }
    }
    root.unwrap()
}

fn scalar(text: &str) -> Value {
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "" | "null" | "~" => Value::Null,
        _ => text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
    }
}

fn intrinsic(tag: Option<&str>, value: Value) -> Value {
    match tag {
        None => value,
        Some("!Ref") => json!({"Ref": value}),
        Some("!Condition") => json!({"Condition": value}),
        Some(tag) => json!({format!("Fn::{}", tag.trim_start_matches('!')): value}),
    }
}

#[test]
fn short_forms_are_read_as_long_ones() {
    let read = parse("a: !Ref X\nb: !If [C, !Sub 'x-${Y}', 3]\nc: {Ref: Z}\nd: 'true'\n");

    let expected =
        json!({"a": {"Ref": "X"}, "b": {"Fn::If": ["C", {"Fn::Sub": "x-${Y}"}, 3]}, "c": {"Ref": "Z"}, "d": "true"});
    assert_eq!(read, expected);
}
