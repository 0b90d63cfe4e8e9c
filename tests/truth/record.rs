//! What was recorded of a story: the ledger, the looks at the fault, and samples that are late, missing, doubled, restated and
//! out of order.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::Slot;
use drill_model::ids::{RunId, UnitId};
use drill_model::ledger::{Gone, Row, State, Told};
use drill_model::observation::{Datapoint, FaultLook, ProbeReading, Reading, Sample, Stage};
use drill_model::pick::Seed;
use drill_model::plan::{Pacing, Plan, PlannedChange, Scope, Targets};
use drill_model::quantity::Span;
use drill_model::run::{Armed, Ending, Run, Status};
use drill_model::target::{Home, TargetId};
use jiff::Timestamp;

use crate::story::{Measure, Story};
use stormdrill_tests::chance::Chance;

pub const PROBE: &str = "latency";
pub const FAULT: &str = "harm";
pub const LIMIT: Span = Span::seconds(60);
pub const WITHIN: Span = Span::seconds(120);
const CHECK_EVERY: i64 = 5_000;
/// So long after the end it is looked.
const WATCHED: i64 = 300_000;

/// What a run leaves behind.
pub struct Records {
    pub run: Run,
    pub plan: Plan,
    pub ledger: Vec<Row>,
    pub samples: Vec<Sample>,
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_772_445_600_000 + milliseconds).unwrap()
}

fn span(milliseconds: i64) -> Span {
    Span::millis(u64::try_from(milliseconds).unwrap())
}

fn experiment(story: &Story) -> String {
    let kind = if story.once { "kind: process-kill, process: orders" } else { "kind: network-latency, delay: 100ms" };
    let statistic = match story.measure {
        Measure::Look | Measure::Average(_) => "p99",
        Measure::Worst => "Maximum",
        Measure::Best => "Minimum",
    };
    let (period, every, asked) = (span(story.period), span(story.every), span(story.asked));
    format!(
        "id: truth
title: Truth
hypothesis: What is said is so.
environments: [staging]
targets:
  hosts: {{ kind: ec2-instance, tags: {{ Service: orders }}, pick: {{ count: 1 }} }}
faults:
  - {{ name: {FAULT}, on: hosts, duration: {asked}, {kind} }}
steady_state:
  - name: {PROBE}
    cloudwatch: {{ namespace: Orders, metric: Latency, statistic: {statistic}, period: {period} }}
    tolerance: {{ at_most: 200 }}
guards: {{ stop_when: none, max_blast_radius: 100% }}
observe: {{ every: {every} }}
recovery: {{ within: {WITHIN}, check_every: {}, good_samples: 2 }}
success: [{{ recovery_time_at_most: {LIMIT} }}]
",
        span(CHECK_EVERY)
    )
}

/// One recording of a story.
pub fn record(story: &Story, chance: &mut Chance) -> Records {
    let experiment = drill_model::read::experiment(&experiment(story)).unwrap();
    let id = RunId::try_from("run-1").unwrap();
    let home = Home { account: "123456789012".into(), region: "eu-central-1".into() };
    let target = home.instance(&"i-0000000a".parse().unwrap());
    let targets: BTreeSet<TargetId> = [target.clone()].into();
    let spec = &experiment.faults[0];
    let change = PlannedChange {
        fault: spec.name.clone(),
        on: spec.on.clone(),
        change: spec.fault.change(&BTreeMap::new()),
        slot: Slot::of(Span::ZERO, spec.duration),
    };
    let row = Row {
        run_id: id.clone(),
        fault: spec.name.clone(),
        target,
        unit: UnitId::of(&id, &spec.name),
        change: change.change.clone(),
        saved: serde_json::Value::Null,
        intended_at: at(0),
        not_after: at(30_000),
        ends_at: at(30_000 + story.asked),
        deadline: at(400_000),
        state: closed(story, chance),
        since: at(story.gone),
    };
    let scope = Scope {
        run_id: id.clone(),
        account: home.account,
        region: home.region,
        environment: experiment.environments[0].clone(),
        seed: Seed::of(&id),
        targets: [(spec.on.clone(), Targets { population: targets.clone(), selected: targets })].into(),
        shares: [].into(),
        changes: vec![change],
        pacing: Pacing { every: span(story.every), samples_per_turn: 1, events: 200 },
        worst_case: Span::seconds(400),
        experiment,
    };
    let run = Run {
        execution: "arn:aws:states:eu-central-1:123456789012:execution:stormdrill:run-1".into(),
        version: 9,
        status: Status::Clean,
        experiment: Some(scope.experiment.id.clone()),
        environment: Some(scope.environment.clone()),
        requested_by: "ada".into(),
        plan: Some(scope.digest()),
        armed: Some(Armed { from: at(0), deadline: at(400_000) }),
        ending: Some(Ending::Completed),
        clean_at: Some(at(story.gone)),
        ..Run::new(id, at(-60_000))
    };
    let plan = Plan { scope, made_at: at(-30_000), baseline: vec![] };
    Records { run, plan, ledger: vec![row], samples: samples(story, chance) }
}

/// How the row was closed. A host that tells when the fault had ended counts back from an answer, so it says an earlier instant.
fn closed(story: &Story, chance: &mut Chance) -> State {
    let early = !story.once && story.end < story.order;
    let told = chance.is(50).then(|| at((story.end - chance.within(0..5_000)).max(0)));
    let how = match (story.once, early) {
        (true, _) => Gone::Converged,
        (false, true) => chance.one_of(&[Gone::Absent, Gone::TargetGone]),
        (false, false) => Gone::Reverted,
    };
    let ended = told.filter(|_| early && how == Gone::Absent);
    State::Undone { landed: Some(at(story.landed)), how, told: Told { ended, ..Told::default() } }
}

fn samples(story: &Story, chance: &mut Chance) -> Vec<Sample> {
    let lost = chance.one_of(&[0, 2, 10, 40]);
    let late = chance.one_of(&[1, 500, 3_000]);
    let mut last = i64::MIN;
    let mut samples = Vec::new();
    let mut owed: Vec<Datapoint> = Vec::new();
    let during = (0..).map(|number| (Stage::Fault, number, i64::from(number) * story.every));
    let during = during.take_while(|(.., due)| *due < story.order);
    let after = (0..).map(|number| (Stage::Recovery, number, story.gone + i64::from(number) * CHECK_EVERY));
    let after = after.take_while(|(.., due)| *due < story.gone + WATCHED);
    for (stage, number, due) in during.chain(after) {
        if chance.is(lost) {
            continue;
        }
        // One after the other, however late.
        let when = (due + chance.within(0..late)).max(last + 1);
        last = when;
        let mut reading = if story.measure == Measure::Look {
            look(story, chance, when)
        } else {
            datapoint(story, chance, when, stage, &mut owed)
        };
        if chance.is(lost / 4) {
            reading = ProbeReading { reading: Reading::unknown("throttled"), ..reading };
        }
        let faults =
            if stage == Stage::Fault && number % 3 == 0 { looks_at_fault(story, chance, when) } else { vec![] };
        let sample = Sample { stage, number, at: at(when), readings: vec![reading], alarms: vec![], faults };
        if chance.is(5) {
            samples.push(sample.clone());
        }
        samples.push(sample);
    }
    // Records come in any order.
    for place in (1..samples.len()).rev() {
        let other = usize::try_from(chance.within(0..i64::try_from(place).unwrap() + 1)).unwrap();
        samples.swap(place, other);
    }
    samples
}

fn value(out: bool) -> Reading {
    Reading::from_number(if out { 900.0 } else { 120.0 })
}

/// A look that took its time, and tells of one instant of it.
fn look(story: &Story, chance: &mut Chance, when: i64) -> ProbeReading {
    let took = chance.one_of(&[1, 200, 1_500]);
    let told = when + chance.within(0..took);
    ProbeReading {
        probe: PROBE.try_into().unwrap(),
        reading: value(story.shows_breach(told)),
        since: Some(at(when)),
        until: Some(at(when + took)),
        earlier: vec![],
    }
}

/// The newest datapoint. At first it may have another value; the next sample that is kept corrects it. What was published
/// since the last sample is taken along now and then.
fn datapoint(story: &Story, chance: &mut Chance, when: i64, stage: Stage, owed: &mut Vec<Datapoint>) -> ProbeReading {
    let since = (when.div_euclid(story.period) - 1) * story.period;
    let out = story.shows_breach(since);
    let of = |since: i64| Datapoint {
        since: at(since),
        until: at(since + story.period),
        reading: value(story.shows_breach(since)),
    };
    let mut earlier = std::mem::take(owed);
    let pace = if stage == Stage::Fault { story.every } else { CHECK_EVERY };
    if chance.is(70) {
        earlier.extend((1..=pace / story.period).rev().map(|back| of(since - back * story.period)));
    }
    let restated = chance.is(10) && when < story.gone + WATCHED / 2;
    if restated {
        owed.push(of(since));
    }
    ProbeReading {
        probe: PROBE.try_into().unwrap(),
        reading: value(out != restated),
        since: Some(at(since)),
        until: Some(at(since + story.period)),
        earlier,
    }
}

/// Whether the fault is there, by its target's word.
fn looks_at_fault(story: &Story, chance: &mut Chance, asked: i64) -> Vec<FaultLook> {
    if story.once || asked < story.landed || chance.is(20) {
        return Vec::new();
    }
    let answered = asked + chance.within(0..5_000);
    let holds = answered < story.end;
    let first_end = chance.is(50).then(|| at((story.end - chance.within(0..5_000)).max(0)));
    vec![FaultLook {
        fault: FAULT.try_into().unwrap(),
        asked: at(asked),
        holds: u32::from(holds),
        ended: u32::from(!holds),
        silent: 0,
        unmet: 0,
        first_end: first_end.filter(|_| !holds),
        names: vec![],
    }]
}
