//! Faults that are gone before their time, or meet nothing: found while they should last, and told with their time.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use drill_model::faults::ec2::{Instance, InstanceState};
use drill_model::ids::InstanceId;
use drill_model::ledger::{State, Told};
use drill_model::observation::{FaultLook, Sample, Stage as Part};
use drill_model::run::Ending;
use drill_phases::ports::{Class, Clock as _, Runs as _};
use drill_world::{At, Disturbance, HostPlane as _, HostSpec, Kind, Method, Outage, Power, SimulatedHosts};
use jiff::{SignedDuration, Timestamp};
use stormdrill_tests::stage::{Journey, Stage, experiment};

use crate::aborts::is_clean;

const STOP: &str = "  stop_when: none";
const GO_ON: &str = "  stop_when: none\n  on_early_end: continue";
const SLOW: &str = "  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }";
const OFF: &str = "  - { name: off, kind: instance-stop, on: orders, duration: 120s }";

/// What a host tells in whole seconds, and what its answer takes.
const ABOUT: SignedDuration = SignedDuration::from_secs(3);

/// Does something to the hosts with a fault, some time after it landed, and says when that was.
pub(crate) fn after_landing(
    stage: &Stage,
    after: u64,
    what: impl Fn(&SimulatedHosts) + 'static,
) -> Rc<Cell<Option<Timestamp>>> {
    let (world, hosts) = (stage.sim.world.clone(), stage.sim.hosts.clone());
    let when = Rc::new(Cell::new(None));
    let told = Rc::clone(&when);
    stage.sim.world.spawn(async move {
        while hosts.alive().is_empty() {
            world.sleep(Duration::from_secs(1)).await;
        }
        world.sleep(Duration::from_secs(after)).await;
        told.set(Some(world.now()));
        what(&hosts);
    });
    when
}

/// Somebody removes every fault that there is.
fn remove_faults(hosts: &SimulatedHosts) {
    for fault in hosts.alive() {
        hosts.remove_faults(&fault.instance);
    }
}

fn samples(stage: &Stage, journey: &Journey) -> Vec<Sample> {
    let read = stage.sim.play(stage.sim.world.samples(&journey.run.id));
    read.expect("it is read").expect("the store answers")
}

fn looks(stage: &Stage, journey: &Journey) -> Vec<FaultLook> {
    samples(stage, journey).into_iter().flat_map(|sample| sample.faults).collect()
}

fn told(stage: &Stage, journey: &Journey) -> Vec<Told> {
    let told = |state: &State| if let State::Undone { told, .. } = state { Some(*told) } else { None };
    stage.rows(journey).iter().filter_map(|row| told(&row.state)).collect()
}

fn near(found: Option<Timestamp>, truth: Option<Timestamp>) -> bool {
    found.zip(truth).is_some_and(|(found, truth)| found.duration_since(truth).abs() <= ABOUT)
}

#[test]
fn a_fault_that_somebody_removes_ends_the_run_with_its_time() {
    for skew in [-58, -30, 0, 30, 60] {
        let stage = Stage::with(&HostSpec::new().skew(SignedDuration::from_secs(skew)));
        let removed = after_landing(&stage, 10, remove_faults);

        let journey = stage.play(&experiment(SLOW, STOP));

        is_clean(&stage, &journey);
        let Some(Ending::Vanished { fault, at, what }) = &journey.run.ending else {
            panic!("{:?}", journey.run.ending)
        };
        assert_eq!(fault.as_str(), "slow");
        assert!(near(Some(*at), removed.get()), "{skew}: {at}, and it was at {:?}", removed.get());
        assert!(what.contains("1 of 1"), "{what}");
        let rows = told(&stage, &journey);
        assert!(near(rows[0].ended, removed.get()), "{skew}: {rows:?}, and it was at {:?}", removed.get());
        let lasted = journey.run.clean_at.unwrap().duration_since(journey.run.armed.unwrap().from);
        assert!(lasted.as_secs() < 45, "{skew}: it was put back after {lasted:?}");
    }
}

#[test]
fn where_the_experiment_says_so_the_run_goes_on_and_tells_when_the_fault_ended() {
    let stage = Stage::new();
    let removed = after_landing(&stage, 10, remove_faults);

    let journey = stage.play(&experiment(SLOW, GO_ON));

    assert_eq!(stage.objections(), Vec::<String>::new());
    assert_eq!(journey.run.ending, Some(Ending::Completed));
    let rows = told(&stage, &journey);
    assert!(near(rows[0].ended, removed.get()), "{rows:?}, and it was at {:?}", removed.get());
    let looks = looks(&stage, &journey);
    assert!(looks.iter().all(|look| look.holds + look.ended + look.silent == 1), "{looks:?}");
    assert!(looks.iter().any(|look| look.ended == 1 && near(look.first_end, removed.get())), "{looks:?}");
}

#[test]
fn a_fault_that_lasts_is_seen_to_hold_until_its_end_and_tells_nothing_else() {
    for skew in [-58, 0, 60] {
        let stage = Stage::with(&HostSpec::new().skew(SignedDuration::from_secs(skew)));

        let journey = stage.play(&experiment(SLOW, STOP));

        assert_eq!(stage.objections(), Vec::<String>::new());
        assert_eq!(journey.run.ending, Some(Ending::Completed), "{skew}");
        let looks = looks(&stage, &journey);
        assert!(looks.len() >= 4, "{looks:?}");
        assert!(looks.iter().all(|look| (look.holds, look.unmet) == (1, 0)), "{looks:?}");
        assert_eq!(told(&stage, &journey), [Told { met: Some(true), ..Told::default() }], "{skew}");
    }
}

#[test]
fn a_rule_that_meets_nothing_is_told_while_it_lasts_and_at_its_end() {
    let stage = Stage::new();
    for id in &stage.orders {
        stage.sim.hosts.quirks(id, |quirks| quirks.meets_nothing = true);
    }

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(stage.objections(), Vec::<String>::new());
    let looks = looks(&stage, &journey);
    assert!(looks.iter().all(|look| (look.holds, look.unmet) == (1, 1)), "{looks:?}");
    assert_eq!(told(&stage, &journey), [Told { met: Some(false), ..Told::default() }]);
}

#[test]
fn an_instance_that_somebody_starts_again_ends_the_run() {
    let stage = Stage::new();
    let (world, hosts, ids) = (stage.sim.world.clone(), stage.sim.hosts.clone(), stage.orders.clone());
    let started = Rc::new(Cell::new(None));
    let when = Rc::clone(&started);
    stage.sim.world.spawn(async move {
        let stopped = || {
            let stopped = |instance: &Instance| instance.state == InstanceState::Stopped && ids.contains(&instance.id);
            hosts.instances().into_iter().find(stopped)
        };
        let stopped = loop {
            match stopped() {
                Some(instance) => break instance.id,
                None => world.sleep(Duration::from_secs(1)).await,
            }
        };
        world.sleep(Duration::from_secs(20)).await;
        when.set(Some(world.now()));
        drop(hosts.power(Power::Start, &[stopped].into()).await);
    });

    let journey = stage.play(&experiment(OFF, STOP));

    is_clean(&stage, &journey);
    let Some(Ending::Vanished { at, .. }) = &journey.run.ending else { panic!("{:?}", journey.run.ending) };
    let late = at.duration_since(started.get().unwrap());
    assert!((0..=20).contains(&late.as_secs()), "nobody tells when, so it is when it was asked: {late:?}");
}

#[test]
fn one_look_that_errs_ends_nothing() {
    for nth in 1..=40 {
        let stage = Stage::new();
        stage.sim.world.disturb(Disturbance { at: At::Nth(Method::See, nth), kind: Kind::StaleRead });

        let journey = stage.play(&experiment(OFF, STOP));

        assert_eq!(stage.objections(), Vec::<String>::new(), "{nth}");
        assert!(!matches!(journey.run.ending, Some(Ending::Vanished { .. })), "{nth}: {:?}", journey.run.ending);
    }
}

#[test]
fn a_host_that_does_not_answer_is_silent_and_delays_no_sample() {
    let stage = Stage::new();
    let (went, came) = (stage.orders.clone(), stage.orders.clone());
    let offline = |offline: bool, ids: Vec<InstanceId>| {
        move |hosts: &SimulatedHosts| ids.iter().for_each(|id| hosts.agent_offline(id, offline))
    };
    after_landing(&stage, 2, offline(true, went));
    // It is back in time for the way back.
    after_landing(&stage, 57, offline(false, came));

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(journey.run.ending, Some(Ending::Completed));
    let looks = looks(&stage, &journey);
    assert!(looks.len() >= 3 && looks[..3].iter().all(|look| look.silent == 1), "{looks:?}");
    let samples = samples(&stage, &journey);
    let from = journey.run.armed.unwrap().from;
    for sample in samples.iter().filter(|sample| sample.stage == Part::Fault) {
        let late = sample.at.duration_since(from).as_millis() - i128::from(sample.number) * 5_000;
        assert!(late.abs() <= 2_500, "sample {} was {late} ms late", sample.number);
    }
    assert!(samples.iter().filter(|sample| !sample.readings.is_empty()).count() >= 12);
}

#[test]
fn a_plan_for_another_place_is_refused_and_nothing_is_touched() {
    for (account, region) in [("210987654321", "eu-central-1"), ("123456789012", "eu-west-1")] {
        let stage = Stage::new();
        let world = stage.sim.world.clone();
        stage.sim.world.spawn(async move {
            // Between the plan and its first change.
            while world.coverage()[&Method::PutPlan] == 0 {
                world.sleep(Duration::from_millis(1)).await;
            }
            world.place(account, region);
        });

        let journey = stage.play(&experiment(SLOW, STOP));

        assert_eq!(journey.verdict(), "refused", "{:#?}", journey.run);
        assert!(
            matches!(&journey.run.ending, Some(Ending::Refused { reasons }) if reasons[0].to_string().contains(account))
        );
        assert_eq!(stage.rows(&journey).len(), 0);
        assert_eq!(stage.objections(), Vec::<String>::new());
    }
}

#[test]
fn hosts_that_cannot_be_asked_are_silent_and_the_run_goes_on() {
    let stage = Stage::new();
    let outage = Outage {
        api: "ssm:",
        actor: Some("observe".to_owned()),
        from: stage.sim.now(),
        until: stage.sim.now() + Duration::from_secs(3_600),
        class: Class::Transient,
    };
    stage.sim.world.outage(outage);

    let journey = stage.play(&experiment(SLOW, STOP));

    assert_eq!(stage.objections(), Vec::<String>::new());
    assert_eq!(journey.run.ending, Some(Ending::Completed));
    assert!(looks(&stage, &journey).iter().all(|look| look.silent == 1));
}
