//! Inject, call by call: each step is one call to a service, and it can die between any two.

use drill_model::ledger;
use drill_model::run::{Event, Status, next};
use drill_phases::kernel::{CLOCK_GRACE, Caller, Forth, UNDO_GRACE, arms, forth, heard, in_time};

use crate::cast::{self, LASTS, WORST};
use crate::rules::{Layer, Rule, Scene};
use crate::services;
use crate::state::{HOST, INSTANCE, Order, Promise, Row, Second, World};

/// One call of the function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Injector {
    /// Which call of Inject it is.
    name: u8,
    /// What comes next.
    pub step: Step,
    /// The machine waits for its answer.
    pub heard: bool,
    /// Minutes may pass before its next step.
    pub slow: bool,
    /// Nobody has armed the run before.
    first: bool,
    /// From when the run's times count.
    from: Second,
    /// The states of the rows when they were read.
    known: [Option<ledger::State>; 2],
    /// When it wrote each intent, or found it written.
    intended: [Second; 2],
    /// Whose answer it waits for: the first order's, or a later one's.
    awaits: Option<usize>,
    /// When it last found the call to the instance to be in time.
    pub checked: Option<Second>,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a call")]
pub enum Step {
    Arm,
    Lease,
    Clock,
    Read,
    IntendHost,
    Order,
    IntendHostLate,
    FindHost,
    IntendInstance,
    FindInstance,
    Look,
    ArmUndo,
    Harm,
    ArmUndoLate,
    Hear,
    See,
    Report,
}

/// How a step is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// As it should be.
    Well,
    /// The reply is lost, and the call is made again.
    ReplyLost,
    /// What is seen is how it was.
    Stale,
    /// It does not wait any longer.
    GiveUp,
}

/// What became of the function.
#[expect(clippy::large_enum_variant, reason = "it is looked at once and never kept")]
pub enum Went {
    /// It goes on.
    On(Injector),
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

impl Injector {
    /// A new call of the function.
    pub const fn new(name: u8) -> Self {
        Self {
            name,
            step: Step::Arm,
            heard: true,
            slow: false,
            first: false,
            from: 0,
            known: [None, None],
            intended: [0; 2],
            awaits: None,
            checked: None,
        }
    }

    /// The ways that its next step can be taken.
    pub fn ways(&self, world: &World, run: usize) -> Vec<Way> {
        let answered = |class: usize| world.runs[run].answers[class].is_some();
        match self.step {
            Step::Order => vec![Way::Well, Way::ReplyLost],
            Step::Look | Step::See if world.instance.was_running.is_some() => vec![Way::Well, Way::Stale],
            Step::Hear => match self.awaits {
                Some(class) if answered(class) => vec![Way::Well],
                Some(_) => vec![Way::GiveUp],
                None => vec![Way::Well],
            },
            Step::Arm
            | Step::Lease
            | Step::Clock
            | Step::Read
            | Step::IntendHost
            | Step::IntendHostLate
            | Step::FindHost
            | Step::IntendInstance
            | Step::FindInstance
            | Step::Look
            | Step::ArmUndo
            | Step::Harm
            | Step::ArmUndoLate
            | Step::See
            | Step::Report => vec![Way::Well],
        }
    }

    /// Takes the next step.
    pub fn take(mut self, scene: &Scene, world: &mut World, run: usize, way: Way) -> Went {
        let now = world.now();
        self.step = match self.step {
            Step::Arm => {
                let armed = world.runs[run].armed;
                let once = scene.keeps(Rule::OneDeadline);
                let Ok(fresh) = arms(armed.filter(|_| once).map(cast::armed), cast::plan(), cast::at(now)) else {
                    return Went::Failed;
                };
                let Some(status) = follow(scene, world.runs[run].status, Event::BeginInjection) else {
                    return Went::Failed;
                };
                let from = cast::second(fresh.from);
                let record = &mut world.runs[run];
                record.status = status;
                self.first = armed.is_none();
                self.from = if once { *record.armed.get_or_insert(from) } else { *record.armed.insert(from) };
                record.promised.get_or_insert(from);
                Step::Lease
            }
            Step::Lease => {
                let expired = |holder: usize| {
                    !scene.keeps(Rule::LeaseWithoutExpiry)
                        && world.runs[holder].armed.is_none_or(|from| now >= from + WORST)
                };
                if scene.keeps(Rule::LeaseWhileInjecting) && world.runs[run].status != Status::Injecting {
                    return Went::Failed;
                }
                if world.leases.iter().flatten().any(|holder| *holder != run && !expired(*holder)) {
                    return Went::Failed;
                }
                world.leases = [Some(run), Some(run)];
                Step::Clock
            }
            Step::Clock => {
                if scene.has(Layer::Clock) {
                    world.runs[run].clock = Some(cast::second(cast::at(self.from + WORST) + CLOCK_GRACE));
                }
                Step::Read
            }
            Step::Read => {
                if self.first && world.lever {
                    return Went::Failed;
                }
                self.known =
                    [0, 1].map(|target| world.runs[run].rows[target].as_ref().map(|row: &Row| row.state.clone()));
                Step::IntendHost
            }
            Step::IntendHost => match &self.known[HOST] {
                Some(ledger::State::Intended) => Step::Order,
                Some(_) => Step::IntendInstance,
                None if scene.keeps(Rule::IntentBeforeOrder) => {
                    if !self.intend(scene, world, run, HOST) {
                        return Went::Failed;
                    }
                    Step::FindHost
                }
                None => {
                    self.intended[HOST] = now;
                    Step::Order
                }
            },
            Step::FindHost => {
                self.find(scene, world, run, HOST);
                match &self.known[HOST] {
                    None | Some(ledger::State::Intended) => Step::Order,
                    Some(_) => Step::IntendInstance,
                }
            }
            Step::FindInstance => {
                self.find(scene, world, run, INSTANCE);
                match &self.known[INSTANCE] {
                    None | Some(ledger::State::Intended) => Step::Look,
                    Some(_) => Step::Hear,
                }
            }
            Step::Order => {
                self.order(world, run, way);
                if scene.keeps(Rule::IntentBeforeOrder) { Step::IntendInstance } else { Step::IntendHostLate }
            }
            Step::IntendHostLate => {
                if !self.intend(scene, world, run, HOST) {
                    return Went::Failed;
                }
                Step::IntendInstance
            }
            Step::IntendInstance => match &self.known[INSTANCE] {
                Some(ledger::State::Intended) => Step::Look,
                Some(_) => Step::Hear,
                None => {
                    if !self.intend(scene, world, run, INSTANCE) {
                        return Went::Failed;
                    }
                    Step::FindInstance
                }
            },
            Step::Look => {
                let mut row = self.row(world, run, INSTANCE);
                if !scene.keeps(Rule::LateOnResources) {
                    row.not_after = cast::at(Second::MAX);
                }
                let tried = self.known[INSTANCE].is_some();
                let by = if tried && scene.keeps(Rule::OneCaller) { Caller::Another } else { Caller::This };
                match forth(&row, Some(services::look(world, way)), tried, by, cast::at(now)) {
                    Forth::Do(_) | Forth::Stage(_) => {
                        self.checked = Some(now);
                        if scene.keeps(Rule::UndoFirst) { Step::ArmUndo } else { Step::Harm }
                    }
                    Forth::Landed(_) | Forth::Wait => Step::Hear,
                }
            }
            Step::ArmUndo | Step::ArmUndoLate => {
                if scene.has(Layer::ScheduledUndo) {
                    world.runs[run].undo = Some(cast::second(cast::at(self.from + WORST) + UNDO_GRACE));
                }
                if self.step == Step::ArmUndo { Step::Harm } else { Step::Hear }
            }
            Step::Harm => {
                services::stop_instance(world, run);
                self.checked = None;
                if scene.keeps(Rule::UndoFirst) { Step::Hear } else { Step::ArmUndoLate }
            }
            Step::Hear => {
                self.hear(scene, world, run, way);
                Step::See
            }
            Step::See => {
                let row = self.row(world, run, INSTANCE);
                let seen = forth(&row, Some(services::look(world, way)), true, Caller::This, cast::at(now));
                if let Forth::Landed(at) = seen
                    && self.known[INSTANCE].as_ref().is_none_or(ledger::State::is_open)
                {
                    services::advance(scene, world, run, INSTANCE, ledger::State::Landed { at });
                }
                Step::Report
            }
            Step::Report => {
                let Some(status) = follow(scene, world.runs[run].status, Event::Injected) else {
                    return Went::Failed;
                };
                world.runs[run].status = status;
                return Went::Done;
            }
        };
        Went::On(self)
    }

    /// One transaction: the run injects, the lever is at rest, the target is this run's, and the row is not there yet.
    fn intend(&mut self, scene: &Scene, world: &mut World, run: usize, target: usize) -> bool {
        let now = world.now();
        if now >= self.from + LASTS {
            return false;
        }
        if world.runs[run].status != Status::Injecting || world.leases[target] != Some(run) {
            return false;
        }
        if world.lever {
            if scene.keeps(Rule::LeverAtIntent) {
                return false;
            }
            world.breaks(Promise::Lever);
        }
        self.intended[target] = now;
        let row = Row { by: self.name, intended: now, from: self.from, state: ledger::State::Intended };
        world.runs[run].rows[target].get_or_insert(row);
        true
    }

    /// Reads the row that is there now: it is this call's own, or somebody else's.
    fn find(&mut self, scene: &Scene, world: &World, run: usize, target: usize) {
        let Some(row) = &world.runs[run].rows[target] else { return };
        if scene.keeps(Rule::OneCaller) && (row.by != self.name || row.state != ledger::State::Intended) {
            self.known[target] = Some(row.state.clone());
        }
    }

    /// The order to the host, if its time is not over.
    fn order(&mut self, world: &mut World, run: usize, way: Way) {
        let now = world.now();
        let row = self.row(world, run, HOST);
        if !in_time(&row, cast::at(now)) {
            return;
        }
        // The host has a few seconds more than the fault lasts.
        let ends = self.from + LASTS + 15;
        let order = Order { not_after: cast::second(row.not_after), ends, most: ends.saturating_sub(now).max(1) };
        let again = usize::from(self.known[HOST].is_some());
        world.runs[run].orders[again] = Some(order);
        self.awaits = Some(again);
        if way == Way::ReplyLost {
            world.runs[run].orders[1] = Some(order);
            self.awaits = Some(1);
        }
    }

    /// What the host said, if it said something.
    fn hear(&self, scene: &Scene, world: &mut World, run: usize, way: Way) {
        let now = world.now();
        let Some(class) = self.awaits else { return };
        let row = self.row(world, run, HOST);
        let Some(answer) = world.runs[run].answers[class].filter(|_| way == Way::Well) else {
            if !scene.keeps(Rule::SilenceIsNoNo) {
                services::advance(scene, world, run, HOST, ledger::State::NeverMade { why: String::new() });
            }
            return;
        };
        let first = class == 0 || !scene.keeps(Rule::OnlyTheFirstDenies);
        if let Some(step) = heard(&row, cast::answer(run, answer), first, cast::at(now)) {
            services::advance(scene, world, run, HOST, step.to);
        }
    }

    /// A row as this call knows it: as it wrote it, or as it read it.
    fn row(&self, world: &World, run: usize, target: usize) -> ledger::Row {
        match &self.known[target] {
            Some(state) => {
                let intended = world.runs[run].rows[target].as_ref().map_or(0, |row| row.intended);
                cast::row_of(run, target, intended, state.clone())
            }
            None => cast::row_of(run, target, self.intended[target], ledger::State::Intended),
        }
    }
}

/// What may follow what. With the rule off, harm may follow anything.
fn follow(scene: &Scene, status: Status, event: Event) -> Option<Status> {
    let to = next(status, event).ok();
    if scene.keeps(Rule::NoWayBack) {
        return to;
    }
    to.or_else(|| next(Status::Injecting, event).ok())
}
