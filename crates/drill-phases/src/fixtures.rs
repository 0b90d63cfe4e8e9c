//! Small plans for the tests of this crate.

use drill_model::experiment::Slot;
use drill_model::ids::UnitId;
use drill_model::ledger::{Row, State};
use drill_model::observation::Finite;
use drill_model::pick::Seed;
use drill_model::plan::{Baseline, Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::run::Armed;
use drill_model::target::{Home, TargetId};
use jiff::Timestamp;
use serde_json::Value;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(crate) fn target() -> TargetId {
    Home { account: "0".into(), region: "local".into() }.instance(&"i-0abc1234".parse().unwrap())
}

/// A plan with one fault of a minute, one probe called `latency`, and these guards.
pub(crate) fn plan(guards: &str, baseline: f64) -> Plan {
    let text = format!(
        "
id: fixture
title: A fixture
hypothesis: It holds.
environments: [staging]
targets:
  hosts: {{ kind: ec2-instance, tags: {{ Service: orders }}, pick: {{ count: 1 }} }}
faults:
  - {{ name: pause, kind: process-pause, on: hosts, process: orders, duration: 60s }}
steady_state:
  - {{ name: latency, prometheus: {{ query: latency }}, tolerance: {{ at_most: 500 }} }}
guards:{guards}
  max_blast_radius: 100%
"
    );
    let experiment = drill_model::read::experiment(&text).unwrap();
    let run_id = "run".parse().unwrap();
    let only = [target()].into();
    let scope = Scope {
        seed: Seed::of(&run_id),
        run_id,
        account: "0".into(),
        region: "local".into(),
        environment: "staging".parse().unwrap(),
        targets: [("hosts".parse().unwrap(), Targets { population: only, selected: [target()].into() })].into(),
        shares: [].into(),
        changes: experiment
            .faults
            .iter()
            .zip(experiment.schedule())
            .map(|(spec, slot): (_, Slot)| PlannedChange {
                fault: spec.name.clone(),
                on: spec.on.clone(),
                change: spec.fault.change(&experiment.dependencies),
                slot,
            })
            .collect(),
        pacing: Pacing::of(Span::seconds(90), Span::seconds(5)).unwrap(),
        worst_case: Span::seconds(180),
        experiment,
    };
    let mean = Finite::try_from(baseline).ok();
    let baseline = vec![Baseline {
        probe: "latency".parse().unwrap(),
        mean,
        known: 5,
        taken: 5,
        out: 0,
        published_after: None,
        power: None,
    }];
    Plan { scope, made_at: at(0), baseline }
}

/// When that plan's run has begun, and when it must be over.
pub(crate) fn armed() -> Armed {
    Armed { from: at(0), deadline: at(180) }
}

/// The row of the plan's only change, in some state.
pub(crate) fn row(plan: &Plan, state: State) -> Row {
    let change = &plan.scope.changes[0];
    Row {
        run_id: plan.scope.run_id.clone(),
        fault: change.fault.clone(),
        target: target(),
        unit: UnitId::of(&plan.scope.run_id, &change.fault),
        change: change.change.clone(),
        saved: Value::Null,
        intended_at: at(0),
        not_after: at(60),
        ends_at: at(90),
        deadline: at(180),
        state,
        since: at(0),
    }
}
