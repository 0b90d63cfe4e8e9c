use serde_json::{Value, json};

use super::*;
use crate::definition::{ResultPath, Seconds};

fn machine(state: Value) -> Result<Machine, ParseError> {
    Machine::from_value(&json!({"StartAt": "S", "States": {"S": state, "E": {"Type": "Succeed"}}}))
}

fn refused(state: Value) -> String {
    let error = machine(state).unwrap_err();
    match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

#[test]
fn a_duplicate_key_is_refused() {
    let text = "StartAt: A\nStates:\n  A: { Type: Succeed }\n  A: { Type: Succeed }\n";

    assert!(matches!(Machine::parse(text), Err(ParseError::Syntax(_))));
}

#[test]
fn what_the_language_has_and_we_do_not_is_named_with_its_state() {
    let check = |state, expected: &str| assert_eq!(refused(state), format!("state `S`{expected}"));

    check(json!({"Type": "Map"}), " uses a Map state, which is outside the supported subset");
    check(json!({"Type": "Succeed", "OutputPath": "$"}), " uses `OutputPath`, which is outside the supported subset");
    check(
        json!({"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "End": true}),
        " uses `arn:aws:states:::ecs:runTask.sync`, which is outside the supported subset",
    );
    check(
        json!({"Type": "Pass", "Parameters": {"a.$": "States.UUID()"}, "End": true}),
        ": `Parameters.a.$` cannot be followed: `States.UUID()` calls an intrinsic function, and none is supported: let the function before it compute the value",
    );
    check(
        json!({"Type": "Pass", "Parameters": {"a.$": "$$.Map.Item.Index"}, "End": true}),
        " uses `$$.Map.Item.Index` of the context object, which is outside the supported subset",
    );
    check(
        json!({"Type": "Choice", "Choices": [{"Variable": "$.a", "StringMatches": "x*", "Next": "E"}]}),
        ", Choices[0] uses the operator `StringMatches`, which is outside the supported subset",
    );
}

#[test]
fn mistakes_are_named_with_their_state() {
    let check = |state, expected: &str| assert_eq!(refused(state), format!("state `S`{expected}"));

    check(
        json!({"Type": "Succeed", "Nxt": "E"}),
        " has a field `Nxt` that is not known there: remove it, or correct its name",
    );
    check(json!({"Type": "Pass"}), " needs `Next`");
    check(json!({"Type": "Pass", "Next": "F"}), " goes to `F`, and there is no such state");
    check(
        json!({"Type": "Task", "Resource": "${F}", "End": true, "Retry": [{"ErrorEquals": ["States.ALL"], "BackoffRate": 0.5}]}),
        ", Retry[0]: `BackoffRate` must be a number from 1.0, and is 0.5",
    );
    check(
        json!({"Type": "Task", "Resource": "${F}", "End": true, "Catch": [{"ErrorEquals": ["States.ALL", "X"], "Next": "E"}]}),
        r#", Catch[0]: `ErrorEquals` must be States.ALL alone, or without it, and is ["States.ALL","X"]"#,
    );
    check(
        json!({"Type": "Wait", "SecondsPath": "$$.Execution.Input.s", "Next": "E"}),
        " uses the context object in `SecondsPath`, which is outside the supported subset",
    );
    check(
        json!({"Type": "Task", "Resource": "${F}", "TimeoutSeconds": 0, "End": true}),
        ": `TimeoutSeconds` must be a whole number of seconds above 0, and is 0",
    );
}

#[test]
fn an_absent_result_path_replaces_and_a_null_one_discards() {
    let result_path = |state| match &machine(state).unwrap().states["S"].kind {
        Kind::Pass(pass) => pass.result_path.clone(),
        other => panic!("{other:?}"),
    };

    assert_eq!(result_path(json!({"Type": "Pass", "End": true})), ResultPath::At(crate::path::Path::whole_input()));
    assert_eq!(result_path(json!({"Type": "Pass", "ResultPath": null, "End": true})), ResultPath::Discard);
}

#[test]
fn the_defaults_of_a_retrier_are_those_of_aws() {
    let machine = machine(
        json!({"Type": "Task", "Resource": "${F}", "End": true, "TimeoutSecondsPath": "$.t", "Retry": [{"ErrorEquals": ["X"]}]}),
    );

    let Kind::Task(task) = &machine.unwrap().states["S"].kind else { panic!("not a task") };
    let retrier = &task.retry[0];
    assert_eq!((retrier.interval_seconds, retrier.max_attempts, retrier.backoff_rate), (1, 3, 2.0));
    assert_eq!(task.timeout, Some(Seconds::At(crate::path::Path::parse("$.t").unwrap())));
}

#[test]
fn placeholders_are_filled_or_named() {
    let state = json!({"Type": "Task", "Resource": "${F}", "Parameters": {"TopicArn": "${T}", "deep": ["a ${T} b"]}, "End": true});
    let machine = machine(state).unwrap();

    assert_eq!(machine.placeholders(), ["F".to_owned(), "T".to_owned()].into());
    let half = machine.clone().substitute(&[("F".into(), "arn:f".into())].into());
    assert_eq!(
        half.unwrap_err().to_string(),
        "nothing was given for `${T}`: every `${…}` of the machine needs a value"
    );
    let whole = machine.substitute(&[("F".into(), "arn:f".into()), ("T".into(), "arn:t".into())].into()).unwrap();
    assert!(whole.placeholders().is_empty());
}
