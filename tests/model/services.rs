//! The services between: the store, Run Command and the host behind it, EC2, and what rings by itself.

use drill_model::faults::Seen;
use drill_model::ledger;

use crate::cast;
use crate::injector::Way;
use crate::rules::{Layer, Rule, Scene};
use crate::state::{Answer, HOST, INSTANCE, Promise, Unit, World};

/// A step of a row, if it may be taken; otherwise nothing is written.
pub fn advance(scene: &Scene, world: &mut World, run: usize, target: usize, to: ledger::State) {
    let Some(row) = &mut world.runs[run].rows[target] else { return };
    let same = std::mem::discriminant(&row.state) == std::mem::discriminant(&to);
    let allowed = ledger::step(&row.state, &to).is_ok() || !scene.keeps(Rule::ClosedStaysClosed);
    if allowed && !same {
        row.state = to;
    }
}

/// Gives back what a run has.
pub fn release(world: &mut World, run: usize) {
    for lease in &mut world.leases {
        if *lease == Some(run) {
            *lease = None;
        }
    }
}

/// What a look at the instance shows.
pub fn look(world: &World, way: Way) -> &'static Seen {
    let is_running = world.instance.stopped_by.is_none();
    let shown = if way == Way::Stale { world.instance.was_running.unwrap_or(is_running) } else { is_running };
    cast::look(shown)
}

/// `StopInstances` takes effect.
pub fn stop_instance(world: &mut World, run: usize) {
    judge(world, run, INSTANCE);
    if world.instance.stopped_by.is_none() {
        world.instance.stopped_by = Some(run);
        world.instance.was_running = Some(true);
    }
}

/// `StartInstances` takes effect.
pub fn start_instance(world: &mut World) {
    if world.instance.stopped_by.take().is_some() {
        world.instance.was_running = Some(false);
    }
}

/// An order reaches the host, and is answered.
pub fn deliver(scene: &Scene, world: &mut World, run: usize, class: usize) {
    let Some(order) = world.runs[run].orders[class] else { return };
    let now = i32::from(world.now());
    let clock = now + i32::from(world.host.skew);
    let seconds = (i32::from(order.ends) - clock).min(i32::from(order.most));
    let there = world.host.units[run].is_some();
    let late = (clock > i32::from(order.not_after) || seconds < 1) && scene.keeps(Rule::LateOnHosts);
    let buried = world.host.tombstones[run] && scene.keeps(Rule::Tombstone);
    let answer = if there {
        if scene.keeps(Rule::HostsKnowTheirs) { Answer::Already } else { Answer::Refused }
    } else if late || buried {
        Answer::Refused
    } else {
        judge(world, run, HOST);
        let armed = scene.has(Layer::DeadMan) && scene.keeps(Rule::DeadManFirst);
        let ends = u16::try_from(now + seconds.max(1)).ok().filter(|_| armed);
        world.host.units[run] = Some(Unit { ends });
        Answer::Landed
    };
    world.runs[run].answers[class] = Some(answer);
}

/// A revert reaches the host: whether the fault was there. Nothing when it does not answer.
pub fn revert(world: &mut World, run: usize) -> Option<bool> {
    world.host.agent.then(|| end_unit(world, run))
}

/// The fault of a run on the host ends, and its name is used up.
pub fn end_unit(world: &mut World, run: usize) -> bool {
    world.host.tombstones[run] = true;
    world.host.units[run].take().is_some()
}

/// A change is made just now: its intent must be there, and open.
fn judge(world: &mut World, run: usize, target: usize) {
    match &world.runs[run].rows[target] {
        None => world.breaks(Promise::Intent),
        Some(row) if !row.state.is_open() => world.breaks(Promise::Closed),
        Some(_) => {}
    }
}
