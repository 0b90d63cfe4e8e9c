//! What can be turned off: layers and rules, one at a time; and the scenes in which the rest is explored.

/// A failure that may happen, each time it happens for one of the scene's failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A function dies, or a call of it fails, before or after its effect.
    Death,
    /// A function is slow: minutes pass between its calls.
    Slow,
    /// Somebody stops the execution; a function that is under way lives on, as slow as it likes.
    Stop,
    /// A failed or stopped execution is started again at Inject.
    Redrive,
    /// A function is invoked twice at once.
    Doubled,
    /// The status event of an execution is lost.
    EventLost,
    /// The status event comes twice.
    EventTwice,
    /// The alarm clock does not ring.
    ClockLost,
    /// The reply of Run Command is lost, so that the order is sent again.
    ReplyLost,
    /// Run Command delivers an order twice.
    OrderTwice,
    /// The agent does not answer, for a time.
    Silence,
    /// The host reboots.
    Reboot,
    /// Somebody pulls the emergency stop.
    Lever,
    /// A look at an instance shows how it was.
    Stale,
}

impl Failure {
    /// Every failure.
    pub const ALL: &'static [Self] = &[
        Self::Death,
        Self::Slow,
        Self::Stop,
        Self::Redrive,
        Self::Doubled,
        Self::EventLost,
        Self::EventTwice,
        Self::ClockLost,
        Self::ReplyLost,
        Self::OrderTwice,
        Self::Silence,
        Self::Reboot,
        Self::Lever,
        Self::Stale,
    ];

    /// Those that take one layer after the other away.
    pub const OF_LAYERS: &'static [Self] =
        &[Self::Death, Self::Stop, Self::EventLost, Self::EventTwice, Self::ClockLost];

    /// Those that make a function meet another run.
    pub const OF_CALLERS: &'static [Self] = &[Self::Stop, Self::Slow, Self::Doubled, Self::Redrive, Self::Lever];

    /// Those between the control plane and a host.
    pub const OF_HOSTS: &'static [Self] =
        &[Self::Stop, Self::ReplyLost, Self::OrderTwice, Self::Silence, Self::Reboot, Self::Death];
}

/// A layer that can clean up alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// L0: the host's own dead man.
    DeadMan,
    /// L1: the machine leads every error to Rollback.
    Machine,
    /// L2: the event of a dead execution wakes the janitor.
    Event,
    /// L3: the alarm clock wakes it.
    Clock,
    /// L3b: the scheduler makes the undo call itself.
    ScheduledUndo,
    /// L4: the sweep.
    Sweep,
}

impl Layer {
    /// Every layer.
    pub const ALL: &'static [Self] =
        &[Self::DeadMan, Self::Machine, Self::Event, Self::Clock, Self::ScheduledUndo, Self::Sweep];
}

/// A rule that is turned off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// R1: the intent comes before the order.
    IntentBeforeOrder,
    /// R1: only the call that wrote an intent makes the change; one that finds it there only looks.
    OneCaller,
    /// R4: a host that has not answered may have done it.
    SilenceIsNoNo,
    /// R6: a revert closes a row when the host says that it is gone, not when it was sent.
    GoneIsSeen,
    /// R7: the dead man is armed before the fault.
    DeadManFirst,
    /// R7: the deadline is written once.
    OneDeadline,
    /// R8: a host refuses what comes after `not_after`, or after the deadline.
    LateOnHosts,
    /// R8: a host refuses what was reverted before.
    Tombstone,
    /// R8: a call to a service is not begun after `not_after`.
    LateOnResources,
    /// R8: a row is not closed while its call may be under way.
    UnderWay,
    /// R8: nothing leads from cleaning back to harm.
    NoWayBack,
    /// R8: a closed row is never opened again.
    ClosedStaysClosed,
    /// R9: no intent is written when the emergency stop is pulled.
    LeverAtIntent,
    /// R12: a lease has no expiry.
    LeaseWithoutExpiry,
    /// R12: a lease is given back when the rows are closed.
    LeaseUntilClosed,
    /// R12: a lease is taken only while its run injects.
    LeaseWhileInjecting,
    /// R12: the sweep comes back to a run until it has given back its leases.
    SweepUntilGivenBack,
    /// R17: the scheduled undo is armed before the call that harms.
    UndoFirst,
    /// R22: a repeated order is answered from what is there.
    HostsKnowTheirs,
    /// R22: only the answer to the first order can say that nothing was made.
    OnlyTheFirstDenies,
}

/// What is explored.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Its name.
    pub name: &'static str,
    /// How many runs want the two targets.
    pub runs: usize,
    /// How many failures there are at most.
    pub failures: u8,
    /// Which may happen.
    pub may: &'static [Failure],
    /// Which layers there are.
    pub layers: Vec<Layer>,
    /// The last minute in which the second run may start.
    pub second_until: u16,
    /// The last minute.
    pub horizon: u16,
    /// By how many minutes the host's clock may be ahead.
    pub skews: &'static [i16],
    /// Whether the host can be put back by anybody in this scene, and the instance.
    pub judged: [bool; 2],
    /// Whether everything must become clean when the failures end.
    pub ends_clean: bool,
    /// The rules that are turned off.
    pub without: Vec<Rule>,
}

impl Scene {
    /// Everything is there, and a number of failures of any kind.
    pub fn whole(runs: usize, failures: u8) -> Self {
        Self {
            name: "every layer",
            runs,
            failures,
            may: Failure::ALL,
            layers: Layer::ALL.to_vec(),
            second_until: 4,
            horizon: 7,
            skews: &[0],
            judged: [true; 2],
            ends_clean: true,
            without: Vec::new(),
        }
    }

    /// Two runs that want the same targets, and a failure that makes a function of one meet the other.
    pub fn two_runs() -> Self {
        Self { name: "two runs", may: Failure::OF_CALLERS, second_until: 1, horizon: 4, ..Self::whole(2, 1) }
    }

    /// Clocks that differ by a minute, and failures between the control plane and a host.
    pub fn hosts(failures: u8) -> Self {
        let name = "a host whose clock is off, and that is hard to reach";
        Self { name, skews: &[-1, 0, 1], may: Failure::OF_HOSTS, ..Self::whole(1, failures) }
    }

    /// One layer after the other is taken away.
    pub fn deaths(failures: u8) -> Self {
        Self { name: "deaths that nobody is told of", may: Failure::OF_LAYERS, ..Self::whole(1, failures) }
    }

    /// What is explored when there is time for it.
    pub fn deep() -> Vec<Self> {
        vec![
            Self::hosts(2),
            Self::deaths(4),
            Self { name: "two runs, any failure", ..Self::whole(2, 1) },
            Self { name: "any two failures", ..Self::whole(1, 2) },
        ]
    }

    /// One layer alone, with one failure that the others are for.
    pub fn alone(layer: Layer) -> Self {
        let (may, judged): (&'static [Failure], _) = match layer {
            Layer::DeadMan => (&[Failure::Death, Failure::Stop], [true, false]),
            Layer::ScheduledUndo => (&[Failure::Death, Failure::Stop], [false, true]),
            Layer::Machine => (&[Failure::Death], [true, true]),
            Layer::Event => (&[Failure::Death, Failure::Stop], [true, true]),
            Layer::Clock | Layer::Sweep => (&[Failure::Stop], [true, true]),
        };
        let name = "one layer alone";
        Self { name, may, judged, layers: vec![layer], ends_clean: false, ..Self::whole(1, 1) }
    }

    /// The same without a layer.
    #[must_use]
    pub fn without_layer(mut self, layer: Layer) -> Self {
        self.layers.retain(|one| *one != layer);
        self
    }

    /// The same with a rule turned off.
    #[must_use]
    pub fn without(mut self, rule: Rule) -> Self {
        self.without.push(rule);
        self
    }

    /// Whether a layer is there.
    pub fn has(&self, layer: Layer) -> bool {
        self.layers.contains(&layer)
    }

    /// Whether a rule is kept.
    pub fn keeps(&self, rule: Rule) -> bool {
        !self.without.contains(&rule)
    }
}
