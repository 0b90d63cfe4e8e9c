//! Samples: written once, read in order.

use drill_model::observation::{Sample, Stage};
use drill_phases::ports::{Class, Runs};

use super::*;

fn sample(stage: Stage, number: u32) -> Sample {
    Sample { stage, number, at: at(i64::from(number)), readings: Vec::new(), alarms: Vec::new(), faults: Vec::new() }
}

fn baseline(count: u32) -> Vec<Sample> {
    (0..count).map(|number| sample(Stage::Baseline, number)).collect()
}

fn item(sample: &Sample) -> Value {
    json!({ "sample": { "S": serde_json::to_string(sample).unwrap() } })
}

#[tokio::test]
async fn one_sample_is_one_write_that_replaces_nothing() {
    let (script, table) = table([done(), condition_failed(&Value::Null)]);

    table.record_samples(&run_id(), &[sample(Stage::Fault, 7)]).await.unwrap();
    table.record_samples(&run_id(), &[sample(Stage::Fault, 7)]).await.unwrap();

    assert_eq!(script.operations(), ["PutItem"; 2]);
    let (_, body) = &asked(&script)[0];
    assert_eq!(body["Item"]["sk"], json!({ "S": "SAMPLE#fault#0000000007" }));
    assert_eq!(body["ConditionExpression"], "attribute_not_exists(pk)");
}

#[tokio::test]
async fn several_samples_are_one_transaction_for_each_hundred() {
    let (script, table) = table([done(), done()]);

    table.record_samples(&run_id(), &baseline(101)).await.unwrap();

    let sizes: Vec<usize> = transactions(&script).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 1]);
}

#[tokio::test]
async fn those_that_are_there_stay_and_the_others_are_written() {
    let there = cancelled(3, &[(1, "ConditionalCheckFailed", Value::Null)]);
    let (script, table) = table([there, done()]);

    table.record_samples(&run_id(), &baseline(3)).await.unwrap();

    let numbers = |at: usize| -> Vec<Value> {
        transactions(&script)[at].iter().map(|put| put["Put"]["Item"]["sk"]["S"].clone()).collect()
    };
    assert_eq!(numbers(1), ["SAMPLE#baseline#0000000000", "SAMPLE#baseline#0000000002"]);
}

#[tokio::test]
async fn when_all_are_there_nothing_more_is_asked() {
    let all = [0, 1].map(|at| (at, "ConditionalCheckFailed", Value::Null));
    let (script, table) = table([cancelled(2, &all)]);

    table.record_samples(&run_id(), &baseline(2)).await.unwrap();

    assert_eq!(transactions(&script).len(), 1);
}

#[tokio::test]
async fn the_same_sample_twice_in_one_call_is_written_once() {
    let (script, table) = table([done()]);

    table.record_samples(&run_id(), &[sample(Stage::Fault, 1), sample(Stage::Fault, 1)]).await.unwrap();

    assert_eq!(script.operations(), ["PutItem"]);
}

#[tokio::test]
async fn no_samples_are_no_call() {
    let (script, table) = table([]);

    table.record_samples(&run_id(), &[]).await.unwrap();
    assert!(table.latest_samples(&run_id(), Stage::Fault, 0).await.unwrap().is_empty());

    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn every_page_of_samples_is_read() {
    let key = json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "SAMPLE#baseline#0000000000" } });
    let (script, table) = table([
        (200, json!({ "Items": [item(&sample(Stage::Baseline, 0))], "LastEvaluatedKey": key })),
        // A page may be empty and not be the last.
        (200, json!({ "Items": [], "LastEvaluatedKey": key })),
        (200, json!({ "Items": [item(&sample(Stage::Fault, 0))] })),
    ]);

    let samples = table.samples(&run_id()).await.unwrap();

    assert_eq!(samples, [sample(Stage::Baseline, 0), sample(Stage::Fault, 0)]);
    let pages = asked(&script);
    assert!(pages[0].1.get("ExclusiveStartKey").is_none());
    assert_eq!(pages[2].1["ExclusiveStartKey"], key);
    assert!(pages.iter().all(|(_, body)| body["ConsistentRead"] == true));
}

#[tokio::test]
async fn the_latest_samples_are_read_from_the_end_and_told_in_order() {
    let key = json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "SAMPLE#fault#0000000008" } });
    let (script, table) = table([
        (
            200,
            json!({ "Items": [item(&sample(Stage::Fault, 9)), item(&sample(Stage::Fault, 8))], "LastEvaluatedKey": key }),
        ),
        (200, json!({ "Items": [item(&sample(Stage::Fault, 7))], "LastEvaluatedKey": key })),
    ]);

    let latest = table.latest_samples(&run_id(), Stage::Fault, 3).await.unwrap();

    assert_eq!(latest, [7, 8, 9].map(|number| sample(Stage::Fault, number)));
    let pages = asked(&script);
    assert_eq!(pages[0].1["ScanIndexForward"], false);
    assert_eq!(pages[0].1["ExpressionAttributeValues"][":prefix"], json!({ "S": "SAMPLE#fault#" }));
    assert_eq!((&pages[0].1["Limit"], &pages[1].1["Limit"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn a_sample_that_cannot_be_read_is_an_error() {
    let (_, table) = table([(200, json!({ "Items": [{ "sample": { "S": "{" } }] }))]);

    assert_eq!(table.samples(&run_id()).await.unwrap_err().class, Class::Refused);
}
