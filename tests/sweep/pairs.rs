//! Two things go wrong in one run, on hosts whose clocks are off, with functions that are called once or twice.
//!
//! There are millions of such runs, so a sample is played. `STORMDRILL_SEED` chooses another one and `STORMDRILL_PAIRS`
//! says how many runs of each scenario; what fails is told with its seed.

use std::time::Duration;

use drill_local::{Controls, Repeats};
use drill_world::{At, Disturbance, HostSpec};
use jiff::SignedDuration;
use stormdrill_tests::chance::Chance;
use stormdrill_tests::stage::Stage;

use crate::{SCENARIOS, kinds, numbers, objections, play, play_on};

/// Runs of each scenario.
const RUNS: u64 = 150;
const SEED: u64 = 2_026;

/// A number that the environment may give.
fn given(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => otherwise,
    }
}

/// What goes wrong in one run.
#[derive(Debug)]
struct Trouble {
    disturbances: [(&'static str, Disturbance); 2],
    /// How far the hosts' clocks are ahead, in seconds.
    skew: i64,
    repeats: Repeats,
    /// From an order until its host has it.
    delivery: Duration,
    /// From its first copy to its second.
    redelivery: Option<Duration>,
    /// How far reads lie behind.
    lag: Duration,
}

impl Trouble {
    fn of(chance: &mut Chance, calls: &[u64]) -> Self {
        let mut disturbance = || {
            let (how, kind) = chance.one_of(&kinds());
            (how, Disturbance { at: At::Call(chance.one_of(calls)), kind })
        };
        let disturbances = [disturbance(), disturbance()];
        Self {
            disturbances,
            skew: chance.within(-60..61),
            repeats: chance.one_of(&[Repeats::Once, Repeats::Once, Repeats::Twice, Repeats::SideBySide]),
            delivery: Duration::from_millis(chance.one_of(&[400, 400, 5_000, 20_000, 40_000])),
            redelivery: chance.one_of(&[None, None, Some(1), Some(30), Some(120)]).map(Duration::from_secs),
            lag: Duration::from_secs(chance.one_of(&[1, 1, 5, 20])),
        }
    }

    /// A stage on which services and hosts behave so. What goes wrong is still to come.
    fn stage(&self) -> Stage {
        let stage = Stage::with(&HostSpec::new().skew(SignedDuration::from_secs(self.skew)));
        stage.sim.world.timing(|timing| {
            timing.delivery = self.delivery;
            timing.redelivery = self.redelivery;
            (timing.visibility, timing.index) = (self.lag, self.lag);
        });
        stage
    }
}

fn sweep(scenario: usize) {
    let (name, fault) = SCENARIOS[scenario];
    let (seed, runs) = (given("STORMDRILL_SEED", SEED), given("STORMDRILL_PAIRS", RUNS));
    let (stage, journey) = play(fault, &[]);
    let undisturbed = journey.verdict();
    let calls: Vec<u64> = numbers(&stage).into_iter().map(|(number, _)| number).collect();

    let (mut all, mut hit) = (Vec::new(), 0);
    for run in 0..runs {
        let trouble = Trouble::of(&mut Chance::of(seed * 1_000_000 + run), &calls);
        let stage = trouble.stage();
        let disturbances = trouble.disturbances.map(|(_, disturbance)| disturbance);
        let journey = play_on(&stage, fault, &disturbances, &Controls::default().repeating(trouble.repeats));
        hit += u64::from(stage.sim.world.disturbed().iter().filter(|hit| hit.applied).count() == 2);
        let told = objections(&stage, &journey, &undisturbed);
        all.extend(told.into_iter().map(|objection| format!("run {run}, {trouble:?}: {objection}")));
    }

    println!("{name}: seed {seed}: {runs} runs with two failures each; in {hit} of them both came about");
    assert!(hit * 2 > runs, "{name}: too few of the runs were disturbed twice");
    assert!(
        all.is_empty(),
        "{name}: seed {seed}: {} objections to {runs} runs: {:#?}",
        all.len(),
        &all[..all.len().min(20)]
    );
}

#[test]
fn whatever_two_things_fail_a_host_fault_is_gone() {
    sweep(0);
}

#[test]
fn whatever_two_things_fail_a_stopped_instance_runs_again() {
    sweep(1);
}

#[test]
fn whatever_two_things_fail_what_happens_once_is_not_done_twice() {
    sweep(2);
}

#[test]
fn whatever_two_things_fail_an_aborted_fault_is_gone() {
    sweep(3);
}

#[test]
fn whatever_two_things_fail_a_subnet_is_whole_again() {
    sweep(4);
}
