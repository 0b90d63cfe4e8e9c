//! Who plays: a plan as it is made from an experiment, and the rows of the ledger that the decisions ask for.

use std::sync::LazyLock;

use drill_model::experiment::Slot;
use drill_model::faults::ec2::{Instance as Ec2Instance, InstanceState};
use drill_model::faults::{Seen, Sight};
use drill_model::host::{HostOutcome, HostReport};
use drill_model::ids::{RunId, UnitId};
use drill_model::ledger;
use drill_model::pick::Seed;
use drill_model::plan::{Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::run::{self, Armed};
use drill_model::target::{Home, TargetId};
use drill_phases::kernel::TIME_TO_MAKE;
use drill_phases::ports::HostAnswer;
use jiff::Timestamp;
use serde_json::json;

use crate::state::{Answer, Run, Second, World};

/// How long the faults last.
pub const LASTS: Second = 60;
/// From the beginning to the deadline.
pub const WORST: Second = 180;

const EXPERIMENT: &str = "
id: model
title: A model
hypothesis: It holds.
environments: [staging]
targets:
  hosts: { kind: ec2-instance, tags: { Service: orders }, pick: { count: 1 } }
  others: { kind: ec2-instance, tags: { Service: others }, pick: { count: 1 } }
faults:
  - { name: pause, kind: process-pause, on: hosts, process: orders, duration: 60s }
  - { name: off, kind: instance-stop, on: others, duration: 60s }
steady_state:
  - { name: latency, prometheus: { query: latency }, tolerance: { at_most: 500 } }
guards:
  stop_when: none
  max_blast_radius: 100%
";

static CAST: LazyLock<Cast> = LazyLock::new(Cast::new);

struct Cast {
    plan: Plan,
    rows: [[ledger::Row; 2]; 2],
    looks: [Seen; 2],
    answers: [[HostAnswer; 3]; 2],
    reverts: [[HostAnswer; 2]; 2],
    record: run::Run,
}

impl Cast {
    fn new() -> Self {
        let experiment = drill_model::read::experiment(EXPERIMENT).expect("the experiment is right");
        let home = Home { account: "0".into(), region: "local".into() };
        let ids = ["i-0abc1234", "i-0abc1235"].map(|id| id.parse().expect("an instance id"));
        let targets: [TargetId; 2] = [home.instance(&ids[0]), home.instance(&ids[1])];
        let names = ["hosts", "others"];
        let picked = |place: usize| {
            let only: std::collections::BTreeSet<TargetId> = [targets[place].clone()].into();
            let name = names[place].parse().expect("a name");
            (name, Targets { population: only.clone(), selected: only })
        };
        let change = |(spec, slot): (&drill_model::faults::FaultSpec, Slot)| PlannedChange {
            fault: spec.name.clone(),
            on: spec.on.clone(),
            change: spec.fault.change(&experiment.dependencies),
            slot,
        };
        let run_id: RunId = "run-0".parse().expect("a run id");
        let scope = Scope {
            seed: Seed::of(&run_id),
            run_id,
            account: "0".into(),
            region: "local".into(),
            environment: "staging".parse().expect("an environment"),
            targets: [picked(0), picked(1)].into(),
            shares: [].into(),
            changes: experiment.faults.iter().zip(experiment.schedule()).map(change).collect(),
            pacing: Pacing::of(Span::seconds(60), Span::seconds(5)).expect("a pacing"),
            worst_case: Span::seconds(u64::from(WORST)),
            experiment: experiment.clone(),
        };
        let plan = Plan { scope, made_at: at(0), baseline: Vec::new() };
        let row = |run: usize, target: usize| {
            let change = &plan.scope.changes[target];
            let run_id: RunId = format!("run-{run}").parse().expect("a run id");
            ledger::Row {
                unit: UnitId::of(&run_id, &change.fault),
                run_id,
                fault: change.fault.clone(),
                target: targets[target].clone(),
                change: change.change.clone(),
                saved: serde_json::Value::Null,
                intended_at: at(0),
                not_after: at(0),
                ends_at: at(LASTS),
                deadline: at(WORST),
                state: ledger::State::Intended,
                since: at(0),
            }
        };
        let look = |state| Seen {
            id: targets[1].clone(),
            sight: Sight::Ec2Instance(Ec2Instance {
                id: ids[1].clone(),
                state,
                healthy: Some(true),
                group: None,
                subnet: None,
                tags: [].into(),
                spot: false,
                booted: None,
            }),
        };
        let rows = [0, 1].map(|run| [0, 1].map(|target| row(run, target)));
        let says = |run: usize, outcome| report(&rows[run][0].unit, outcome);
        let orders = [HostOutcome::Landed, HostOutcome::Already, HostOutcome::Refused];
        let answers = [0, 1].map(|run| orders.map(|outcome| says(run, outcome)));
        let reverts = [0, 1].map(|run| [HostOutcome::Absent, HostOutcome::Reverted].map(|outcome| says(run, outcome)));
        let looks = [look(InstanceState::Stopped), look(InstanceState::Running)];
        let named = run::Run::new(rows[0][0].run_id.clone(), at(0));
        let record = run::Run { version: 1, status: run::Status::Ready, ..named };
        Self { plan, rows, looks, answers, reverts, record }
    }
}

/// The instant of a second.
pub fn at(second: Second) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::from(second)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The second of an instant.
pub fn second(at: Timestamp) -> Second {
    Second::try_from(at.as_second() - 1_800_000_000).unwrap_or(0)
}

/// The plan.
pub fn plan() -> &'static Plan {
    &CAST.plan
}

/// When a run's times count from, and its deadline.
pub fn armed(from: Second) -> Armed {
    Armed { from: at(from), deadline: at(from + WORST) }
}

/// The last moment at which a change may be made that was intended then.
pub fn not_after(intended: Second) -> Second {
    second(at(intended) + TIME_TO_MAKE)
}

/// A row of the ledger, as the decisions take it.
pub fn row(world: &World, run: usize, target: usize) -> Option<ledger::Row> {
    let row = world.runs[run].rows[target].as_ref()?;
    let mut full = CAST.rows[run][target].clone();
    (full.intended_at, full.since) = (at(row.intended), at(row.intended));
    full.not_after = at(not_after(row.intended));
    full.ends_at = at(row.from + LASTS);
    full.deadline = at(row.from + WORST);
    full.state = row.state.clone();
    Some(full)
}

/// A row as somebody remembers it who wrote its intent then.
pub fn row_of(run: usize, target: usize, intended: Second, state: ledger::State) -> ledger::Row {
    let mut full = CAST.rows[run][target].clone();
    full.intended_at = at(intended);
    full.not_after = at(not_after(intended));
    full.state = state;
    full
}

/// Every row of a run.
pub fn rows(world: &World, run: usize) -> Vec<ledger::Row> {
    (0..2).filter_map(|target| row(world, run, target)).collect()
}

/// The record of a run, for what the janitor asks of it.
pub fn record(run: &Run) -> run::Run {
    // One write says that it is clean and that all is given back.
    let given_back_at = matches!(run.status, run::Status::Clean | run::Status::Judged).then(|| at(0));
    run::Run { status: run.status, armed: run.armed.map(armed), given_back_at, ..CAST.record.clone() }
}

/// What a look at the instance shows.
pub fn look(running: bool) -> &'static Seen {
    &CAST.looks[usize::from(running)]
}

/// What a host says of the order of a run.
pub fn answer(run: usize, answer: Answer) -> &'static HostAnswer {
    let place = match answer {
        Answer::Landed => 0,
        Answer::Already => 1,
        Answer::Refused => 2,
    };
    &CAST.answers[run][place]
}

/// What a host says of a revert, when the fault was there or not.
pub fn reverted(run: usize, was_there: bool) -> &'static HostAnswer {
    &CAST.reverts[run][usize::from(was_there)]
}

/// The name of a run.
pub fn id(run: usize) -> RunId {
    CAST.rows[run][0].run_id.clone()
}

fn report(unit: &UnitId, outcome: HostOutcome) -> HostAnswer {
    let report = json!({ "stormdrill": 1, "unit": unit, "outcome": outcome });
    HostAnswer::Report(Box::new(serde_json::from_value::<HostReport>(report).expect("a report")))
}
