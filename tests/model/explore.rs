//! Every order of everything: what can happen next, and what must always be so.

use drill_model::run::Status;
use drill_phases::kernel::{Course, UNDO_GRACE, course};
use stateright::{Model, Property};

use crate::cast::{self, WORST};
use crate::healer::{self, Healer, Who};
use crate::injector::{self, Injector, Way};
use crate::rules::{Failure, Layer, Scene};
use crate::services;
use crate::state::{CLOCK, EVENT, HOST, INSTANCE, Machine, Promise, Run, Second, Wake, World};

/// How many times the event of an execution is delivered, and the ring of a clock, while the janitor does not succeed.
const TRIES: u8 = 3;
/// How long a fault may stay after its deadline: a minute on the host, where the dead man needs nobody; on the instance
/// until the scheduled undo was there.
const GRACE: Second = 60;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is said where it is taken")]
pub enum Action {
    Minute,
    Start(usize),
    Inject(usize, usize, Way),
    Observe(usize),
    BeginHealing(usize),
    Heal(usize, Way),
    Wake(usize, usize),
    Sweep(usize),
    Janitor(Way),
    Deliver(usize, usize),
    DeadMan(usize),
    ScheduledUndo(usize),
    AgentIsBack,
    InjectDies(usize, usize),
    InjectIsSlow(usize, usize),
    HealerIsSlow(usize),
    HealerDies(usize),
    JanitorDies,
    Stop(usize),
    Redrive(usize),
    Doubled(usize),
    Lost(usize, usize),
    EventTwice(usize),
    OrderTwice(usize, usize),
    Silence,
    Reboot,
    Lever,
}

impl Scene {
    /// What happens by itself, or because somebody does their work.
    fn work(&self, world: &World, out: &mut Vec<Action>) {
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

    /// Whether the sweep of this minute has this run to do: an open row is past its deadline.
    fn must_sweep(&self, world: &World, run: usize) -> bool {
        let stands = &world.runs[run];
        let open = |row: &crate::state::Row| row.state.is_open() && row.from + WORST < world.now();
        self.has(Layer::Sweep) && !stands.swept && stands.rows.iter().flatten().any(open)
    }

    /// What Observe would answer.
    fn observed(&self, world: &World, run: usize) -> Observed {
        let stands = &world.runs[run];
        let (Status::Observing, Some(from), false) = (stands.status, stands.armed, world.lever) else {
            return Observed::Stop;
        };
        let now = cast::at(world.now());
        match course(cast::plan(), &cast::rows(world, run), cast::armed(from), now) {
            Course::Watch { .. } => Observed::Watch,
            Course::Inject => Observed::Inject,
            Course::PutBack => Observed::PutBack,
        }
    }

    fn happen(&self, world: &mut World, action: Action) {
        match action {
            Action::Minute => {
                world.minute += 1;
                world.instance.was_running = None;
                for run in &mut world.runs {
                    (run.swept, run.tried) = (false, false);
                    if run.clock.is_some_and(|at| at <= world.minute * 60) {
                        run.clock = None;
                        run.wakes[CLOCK] = Some(Wake { tries: TRIES, at: world.minute * 60 });
                    }
                }
            }
            Action::Start(run) | Action::Redrive(run) => {
                let stands = &mut world.runs[run];
                call_inject(stands);
            }
            Action::Inject(run, slot, way) => {
                let Some(inject) = world.runs[run].inject[slot].take() else { return };
                let heard = inject.heard;
                match inject.take(self, world, run, way) {
                    injector::Went::On(inject) => world.runs[run].inject[slot] = Some(inject),
                    injector::Went::Done if heard => world.runs[run].machine = Machine::Observe,
                    injector::Went::Failed if heard => self.caught(world, run),
                    injector::Went::Done | injector::Went::Failed => {}
                }
            }
            Action::InjectDies(run, slot) => {
                let heard = world.runs[run].inject[slot].take().is_some_and(|inject| inject.heard);
                if heard {
                    self.caught(world, run);
                }
            }
            Action::InjectIsSlow(run, slot) => {
                world.runs[run].inject[slot].iter_mut().for_each(|inject| inject.slow = true);
            }
            Action::HealerIsSlow(run) => world.runs[run].heal.iter_mut().for_each(|heal| heal.slow = true),
            Action::Observe(run) => match self.observed(world, run) {
                Observed::Watch => {}
                Observed::Inject => {
                    let stands = &mut world.runs[run];
                    call_inject(stands);
                }
                Observed::PutBack => world.runs[run].machine = Machine::Recover,
                Observed::Stop => self.caught(world, run),
            },
            Action::BeginHealing(run) => {
                let stands = &mut world.runs[run];
                let who = if stands.machine == Machine::Recover { Who::Recover } else { Who::Rollback };
                stands.tried = true;
                stands.heal = Some(Healer::new(who));
            }
            Action::Heal(run, way) => {
                let Some(heal) = world.runs[run].heal.take() else { return };
                let heard = heal.heard;
                match heal.take(self, world, run, way) {
                    healer::Went::On(heal) => world.runs[run].heal = Some(heal),
                    healer::Went::Done if heard => world.runs[run].machine = Machine::Over,
                    healer::Went::Failed if heard => self.caught(world, run),
                    healer::Went::Done | healer::Went::Failed => {}
                }
            }
            Action::HealerDies(run) => {
                if world.runs[run].heal.take().is_some_and(|heal| heal.heard) {
                    self.caught(world, run);
                }
            }
            Action::Wake(run, what) => {
                let Some(wake) = world.runs[run].wakes[what].take() else { return };
                let tries = wake.tries - 1;
                let who = if what == EVENT { Who::Event { tries } } else { Who::Clock { tries } };
                world.janitor = Some((run, Healer::new(who)));
            }
            Action::Sweep(run) => {
                world.runs[run].swept = true;
                world.janitor = Some((run, Healer::new(Who::Sweep)));
            }
            Action::Janitor(way) => {
                let Some((run, janitor)) = world.janitor.take() else { return };
                let who = janitor.who;
                match janitor.take(self, world, run, way) {
                    healer::Went::On(janitor) => world.janitor = Some((run, janitor)),
                    healer::Went::Done => {}
                    healer::Went::Failed => again(world, run, who),
                }
            }
            Action::JanitorDies => {
                let Some((run, janitor)) = world.janitor.take() else { return };
                again(world, run, janitor.who);
            }
            Action::Deliver(run, class) => {
                services::deliver(self, world, run, class);
                world.runs[run].orders[class] = None;
            }
            Action::OrderTwice(run, class) => services::deliver(self, world, run, class),
            Action::DeadMan(run) => {
                services::end_unit(world, run);
            }
            Action::ScheduledUndo(run) => {
                world.runs[run].undo = None;
                services::start_instance(world);
            }
            Action::AgentIsBack => world.host.agent = true,
            Action::Silence => world.host.agent = false,
            Action::Stop(run) => {
                let stands = &mut world.runs[run];
                stands.inject.iter_mut().flatten().for_each(|inject| (inject.heard, inject.slow) = (false, true));
                stands.heal.iter_mut().for_each(|heal| (heal.heard, heal.slow) = (false, true));
                self.dies(world, run);
            }
            Action::Doubled(run) => {
                let stands = &mut world.runs[run];
                stands.inject.iter_mut().flatten().for_each(|inject| (inject.heard, inject.slow) = (false, true));
                call_inject(stands);
            }
            Action::Lost(run, what) => world.runs[run].wakes[what] = None,
            Action::EventTwice(run) => self.dies(world, run),
            Action::Reboot => world.host.units = [None, None],
            Action::Lever => world.lever = true,
        }
    }

    /// A phase failed: the machine leads to Rollback, or, where that is not there, the execution fails.
    fn caught(&self, world: &mut World, run: usize) {
        if self.has(Layer::Machine) {
            world.runs[run].machine = Machine::Rollback;
        } else {
            self.dies(world, run);
        }
    }

    /// The execution ends without a Catch, and its event is sent.
    fn dies(&self, world: &mut World, run: usize) {
        let at = world.now();
        world.runs[run].machine = Machine::Dead;
        if self.has(Layer::Event) {
            world.runs[run].wakes[EVENT] = Some(Wake { tries: TRIES, at });
        }
    }

    /// The first promise that does not hold here.
    pub fn broken(&self, world: &World) -> Option<&'static str> {
        let now = world.now();
        for run in 0..self.runs {
            let stands = &world.runs[run];
            let Some(from) = stands.promised else { continue };
            if stands.armed != stands.promised {
                return Some(DEADLINE);
            }
            let instance = GRACE + u16::try_from(UNDO_GRACE.as_secs()).unwrap_or(Second::MAX);
            for (target, grace) in [(HOST, GRACE), (INSTANCE, instance)] {
                if self.judged[target] && world.is_there(run, target) && now > from + WORST + grace {
                    return Some(OUTLIVES);
                }
                let open = stands.rows[target].as_ref().is_none_or(|row| row.state.is_open());
                if world.is_there(run, target) && (!open || stands.status == Status::Clean) {
                    return Some(CLEAN);
                }
                // A lease is free when its rows are closed.
                let unclosed = stands.rows[target].as_ref().is_some_and(|row| row.state.is_open());
                if unclosed && world.leases[target] != Some(run) {
                    return Some(OWNERS);
                }
            }
        }
        if self.runs == 2 && world.host.units.iter().all(Option::is_some) {
            return Some(OWNERS);
        }
        match world.broken {
            Some(Promise::Intent) => Some(INTENT),
            Some(Promise::Closed) => Some(CLEAN),
            Some(Promise::Lever) => Some(LEVER),
            None => None,
        }
    }

    /// What is left when no more failures come and time goes on.
    pub fn left(&self, world: &World) -> Option<String> {
        let mut world = world.clone();
        (world.failures, world.host.agent) = (0, true);
        let mut out = Vec::new();
        for _ in 0..2_000 {
            out.clear();
            self.work(&world, &mut out);
            match out.iter().find(|action| !matches!(action, Action::Start(_))) {
                Some(action) => self.happen(&mut world, *action),
                None if world.minute > self.horizon + 8 => break,
                None => self.happen(&mut world, Action::Minute),
            }
        }
        let closed = world.runs.iter().flat_map(|run| run.rows.iter().flatten()).all(|row| !row.state.is_open());
        let gone = world.host.units == [None, None] && world.instance.stopped_by.is_none();
        let idle =
            |run: &Run| matches!(run.status, Status::Ready | Status::Clean) && (run.clock, run.undo) == (None, None);
        let given_back = world.runs.iter().all(idle) && world.leases == [None, None];
        let whole = closed && gone && (given_back || !self.gives_back);
        (!whole).then(|| format!("{world:?}"))
    }
}

/// The machine calls Inject.
fn call_inject(run: &mut Run) {
    run.machine = Machine::Inject;
    run.calls += 1;
    let slot = usize::from(run.inject[0].is_some());
    run.inject[slot] = Some(Injector::new(run.calls));
}

/// A janitor that did not succeed is woken again, after one minute and after two more, as Lambda does it.
fn again(world: &mut World, run: usize, who: Who) {
    let (what, tries) = match who {
        Who::Event { tries } => (EVENT, tries),
        Who::Clock { tries } => (CLOCK, tries),
        Who::Recover | Who::Rollback | Who::Sweep => return,
    };
    let at = world.now() + 60 * Second::from(TRIES - tries);
    if tries > 0 {
        world.runs[run].wakes[what].get_or_insert(Wake { tries, at });
    }
}

/// What Observe answers.
#[derive(Debug, PartialEq, Eq)]
enum Observed {
    Watch,
    Inject,
    PutBack,
    Stop,
}

/// No fault outlives its deadline and the grace.
pub const OUTLIVES: &str = "no fault outlives its deadline and the grace";
/// No change is made without a durable intent.
pub const INTENT: &str = "no change without a durable intent";
/// No fault is there after its row was closed, or its run clean.
pub const CLEAN: &str = "no fault after it was called clean";
/// A deadline is written once.
pub const DEADLINE: &str = "a deadline is never moved";
/// A target never has two owners.
pub const OWNERS: &str = "a target never has two owners";
/// No intent is written when the emergency stop is pulled.
pub const LEVER: &str = "no intent after the emergency stop";
/// When failures end, everything becomes clean.
pub const ENDS: &str = "when failures end, everything becomes clean";

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
