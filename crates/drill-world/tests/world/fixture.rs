//! Small values to try a world with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::host::Document;
use drill_model::ids::{FaultName, InstanceId, RunId, UnitId};
use drill_model::ledger::Row;
use drill_model::run::Run;
use drill_phases::ports::{AlarmClock, CommandId, HostAnswer, HostAnswers, HostCommand, Leases, Ledger, Runs};
use drill_world::{HostSpec, Simulation};
use jiff::Timestamp;
use serde_json::{Value, json};

pub const FAULT_SECONDS: u64 = 60;

/// A world with so many hosts that opted in for `staging`, and their ids in order.
pub fn orders(hosts: usize) -> (Simulation, Vec<InstanceId>) {
    let simulation = Simulation::new(1);
    let spec = HostSpec::new().tag("Service", "orders").ready("staging");
    let mut ids: Vec<InstanceId> = (0..hosts).map(|_| simulation.hosts.add(&spec)).collect();
    ids.sort();
    (simulation, ids)
}

pub fn run_id() -> RunId {
    RunId::try_from("run-1").unwrap()
}

pub fn fault() -> FaultName {
    FaultName::try_from("slow").unwrap()
}

pub fn unit() -> UnitId {
    UnitId::of(&run_id(), &fault())
}

pub fn set(ids: &[InstanceId]) -> BTreeSet<InstanceId> {
    ids.iter().cloned().collect()
}

pub fn run(simulation: &Simulation, status: &str) -> Run {
    let run = json!({
        "id": run_id(), "execution": "arn:x", "version": 1, "status": status, "experiment": "slow-orders",
        "environment": "staging", "requested_by": "test", "dry_run": false, "created_at": simulation.now(),
        "plan": null, "approval": approval(), "armed": null, "ending": null, "clean_at": null, "judgement": null,
    });
    serde_json::from_value(run).unwrap()
}

fn approval() -> Value {
    serde_json::to_value(drill_model::approval::Approval::NotNeeded).unwrap()
}

/// A row of the fault, by the change.
pub fn row(now: Timestamp, target: &InstanceId, change: Value) -> Row {
    let reversal = if change["by"] == "stop-instance" { "start" } else { "revert" };
    let row = json!({
        "run_id": run_id(), "fault": fault(), "target": target, "unit": unit(), "change": change, "reversal": reversal,
        "original": {"of": "host"}, "intended_at": now, "not_after": now + Duration::from_secs(30),
        "ends_at": now + Duration::from_secs(FAULT_SECONDS), "deadline": now + Duration::from_secs(2 * FAULT_SECONDS),
        "state": {"is": "intended"}, "since": now,
    });
    serde_json::from_value(row).unwrap()
}

pub fn latency() -> Value {
    json!({"by": "host", "document": "network-latency", "parameters": {"DelayMs": "100"}})
}

/// The run is injecting and its alarm clock is set, and the intents for these targets are written.
pub async fn intended(simulation: &Simulation, targets: &[InstanceId], change: Value) {
    let world = simulation.world.named("test");
    world.create_run(&run(simulation, "injecting")).await.unwrap();
    world.lease(&run_id(), &set(targets)).await.unwrap();
    let now = simulation.now();
    world.set_clock(&run_id(), now + Duration::from_secs(3 * FAULT_SECONDS)).await.unwrap();
    let rows: Vec<Row> = targets.iter().map(|target| row(now, target, change.clone())).collect();
    world.intend(&run_id(), &rows).await.unwrap();
}

/// An order to slow the network of these hosts, that starts within 30 s and ends by itself after two minutes.
pub fn order(now: Timestamp, targets: &[InstanceId]) -> HostCommand {
    command(
        Document::NetworkLatency,
        targets,
        &[
            ("DelayMs", "100"),
            ("To", "any"),
            ("Unit", unit().as_str()),
            ("Run", "run-1"),
            ("NotAfter", &(now + Duration::from_secs(30)).as_second().to_string()),
            ("Deadline", &(now + Duration::from_secs(2 * FAULT_SECONDS)).as_second().to_string()),
            ("MaxSeconds", "120"),
        ],
    )
}

pub fn revert(targets: &[InstanceId]) -> HostCommand {
    command(Document::Revert, targets, &[("Unit", unit().as_str()), ("Run", "run-1")])
}

pub fn look(targets: &[InstanceId]) -> HostCommand {
    command(Document::Probe, targets, &[("Unit", "-")])
}

pub fn command(document: Document, targets: &[InstanceId], parameters: &[(&str, &str)]) -> HostCommand {
    let parameters: BTreeMap<String, String> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    HostCommand { document, targets: set(targets), parameters, comment: "stormdrill:run-1:slow".to_owned() }
}

/// What every host of a command said, as `outcome` or `outcome/reason` or the service's word, by host.
pub async fn said(simulation: &Simulation, command: &CommandId) -> Vec<String> {
    let mut answers = simulation.world.answers(command).await.unwrap();
    answers.sort_by(|one, two| one.0.cmp(&two.0));
    answers.into_iter().map(|(_, answer)| word(&answer)).collect()
}

pub fn word(answer: &HostAnswer) -> String {
    match answer {
        HostAnswer::Pending => "pending".to_owned(),
        HostAnswer::Silent(why) => format!("silent: {why}"),
        HostAnswer::Report(report) => {
            let outcome = serde_json::to_value(report.outcome).unwrap();
            let reason = report.reason.as_ref().map(|reason| format!("/{reason}")).unwrap_or_default();
            format!("{}{reason}", outcome.as_str().unwrap())
        }
    }
}

/// That instances are stopped.
pub fn stopping() -> Value {
    json!({"by": "stop-instance"})
}

/// The lines that hold this word.
pub fn with_word(lines: Vec<String>, word: &str) -> Vec<String> {
    lines.into_iter().filter(|line| line.contains(word)).collect()
}

pub fn nothing() -> Vec<String> {
    Vec::new()
}

/// An order that kills every process called `orders` there, once.
pub fn kill(now: Timestamp, targets: &[InstanceId]) -> HostCommand {
    let mut order = order(now, targets);
    order.document = Document::ProcessKill;
    order.parameters.retain(|name, _| !["DelayMs", "To"].contains(&name.as_str()));
    order.parameters.insert("Process".to_owned(), "orders".to_owned());
    order
}
