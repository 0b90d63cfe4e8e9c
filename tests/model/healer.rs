//! Recover, Rollback and the janitor, call by call.

use drill_model::ledger;
use drill_model::run::{Event, Status, next};
use drill_phases::janitor::Wake;
use drill_phases::kernel::{Back, UNDER_WAY, back, gone, is_cleanable, is_due, just_landed, settled};
use jiff::SignedDuration;

use crate::cast;
use crate::injector::Way;
use crate::rules::{Rule, Scene};
use crate::services;
use crate::state::{HOST, INSTANCE, World};

/// One call of a function that heals.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Healer {
    /// Who it is.
    pub who: Who,
    /// What comes next.
    pub step: Step,
    /// The machine waits for its answer.
    pub heard: bool,
    /// Minutes may pass before its next step.
    pub slow: bool,
    /// The open rows, as they were read.
    open: [Option<ledger::State>; 2],
    /// A healing call was made since nobody could harm any more.
    healed: bool,
    /// The instance was seen whole once.
    looked: bool,
}

/// Who heals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a function, or what woke it")]
pub enum Who {
    Recover,
    Rollback,
    Event { tries: u8 },
    Clock { tries: u8 },
    Sweep,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a call")]
pub enum Step {
    Begin,
    Read,
    Revert,
    CloseHost { was_there: bool },
    See,
    Heal { settled: bool },
    CloseInstance { to: ledger::State },
    ReadAgain,
    Disarm,
    Release,
    Cleaned,
    ClearClock,
}

/// How a call begins.
enum Begun {
    /// With the rows.
    Reads,
    /// Everything is closed: what is still held is given back.
    Finishes,
    /// It is none of its business.
    NotDue,
    /// The run does not take it.
    Refused,
}

/// What became of the function.
#[expect(clippy::large_enum_variant, reason = "it is looked at once and never kept")]
pub enum Went {
    /// It goes on.
    On(Healer),
    /// Everything is clean, or it is none of its business.
    Done,
    /// Something is left, or it failed.
    Failed,
}

impl Healer {
    /// A new call of the function.
    pub const fn new(who: Who) -> Self {
        Self { who, step: Step::Begin, heard: true, slow: false, open: [None, None], healed: false, looked: false }
    }

    /// Whether its next step is a look at the instance.
    pub fn looks(&self) -> bool {
        self.step == Step::See && self.open[INSTANCE].is_some()
    }

    /// Takes the next step.
    pub fn take(mut self, scene: &Scene, world: &mut World, run: usize, way: Way) -> Went {
        let now = cast::at(world.now());
        self.step = match self.step.clone() {
            Step::Begin => match self.begin(scene, world, run) {
                Begun::Reads => Step::Read,
                Begun::Finishes => Step::Disarm,
                Begun::NotDue => return Went::Done,
                Begun::Refused => return Went::Failed,
            },
            Step::Read => {
                let open = |target: usize| {
                    let state = &world.runs[run].rows[target].as_ref()?.state;
                    state.is_open().then(|| state.clone())
                };
                self.open = [open(HOST), open(INSTANCE)];
                Step::Revert
            }
            Step::Revert if self.open[HOST].is_none() => Step::See,
            Step::Revert => match services::revert(world, run) {
                Some(was_there) => Step::CloseHost { was_there },
                None if scene.keeps(Rule::GoneIsSeen) => Step::See,
                None => Step::CloseHost { was_there: false },
            },
            Step::CloseHost { was_there } => {
                let row = self.row(world, run, HOST);
                if let Ok(how) = gone(&row, cast::reverted(run, was_there)) {
                    let to = ledger::State::undone(row.state.landed(), how);
                    services::advance(scene, world, run, HOST, to);
                }
                Step::See
            }
            Step::See if self.open[INSTANCE].is_none() => Step::ReadAgain,
            Step::See => {
                let mut row = self.row(world, run, INSTANCE);
                if !scene.keeps(Rule::UnderWay) {
                    row.not_after = now - UNDER_WAY - SignedDuration::from_secs(1);
                }
                match back(&row, Some(services::look(world, way)), self.healed, now) {
                    Back::Gone(_) if just_landed(&row, now) && !self.looked => {
                        self.looked = true;
                        Step::See
                    }
                    Back::Gone(to) => Step::CloseInstance { to },
                    Back::Call(_) => {
                        self.looked = false;
                        Step::Heal { settled: settled(&row, now) }
                    }
                    Back::Wait(_) => Step::ReadAgain,
                }
            }
            Step::Heal { settled } => {
                services::start_instance(world);
                self.healed |= settled;
                Step::See
            }
            Step::CloseInstance { to } => {
                services::advance(scene, world, run, INSTANCE, to);
                Step::ReadAgain
            }
            Step::ReadAgain => {
                let mut rows = world.runs[run].rows.iter().flatten();
                if rows.any(|row| row.state.is_open()) {
                    return Went::Failed;
                }
                Step::Disarm
            }
            Step::Disarm => {
                world.runs[run].undo = None;
                Step::Release
            }
            Step::Release => {
                services::release(world, run);
                Step::Cleaned
            }
            Step::Cleaned => {
                let status = world.runs[run].status;
                if !matches!(status, Status::Judged | Status::Refused | Status::Planned) {
                    let Ok(to) = next(status, Event::Cleaned) else { return Went::Failed };
                    world.runs[run].status = to;
                }
                Step::ClearClock
            }
            Step::ClearClock => {
                world.runs[run].clock = None;
                return Went::Done;
            }
        };
        Went::On(self)
    }

    /// Moves the run to cleaning, so that no late Inject gets another intent in.
    fn begin(&self, scene: &Scene, world: &mut World, run: usize) -> Begun {
        let status = world.runs[run].status;
        let wake = match self.who {
            Who::Recover => {
                if matches!(status, Status::Clean | Status::Judged) {
                    return Begun::Finishes;
                }
                let Ok(to) = next(status, Event::BeginRecovery) else { return Begun::Refused };
                world.runs[run].status = to;
                return Begun::Reads;
            }
            Who::Rollback => None,
            Who::Event { .. } => Some(Wake::ExecutionEnded { run: cast::id(run), status: String::new() }),
            Who::Clock { .. } => Some(Wake::Clock { run: cast::id(run) }),
            Who::Sweep => Some(Wake::Sweep),
        };
        let now = cast::at(world.now());
        if wake.is_some_and(|wake| !is_due(&cast::record(&world.runs[run]), &wake, now)) {
            return Begun::NotDue;
        }
        if is_cleanable(status) {
            let Ok(to) = next(status, Event::BeginRollback) else { return Begun::Refused };
            world.runs[run].status = to;
        }
        if !scene.keeps(Rule::LeaseUntilClosed) {
            services::release(world, run);
        }
        Begun::Reads
    }

    /// A row as it was read.
    fn row(&self, world: &World, run: usize, target: usize) -> ledger::Row {
        let intended = world.runs[run].rows[target].as_ref().map_or(0, |row| row.intended);
        cast::row_of(run, target, intended, self.open[target].clone().unwrap_or(ledger::State::Intended))
    }
}
