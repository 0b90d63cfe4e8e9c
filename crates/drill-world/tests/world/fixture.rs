//! Small values to try a world with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::ec2::{Harm, Heal, Instance};
use drill_model::faults::{FaultKind, Kind, Sight};
use drill_model::host::Document;
use drill_model::ids::{FaultName, InstanceId, RunId, UnitId};
use drill_model::ledger::Row;
use drill_model::run::Run;
use drill_model::target::{Home, TargetId};
use drill_phases::ports::{
    AlarmClock, Answer, ArmUndo, CommandId, Harms, Heals, Holding, HostAnswer, HostAnswers, HostCommand, Leases,
    Ledger, Rehearsal, Rehearse, Runs, Sees, TimedUndo,
};
use drill_world::{HostSpec, Simulation, World};
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
    let row = json!({
        "run_id": run_id(), "fault": fault(), "target": home().instance(target), "unit": unit(), "change": change,
        "saved": null, "intended_at": now, "not_after": now + Duration::from_secs(30),
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
    world.lease(&run_id(), &whole(targets)).await.unwrap();
    let now = simulation.now();
    world.set_clock(&run_id(), now + Duration::from_secs(3 * FAULT_SECONDS)).await.unwrap();
    let rows: Vec<Row> = targets.iter().map(|target| row(now, target, change.clone())).collect();
    world.intend(&run_id(), &rows).await.unwrap();
    for target in targets.iter().filter(|_| change["by"] == "resource") {
        let undo = TimedUndo {
            name: format!("{}-{}-0", unit(), home().instance(target).digest()),
            at: now + Duration::from_secs(86_400),
            repeats: false,
            service: "ec2".to_owned(),
            action: "startInstances".to_owned(),
            input: json!({ "InstanceIds": [target] }),
        };
        world.arm(&undo).await.unwrap();
    }
}

/// An order to slow the network of these hosts, that starts within 30 s and ends by itself after two minutes.
pub fn order(now: Timestamp, targets: &[InstanceId]) -> HostCommand {
    command(
        Document::Fault(FaultKind::NetworkLatency),
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
    json!({"by": "resource", "fault": {"kind": "instance-stop"}})
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
    order.document = Document::Fault(FaultKind::ProcessKill);
    order.parameters.retain(|name, _| !["DelayMs", "To"].contains(&name.as_str()));
    order.parameters.insert("Process".to_owned(), "orders".to_owned());
    order
}

/// Where the world says that everything lies.
pub fn home() -> Home {
    Home { account: "123456789012".to_owned(), region: "eu-central-1".to_owned() }
}

pub fn targets(ids: &BTreeSet<InstanceId>) -> BTreeSet<TargetId> {
    ids.iter().map(|id| home().instance(id)).collect()
}

/// These instances, held by a run for itself.
pub fn whole(ids: &[InstanceId]) -> Holding {
    Holding { whole: targets(&set(ids)), shares: BTreeSet::new() }
}

/// What is asked of EC2, by instance ids.
pub trait Instances {
    async fn stop(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn reboot(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn terminate(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn boot(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn may_stop(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn may_start(&self, ids: &BTreeSet<InstanceId>) -> Answer<()>;
    async fn describe(&self, ids: &BTreeSet<InstanceId>) -> Answer<Vec<Instance>>;
}

impl Instances for World {
    async fn stop(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.harm(&Harm::Stop.into(), &targets(ids)).await
    }

    async fn reboot(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.harm(&Harm::Reboot.into(), &targets(ids)).await
    }

    async fn terminate(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.harm(&Harm::Terminate.into(), &targets(ids)).await
    }

    async fn boot(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.heal(&Heal::Start.into(), &targets(ids)).await
    }

    async fn may_stop(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.rehearse(&Rehearsal::Harm(Harm::Stop.into()), &targets(ids)).await
    }

    async fn may_start(&self, ids: &BTreeSet<InstanceId>) -> Answer<()> {
        self.rehearse(&Rehearsal::Heal(Heal::Start.into()), &targets(ids)).await
    }

    async fn describe(&self, ids: &BTreeSet<InstanceId>) -> Answer<Vec<Instance>> {
        let seen = self.see(Kind::Ec2Instance, &targets(ids)).await?;
        Ok(seen
            .into_iter()
            .filter_map(|seen| match seen.sight {
                Sight::Ec2Instance(instance) => Some(instance),
                Sight::Subnet(_) => None,
            })
            .collect())
    }
}
