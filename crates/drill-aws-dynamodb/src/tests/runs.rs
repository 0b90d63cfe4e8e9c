//! Records, plans, tokens and the emergency stop.

use drill_model::experiment::Slot;
use drill_model::ids::ExperimentId;
use drill_model::pick::Seed;
use drill_model::plan::{Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::run::{Armed, Run, Status};
use drill_phases::ports::{Class, EmergencyStop, Experiments, Runs, TaskTokens, UndoProof};

use super::*;
use crate::ExperimentTable;

pub(super) fn run(version: u64) -> Run {
    let execution = "arn:aws:states:eu-central-1:123456789012:execution:m:run-1".into();
    let requested_by = "me".into();
    Run { execution, version, status: Status::RollingBack, requested_by, ..Run::new(run_id(), at(0)) }
}

fn record(run: &Run) -> Value {
    json!({
        "pk": { "S": "RUN#run-1" },
        "sk": { "S": "RUN" },
        "record": { "S": serde_json::to_string(run).unwrap() },
        "version": { "N": run.version.to_string() },
        "status": { "S": "rolling-back" },
    })
}

/// A plan whose population is this large.
fn plan(population: usize) -> Plan {
    let text = "
id: fixture
title: A fixture
hypothesis: It holds.
environments: [staging]
targets:
  hosts: { kind: ec2-instance, tags: { Service: orders }, pick: { count: 1 } }
faults:
  - { name: pause, kind: process-pause, on: hosts, process: orders, duration: 60s }
steady_state:
  - { name: latency, prometheus: { query: latency }, tolerance: { at_most: 500 } }
guards:
  stop_when: [{ alarm: budget }]
  max_blast_radius: 100%
";
    let experiment = drill_model::read::experiment(text).unwrap();
    let targets = Targets { population: (0..population).map(target).collect(), selected: [target(0)].into() };
    let change = |(spec, slot): (&drill_model::faults::FaultSpec, Slot)| PlannedChange {
        fault: spec.name.clone(),
        on: spec.on.clone(),
        change: spec.fault.change(&experiment.dependencies),
        slot,
    };
    let scope = Scope {
        run_id: run_id(),
        account: "0".into(),
        region: "local".into(),
        environment: "staging".parse().unwrap(),
        seed: Seed::of(&run_id()),
        targets: [("hosts".parse().unwrap(), targets)].into(),
        shares: [].into(),
        changes: experiment.faults.iter().zip(experiment.schedule()).map(change).collect(),
        pacing: Pacing::of(Span::seconds(60), Span::seconds(5)).unwrap(),
        worst_case: Span::seconds(180),
        experiment,
    };
    Plan { scope, made_at: at(0), baseline: Vec::new() }
}

#[tokio::test]
async fn a_new_record_is_written_only_where_there_is_none() {
    let (script, table) = table([done()]);

    let created = table.create_run(&run(0)).await.unwrap();

    assert_eq!(created, run(0));
    let [(operation, body)] = asked(&script).try_into().unwrap();
    assert_eq!(operation, "PutItem");
    assert_eq!(body["TableName"], "runs");
    assert_eq!(body["Item"], record(&run(0)));
    assert_eq!(body["ConditionExpression"], "attribute_not_exists(pk)");
}

#[tokio::test]
async fn a_repeated_start_gets_the_record_that_is_there() {
    let (script, table) = table([condition_failed(&record(&run(7)))]);

    assert_eq!(table.create_run(&run(0)).await.unwrap(), run(7));
    assert_eq!(asked(&script).len(), 1);
}

#[tokio::test]
async fn a_repeated_start_reads_the_record_when_it_does_not_come_with_the_answer() {
    let (script, table) = table([condition_failed(&Value::Null), (200, json!({ "Item": record(&run(7)) }))]);

    assert_eq!(table.create_run(&run(0)).await.unwrap(), run(7));
    assert_eq!(asked(&script)[1].1["ConsistentRead"], true);
}

#[tokio::test]
async fn a_record_is_replaced_only_by_who_knows_its_version() {
    let (script, table) = table([done()]);

    let saved = table.save_run(&run(3)).await.unwrap();

    assert_eq!(saved, run(4));
    let [(_, body)] = asked(&script).try_into().unwrap();
    assert_eq!(body["Item"], record(&run(4)));
    assert_eq!(body["ConditionExpression"], "#it = :it");
    assert_eq!(body["ExpressionAttributeNames"], json!({ "#it": "version" }));
    assert_eq!(body["ExpressionAttributeValues"], json!({ ":it": { "N": "3" } }));
}

#[tokio::test]
async fn a_record_is_in_the_index_from_when_it_is_armed_until_all_is_given_back() {
    let armed = Some(Armed { from: at(0), deadline: at(180) });
    let cases = [(None, None, false), (armed, None, true), (armed, Some(at(200)), false)];
    for (armed, given_back_at, shown) in cases {
        let (script, table) = table([done()]);

        table.save_run(&Run { armed, given_back_at, ..run(3) }).await.unwrap();

        let [(_, body)] = asked(&script).try_into().unwrap();
        let expected = shown.then(|| (json!({ "S": "open" }), json!({ "S": "2027-01-15T08:03:00.000000000Z" })));
        let item = &body["Item"];
        let found = item.get("open").cloned().zip(item.get("deadline").cloned());
        assert_eq!(found, expected, "{armed:?} {given_back_at:?}");
    }
}

#[tokio::test]
async fn a_record_that_somebody_else_wrote_is_a_conflict() {
    let (_, table) = table([condition_failed(&record(&run(5)))]);

    let error = table.save_run(&run(3)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert_eq!(error.message, "run run-1 is at version 5, not 3");
}

#[tokio::test]
async fn a_record_that_did_not_come_with_the_answer_is_looked_for_before_it_is_called_missing() {
    let (_, there) = table([condition_failed(&Value::Null), (200, json!({ "Item": record(&run(5)) }))]);
    let (_, gone) = table([condition_failed(&Value::Null), done()]);

    assert_eq!(there.save_run(&run(3)).await.unwrap_err().class, Class::Conflict);
    assert_eq!(gone.save_run(&run(3)).await.unwrap_err().class, Class::Missing);
}

#[tokio::test]
async fn a_record_is_read_consistently() {
    let (script, table) = table([(200, json!({ "Item": record(&run(5)) }))]);

    assert_eq!(table.run(&run_id()).await.unwrap(), run(5));
    let [(operation, body)] = asked(&script).try_into().unwrap();
    assert_eq!(operation, "GetItem");
    assert_eq!(body["ConsistentRead"], true);
    assert_eq!(body["Key"], json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "RUN" } }));
}

#[tokio::test]
async fn a_record_of_another_make_is_told_and_not_skipped() {
    let (_, table) = table([(200, json!({ "Item": { "pk": { "S": "RUN#run-1" }, "sk": { "S": "RUN" } } }))]);

    let error = table.run(&run_id()).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert_eq!(error.message, "item RUN#run-1/RUN cannot be read: it has no `record`");
}

/// The items of the transactions that were asked for, and how many were in each.
fn plan_items(script: &Script) -> (Vec<usize>, Vec<Value>) {
    let transactions = transactions(script);
    let sizes = transactions.iter().map(Vec::len).collect();
    (sizes, transactions.into_iter().flatten().map(|mut action| action["Put"]["Item"].take()).collect())
}

#[tokio::test]
async fn a_plan_is_written_in_one_transaction_and_read_as_it_was() {
    let plan = plan(8_000);
    let (writing, table_) = table([done()]);
    table_.put_plan(&plan).await.unwrap();
    let (sizes, items) = plan_items(&writing);
    assert_eq!(sizes, [3], "two parts and the pointer");
    assert_eq!(items[2]["parts"], json!({ "N": "2" }));

    // A query answers by sort key: the pointer, then the parts. Here it does so in two pages.
    let first =
        json!({ "Items": [items[2], items[0]], "LastEvaluatedKey": { "pk": items[0]["pk"], "sk": items[0]["sk"] } });
    let (reading, table) = table([(200, first), (200, json!({ "Items": [items[1]] }))]);

    assert_eq!(table.plan(&run_id()).await.unwrap(), plan);
    let pages = asked(&reading);
    assert_eq!(pages[0].1["ConsistentRead"], true);
    assert_eq!(pages[1].1["ExclusiveStartKey"]["sk"], items[0]["sk"]);
}

#[tokio::test]
async fn the_pointer_of_a_plan_for_several_transactions_is_written_last() {
    let (script, table) = table([done(), done()]);

    table.put_plan(&plan(70_000)).await.unwrap();

    let (sizes, items) = plan_items(&script);
    assert_eq!(sizes.len(), 2);
    let pointers: Vec<usize> = (0..items.len()).filter(|at| items[*at]["sk"]["S"] == "PLAN").collect();
    assert_eq!(pointers, [items.len() - 1]);
    for transaction in transactions(&script) {
        let bytes: usize =
            transaction.iter().filter_map(|put| put["Put"]["Item"]["part"]["S"].as_str()).map(str::len).sum();
        assert!(bytes < 4_000_000, "{bytes} bytes in one transaction");
    }
}

#[tokio::test]
async fn a_mixture_of_two_plans_is_never_read() {
    let (writing, table_) = table([done()]);
    table_.put_plan(&plan(8_000)).await.unwrap();
    let (_, items) = plan_items(&writing);
    let mut other = items[1].clone();
    other["of"] = json!({ "S": "another" });
    let (_, table) = table([(200, json!({ "Items": [items[2], items[0], other] }))]);

    let error = table.plan(&run_id()).await.unwrap_err();

    assert_eq!(error.class, Class::Transient, "{error}");
}

#[tokio::test]
async fn parts_of_an_older_and_longer_plan_are_not_read() {
    let (writing, table_) = table([done()]);
    table_.put_plan(&plan(1)).await.unwrap();
    let (_, items) = plan_items(&writing);
    let old =
        json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "PLAN#0001" }, "part": { "S": "x" }, "of": { "S": "old" } });
    let (_, table) = table([(200, json!({ "Items": [items[1], items[0], old] }))]);

    assert_eq!(table.plan(&run_id()).await.unwrap(), plan(1));
}

#[tokio::test]
async fn a_plan_whose_pointer_is_not_written_yet_is_missing() {
    let part =
        json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "PLAN#0000" }, "part": { "S": "x" }, "of": { "S": "y" } });
    let (_, table) = table([(200, json!({ "Items": [part] }))]);

    assert_eq!(table.plan(&run_id()).await.unwrap_err().class, Class::Missing);
}

#[tokio::test]
async fn a_proof_of_the_undo_says_when_it_was_made() {
    let item = |at: Value| (200, json!({ "Item": { "pk": { "S": "UNDO" }, "sk": { "S": "PROOF" }, "at": at } }));
    let (script, table) = table([done(), item(json!({ "S": "2026-11-21T17:00:00Z" })), item(json!({ "S": "soon" }))]);

    assert_eq!(table.undo_proven().await.unwrap(), None);
    assert_eq!(table.undo_proven().await.unwrap(), Some("2026-11-21T17:00:00Z".parse().unwrap()));
    assert_eq!(table.undo_proven().await.unwrap_err().class, Class::Refused);
    assert!(asked(&script).iter().all(|(_, body)| body["ConsistentRead"] == true));
}

#[tokio::test]
async fn the_lever_is_pulled_whatever_its_item_says() {
    let item =
        |reason: Value| (200, json!({ "Item": { "pk": { "S": "LEVER" }, "sk": { "S": "LEVER" }, "reason": reason } }));
    let (script, table) = table([done(), item(json!({ "S": "storm" })), item(json!({ "N": "1" }))]);

    assert_eq!(table.lever().await.unwrap(), None);
    assert_eq!(table.lever().await.unwrap(), Some("storm".into()));
    assert_eq!(table.lever().await.unwrap(), Some("no reason was given".into()));
    assert!(asked(&script).iter().all(|(_, body)| body["ConsistentRead"] == true));
}

#[tokio::test]
async fn a_token_is_kept_and_never_told_in_an_error() {
    let (script, keeping) = table([done(), error("ValidationException")]);
    let (_, reading) = table([(200, json!({ "Item": { "token": { "S": "secret" } } })), done()]);

    keeping.keep_token(&run_id(), "secret").await.unwrap();
    let refused = keeping.keep_token(&run_id(), "secret").await.unwrap_err();

    assert_eq!(asked(&script)[0].1["Item"]["token"], json!({ "S": "secret" }));
    assert!(asked(&script)[0].1.get("ConditionExpression").is_none());
    assert!(!refused.to_string().contains("secret"));
    assert_eq!(reading.token(&run_id()).await.unwrap(), "secret");
    assert_eq!(reading.token(&run_id()).await.unwrap_err().class, Class::Missing);
}

#[tokio::test]
async fn an_experiment_is_its_text_or_missing() {
    let script = Script::new([(200, json!({ "Item": { "text": { "S": "id: x" } } }).to_string()), (200, "{}".into())]);
    let table = ExperimentTable::new(&script.config(), "experiments");
    let id: ExperimentId = "x".parse().unwrap();

    assert_eq!(table.experiment(&id).await.unwrap(), "id: x");
    assert_eq!(table.experiment(&id).await.unwrap_err().class, Class::Missing);
    assert_eq!(asked(&script)[0].1["Key"], json!({ "id": { "S": "x" } }));
}
