//! The model ring: no order of failures leaves a fault, and every layer and every rule is needed for that.
//!
//! Each scene prints how many states it has. `STORMDRILL_MODEL=deep` explores more, for many minutes.

use std::collections::BTreeSet;

use libtest_mimic::{Arguments, Failed, Trial};
use stateright::{Checker as _, HasDiscoveries, Model as _};
use stormdrill_model::promises::{CLEAN, DEADLINE, ENDS, INTENT, LEVER, OUTLIVES, OWNERS};
use stormdrill_model::rules::{Failure, Layer, Rule, Scene};

/// More than this is not explored, and that is said.
const MOST: usize = 150_000_000;

/// What must always be so.
const PROMISES: [&str; 7] = [OUTLIVES, INTENT, CLEAN, OWNERS, DEADLINE, LEVER, ENDS];

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = vec![
        Trial::test("whatever_fails_once_no_fault_is_left", || holds(Scene::whole(1, 1))),
        Trial::test("two_runs_never_own_one_target", || holds(Scene::two_runs())),
        Trial::test("a_host_that_is_hard_to_reach_keeps_no_fault", || holds(Scene::hosts(1))),
        Trial::test("deaths_that_nobody_is_told_of_leave_no_fault", || holds(Scene::deaths(3))),
        Trial::test("a_host_that_forgets_is_believed_only_the_first_time", forgetful_hosts),
    ];
    for layer in Layer::ALL {
        trials.push(Trial::test(format!("layer::{layer:?}_is_enough_and_needed"), move || {
            holds(Scene::alone(*layer))?;
            breaks(Scene::alone(*layer).without_layer(*layer), OUTLIVES)
        }));
    }
    for (rule, scene, promise) in rules() {
        trials.push(Trial::test(format!("rule::{rule:?}_is_needed"), move || {
            holds(scene.clone())?;
            breaks(scene.without(rule), promise)
        }));
    }
    if std::env::var("STORMDRILL_MODEL").is_ok_and(|how| how == "deep") {
        for scene in Scene::deep() {
            trials.push(Trial::test(format!("deep::{}", scene.name), move || holds(scene)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Each rule that the model can turn off, where that shows, and the promise that does not hold then.
fn rules() -> Vec<(Rule, Scene, &'static str)> {
    let some = |may: &'static [Failure]| Scene { may, ..Scene::whole(1, 1) };
    vec![
        (Rule::IntentBeforeOrder, some(&[Failure::Slow]), INTENT),
        (Rule::OneCaller, some(&[Failure::Doubled]), CLEAN),
        (Rule::SilenceIsNoNo, some(&[Failure::ReplyLost]), CLEAN),
        (Rule::GoneIsSeen, some(&[Failure::Silence]), CLEAN),
        (Rule::DeadManFirst, some(&[Failure::Silence]), OUTLIVES),
        (Rule::OneDeadline, some(&[Failure::Doubled]), DEADLINE),
        (Rule::LateOnHosts, some(&[Failure::Silence]), OUTLIVES),
        (Rule::Tombstone, some(&[Failure::Stop]), CLEAN),
        (Rule::LateOnResources, some(&[Failure::Slow]), CLEAN),
        (Rule::UnderWay, some(&[Failure::Stop]), CLEAN),
        (Rule::NoWayBack, some(&[Failure::Stop]), OWNERS),
        (Rule::ClosedStaysClosed, some(&[Failure::Slow]), OWNERS),
        (Rule::LeverAtIntent, some(&[Failure::Lever]), LEVER),
        (Rule::LeaseWhileInjecting, some(&[Failure::Stop]), ENDS),
        (Rule::SweepUntilGivenBack, Scene::deaths(3), ENDS),
        (Rule::LeaseWithoutExpiry, Scene { may: &[Failure::Slow], second_until: 3, ..Scene::two_runs() }, OWNERS),
        (Rule::LeaseUntilClosed, some(&[Failure::Stop]), OWNERS),
        (Rule::UndoFirst, Scene::alone(Layer::ScheduledUndo), OUTLIVES),
        (Rule::HostsKnowTheirs, some(&[Failure::OrderTwice]), CLEAN),
    ]
}

/// R22 has a second half: what a host says of a copy closes no row. It shows where hosts do not keep the first half.
fn forgetful_hosts() -> Result<(), Failed> {
    let scene = Scene { may: &[Failure::ReplyLost], ..Scene::whole(1, 1) }.without(Rule::HostsKnowTheirs);
    holds(scene.clone())?;
    breaks(scene.without(Rule::OnlyTheFirstDenies), CLEAN)
}

/// Explores a scene: what does not hold in it.
fn explore(scene: &Scene) -> (BTreeSet<&'static str>, String) {
    let checker = scene.clone().checker().target_state_count(MOST);
    let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let broken = PROMISES.into_iter().filter(|promise| checker.discovery(promise).is_some()).collect();
    let cut = if checker.state_count() < MOST { "" } else { ", and there are more" };
    let how = checker.discoveries().into_iter().find(|(name, _)| PROMISES.contains(name));
    let how = how.map_or_else(String::new, |(name, path)| format!("\n{name}: {:?}", path.into_actions()));
    let seen = ["a fault lands on the host", "a fault lands on the instance", "a run comes to a clean end"];
    let unseen: Vec<&str> = seen.into_iter().filter(|name| checker.discovery(name).is_none()).collect();
    let without = if scene.without.is_empty() { String::new() } else { format!(", without {:?}", scene.without) };
    let name = format!("{}{without}, {} failures", scene.name, scene.failures);
    let said = format!("{name}: {} states, {} steps{cut}", checker.unique_state_count(), checker.state_count());
    println!("model: {said}");
    let idle = if unseen.is_empty() { String::new() } else { format!("\nnever: {unseen:?}") };
    (broken, format!("{said}{how}{idle}"))
}

/// Every promise holds in a scene, and something happens in it.
fn holds(scene: Scene) -> Result<(), Failed> {
    let (broken, said) = explore(&scene);
    let idle = scene.ends_clean && said.contains("\nnever: ");
    if broken.is_empty() && !idle { Ok(()) } else { Err(said.into()) }
}

/// This promise does not hold in a scene.
fn breaks(scene: Scene, promise: &str) -> Result<(), Failed> {
    let (broken, said) = explore(&scene);
    if broken.contains(promise) {
        Ok(())
    } else {
        Err(format!("{promise:?} still holds, or another broke first: {said}").into())
    }
}
