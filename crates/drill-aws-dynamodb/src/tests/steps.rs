//! Steps of rows, and what is read of them.

use drill_model::ledger::{Gone, State};
use drill_phases::ports::{Class, Ledger, Step};

use super::*;
use crate::calls::PAUSES;

fn landed() -> State {
    State::Landed { at: at(5) }
}

fn undone() -> State {
    State::undone(None, Gone::Absent)
}

fn step(number: usize, from: State, to: State) -> Step {
    Step { row: row(number, from), to }
}

fn stepped(mut row: Row, to: State, second: i64) -> Row {
    row.state = to;
    row.since = at(second);
    row
}

fn batch(rows: &[Row]) -> (u16, Value) {
    (200, json!({ "Responses": { "runs": rows.iter().map(stored).collect::<Vec<_>>() } }))
}

#[tokio::test]
async fn a_step_from_a_row_that_is_as_it_was_is_one_call() {
    let (script, table) = table([done()]);

    table.advance(&[step(1, State::Intended, landed())], at(9)).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    let put = &actions[0]["Put"];
    assert_eq!(put["Item"], stored(&stepped(row(1, State::Intended), landed(), 9)));
    assert_eq!(put["ConditionExpression"], "#it = :it");
    assert_eq!(put["ExpressionAttributeNames"]["#it"], "row");
    assert_eq!(put["ExpressionAttributeValues"][":it"], stored(&row(1, State::Intended))["row"]);
}

#[tokio::test]
async fn a_row_that_is_closed_leaves_the_index() {
    let (script, table) = table([done()]);

    table.advance(&[step(1, State::Intended, undone())], at(9)).await.unwrap();

    let item = &transactions(&script)[0][0]["Put"]["Item"];
    assert_eq!((item.get("open"), item.get("deadline")), (None, None));
    assert_eq!(item["state"]["S"], "undone");
}

#[tokio::test]
async fn a_row_that_changed_is_read_and_stepped_from_where_it_is() {
    let lost = cancelled(1, &[(0, "ConditionalCheckFailed", Value::Null)]);
    let there = stepped(row(1, State::Intended), landed(), 7);
    let (script, table) = table([lost, batch(std::slice::from_ref(&there)), done()]);

    table.advance(&[step(1, State::Intended, undone())], at(9)).await.unwrap();

    assert_eq!(script.operations(), ["TransactWriteItems", "BatchGetItem", "TransactWriteItems"]);
    let (_, last) = &asked(&script)[2];
    assert_eq!(last["TransactItems"][0]["Put"]["ExpressionAttributeValues"][":it"], stored(&there)["row"]);
    assert_eq!(asked(&script)[1].1["RequestItems"]["runs"]["ConsistentRead"], true);
}

#[tokio::test]
async fn a_row_that_somebody_else_closed_is_passed_over_and_the_others_are_moved() {
    let lost = cancelled(2, &[(0, "ConditionalCheckFailed", Value::Null)]);
    let closed = stepped(row(1, State::Intended), State::NeverMade { why: "it was late".into() }, 7);
    let (script, table) = table([lost, batch(&[closed]), done()]);

    table.advance(&[step(1, State::Intended, landed()), step(2, State::Intended, landed())], at(9)).await.unwrap();

    let (_, last) = &asked(&script)[2];
    let moved = last["TransactItems"].as_array().unwrap();
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0]["Put"]["Item"]["sk"]["S"], row_key(2));
}

#[tokio::test]
async fn a_step_that_its_caller_takes_for_made_is_looked_at() {
    let there = row(1, State::Intended);
    let (script, table) = table([batch(&[there]), done()]);

    table.advance(&[step(1, landed(), landed())], at(9)).await.unwrap();

    assert_eq!(script.operations(), ["BatchGetItem", "TransactWriteItems"]);
}

#[tokio::test]
async fn a_repeated_step_writes_nothing() {
    let there = stepped(row(1, State::Intended), landed(), 7);
    let (script, table) = table([batch(&[there])]);

    table.advance(&[step(1, landed(), State::Landed { at: at(99) })], at(9)).await.unwrap();

    assert_eq!(script.operations(), ["BatchGetItem"]);
}

#[tokio::test]
async fn a_row_that_is_not_there_is_passed_over() {
    let lost = cancelled(1, &[(0, "ConditionalCheckFailed", Value::Null)]);
    let (script, table) = table([lost, batch(&[])]);

    table.advance(&[step(1, State::Intended, landed())], at(9)).await.unwrap();

    assert_eq!(script.left(), 0);
}

#[tokio::test]
async fn two_steps_of_one_row_are_one_write() {
    let (script, table) = table([done()]);

    table.advance(&[step(1, State::Intended, landed()), step(1, State::Intended, undone())], at(9)).await.unwrap();

    let [actions] = transactions(&script).try_into().unwrap();
    assert_eq!(actions.len(), 1);
    assert_eq!(actions[0]["Put"]["Item"], stored(&stepped(row(1, State::Intended), undone(), 9)));
}

#[tokio::test]
async fn a_hundred_rows_are_moved_at_a_time() {
    let (script, table) = table([done(), done()]);
    let steps: Vec<Step> = (0..101).map(|number| step(number, State::Intended, landed())).collect();

    table.advance(&steps, at(9)).await.unwrap();

    assert_eq!(transactions(&script).iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
}

#[tokio::test]
async fn a_race_that_is_lost_again_and_again_is_a_conflict() {
    let lost = || cancelled(1, &[(0, "ConditionalCheckFailed", Value::Null)]);
    let (script, table) = table([]);
    for round in 0..PAUSES.len() {
        let there = stepped(row(1, State::Intended), State::Intended, i64::try_from(round).unwrap());
        let read = (round > 0).then(|| batch(&[there]));
        for (status, body) in read.into_iter().chain([lost()]) {
            script.then(drill_aws_config::script::Answer::Http(status, body.to_string()));
        }
    }

    let error = table.advance(&[step(1, State::Intended, landed())], at(9)).await.unwrap_err();

    assert_eq!(error.class, Class::Conflict);
    assert_eq!(script.left(), 0);
}

#[tokio::test]
async fn no_steps_are_no_call() {
    let (script, table) = table([]);

    table.advance(&[], at(9)).await.unwrap();

    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn every_page_of_rows_is_read_consistently() {
    let (one, two) = (row(1, landed()), row(2, undone()));
    let key = json!({ "pk": { "S": "RUN#run-1" }, "sk": { "S": row_key(1) } });
    let (script, table) = table([
        (200, json!({ "Items": [stored(&one)], "LastEvaluatedKey": key })),
        (200, json!({ "Items": [stored(&two)] })),
    ]);

    assert_eq!(table.rows(&run_id()).await.unwrap(), [one, two]);
    assert!(asked(&script).iter().all(|(_, body)| body["ConsistentRead"] == true));
}

#[tokio::test]
async fn overdue_runs_are_read_from_every_page_of_the_index_and_named_once() {
    let entry =
        |run: &str, number: usize| json!({ "pk": { "S": format!("RUN#{run}") }, "sk": { "S": row_key(number) } });
    let (script, table) = table([
        (200, json!({ "Items": [entry("a", 1), entry("a", 2)], "LastEvaluatedKey": entry("a", 2) })),
        (200, json!({ "Items": [entry("b", 1)] })),
    ]);

    let runs = table.overdue("2026-01-01T00:00:00.5Z".parse().unwrap()).await.unwrap();

    assert_eq!(runs, ["a", "b"].map(|run| run.parse().unwrap()).into());
    let pages = asked(&script);
    assert_eq!(pages[0].1["IndexName"], "open");
    let values = &pages[0].1["ExpressionAttributeValues"];
    assert_eq!(values, &json!({ ":open": { "S": "open" }, ":before": { "S": "2026-01-01T00:00:00.500000000Z" } }));
    assert!(pages[0].1.get("ConsistentRead").is_none(), "an index refuses it");
}
