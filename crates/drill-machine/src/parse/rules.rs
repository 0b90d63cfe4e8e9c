//! Choice rules.
//!
//! An operator that we do not know is refused by name.

use serde_json::Value;

use super::ParseError;
use super::fields::Fields;
use crate::choice::{Comparison, Rule, Test};

/// Operators that the language knows and we do not; the `…Path` forms are found by their ending.
const KNOWN: [&str; 12] = [
    "StringMatches",
    "StringLessThan",
    "StringGreaterThan",
    "StringLessThanEquals",
    "StringGreaterThanEquals",
    "TimestampEquals",
    "TimestampLessThan",
    "TimestampGreaterThan",
    "TimestampLessThanEquals",
    "TimestampGreaterThanEquals",
    "IsTimestamp",
    "Condition",
];

pub(super) fn rule(fields: &mut Fields<'_>) -> Result<Rule, ParseError> {
    let next = fields.text("Next")?;
    Ok(Rule { test: test(fields)?, next })
}

fn test(fields: &mut Fields<'_>) -> Result<Test, ParseError> {
    fields.take("Comment");
    if let Some(tests) = fields.optional_list("And")? {
        return nested(fields, tests).map(Test::And);
    }
    if let Some(tests) = fields.optional_list("Or")? {
        return nested(fields, tests).map(Test::Or);
    }
    if let Some(inner) = fields.take("Not") {
        return Ok(Test::Not(Box::new(one(fields, inner)?)));
    }
    let variable = fields.optional_path("Variable")?.ok_or_else(|| fields.missing("Variable"))?;
    if variable.root() == crate::path::Root::Context {
        return Err(fields.unsupported("the context object in `Variable`"));
    }
    Ok(Test::Compare { variable, with: comparison(fields)? })
}

fn nested(outer: &Fields<'_>, tests: &[Value]) -> Result<Vec<Test>, ParseError> {
    tests.iter().map(|value| one(outer, value)).collect()
}

fn one(outer: &Fields<'_>, value: &Value) -> Result<Test, ParseError> {
    let mut fields = Fields::of(outer.place(), value)?;
    let test = test(&mut fields)?;
    fields.finish(&[])?;
    Ok(test)
}

fn comparison(fields: &mut Fields<'_>) -> Result<Comparison, ParseError> {
    type Switch = fn(bool) -> Comparison;
    const SWITCHES: [(&str, Switch); 6] = [
        ("IsPresent", Comparison::IsPresent),
        ("IsNull", Comparison::IsNull),
        ("IsString", Comparison::IsString),
        ("IsNumeric", Comparison::IsNumeric),
        ("IsBoolean", Comparison::IsBoolean),
        ("BooleanEquals", Comparison::BooleanEquals),
    ];
    type Bound = fn(f64) -> Comparison;
    const BOUNDS: [(&str, Bound); 5] = [
        ("NumericEquals", Comparison::NumericEquals),
        ("NumericGreaterThan", Comparison::NumericGreaterThan),
        ("NumericGreaterThanEquals", Comparison::NumericGreaterThanEquals),
        ("NumericLessThan", Comparison::NumericLessThan),
        ("NumericLessThanEquals", Comparison::NumericLessThanEquals),
    ];
    for (name, make) in SWITCHES {
        if let Some(value) = fields.take(name) {
            return value.as_bool().map(make).ok_or_else(|| fields.wrong(name, "true or false", value));
        }
    }
    for (name, make) in BOUNDS {
        if let Some(value) = fields.take(name) {
            return value.as_f64().map(make).ok_or_else(|| fields.wrong(name, "a number", value));
        }
    }
    if let Some(word) = fields.optional_text("StringEquals")? {
        return Ok(Comparison::StringEquals(word));
    }
    let unsupported = fields.names().find(|name| KNOWN.contains(name) || name.ends_with("Path")).map(str::to_owned);
    Err(match unsupported {
        Some(operator) => fields.unsupported(format!("the operator `{operator}`")),
        None => fields.missing("an operator such as StringEquals or IsPresent"),
    })
}
