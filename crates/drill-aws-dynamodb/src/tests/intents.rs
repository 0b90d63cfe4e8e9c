//! Intents: every transaction that writes one carries every condition.

use drill_model::ledger::State;
use drill_phases::ports::{Class, Ledger};

use super::*;

fn kinds(actions: &[Value]) -> (usize, usize) {
    let of = |kind: &str| actions.iter().filter(|action| action.get(kind).is_some()).count();
    (of("ConditionCheck"), of("Put"))
}

fn check(action: &Value) -> (&Value, &Value, &Value) {
    let check = &action["ConditionCheck"];
    (&check["Key"]["pk"]["S"], &check["ConditionExpression"], &check["ExpressionAttributeValues"][":it"]["S"])
}

#[tokio::test]
async fn an_intent_is_written_with_its_three_conditions() {
    let (script, table) = table([done()]);

    table.intend(&run_id(), &rows(1)).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    let [run, lever, lease, put] = actions.try_into().unwrap();
    assert_eq!(check(&run), (&json!("RUN#run-1"), &json!("#it = :it"), &json!("injecting")));
    assert_eq!(run["ConditionCheck"]["ExpressionAttributeNames"]["#it"], "status");
    assert_eq!(check(&lever), (&json!("LEVER"), &json!("attribute_not_exists(pk)"), &Value::Null));
    assert_eq!(check(&lease), (&json!(format!("LEASE#{}", target(0).as_str())), &json!("#it = :it"), &json!("run-1")));
    assert_eq!(lease["ConditionCheck"]["ExpressionAttributeNames"]["#it"], "owner");
    assert_eq!(put["Put"]["Item"], stored(&rows(1)[0]));
    assert_eq!(put["Put"]["ConditionExpression"], "attribute_not_exists(pk)");
}

#[tokio::test]
async fn a_full_batch_is_two_transactions_that_fit_each_with_all_its_conditions() {
    let (script, table) = table([done(), done()]);

    table.intend(&run_id(), &rows(50)).await.unwrap();

    let transactions = transactions(&script);
    assert_eq!(transactions.iter().map(|actions| kinds(actions)).collect::<Vec<_>>(), [(27, 25), (27, 25)]);
    for actions in transactions {
        let leased: Vec<&Value> = actions[2..27].iter().map(|action| check(action).0).collect();
        let written: Vec<String> = actions[27..]
            .iter()
            .map(|put| put["Put"]["Item"]["sk"]["S"].as_str().unwrap().replace("ROW#stop#", "LEASE#"))
            .collect();
        assert_eq!(leased, written.iter().map(|key| json!(key)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn forty_nine_rows_fill_one_transaction() {
    let (script, table) = table([done()]);

    table.intend(&run_id(), &rows(49)).await.unwrap();

    assert_eq!(transactions(&script)[0].len(), 100);
}

#[tokio::test]
async fn more_than_a_batch_is_refused_before_anything_is_asked() {
    let (script, table) = table([]);

    assert_eq!(table.intend(&run_id(), &rows(51)).await.unwrap_err().class, Class::Refused);
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_row_of_another_run_is_refused_before_anything_is_asked() {
    let (script, table) = table([]);

    let error = table.intend(&"another".parse().unwrap(), &rows(1)).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_a_conflict_that_says_which() {
    let failed = "ConditionalCheckFailed";
    let cases = [
        ((0, failed, json!({ "status": { "S": "rolling-back" } })), "run run-1 is rolling-back, not injecting"),
        ((0, failed, Value::Null), "run run-1 is not injecting"),
        ((1, failed, json!({ "reason": { "S": "storm" } })), "the emergency stop is pulled: storm"),
        ((1, failed, Value::Null), "the emergency stop is pulled"),
        ((2, failed, Value::Null), "run run-1 does not hold the lease of i-00000000"),
        ((3, failed, Value::Null), "run run-1 does not hold the lease of i-00000001"),
    ];
    for (reason, expected) in cases {
        let (_, table) = table([cancelled(6, &[reason])]);

        let error = table.intend(&run_id(), &rows(2)).await.unwrap_err();

        assert_eq!((error.class, error.message.as_str()), (Class::Conflict, expected));
    }
}

#[tokio::test]
async fn a_condition_that_does_not_hold_counts_more_than_a_row_that_is_there() {
    let reasons = [(1, "ConditionalCheckFailed", Value::Null), (3, "ConditionalCheckFailed", Value::Null)];
    let (_, table) = table([cancelled(4, &reasons)]);

    assert_eq!(table.intend(&run_id(), &rows(1)).await.unwrap_err().class, Class::Conflict);
}

#[tokio::test]
async fn a_row_that_is_there_stays_and_the_others_are_written_with_every_condition() {
    let (script, table) = table([cancelled(6, &[(4, "ConditionalCheckFailed", stored(&rows(1)[0]))]), done()]);

    table.intend(&run_id(), &rows(2)).await.unwrap();

    let second = &transactions(&script)[1];
    assert_eq!(kinds(second), (4, 1));
    assert_eq!(second[4]["Put"]["Item"]["sk"]["S"], row_key(1));
}

#[tokio::test]
async fn when_every_row_is_there_the_conditions_are_still_checked() {
    let there = cancelled(4, &[(3, "ConditionalCheckFailed", Value::Null)]);
    let (script, table) = table([there, cancelled(3, &[(1, "ConditionalCheckFailed", Value::Null)])]);

    let error = table.intend(&run_id(), &rows(1)).await.unwrap_err();

    assert_eq!(error.message, "the emergency stop is pulled");
    assert_eq!(kinds(&transactions(&script)[1]), (3, 0));
}

#[tokio::test]
async fn two_faults_of_one_target_check_its_lease_once() {
    let (script, table) = table([done()]);
    let mut both = vec![row(1, State::Intended), row(1, State::Intended)];
    both[1].fault = "other".parse().unwrap();

    table.intend(&run_id(), &both).await.unwrap();

    assert_eq!(kinds(&transactions(&script)[0]), (3, 2));
}

#[tokio::test]
async fn a_repeated_call_is_never_answered_from_memory() {
    let (script, table) = table([done(), done()]);

    table.intend(&run_id(), &rows(1)).await.unwrap();
    table.intend(&run_id(), &rows(1)).await.unwrap();

    let tokens: Vec<Value> =
        asked(&script).into_iter().map(|(_, mut body)| body["ClientRequestToken"].take()).collect();
    assert!(tokens[0].is_string());
    assert_ne!(tokens[0], tokens[1]);
}

#[tokio::test]
async fn a_transaction_that_is_wrong_in_itself_is_refused() {
    let (_, table) = table([cancelled(4, &[(3, "ValidationError", Value::Null)])]);

    assert_eq!(table.intend(&run_id(), &rows(1)).await.unwrap_err().class, Class::Refused);
}
