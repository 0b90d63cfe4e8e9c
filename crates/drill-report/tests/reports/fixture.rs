//! Runs to report on: one that held, and what it takes to make others of it.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::Slot;
use drill_model::ids::{RunId, UnitId};
use drill_model::ledger::{Gone, Row, State, Told};
use drill_model::observation::{FaultLook, Finite, ProbeReading, Reading, Sample, Stage};
use drill_model::pick::Seed;
use drill_model::plan::{Baseline, Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::refusal::Refusal;
use drill_model::report::Report;
use drill_model::run::{Armed, Ending, Run, Status};
use drill_model::target::{Home, TargetId};
use jiff::Timestamp;

pub const LATENCY: usize = 0;
pub const AVAILABILITY: usize = 1;

const EXPERIMENT: &str = r#"
id: order-service-latency
title: Order service survives a slow network
hypothesis: Orders stay under 200 ms at p99 while a quarter of the order hosts answer late.
environments: [staging]
targets:
  order-hosts: { kind: ec2-instance, tags: { Service: order-service }, pick: { count: 2 } }
faults:
  - { name: slow-network, kind: network-latency, on: order-hosts, delay: 100ms, duration: 60s }
steady_state:
  - name: order-latency-p99
    cloudwatch: { namespace: Orders, metric: Latency, statistic: p99, period: 5s }
    tolerance: { at_most: 200 }
  - name: availability
    host_health: { of: order-hosts }
    covers: 30s
    tolerance: { at_least: 99 }
guards: { stop_when: none, max_blast_radius: 50% }
recovery: { within: 5m, tolerance_of_baseline: 25%, check_every: 10s, good_samples: 2 }
success: [{ recovery_time_at_most: 1m }, { availability_at_least: 99, of: availability }]
"#;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_445_600 + seconds).unwrap()
}

pub fn instance(number: usize) -> TargetId {
    let home = Home { account: "123456789012".into(), region: "eu-central-1".into() };
    home.instance(&format!("i-{number:08x}").parse().unwrap())
}

/// A run that held: five samples before, twelve during and four after a minute of latency on two of eight hosts.
pub fn supported() -> Report {
    let experiment = drill_model::read::experiment(EXPERIMENT).unwrap();
    let run_id = RunId::try_from("order-service-latency-2026-03-02").unwrap();
    let spec = &experiment.faults[0];
    let population: BTreeSet<TargetId> = (1..=8).map(instance).collect();
    let selected: BTreeSet<TargetId> = [instance(3), instance(7)].into();
    let change = PlannedChange {
        fault: spec.name.clone(),
        on: spec.on.clone(),
        change: spec.fault.change(&BTreeMap::new()),
        slot: Slot::of(Span::ZERO, spec.duration),
    };
    let row = |target: &TargetId| Row {
        run_id: run_id.clone(),
        fault: change.fault.clone(),
        target: target.clone(),
        unit: UnitId::of(&run_id, &change.fault),
        change: change.change.clone(),
        saved: serde_json::Value::Null,
        intended_at: at(0),
        not_after: at(30),
        ends_at: at(62),
        deadline: at(300),
        state: State::undone(Some(at(2)), Gone::Reverted),
        since: at(65),
    };
    let ledger = selected.iter().map(row).collect();
    let baseline = ["order-latency-p99", "availability"].map(|probe| Baseline {
        probe: probe.try_into().unwrap(),
        mean: Finite::try_from(100.0).ok(),
        known: 5,
        taken: 5,
        out: 0,
        published_after: None,
        power: None,
    });
    let during = [131.0, 158.0, 172.5, 181.0, 176.0, 169.0, 187.25, 174.0, 180.0, 177.0, 171.0, 179.0];
    let samples = (0..5)
        .map(|number| sample(Stage::Baseline, number, -30 + 5 * i64::from(number), 96.0 + 2.0 * f64::from(number)))
        .chain((0..).zip(during).map(|(number, value)| sample(Stage::Fault, number, 5 + 5 * i64::from(number), value)))
        .chain((0..4).map(|number| sample(Stage::Recovery, number, 70 + 10 * i64::from(number), 104.0)));
    let scope = Scope {
        run_id: run_id.clone(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        environment: experiment.environments[0].clone(),
        seed: Seed::of(&run_id),
        targets: [(spec.on.clone(), Targets { population, selected })].into(),
        shares: [].into(),
        changes: vec![change.clone()],
        pacing: Pacing { every: Span::seconds(5), samples_per_turn: 1, events: 2117 },
        worst_case: Span::seconds(300),
        experiment,
    };
    Report {
        run: Run {
            execution: format!("arn:aws:states:eu-central-1:123456789012:execution:stormdrill:{run_id}"),
            version: 9,
            status: Status::Clean,
            experiment: Some(scope.experiment.id.clone()),
            environment: Some(scope.environment.clone()),
            requested_by: "ada".into(),
            plan: Some(scope.digest()),
            armed: Some(Armed { from: at(0), deadline: at(300) }),
            ending: Some(Ending::Completed),
            clean_at: Some(at(65)),
            ..Run::new(run_id.clone(), at(-60))
        },
        plan: Some(Plan { scope, made_at: at(-20), baseline: baseline.into() }),
        ledger,
        samples: samples.collect(),
    }
}

fn sample(stage: Stage, number: u32, seconds: i64, latency: f64) -> Sample {
    let readings = [("order-latency-p99", latency), ("availability", 100.0)].map(|(probe, value)| ProbeReading {
        probe: probe.try_into().unwrap(),
        reading: Reading::from_number(value),
        since: None,
        until: None,
        earlier: Vec::new(),
    });
    Sample { stage, number, at: at(seconds), readings: readings.into(), alarms: vec![], faults: vec![] }
}

/// Some samples out of tolerance, and some that nobody knows.
pub fn refuted() -> Report {
    let mut report = supported();
    for (index, value) in [(8, 236.0), (9, 251.5), (10, 214.0)] {
        report.samples[index].readings[LATENCY].reading = Reading::from_number(value);
    }
    for index in [13, 14] {
        report.samples[index].readings[LATENCY].reading = Reading::unknown("no datapoint in the last 15s");
    }
    for (index, value) in [(7, 87.5), (8, 75.0), (9, 87.5)] {
        report.samples[index].readings[AVAILABILITY].reading = Reading::from_number(value);
    }
    report
}

/// A fault that ended half way, that nothing had met at first; a look without an answer in time, and a time without looks.
pub fn vanished() -> Report {
    let mut report = supported();
    let look = |seconds, holds, ended, unmet| FaultLook {
        fault: report.ledger[0].fault.clone(),
        asked: at(seconds),
        holds,
        ended,
        silent: 2 - holds - ended,
        unmet,
        first_end: (ended > 0).then(|| at(seconds - 3)),
        names: Vec::new(),
    };
    let looks = [(6, look(10, 2, 0, 2)), (13, look(40, 1, 1, 0))];
    for (index, look) in looks {
        report.samples[index].faults = vec![look];
    }
    report.samples[12].readings[LATENCY].reading = Reading::MoreThan(Finite::try_from(240.0).unwrap());
    report.samples.retain(|sample| sample.stage != Stage::Fault || !(4..7).contains(&sample.number));
    report.ledger[1].state = State::Undone {
        landed: Some(at(2)),
        how: Gone::Absent,
        told: Told { ended: Some(at(37)), met: Some(false), ..Told::default() },
    };
    if let Some(plan) = &mut report.plan {
        let stop = "stop_when: [{ probe: order-latency-p99, above_baseline: 2.5x, for_samples: 3 }]";
        let text = EXPERIMENT.replace("stop_when: none", stop);
        plan.scope.experiment.guards = drill_model::read::experiment(&text).unwrap().guards;
        report.run.plan = Some(plan.scope.digest());
    }
    report
}

/// Stopped by an alarm after half a minute, and put back.
pub fn aborted() -> Report {
    let mut report = supported();
    report.run.ending = Some(Ending::Breached { condition: "alarm orders-error-budget".into(), at: at(31) });
    report.run.clean_at = Some(at(36));
    report.samples.retain(|sample| sample.at <= at(30) || sample.stage == Stage::Recovery);
    for row in &mut report.ledger {
        row.since = at(35);
    }
    let alarm = drill_model::observation::AlarmReading {
        alarm: "orders-error-budget".try_into().unwrap(),
        state: drill_model::observation::AlarmState::InAlarm,
    };
    report.samples.iter_mut().filter(|sample| sample.at == at(30)).for_each(|sample| sample.alarms.push(alarm.clone()));
    report
}

/// Not begun, before there was a plan.
pub fn refused() -> Report {
    let mut report = supported();
    let reasons = vec![
        Refusal::Window { why: "no window is open: the next one opens at 2026-03-02T22:00:00Z".to_owned() },
        Refusal::EmergencyStop { reason: "trading day".to_owned() },
    ];
    report.run.status = Status::Refused;
    report.run.ending = Some(Ending::Refused { reasons });
    (report.run.armed, report.run.clean_at, report.plan) = (None, None, None);
    report.ledger.clear();
    report.samples.clear();
    report
}

/// One host does not answer, and one was taken on by a person.
pub fn stuck() -> Report {
    let mut report = aborted();
    report.run.status = Status::Stuck;
    report.run.clean_at = None;
    report.ledger[0].state = State::Landed { at: at(2) };
    report.ledger[1].state = State::Abandoned { by: "grace".into(), why: "the host is being rebuilt".into() };
    report.samples.retain(|sample| sample.stage != Stage::Recovery);
    report
}
