//! Every order of everything: what can happen next.

use drill_model::run::Status;
use stateright::{Model, Property};

use crate::happen::{Action, Observed};
use crate::injector::{Injector, Way};
use crate::promises::{CLEAN, DEADLINE, ENDS, INTENT, LEVER, OUTLIVES, OWNERS};
use crate::rules::{Failure, Scene};
use crate::state::{CLOCK, EVENT, HOST, INSTANCE, Machine, World};

impl Scene {
    /// What happens by itself, or because somebody does their work.
    pub(crate) fn work(&self, world: &World, out: &mut Vec<Action>) {
        let now = world.now();
        for run in 0..self.runs {
            let stands = &world.runs[run];
            if stands.machine == Machine::Ready && world.minute <= if run == 0 { 0 } else { self.second_until } {
                out.push(Action::Start(run));
            }
            for class in 0..2 {
                if stands.orders[class].is_some() && world.host.agent {
                    out.push(Action::Deliver(run, class));
                }
            }
            if world.host.units[run].is_some_and(|unit| unit.ends.is_some_and(|ends| ends <= now)) {
                out.push(Action::DeadMan(run));
            }
            if stands.undo.is_some_and(|at| at <= now) {
                out.push(Action::ScheduledUndo(run));
            }
            for (slot, inject) in stands.inject.iter().enumerate() {
                let ways = inject.as_ref().map_or_else(Vec::new, |inject| inject.ways(world, run));
                let free = ways.into_iter().filter(|way| matches!(way, Way::Well | Way::GiveUp));
                out.extend(free.map(|way| Action::Inject(run, slot, way)));
            }
            if stands.machine == Machine::Observe && self.observed(world, run) != Observed::Watch {
                out.push(Action::Observe(run));
            }
            match stands.machine {
                Machine::Recover if stands.heal.is_none() => out.push(Action::BeginHealing(run)),
                Machine::Rollback if stands.heal.is_none() && !stands.tried => out.push(Action::BeginHealing(run)),
                Machine::Ready
                | Machine::Inject
                | Machine::Observe
                | Machine::Recover
                | Machine::Rollback
                | Machine::Over
                | Machine::Dead => {}
            }
            if stands.heal.is_some() {
                out.push(Action::Heal(run, Way::Well));
            }
            if world.janitor.is_none() {
                for (what, wake) in stands.wakes.iter().enumerate() {
                    if wake.is_some_and(|wake| wake.at <= now) {
                        out.push(Action::Wake(run, what));
                    }
                }
                if self.must_sweep(world, run) {
                    out.push(Action::Sweep(run));
                }
            }
        }
        if world.janitor.is_some() {
            out.push(Action::Janitor(Way::Well));
        }
    }

    /// What only happens as one of the failures.
    fn failures(&self, world: &World, out: &mut Vec<Action>) {
        let may = |failure: Failure| self.may.contains(&failure);
        for run in 0..self.runs {
            let stands = &world.runs[run];
            for slot in 0..2 {
                let Some(inject) = &stands.inject[slot] else { continue };
                if may(Failure::Death) {
                    out.push(Action::InjectDies(run, slot));
                }
                if !inject.slow && may(Failure::Slow) {
                    out.push(Action::InjectIsSlow(run, slot));
                }
                let ways = inject.ways(world, run);
                if ways.contains(&Way::ReplyLost) && may(Failure::ReplyLost) {
                    out.push(Action::Inject(run, slot, Way::ReplyLost));
                }
                if ways.contains(&Way::Stale) && may(Failure::Stale) {
                    out.push(Action::Inject(run, slot, Way::Stale));
                }
            }
            if let Some(heal) = &stands.heal {
                if may(Failure::Death) {
                    out.push(Action::HealerDies(run));
                }
                if !heal.slow && may(Failure::Slow) {
                    out.push(Action::HealerIsSlow(run));
                }
                if heal.looks() && world.instance.was_running.is_some() && may(Failure::Stale) {
                    out.push(Action::Heal(run, Way::Stale));
                }
            }
            let alive = !matches!(stands.machine, Machine::Ready | Machine::Over | Machine::Dead);
            if alive && may(Failure::Stop) {
                out.push(Action::Stop(run));
            }
            let ended = matches!(stands.machine, Machine::Over | Machine::Dead);
            if ended && may(Failure::Redrive) && stands.inject.contains(&None) {
                out.push(Action::Redrive(run));
            }
            if stands.machine == Machine::Inject && may(Failure::Doubled) && stands.inject.contains(&None) {
                out.push(Action::Doubled(run));
            }
            for (what, failure) in [(EVENT, Failure::EventLost), (CLOCK, Failure::ClockLost)] {
                if stands.wakes[what].is_some() && may(failure) {
                    out.push(Action::Lost(run, what));
                }
            }
            if stands.machine == Machine::Dead && stands.wakes[EVENT].is_none() && may(Failure::EventTwice) {
                out.push(Action::EventTwice(run));
            }
            for class in 0..2 {
                if stands.orders[class].is_some() && world.host.agent && may(Failure::OrderTwice) {
                    out.push(Action::OrderTwice(run, class));
                }
            }
        }
        if let Some((_, janitor)) = &world.janitor {
            if may(Failure::Death) {
                out.push(Action::JanitorDies);
            }
            if janitor.looks() && world.instance.was_running.is_some() && may(Failure::Stale) {
                out.push(Action::Janitor(Way::Stale));
            }
        }
        if world.host.agent && may(Failure::Silence) {
            out.push(Action::Silence);
        }
        if world.host.units.iter().any(Option::is_some) && may(Failure::Reboot) {
            out.push(Action::Reboot);
        }
        if !world.lever && may(Failure::Lever) {
            out.push(Action::Lever);
        }
    }

    /// Whether a minute may pass: what is prompt has been.
    fn may_pass(&self, world: &World) -> bool {
        let now = world.now();
        let waits = (0..self.runs).any(|run| {
            let stands = &world.runs[run];
            let overdue = world.host.units[run].is_some_and(|unit| unit.ends.is_some_and(|ends| ends <= now));
            let under_way = |inject: &Injector| inject.checked.is_some_and(|checked| now >= checked + 60);
            overdue
                || stands.undo.is_some_and(|at| at <= now)
                || stands.inject.iter().flatten().any(under_way)
                || stands.wakes.iter().flatten().any(|wake| wake.at <= now)
                || self.must_sweep(world, run)
                || self.is_busy(world, run)
        });
        !waits && world.janitor.is_none()
    }

    fn is_busy(&self, world: &World, run: usize) -> bool {
        let stands = &world.runs[run];
        let begins = match stands.machine {
            Machine::Recover => stands.heal.is_none(),
            Machine::Rollback => stands.heal.is_none() && !stands.tried,
            Machine::Ready | Machine::Inject | Machine::Observe | Machine::Over | Machine::Dead => false,
        };
        begins
            || stands.heal.as_ref().is_some_and(|heal| !heal.slow)
            || stands.inject.iter().flatten().any(|inject| !inject.slow)
            || world.host.agent && stands.orders.iter().any(Option::is_some)
            || stands.machine == Machine::Observe && self.observed(world, run) != Observed::Watch
    }
}

impl Model for Scene {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        self.skews.iter().map(|skew| World::new(self.runs, self.failures, *skew)).collect()
    }

    fn actions(&self, world: &World, out: &mut Vec<Action>) {
        self.work(world, out);
        if !world.host.agent {
            out.push(Action::AgentIsBack);
        }
        if world.failures > 0 {
            self.failures(world, out);
        }
        if world.minute < self.horizon && self.may_pass(world) {
            out.push(Action::Minute);
        }
    }

    fn next_state(&self, last: &World, action: Action) -> Option<World> {
        let mut world = last.clone();
        let costs = !matches!(
            action,
            Action::Minute
                | Action::Start(_)
                | Action::Inject(_, _, Way::Well | Way::GiveUp)
                | Action::Observe(_)
                | Action::BeginHealing(_)
                | Action::Heal(_, Way::Well | Way::GiveUp)
                | Action::Wake(..)
                | Action::Sweep(_)
                | Action::Janitor(Way::Well | Way::GiveUp)
                | Action::Deliver(..)
                | Action::DeadMan(_)
                | Action::ScheduledUndo(_)
                | Action::AgentIsBack
        );
        world.failures -= u8::from(costs);
        self.happen(&mut world, action);
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let ends = Property::always(ENDS, |scene: &Self, world: &World| {
            !scene.ends_clean || world.minute < scene.horizon || scene.left(world).is_none()
        });
        vec![
            Property::always(OUTLIVES, |scene: &Self, world| scene.broken(world) != Some(OUTLIVES)),
            Property::always(INTENT, |scene: &Self, world| scene.broken(world) != Some(INTENT)),
            Property::always(CLEAN, |scene: &Self, world| scene.broken(world) != Some(CLEAN)),
            Property::always(OWNERS, |scene: &Self, world| scene.broken(world) != Some(OWNERS)),
            Property::always(DEADLINE, |scene: &Self, world| scene.broken(world) != Some(DEADLINE)),
            Property::always(LEVER, |scene: &Self, world| scene.broken(world) != Some(LEVER)),
            ends,
            Property::sometimes("a fault lands on the host", |_, world: &World| world.is_there(0, HOST)),
            Property::sometimes("a fault lands on the instance", |_, world: &World| world.is_there(0, INSTANCE)),
            Property::sometimes("a run comes to a clean end", |_, world: &World| {
                world.runs[0].status == Status::Clean && world.runs[0].machine == Machine::Over
            }),
        ]
    }
}
