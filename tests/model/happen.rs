//! What happens, and what follows from it.

use drill_model::run::Status;
use drill_phases::kernel::{Course, course};

use crate::cast::{self, WORST};
use crate::healer::{self, Healer, Who};
use crate::injector::{self, Injector, Way};
use crate::rules::{Layer, Rule, Scene};
use crate::services;
use crate::state::{CLOCK, EVENT, Machine, Run, Second, Wake, World};

/// How many times the event of an execution is delivered, and the ring of a clock, while the janitor does not succeed.
const TRIES: u8 = 3;

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
    /// An action happens.
    pub(crate) fn happen(&self, world: &mut World, action: Action) {
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

    /// Whether the sweep of this minute has this run to do: an open row is past its deadline, or the run is unfinished.
    pub(crate) fn must_sweep(&self, world: &World, run: usize) -> bool {
        let stands = &world.runs[run];
        let open = |row: &crate::state::Row| row.state.is_open() && row.from + WORST < world.now();
        let late = |deadline| cast::second(deadline) < world.now();
        let unfinished = self.keeps(Rule::SweepUntilGivenBack) && cast::record(stands).unfinished().is_some_and(late);
        self.has(Layer::Sweep) && !stands.swept && (unfinished || stands.rows.iter().flatten().any(open))
    }

    /// What Observe would answer.
    pub(crate) fn observed(&self, world: &World, run: usize) -> Observed {
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
pub(crate) enum Observed {
    Watch,
    Inject,
    PutBack,
    Stop,
}
