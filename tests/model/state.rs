//! The state of everything, as small as it can be: it is copied and compared millions of times.

use drill_model::ledger;
use drill_model::run::Status;

use crate::healer::Healer;
use crate::injector::Injector;

/// Seconds since the beginning.
pub type Second = u16;

/// The host, which has one fault of each run at most.
pub const HOST: usize = 0;
/// The instance that is stopped.
pub const INSTANCE: usize = 1;

/// Everything.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// Minutes since the beginning.
    pub minute: u16,
    /// How many more failures there may be.
    pub failures: u8,
    /// The runs.
    pub runs: Vec<Run>,
    /// The host.
    pub host: Host,
    /// The instance.
    pub instance: Instance,
    /// Which run has which target for itself.
    pub leases: [Option<usize>; 2],
    /// The emergency stop.
    pub lever: bool,
    /// The one janitor, and whose run it cleans.
    pub janitor: Option<(usize, Healer)>,
    /// Which rule was broken, if one was.
    pub broken: Option<Promise>,
}

/// What is promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Promise {
    /// No change without a durable intent.
    Intent,
    /// No change whose row is closed.
    Closed,
    /// No intent when the emergency stop is pulled.
    Lever,
}

/// A run and its execution.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run {
    /// Its record.
    pub status: Status,
    /// From when its times count.
    pub armed: Option<Second>,
    /// From when they counted first; the deadline that people were told.
    pub promised: Option<Second>,
    /// Its rows of the ledger.
    pub rows: [Option<Row>; 2],
    /// The alarm clock.
    pub clock: Option<Second>,
    /// The scheduled undo.
    pub undo: Option<Second>,
    /// Where the machine is.
    pub machine: Machine,
    /// The status event, and the clock that rang: how many more times it is delivered, and when next.
    pub wakes: [Option<Wake>; 2],
    /// Rollback was tried in this minute.
    pub tried: bool,
    /// It was swept in this minute.
    pub swept: bool,
    /// How many times Inject was called.
    pub calls: u8,
    /// Inject, twice when it is doubled.
    pub inject: [Option<Injector>; 2],
    /// Recover or Rollback.
    pub heal: Option<Healer>,
    /// Copies of its order on their way: of the first, and of later ones.
    pub orders: [Option<Order>; 2],
    /// What the host answered to the first order, and to later ones.
    pub answers: [Option<Answer>; 2],
}

/// The status event of an execution.
pub const EVENT: usize = 0;
/// The alarm clock that rang.
pub const CLOCK: usize = 1;

/// Something that wakes the janitor, until it has done its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wake {
    /// How many more times it is delivered.
    pub tries: u8,
    /// When it is delivered next.
    pub at: Second,
}

/// An order on its way to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Order {
    /// The last moment to start.
    pub not_after: Second,
    /// When the host ends it alone.
    pub ends: Second,
    /// After how many seconds it ends it at the latest.
    pub most: Second,
}

/// A row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    /// Which call of Inject wrote the intent.
    pub by: u8,
    /// When the intent was written.
    pub intended: Second,
    /// From when the run's times counted for the one who wrote it.
    pub from: Second,
    /// How far it has come.
    pub state: ledger::State,
}

/// Where an execution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a state of the machine")]
pub enum Machine {
    Ready,
    Inject,
    Observe,
    Recover,
    Rollback,
    /// It came to its end.
    Over,
    /// It was stopped, or died.
    Dead,
}

/// What a host says of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is a word of the documents")]
pub enum Answer {
    Landed,
    Already,
    Refused,
}

/// The host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Host {
    /// The fault of each run.
    pub units: [Option<Unit>; 2],
    /// Those that were reverted, or ended.
    pub tombstones: [bool; 2],
    /// Whether orders reach it.
    pub agent: bool,
    /// By how many seconds its clock is ahead.
    pub skew: i16,
}

/// A fault on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit {
    /// When its dead man ends it. None when none is armed.
    pub ends: Option<Second>,
}

/// The instance.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Instance {
    /// Who stopped it; it runs when that is nobody.
    pub stopped_by: Option<usize>,
    /// How it was before its last change, if that was in this minute.
    pub was_running: Option<bool>,
}

impl World {
    /// The beginning.
    pub fn new(runs: usize, failures: u8, skew: i16) -> Self {
        let run = Run {
            status: Status::Ready,
            armed: None,
            promised: None,
            rows: [None, None],
            clock: None,
            undo: None,
            machine: Machine::Ready,
            wakes: [None, None],
            tried: false,
            swept: false,
            calls: 0,
            inject: [None, None],
            heal: None,
            orders: [None, None],
            answers: [None, None],
        };
        Self {
            minute: 0,
            failures,
            runs: vec![run; runs],
            host: Host { units: [None, None], tombstones: [false; 2], agent: true, skew: skew * 60 },
            instance: Instance { stopped_by: None, was_running: None },
            leases: [None, None],
            lever: false,
            janitor: None,
            broken: None,
        }
    }

    /// Now.
    pub const fn now(&self) -> Second {
        self.minute * 60
    }

    /// Whether the fault of a run is on a target.
    pub fn is_there(&self, run: usize, target: usize) -> bool {
        if target == HOST { self.host.units[run].is_some() } else { self.instance.stopped_by == Some(run) }
    }

    /// Notes that a promise was broken; the first one stays.
    pub fn breaks(&mut self, promise: Promise) {
        self.broken.get_or_insert(promise);
    }
}
