//! Leases: all or none, and never one given back that was held before.

use std::collections::BTreeSet;

use drill_phases::ports::{Class, Leases};

use super::*;

fn targets(count: usize) -> BTreeSet<InstanceId> {
    (0..count).map(target).collect()
}

fn lease(number: usize, run: &str) -> Value {
    json!({ "pk": { "S": format!("LEASE#{}", target(number)) }, "sk": { "S": "LEASE" }, "run": { "S": run } })
}

fn held(leases: &[Value]) -> (u16, Value) {
    (200, json!({ "Responses": { "runs": leases } }))
}

#[tokio::test]
async fn a_hundred_leases_are_taken_in_one_transaction() {
    let (script, table) = table([done()]);

    table.lease(&run_id(), &targets(100)).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    assert_eq!(actions.len(), 100);
    let put = &actions[7]["Put"];
    assert_eq!(put["Item"], lease(7, "run-1"));
    assert_eq!(put["ConditionExpression"], "attribute_not_exists(pk) OR #it = :it");
    assert_eq!(put["ExpressionAttributeNames"]["#it"], "run");
    assert_eq!(put["ExpressionAttributeValues"][":it"]["S"], "run-1");
}

#[tokio::test]
async fn a_lease_of_another_run_is_a_conflict_that_names_it() {
    let (_, said) = table([cancelled(2, &[(1, "ConditionalCheckFailed", lease(1, "other"))])]);
    let (_, unsaid) = table([cancelled(2, &[(1, "ConditionalCheckFailed", Value::Null)])]);

    let said = said.lease(&run_id(), &targets(2)).await.unwrap_err();
    let unsaid = unsaid.lease(&run_id(), &targets(2)).await.unwrap_err();

    assert_eq!((said.class, said.message.as_str()), (Class::Conflict, "i-00000001 is held by run other"));
    assert_eq!((unsaid.class, unsaid.message.as_str()), (Class::Conflict, "i-00000001 is held by another run"));
}

#[tokio::test]
async fn more_than_a_hundred_are_looked_at_before_any_is_taken() {
    let (script, table) = table([held(&[]), held(&[lease(149, "other")])]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert_eq!(script.operations(), ["BatchGetItem"; 2]);
}

#[tokio::test]
async fn when_a_later_hundred_is_refused_only_what_was_new_is_given_back() {
    let refused = cancelled(50, &[(49, "ConditionalCheckFailed", lease(149, "other"))]);
    let (script, table) = table([held(&[lease(3, "run-1")]), held(&[]), done(), refused, done()]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!((error.class, error.message.as_str()), (Class::Conflict, "i-00000095 is held by run other"));
    let (operation, body) = &asked(&script)[4];
    assert_eq!(operation, "TransactWriteItems");
    let given: Vec<&str> = body["TransactItems"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|action| action["Delete"]["Key"]["pk"]["S"].as_str())
        .collect();
    let new: Vec<String> =
        (0..100).filter(|number| *number != 3).map(|number| format!("LEASE#{}", target(number))).collect();
    assert_eq!(given, new);
}

#[tokio::test]
async fn what_could_not_be_given_back_is_told() {
    let refused = cancelled(1, &[(0, "ConditionalCheckFailed", lease(100, "other"))]);
    let (_, table) = table([held(&[]), held(&[]), done(), refused, error("ThrottlingException")]);

    let error = table.lease(&run_id(), &targets(101)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert!(error.message.contains("100 leases could not be given back yet"), "{error}");
}

#[tokio::test]
async fn a_later_hundred_that_fails_otherwise_keeps_what_was_taken_for_the_next_try() {
    let (script, table) = table([held(&[]), held(&[]), done(), error("ThrottlingException")]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!(error.class, Class::Transient);
    assert_eq!(script.left(), 0);
}

#[tokio::test]
async fn holders_are_the_other_runs() {
    let (_, table) = table([held(&[lease(2, "other"), lease(1, "run-1"), lease(0, "third")])]);

    let holders = table.holders(&run_id(), &targets(4)).await.unwrap();

    assert_eq!(holders, [(target(0), "third".parse().unwrap()), (target(2), "other".parse().unwrap())]);
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_is_not_a_free_target() {
    let (_, table) = table([held(&[json!({ "pk": { "S": "LEASE#i-00000001" }, "sk": { "S": "LEASE" } })])]);

    assert_eq!(table.holders(&run_id(), &targets(2)).await.unwrap_err().class, Class::Refused);
}

#[tokio::test]
async fn what_another_run_holds_is_left_and_the_rest_given_back() {
    let others = cancelled(3, &[(1, "ConditionalCheckFailed", Value::Null)]);
    let (script, table) = table([others, done()]);

    table.release(&run_id(), &targets(3)).await.unwrap();

    let second = &transactions(&script)[1];
    let given: Vec<&Value> = second.iter().map(|action| &action["Delete"]["Key"]["pk"]["S"]).collect();
    assert_eq!(given, [&json!("LEASE#i-00000000"), &json!("LEASE#i-00000002")]);
}

#[tokio::test]
async fn a_hundred_leases_are_given_back_at_a_time() {
    let (script, table) = table([done(), done()]);

    table.release(&run_id(), &targets(101)).await.unwrap();

    assert_eq!(transactions(&script).iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
}

#[tokio::test]
async fn no_targets_are_no_call() {
    let (script, table) = table([]);

    table.lease(&run_id(), &BTreeSet::new()).await.unwrap();
    table.release(&run_id(), &BTreeSet::new()).await.unwrap();
    assert!(table.holders(&run_id(), &BTreeSet::new()).await.unwrap().is_empty());

    assert!(script.requests().is_empty());
}
