//! What is asked of DynamoDB, and what is made of its answers, as they are on the wire.

mod failures;
mod intents;
mod leases;
mod runs;
mod samples;
mod steps;

use std::cell::RefCell;
use std::time::Duration;

use drill_aws_config::script::Script;
use drill_model::faults::ec2::InstanceStop;
use drill_model::faults::{Change, Fault};
use drill_model::ids::{FaultName, InstanceId, RunId, UnitId};
use drill_model::ledger::{Row, State};
use drill_model::target::{Home, TargetId};
use drill_phases::ports::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::RunTable;

/// A clock that does not wait, and keeps how long it should have.
#[derive(Debug, Default)]
pub(crate) struct Paused(RefCell<Vec<Duration>>);

impl Paused {
    fn times(&self) -> usize {
        self.0.borrow().len()
    }
}

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    async fn pause(&self, time: Duration) {
        self.0.borrow_mut().push(time);
    }
}

/// A table that gets these answers.
fn table<const N: usize>(answers: [(u16, Value); N]) -> (Script, RunTable<Paused>) {
    let script = Script::new(answers.map(|(status, body)| (status, body.to_string())));
    let RunTable { client, name, .. } = RunTable::new(&script.config(), "runs");
    (script, RunTable { client, name, clock: Paused::default() })
}

fn done() -> (u16, Value) {
    (200, json!({}))
}

fn error(code: &str) -> (u16, Value) {
    (400, json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "so it is" }))
}

/// A condition that did not hold, with what was there.
fn condition_failed(item: &Value) -> (u16, Value) {
    let (status, mut body) = error("ConditionalCheckFailedException");
    if !item.is_null() {
        body["Item"] = item.clone();
    }
    (status, body)
}

/// A cancelled transaction. Reasons that are not given are those of actions that were in nobody's way.
fn cancelled(actions: usize, reasons: &[(usize, &str, Value)]) -> (u16, Value) {
    let mut all = vec![json!({ "Code": "None" }); actions];
    for (at, code, item) in reasons {
        all[*at] = json!({ "Code": code, "Message": "so it is" });
        if !item.is_null() {
            all[*at]["Item"] = item.clone();
        }
    }
    let (status, mut body) = error("TransactionCanceledException");
    body["CancellationReasons"] = Value::Array(all);
    (status, body)
}

/// The bodies of the requests, with their operations.
fn asked(script: &Script) -> Vec<(String, Value)> {
    assert_eq!(script.left(), 0, "answers that nobody asked for");
    let requests = script.requests().into_iter();
    requests.map(|request| (request.operation, serde_json::from_str(&request.body).unwrap())).collect()
}

/// The actions of the transactions that were asked for.
fn transactions(script: &Script) -> Vec<Vec<Value>> {
    let of = |(operation, mut body): (String, Value)| {
        assert_eq!(operation, "TransactWriteItems");
        serde_json::from_value(body["TransactItems"].take()).unwrap()
    };
    asked(script).into_iter().map(of).collect()
}

fn run_id() -> RunId {
    "run-1".parse().unwrap()
}

fn target(number: usize) -> TargetId {
    let instance: InstanceId = format!("i-{number:08x}").parse().unwrap();
    Home { account: "123456789012".into(), region: "eu-central-1".into() }.instance(&instance)
}

/// The sort key of a row of the fault `stop`.
fn row_key(number: usize) -> String {
    format!("ROW#stop#{}", target(number).as_str())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn row(number: usize, state: State) -> Row {
    let fault: FaultName = "stop".parse().unwrap();
    Row {
        run_id: run_id(),
        unit: UnitId::of(&run_id(), &fault),
        fault,
        target: target(number),
        change: Change::Resource { fault: Fault::InstanceStop(InstanceStop {}) },
        saved: json!({ "group": null }),
        intended_at: at(0),
        not_after: at(60),
        ends_at: at(120),
        deadline: at(180),
        state,
        since: at(0),
    }
}

fn rows(count: usize) -> Vec<Row> {
    (0..count).map(|number| row(number, State::Intended)).collect()
}

/// The item of a row, as it is on the wire.
fn stored(row: &Row) -> Value {
    let mut item = json!({
        "pk": { "S": "RUN#run-1" },
        "sk": { "S": format!("ROW#{}#{}", row.fault, row.target.as_str()) },
        "row": { "S": serde_json::to_string(row).unwrap() },
        "state": { "S": row.state.word() },
    });
    if row.state.is_open() {
        item["open"] = json!({ "S": "open" });
        item["deadline"] = json!({ "S": "2027-01-15T08:03:00.000000000Z" });
    }
    item
}
