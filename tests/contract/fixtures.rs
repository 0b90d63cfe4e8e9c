//! Runs, plans, rows and samples for the suite.

use drill_model::experiment::Slot;
use drill_model::faults::{Change, Fault};
use drill_model::ids::{FaultName, RunId, UnitId};
use drill_model::ledger::{Row, State};
use drill_model::observation::{Sample, Stage};
use drill_model::pick::Seed;
use drill_model::plan::{Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::run::{Run, Status};
use drill_model::target::{Home, TargetId};
use drill_phases::ports::Holding;
use jiff::Timestamp;

/// An instant, in seconds after the world of the suite began.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_772_445_600 + second).unwrap()
}

pub fn id(name: &str) -> RunId {
    name.parse().unwrap()
}

pub fn run(name: &str, status: Status) -> Run {
    Run { status, requested_by: "somebody".into(), ..Run::new(id(name), at(0)) }
}

pub fn target(number: usize) -> TargetId {
    let home = Home { account: "123456789012".into(), region: "eu-central-1".into() };
    home.instance(&format!("i-{number:08x}").parse().unwrap())
}

/// Targets that a run has for itself.
pub fn targets(numbers: std::ops::Range<usize>) -> Holding {
    Holding { whole: numbers.map(target).collect(), shares: [].into() }
}

/// Targets that a run has a share of.
pub fn shares(numbers: std::ops::Range<usize>) -> Holding {
    Holding { whole: [].into(), shares: numbers.map(target).collect() }
}

pub fn row(run: &str, number: usize) -> Row {
    let fault: FaultName = "stop".parse().unwrap();
    Row {
        run_id: id(run),
        unit: UnitId::of(&id(run), &fault),
        fault,
        target: target(number),
        change: Change::Resource { fault: Fault::InstanceStop(drill_model::faults::ec2::InstanceStop {}) },
        saved: Default::default(),
        intended_at: at(0),
        not_after: at(60),
        ends_at: at(120),
        deadline: at(180),
        state: State::Intended,
        since: at(0),
    }
}

pub fn rows(run: &str, numbers: std::ops::Range<usize>) -> Vec<Row> {
    numbers.map(|number| row(run, number)).collect()
}

pub fn sample(stage: Stage, number: u32) -> Sample {
    Sample { stage, number, at: at(i64::from(number)), readings: Vec::new(), alarms: Vec::new(), faults: Vec::new() }
}

/// A plan with this many instances in its population.
pub fn plan(run: &str, population: usize) -> Plan {
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
    let hosts = Targets { population: targets(0..population).whole, selected: targets(0..1).whole };
    let change = |(spec, slot): (&drill_model::faults::FaultSpec, Slot)| PlannedChange {
        fault: spec.name.clone(),
        on: spec.on.clone(),
        change: spec.fault.change(&experiment.dependencies),
        slot,
    };
    let scope = Scope {
        run_id: id(run),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        environment: "staging".parse().unwrap(),
        seed: Seed::of(&id(run)),
        targets: [("hosts".parse().unwrap(), hosts)].into(),
        shares: [].into(),
        changes: experiment.faults.iter().zip(experiment.schedule()).map(change).collect(),
        pacing: Pacing::of(Span::seconds(60), Span::seconds(5)).unwrap(),
        worst_case: Span::seconds(180),
        experiment,
    };
    Plan { scope, made_at: at(0), baseline: Vec::new() }
}
