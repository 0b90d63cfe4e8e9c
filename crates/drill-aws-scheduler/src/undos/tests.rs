use drill_aws_config::script::{Answer as Said, Script};
use serde_json::{Value, json};

use super::*;

fn undos<const N: usize>(answers: [(u16, String); N]) -> (Script, ArmedUndos) {
    let script = Script::new(answers);
    let target = UndoTarget { role: "arn:role".into(), lost: Some("arn:lost".into()) };
    let undos = ArmedUndos::new(&script.config(), "group", target);
    (script, undos)
}

fn unit() -> UnitId {
    "0123456789abcdef".parse().unwrap()
}

fn undo(repeats: bool) -> TimedUndo {
    TimedUndo {
        name: "0123456789abcdef-fedcba9876543210-0".into(),
        at: "2026-11-21T17:00:00Z".parse().unwrap(),
        repeats,
        service: "ec2".into(),
        action: "startInstances".into(),
        input: json!({ "InstanceIds": ["i-0abc1234"] }),
    }
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, json!({ "__type": code, "Message": "so it is" }).to_string())
}

fn made() -> (u16, String) {
    (200, json!({ "ScheduleArn": "arn:schedule" }).to_string())
}

/// What the service was asked to keep.
fn kept(script: &Script) -> Value {
    serde_json::from_str(&script.requests()[0].body).unwrap()
}

#[tokio::test]
async fn an_undo_is_a_schedule_that_makes_the_call_itself() {
    let (script, undos) = undos([made()]);

    undos.arm(&undo(false)).await.unwrap();

    assert_eq!(script.operations(), ["POST /schedules/0123456789abcdef-fedcba9876543210-0"]);
    let mut body = kept(&script);
    assert!(body["ClientToken"].take().is_string());
    let expected = json!({
        "ActionAfterCompletion": "DELETE",
        "ClientToken": null,
        "Description": "The undo of a drill's fault: made when everything else has failed to.",
        "FlexibleTimeWindow": { "Mode": "OFF" },
        "GroupName": "group",
        "ScheduleExpression": "at(2026-11-21T17:00:00)",
        "ScheduleExpressionTimezone": "UTC",
        "Target": {
            "Arn": "arn:aws:scheduler:::aws-sdk:ec2:startInstances",
            "RoleArn": "arn:role",
            "DeadLetterConfig": { "Arn": "arn:lost" },
            "RetryPolicy": { "MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400 },
            "Input": "{\"InstanceIds\":[\"i-0abc1234\"]}",
        },
    });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_undo_that_repeats_does_so_each_minute_for_an_hour() {
    let (script, undos) = undos([made()]);

    undos.arm(&undo(true)).await.unwrap();

    let body = kept(&script);
    assert_eq!(body["ScheduleExpression"], "rate(1 minutes)");
    let (start, end) = (body["StartDate"].as_f64().unwrap(), body["EndDate"].as_f64().unwrap());
    assert_eq!((start, end - start), (1_795_280_400.0, 3600.0));
    assert_eq!(body["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"], 60);
}

#[tokio::test]
async fn what_is_armed_is_read_back_as_it_was_armed() {
    for repeats in [false, true] {
        let (script, undos) = undos([made()]);
        undos.arm(&undo(repeats)).await.unwrap();
        let mut schedule = kept(&script);
        schedule["State"] = json!("ENABLED");
        script.then(Said::Http(200, schedule.to_string()));

        assert_eq!(undos.armed(&undo(repeats).name).await, Ok(Some(undo(repeats))));
    }
}

#[tokio::test]
async fn a_schedule_that_differs_is_not_armed() {
    let changes: [(&str, Value); 9] = [
        ("/State", json!("DISABLED")),
        ("/FlexibleTimeWindow/Mode", json!("FLEXIBLE")),
        ("/ScheduleExpression", json!("rate(2 minutes)")),
        ("/EndDate", json!(1_795_280_460)),
        ("/StartDate", Value::Null),
        ("/Target/Arn", json!("arn:aws:lambda:eu-central-1:1:function:x")),
        ("/Target/RoleArn", json!("arn:other")),
        ("/Target/Input", json!("no JSON")),
        ("/Target/Input", Value::Null),
    ];
    for (place, value) in changes {
        let (script, undos) = undos([made()]);
        undos.arm(&undo(true)).await.unwrap();
        let mut schedule = kept(&script);
        schedule["State"] = json!("ENABLED");
        *schedule.pointer_mut(place).unwrap() = value.clone();
        script.then(Said::Http(200, schedule.to_string()));

        let error = undos.armed("name").await.unwrap_err();

        assert_eq!((error.class, error.call), (Class::Refused, "scheduler:GetSchedule"), "{place} {value}");
    }
}

#[tokio::test]
async fn an_undo_that_is_armed_stays_as_it_is_and_one_that_is_not_is_none() {
    let (_, undos) = undos([error(409, "ConflictException"), error(404, "ResourceNotFoundException")]);

    assert_eq!(undos.arm(&undo(false)).await, Ok(()));
    assert_eq!(undos.armed("name").await, Ok(None));
}

#[tokio::test]
async fn every_error_has_its_class() {
    let cases = [
        (error(429, "ThrottlingException"), Class::Transient),
        (error(400, "ValidationException"), Class::Refused),
        (error(403, "AccessDeniedException"), Class::Refused),
        (error(402, "ServiceQuotaExceededException"), Class::Refused),
        (error(500, "InternalServerException"), Class::Ambiguous),
    ];
    for (answer, class) in cases {
        let (script, undos) = undos([answer.clone(), answer.clone(), answer.clone()]);
        let disarming = Undos::new(&script.config(), "group");

        assert_eq!(undos.arm(&undo(false)).await.unwrap_err().class, class, "{answer:?}");
        assert_eq!(undos.armed("name").await.unwrap_err().class, class, "{answer:?}");
        assert_eq!(disarming.disarm(&unit()).await.unwrap_err().class, class, "{answer:?}");
    }
}

#[tokio::test]
async fn a_group_that_is_not_there_arms_nothing_and_has_nothing_to_disarm() {
    let (script, undos) = undos([error(404, "ResourceNotFoundException"), error(404, "ResourceNotFoundException")]);

    assert_eq!(undos.arm(&undo(false)).await.unwrap_err().class, Class::Refused);
    assert_eq!(Undos::new(&script.config(), "group").disarm(&unit()).await, Ok(()));
}

#[tokio::test]
async fn every_page_of_a_change_is_disarmed_and_an_error_keeps_no_other_from_it() {
    let page = |names: &[&str], next: Option<&str>| {
        let schedules: Vec<Value> = names.iter().map(|name| json!({ "Name": name })).collect();
        (200, json!({ "Schedules": schedules, "NextToken": next }).to_string())
    };
    let script = Script::new([
        page(&["0123456789abcdef-a-0", "0123456789abcdef-a-1"], Some("two")),
        page(&["0123456789abcdef-b-0"], None),
        error(409, "ConflictException"),
        error(404, "ResourceNotFoundException"),
        (200, "{}".into()),
    ]);

    let error = Undos::new(&script.config(), "group").disarm(&unit()).await.unwrap_err();

    assert_eq!(error.class, Class::Transient);
    assert_eq!(script.left(), 0);
    let asked = script.operations();
    assert!(
        asked[0].contains("NamePrefix=0123456789abcdef-") && asked[0].contains("ScheduleGroup=group"),
        "{}",
        asked[0]
    );
    assert!(asked[1].contains("NextToken=two"), "{}", asked[1]);
    assert!(asked[4].starts_with("DELETE /schedules/0123456789abcdef-b-0?"), "{}", asked[4]);
}
