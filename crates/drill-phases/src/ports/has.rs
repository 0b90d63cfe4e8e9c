//! Having a port: an accessor for each, and sums of them.
//!
//! A function's struct has adapters; the world in memory is one. A phase asks `&impl InjectPorts` and does not know which.

/// Writes the accessor of each port: a trait of the port's name with one method, and itself for whoever is the port.
macro_rules! accessors {
    ($($accessor:ident: $port:ident;)+) => {
        $(
        #[doc = concat!("Whoever has [`", stringify!($port), "`](super::", stringify!($port), ").")]
        pub trait $port {
            /// What answers.
            type Port: super::$port;

            #[doc(hidden)]
            fn port(&self) -> &Self::Port;

            /// The port.
            fn $accessor(&self) -> &Self::Port {
                self.port()
            }
        }

        impl<T: super::$port> $port for T {
            type Port = T;

            fn port(&self) -> &T {
                self
            }
        }
    )+

        /// The methods of every port.
        pub mod prelude {
            $(pub use super::super::$port as _;)+
        }
    };
}

accessors! {
    clock: Clock;
    place: Place;
    experiments: Experiments;
    runs: Runs;
    ledger: Ledger;
    leases: Leases;
    emergency_stop: EmergencyStop;
    task_tokens: TaskTokens;
    undo_proof: UndoProof;
    alarm_clock: AlarmClock;
    clear_clock: ClearClock;
    arm_undo: ArmUndo;
    disarm_undo: DisarmUndo;
    sees: Sees;
    groups: Groups;
    harms: Harms;
    heals: Heals;
    rehearse: Rehearse;
    host_harm: HostHarm;
    host_heal: HostHeal;
    host_probe: HostProbe;
    host_answers: HostAnswers;
    metrics: Metrics;
    prometheus: Prometheus;
    http: Http;
    notices: Notices;
    reports: Reports;
    callback: Callback;
}

/// A sum of ports, under a name: `bundle! { /// Why. pub trait Healing = Clock + Ledger; }`.
macro_rules! bundle {
    ($(#[$doc:meta])* $vis:vis trait $name:ident = $first:ident $(+ $port:ident)*;) => {
        $(#[$doc])*
        $vis trait $name: $crate::ports::has::$first $(+ $crate::ports::has::$port)* {
            /// The names of these ports.
            const PORTS: &'static [&'static str] = &[stringify!($first) $(, stringify!($port))*];
        }

        impl<T: $crate::ports::has::$first $(+ $crate::ports::has::$port)*> $name for T {}
    };
}
pub(crate) use bundle;
