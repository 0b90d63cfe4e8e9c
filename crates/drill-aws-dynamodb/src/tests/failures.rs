//! Every way in which a call fails, and how long it is tried again.

use drill_aws_config::script::Answer;
use drill_phases::ports::{Class, EmergencyStop, Leases, Ledger, Runs, TaskTokens};

use super::leases::own;
use super::*;
use crate::calls::PAUSES;

#[tokio::test]
async fn every_error_has_its_class() {
    let cases = [
        (error("ProvisionedThroughputExceededException"), Class::Transient),
        (error("ThrottlingException"), Class::Transient),
        (error("RequestLimitExceeded"), Class::Transient),
        (error("AccessDeniedException"), Class::Refused),
        (error("ValidationException"), Class::Refused),
        // A table that is not there must not look like a run that is not there.
        (error("ResourceNotFoundException"), Class::Refused),
        ((500, error("InternalServerError").1), Class::Ambiguous),
    ];
    for (answer, expected) in cases {
        let (_, table) = table([answer.clone(), answer.clone(), answer.clone(), answer.clone(), answer.clone()]);

        assert_eq!(table.run(&run_id()).await.unwrap_err().class, expected, "GetItem: {answer:?}");
        assert_eq!(table.rows(&run_id()).await.unwrap_err().class, expected, "Query: {answer:?}");
        assert_eq!(table.keep_token(&run_id(), "t").await.unwrap_err().class, expected, "PutItem: {answer:?}");
        let holders = table.holders(&run_id(), &own([target(1)])).await;
        assert_eq!(holders.unwrap_err().class, expected, "BatchGetItem: {answer:?}");
        let lease = table.lease(&run_id(), &own([target(1)])).await;
        assert_eq!(lease.unwrap_err().class, expected, "TransactWriteItems: {answer:?}");
        assert_eq!(table.clock.times(), 0, "the SDK repeats these, not the adapter");
    }
}

#[tokio::test]
async fn a_reply_that_is_lost_is_ambiguous() {
    let (script, table) = table([]);
    script.then(Answer::Silence).then(Answer::Silence);

    assert_eq!(table.lever().await.unwrap_err().class, Class::Ambiguous);
    assert_eq!(table.intend(&run_id(), &rows(1)).await.unwrap_err().class, Class::Ambiguous);
}

#[tokio::test]
async fn a_write_that_met_a_transaction_is_made_again() {
    let met = || error("TransactionConflictException");
    let (script, table) = table([met(), met(), done()]);

    table.save_run(&runs::run(1)).await.unwrap();

    assert_eq!(script.operations(), ["PutItem"; 3]);
    assert_eq!(*table.clock.0.borrow(), PAUSES[..2]);
}

#[tokio::test]
async fn a_transaction_that_met_another_is_made_again_and_not_for_ever() {
    let met = || cancelled(2, &[(0, "TransactionConflict", Value::Null)]);
    let (_, patient) = table([met(), met(), done()]);
    let (_, in_vain) = table([met(), met(), met(), met(), met(), met(), met()]);

    patient.lease(&run_id(), &own([target(1)])).await.unwrap();
    let error = in_vain.lease(&run_id(), &own([target(1)])).await.unwrap_err();

    assert_eq!(patient.clock.times(), 2);
    assert_eq!(error.class, Class::Transient, "{error}");
    assert_eq!(in_vain.clock.times(), PAUSES.len());
}

#[tokio::test]
async fn what_a_batch_left_over_is_asked_for_again() {
    let item = |number: usize| json!({ "pk": { "S": format!("LEASE#{}", target(number).as_str()) }, "sk": { "S": "LEASE" }, "owner": { "S": "other" } });
    let left = json!({ "runs": { "Keys": [{ "pk": { "S": format!("LEASE#{}", target(1).as_str()) }, "sk": { "S": "LEASE" } }] } });
    let first = json!({ "Responses": { "runs": [item(0)] }, "UnprocessedKeys": left });
    let (script, table) = table([(200, first), (200, json!({ "Responses": { "runs": [item(1)] } }))]);

    let holders = table.holders(&run_id(), &own([target(0), target(1)])).await.unwrap();

    assert_eq!(holders.len(), 2);
    assert_eq!(table.clock.times(), 1);
    assert_eq!(asked(&script)[1].1["RequestItems"]["runs"]["Keys"], left["runs"]["Keys"]);
    assert_eq!(asked(&script)[1].1["RequestItems"]["runs"]["ConsistentRead"], true);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_ever_done_is_given_up() {
    let left =
        json!({ "UnprocessedKeys": { "runs": { "Keys": [{ "pk": { "S": "LEASE#x" }, "sk": { "S": "LEASE" } }] } } });
    let nothing = || (200, left.clone());
    let (_, table) = table([nothing(), nothing(), nothing(), nothing(), nothing(), nothing(), nothing()]);

    let error = table.holders(&run_id(), &own([target(0)])).await.unwrap_err();

    assert_eq!(error.class, Class::Transient);
    assert_eq!(table.clock.times(), PAUSES.len());
}

#[tokio::test]
async fn a_batch_reads_a_hundred_keys_at_a_time() {
    let (script, table) = table([done(), done()]);

    table.holders(&run_id(), &own((0..101).map(target))).await.unwrap();

    let counts: Vec<usize> =
        asked(&script).iter().map(|(_, body)| body["RequestItems"]["runs"]["Keys"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [100, 1]);
}
