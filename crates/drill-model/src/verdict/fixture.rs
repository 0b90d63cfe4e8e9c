//! A run that held, for tests to bend: one fault on two targets for a minute, two probes, twelve samples, then recovery.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Holds, Judgement, Verdict, judge};
use crate::experiment::{Experiment, Slot};
use crate::faults::Fault;
use crate::ids::{FaultName, RunId, UnitId};
use crate::ledger::{Gone, Row, State};
use crate::observation::{Finite, ProbeReading, Reading, Sample, Stage};
use crate::pick::Seed;
use crate::plan::{Baseline, Pacing, Plan, PlannedChange, Scope, Targets};
use crate::quantity::Span;
use crate::run::{Armed, Ending, Run, Status};
use crate::target::TargetId;

pub(super) const LATENCY: &str = "order-latency-p99";
pub(super) const AVAILABILITY: &str = "availability";

const EXPERIMENT: &str = r#"
id: order-service-latency
title: Order service survives a slow network
hypothesis: Orders stay under 200 ms at p99 while the order hosts answer late.
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
recovery: { within: 5m, check_every: 10s, good_samples: 2 }
success: [{ recovery_time_at_most: 1m }, { availability_at_least: 99, of: availability }]
"#;

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_445_600 + seconds).unwrap()
}

#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) run: Run,
    pub(super) plan: Option<Plan>,
    pub(super) ledger: Vec<Row>,
    pub(super) samples: Vec<Sample>,
}

/// Landed at 2 s, to end at 62 s, seen gone at 65 s; sampled every 5 s until 60 s, then every 10 s from 70 s to 100 s.
pub(super) fn held() -> Story {
    static HELD: std::sync::OnceLock<Story> = std::sync::OnceLock::new();
    HELD.get_or_init(tell).clone()
}

fn tell() -> Story {
    let experiment = crate::read::experiment(EXPERIMENT).unwrap();
    let run_id = RunId::try_from("run-1").unwrap();
    let targets: BTreeSet<TargetId> = ["i-0000000a", "i-0000000b"].map(target).into();
    let spec = &experiment.faults[0];
    let change = PlannedChange {
        fault: spec.name.clone(),
        on: spec.on.clone(),
        change: spec.fault.change(&BTreeMap::new()),
        slot: Slot::of(Span::ZERO, spec.duration),
    };
    let ledger = targets.iter().map(|target| row(&run_id, &change, target)).collect();
    let baseline = [(LATENCY, 100.0), (AVAILABILITY, 100.0)].map(|(probe, mean)| Baseline {
        probe: probe.try_into().unwrap(),
        mean: Some(Finite::try_from(mean).unwrap()),
        known: 5,
        taken: 5,
        out: 0,
        published_after: None,
        power: None,
    });
    let scope = Scope {
        run_id: run_id.clone(),
        account: "123456789012".into(),
        region: "eu-central-1".into(),
        environment: experiment.environments[0].clone(),
        seed: Seed::of(&run_id),
        targets: [(spec.on.clone(), Targets { population: targets.clone(), selected: targets })].into(),
        shares: [].into(),
        changes: vec![change],
        pacing: Pacing { every: Span::seconds(5), samples_per_turn: 1, events: 200 },
        worst_case: Span::seconds(300),
        experiment,
    };
    let during = (0..12).map(|number| sample(Stage::Fault, number, 5 + 5 * i64::from(number)));
    let after = (0..4).map(|number| sample(Stage::Recovery, number, 70 + 10 * i64::from(number)));
    Story {
        run: Run {
            execution: "arn:aws:states:eu-central-1:123456789012:execution:stormdrill:run-1".into(),
            version: 9,
            status: Status::Clean,
            experiment: Some(scope.experiment.id.clone()),
            environment: Some(scope.environment.clone()),
            requested_by: "ada".into(),
            plan: Some(scope.digest()),
            armed: Some(Armed { from: at(0), deadline: at(300) }),
            ending: Some(Ending::Completed),
            clean_at: Some(at(65)),
            ..Run::new(run_id, at(-60))
        },
        plan: Some(Plan { scope, made_at: at(-30), baseline: baseline.into() }),
        ledger,
        samples: during.chain(after).collect(),
    }
}

/// A target, by the id of an instance.
pub(super) fn target(id: &str) -> TargetId {
    let home = crate::target::Home { account: "123456789012".into(), region: "eu-central-1".into() };
    home.instance(&id.parse().unwrap())
}

/// The change that a fault makes.
pub(super) fn change(fault: &str) -> crate::faults::Change {
    serde_json::from_str::<Fault>(fault).unwrap().change(&[].into())
}

fn row(run_id: &RunId, change: &PlannedChange, target: &TargetId) -> Row {
    Row {
        run_id: run_id.clone(),
        fault: change.fault.clone(),
        target: target.clone(),
        unit: UnitId::of(run_id, &change.fault),
        change: change.change.clone(),
        saved: serde_json::Value::Null,
        intended_at: at(0),
        not_after: at(30),
        ends_at: at(62),
        deadline: at(300),
        state: State::undone(Some(at(2)), Gone::Reverted),
        since: at(65),
    }
}

fn sample(stage: Stage, number: u32, seconds: i64) -> Sample {
    let readings = [(LATENCY, 120.0), (AVAILABILITY, 100.0)].map(|(probe, value)| ProbeReading {
        probe: probe.try_into().unwrap(),
        reading: Reading::from_number(value),
        since: None,
        until: None,
        earlier: Vec::new(),
    });
    Sample { stage, number, at: at(seconds), readings: readings.into(), alarms: vec![], faults: vec![] }
}

impl Story {
    pub(super) fn judge(&self) -> Judgement {
        judge(&self.run, self.plan.as_ref(), &self.ledger, &self.samples)
    }

    pub(super) fn verdict(&self) -> Verdict {
        self.judge().verdict
    }

    pub(super) fn experiment(&mut self) -> &mut Experiment {
        // The digest is not what these tests are about.
        self.run.plan = None;
        &mut self.plan.as_mut().unwrap().scope.experiment
    }

    pub(super) fn scope(&mut self) -> &mut Scope {
        self.run.plan = None;
        &mut self.plan.as_mut().unwrap().scope
    }

    /// The reading of a probe in the sample taken at this second.
    pub(super) fn reading(&mut self, probe: &str, second: i64) -> &mut Reading {
        let sample = self.samples.iter_mut().find(|sample| sample.at == at(second)).unwrap();
        &mut sample.readings.iter_mut().find(|reading| reading.probe.as_str() == probe).unwrap().reading
    }

    /// These values in the samples taken at these seconds.
    pub(super) fn showing(mut self, probe: &str, values: &[(i64, f64)]) -> Self {
        for (second, value) in values {
            *self.reading(probe, *second) = Reading::from_number(*value);
        }
        self
    }

    /// No values in the samples taken at these seconds.
    pub(super) fn blind(mut self, probe: &str, seconds: &[i64]) -> Self {
        for second in seconds {
            *self.reading(probe, *second) = Reading::unknown("no datapoint");
        }
        self
    }

    /// The fault happens once and nothing has to be removed: recovery counts from its landing.
    pub(super) fn happening_once(mut self) -> Self {
        let once = change(r#"{"kind": "process-kill", "process": "orders"}"#);
        self.scope().changes[0].change = once.clone();
        for row in &mut self.ledger {
            row.change = once.clone();
            row.state = State::undone(Some(at(2)), Gone::Converged);
        }
        self
    }

    pub(super) fn ending(mut self, ending: Option<Ending>) -> Self {
        self.run.ending = ending;
        self
    }
}

/// The four looks after the fault, then more, every ten seconds.
pub(super) fn watched_until(mut story: Story, second: i64) -> Story {
    let last = story.samples[15].clone();
    let looks = (4..).zip((110..=second).step_by(10));
    story.samples.extend(looks.map(|(number, when)| Sample { number, at: at(when), ..last.clone() }));
    story
}

impl Judgement {
    /// What the finding about something says: its word and its text.
    pub(super) fn about(&self, about: &str) -> (Holds, &str) {
        let finding = self.findings.iter().find(|finding| finding.about == about);
        finding.map(|finding| (finding.holds, finding.seen.as_str())).unwrap_or_else(|| panic!("no {about}: {self:#?}"))
    }
}

pub(super) fn other_fault() -> FaultName {
    FaultName::try_from("other").unwrap()
}
