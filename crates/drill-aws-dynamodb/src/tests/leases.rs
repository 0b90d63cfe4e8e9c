//! Leases: all or none, shares beside shares, and never one given back that was held before.

use std::collections::BTreeSet;

use drill_phases::ports::{Class, Holding, Leases};

use super::*;

/// These targets, each for the run itself.
pub(super) fn own(targets: impl IntoIterator<Item = TargetId>) -> Holding {
    Holding { whole: targets.into_iter().collect(), shares: BTreeSet::new() }
}

fn shares(targets: impl IntoIterator<Item = TargetId>) -> Holding {
    Holding { whole: BTreeSet::new(), shares: targets.into_iter().collect() }
}

fn targets(count: usize) -> Holding {
    own((0..count).map(target))
}

fn key(number: usize) -> Value {
    json!({ "pk": { "S": format!("LEASE#{}", target(number).as_str()) }, "sk": { "S": "LEASE" } })
}

fn lease(number: usize, run: &str) -> Value {
    let mut item = key(number);
    item["owner"] = json!({ "S": run });
    item
}

fn shared(number: usize, runs: &[&str]) -> Value {
    let mut item = key(number);
    item["shares"] = json!({ "SS": runs });
    item
}

fn held(leases: &[Value]) -> (u16, Value) {
    (200, json!({ "Responses": { "runs": leases } }))
}

/// The actions of the last request, which is a transaction.
fn last_transaction(script: &Script) -> Vec<Value> {
    let (operation, mut body) = asked(script).pop().unwrap();
    assert_eq!(operation, "TransactWriteItems");
    serde_json::from_value(body["TransactItems"].take()).unwrap()
}

#[tokio::test]
async fn ninety_nine_leases_are_taken_in_one_transaction_while_the_run_injects() {
    let (script, table) = table([done()]);

    table.lease(&run_id(), &targets(99)).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    assert_eq!(actions.len(), 100);
    let check = &actions[0]["ConditionCheck"];
    assert_eq!(check["Key"], json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "RUN" } }));
    assert_eq!(check["ConditionExpression"], "#it = :it");
    assert_eq!(check["ExpressionAttributeNames"], json!({ "#it": "status" }));
    assert_eq!(check["ExpressionAttributeValues"], json!({ ":it": { "S": "injecting" } }));
    let update = &actions[8]["Update"];
    assert_eq!(update["Key"], key(7));
    assert_eq!(update["UpdateExpression"], "SET #owner = :run");
    assert_eq!(
        update["ConditionExpression"],
        "(attribute_not_exists(#owner) OR #owner = :run) AND (attribute_not_exists(#shares) OR #shares = :me)"
    );
    assert_eq!(update["ExpressionAttributeNames"], json!({ "#owner": "owner", "#shares": "shares" }));
    assert_eq!(update["ExpressionAttributeValues"], json!({ ":run": { "S": "run-1" }, ":me": { "SS": ["run-1"] } }));
}

#[tokio::test]
async fn a_share_needs_only_that_nobody_else_has_the_target_for_itself() {
    let (script, table) = table([done()]);

    table.lease(&run_id(), &shares([target(3)])).await.unwrap();

    let update = &transactions(&script)[0][1]["Update"];
    assert_eq!(update["Key"], key(3));
    assert_eq!(update["UpdateExpression"], "ADD #shares :me");
    assert_eq!(update["ConditionExpression"], "attribute_not_exists(#owner) OR #owner = :run");
}

#[tokio::test]
async fn who_has_a_target_for_itself_takes_no_share_of_it() {
    let (script, table) = table([done()]);
    let both = Holding { whole: [target(1)].into(), shares: [target(1), target(2)].into() };

    table.lease(&run_id(), &both).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    let keys: Vec<&Value> = actions[1..].iter().map(|action| &action["Update"]["Key"]).collect();
    assert_eq!(keys, [&key(1), &key(2)], "a transaction has no two actions on one item");
}

#[tokio::test]
async fn a_conflict_names_the_target_and_the_run_that_holds_it() {
    let cases = [
        (targets(2), lease(1, "other"), "i-00000001 is held by run other"),
        (targets(2), shared(1, &["other", "run-1"]), "i-00000001 is held by run other"),
        (shares([target(0), target(1)]), lease(1, "other"), "i-00000001 is held by run other"),
        (targets(2), Value::Null, "i-00000001 is held by another run"),
    ];
    for (holding, there, expected) in cases {
        let (_, table) = table([cancelled(3, &[(2, "ConditionalCheckFailed", there)])]);

        let error = table.lease(&run_id(), &holding).await.unwrap_err();

        assert_eq!((error.class, error.message.as_str()), (Class::Conflict, expected));
    }
}

#[tokio::test]
async fn nothing_is_taken_for_a_run_that_does_not_inject_any_more() {
    let run = json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": "RUN" }, "status": { "S": "clean" } });
    for (there, expected) in [(run, "run run-1 is clean, not injecting"), (Value::Null, "run run-1 is not injecting")] {
        let (_, table) = table([cancelled(3, &[(0, "ConditionalCheckFailed", there)])]);

        let error = table.lease(&run_id(), &targets(2)).await.unwrap_err();

        assert_eq!((error.class, error.message.as_str()), (Class::Conflict, expected));
    }
}

#[tokio::test]
async fn more_than_ninety_nine_are_looked_at_before_any_is_taken() {
    let (script, table) = table([held(&[]), held(&[lease(149, "other")])]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert_eq!(script.operations(), ["BatchGetItem"; 2]);
}

#[tokio::test]
async fn when_a_later_transaction_is_refused_only_what_was_new_is_given_back() {
    let refused = cancelled(52, &[(51, "ConditionalCheckFailed", lease(149, "other"))]);
    let taken: Vec<Value> = (0..99).filter(|number| *number != 3).map(|number| lease(number, "run-1")).collect();
    let (script, table) = table([held(&[lease(3, "run-1")]), held(&[]), done(), refused, held(&taken), done()]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!((error.class, error.message.as_str()), (Class::Conflict, "i-00000095 is held by run other"));
    let given: Vec<Value> =
        last_transaction(&script).into_iter().map(|mut action| action["Delete"]["Key"].take()).collect();
    assert_eq!(given, (0..99).filter(|number| *number != 3).map(key).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_share_that_was_held_before_stays_when_the_whole_is_refused() {
    let refused = cancelled(52, &[(51, "ConditionalCheckFailed", lease(149, "other"))]);
    let mut both = shared(3, &["run-1"]);
    both["owner"] = json!({ "S": "run-1" });
    let (script, table) = table([held(&[shared(3, &["run-1"])]), held(&[]), done(), refused, held(&[both]), done()]);

    table.lease(&run_id(), &targets(150)).await.unwrap_err();

    let [action] = last_transaction(&script).try_into().unwrap();
    assert_eq!(action["Put"]["Item"], shared(3, &["run-1"]));
}

#[tokio::test]
async fn what_could_not_be_given_back_is_told() {
    let refused = cancelled(2, &[(1, "ConditionalCheckFailed", lease(99, "other"))]);
    let (_, table) = table([held(&[]), done(), refused, error("ThrottlingException")]);

    let error = table.lease(&run_id(), &targets(100)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert!(error.message.contains("99 leases could not be given back yet"), "{error}");
}

#[tokio::test]
async fn a_later_transaction_that_fails_otherwise_keeps_what_was_taken_for_the_next_try() {
    let (script, table) = table([held(&[]), held(&[]), done(), error("ThrottlingException")]);

    let error = table.lease(&run_id(), &targets(150)).await.unwrap_err();

    assert_eq!(error.class, Class::Transient);
    assert_eq!(script.left(), 0);
}

#[tokio::test]
async fn holders_are_the_other_runs_that_this_one_cannot_stand_beside() {
    let leases = [lease(2, "other"), lease(1, "run-1"), shared(0, &["run-1", "third"]), shared(5, &["third"])];
    let (_, table) = table([held(&leases)]);
    let holding = Holding { whole: (0..4).map(target).collect(), shares: [target(5)].into() };

    let holders = table.holders(&run_id(), &holding).await.unwrap();

    assert_eq!(holders, [(target(0), "third".parse().unwrap()), (target(2), "other".parse().unwrap())]);
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_is_not_a_free_target() {
    let mut wrong = key(1);
    wrong["shares"] = json!({ "S": "run-2" });
    for item in [key(1), wrong] {
        let (_, table) = table([held(&[item])]);

        assert_eq!(table.holders(&run_id(), &targets(2)).await.unwrap_err().class, Class::Refused);
    }
}

#[tokio::test]
async fn what_another_run_holds_is_left_and_the_rest_given_back() {
    let there = [lease(0, "run-1"), lease(1, "other"), shared(2, &["other", "run-1"]), shared(3, &["run-1"])];
    let (script, table) = table([held(&there), done()]);
    let holding = Holding { whole: [target(0), target(1)].into(), shares: [target(2), target(3), target(4)].into() };

    table.release(&run_id(), &holding).await.unwrap();

    let [own, share, last] = last_transaction(&script).try_into().unwrap();
    assert_eq!(own["Delete"]["Key"], key(0));
    assert_eq!(own["Delete"]["ConditionExpression"], "#owner = :owner AND attribute_not_exists(#shares)");
    assert_eq!(share["Put"]["Item"], shared(2, &["other"]));
    assert_eq!(share["Put"]["ConditionExpression"], "attribute_not_exists(#owner) AND #shares = :shares");
    assert_eq!(last["Delete"]["Key"], key(3));
}

#[tokio::test]
async fn a_share_that_comes_while_another_goes_is_not_lost() {
    let raced = cancelled(1, &[(0, "ConditionalCheckFailed", shared(0, &["other", "run-1"]))]);
    let (script, table) =
        table([held(&[shared(0, &["run-1"])]), raced, held(&[shared(0, &["other", "run-1"])]), done()]);

    table.release(&run_id(), &shares([target(0)])).await.unwrap();

    let [action] = last_transaction(&script).try_into().unwrap();
    assert_eq!(action["Put"]["Item"], shared(0, &["other"]));
    assert_eq!(table.clock.times(), 1);
}

#[tokio::test]
async fn a_hundred_leases_are_given_back_at_a_time() {
    let leases: Vec<Value> = (0..101).map(|number| lease(number, "run-1")).collect();
    let (script, table) = table([held(&leases[..100]), done(), held(&leases[100..]), done()]);

    table.release(&run_id(), &targets(101)).await.unwrap();

    assert_eq!(script.operations(), ["BatchGetItem", "TransactWriteItems"].repeat(2));
}

#[tokio::test]
async fn no_targets_are_no_call() {
    let (script, table) = table([]);

    table.lease(&run_id(), &Holding::default()).await.unwrap();
    table.release(&run_id(), &Holding::default()).await.unwrap();
    assert!(table.holders(&run_id(), &Holding::default()).await.unwrap().is_empty());

    assert!(script.requests().is_empty());
}
