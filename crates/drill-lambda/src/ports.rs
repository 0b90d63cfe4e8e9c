//! The ports of a function: adapters put together in one struct, which answers for exactly the ports that are named.
//!
//! What a function may do follows from it: the actions of its role are those of its ports.

mod forward;

use std::collections::BTreeSet;

/// The actions of several ports, each once.
pub fn in_use(ports: &[&[&'static str]]) -> BTreeSet<&'static str> {
    ports.iter().flat_map(|actions| actions.iter().copied()).collect()
}

/// Makes a struct out of adapters, which has the ports that are named and no other.
///
/// ```
/// drill_lambda::ports! {
///     /// What it asks of the world.
///     pub struct Ports {
///         clock: drill_aws_config::SystemClock => Clock;
///         place: drill_aws_config::Here => Place;
///     }
/// }
/// assert_eq!(Ports::actions(), std::collections::BTreeSet::new());
/// ```
///
/// An adapter is a type of its crate, made with `Adapter::from_environment`; the actions of a port are the constant of its
/// name in the crate's module `actions`. `AlarmClock as CLEAR_CLOCK` stands for the same port with other actions.
#[macro_export]
macro_rules! ports {
    (
        $(#[$doc:meta])*
        pub struct $ports:ident {
            $($field:ident: $adapter:ident::$of:ident => $($port:ident $(as $actions:ident)?),+;)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $ports {
            $($field: $adapter::$of,)+
        }

        impl $ports {
            /// Makes the adapters, each from the environment variables that it needs.
            pub fn from_environment(config: &$crate::SdkConfig) -> ::core::result::Result<Self, $crate::Unready> {
                Ok(Self { $($field: $crate::adapter(config)?,)+ })
            }

            /// The IAM actions that these ports need: those of the function's role, and no other.
            pub fn actions() -> ::std::collections::BTreeSet<&'static str> {
                $crate::in_use(&[$($($crate::actions_of!($adapter, $port $(as $actions)?),)+)+])
            }

            /// The names of the ports.
            pub const PORTS: &'static [&'static str] = &[$($(stringify!($port),)+)+];
        }

        $($($crate::port!($port for $ports by $field);)+)+
    };
}

/// The actions of a port, in the crate of its adapter.
#[doc(hidden)]
#[macro_export]
macro_rules! actions_of {
    ($adapter:ident, $port:ident as $actions:ident) => {
        $adapter::actions::$actions
    };
    ($adapter:ident, Clock) => {
        $adapter::actions::CLOCK
    };
    ($adapter:ident, Place) => {
        $adapter::actions::PLACE
    };
    ($adapter:ident, Experiments) => {
        $adapter::actions::EXPERIMENTS
    };
    ($adapter:ident, Runs) => {
        $adapter::actions::RUNS
    };
    ($adapter:ident, Ledger) => {
        $adapter::actions::LEDGER
    };
    ($adapter:ident, Leases) => {
        $adapter::actions::LEASES
    };
    ($adapter:ident, EmergencyStop) => {
        $adapter::actions::EMERGENCY_STOP
    };
    ($adapter:ident, AlarmClock) => {
        $adapter::actions::ALARM_CLOCK
    };
    ($adapter:ident, ArmUndo) => {
        $adapter::actions::ARM_UNDO
    };
    ($adapter:ident, DisarmUndo) => {
        $adapter::actions::DISARM_UNDO
    };
    ($adapter:ident, Sees) => {
        $adapter::actions::SEES
    };
    ($adapter:ident, Groups) => {
        $adapter::actions::GROUPS
    };
    ($adapter:ident, Harms) => {
        $adapter::actions::HARMS
    };
    ($adapter:ident, Heals) => {
        $adapter::actions::HEALS
    };
    ($adapter:ident, Rehearse) => {
        $adapter::actions::REHEARSE
    };
    ($adapter:ident, HostHarm) => {
        $adapter::actions::HOST_HARM
    };
    ($adapter:ident, HostHeal) => {
        $adapter::actions::HOST_HEAL
    };
    ($adapter:ident, HostProbe) => {
        $adapter::actions::HOST_PROBE
    };
    ($adapter:ident, HostAnswers) => {
        $adapter::actions::HOST_ANSWERS
    };
    ($adapter:ident, Metrics) => {
        $adapter::actions::METRICS
    };
    ($adapter:ident, Prometheus) => {
        $adapter::actions::PROMETHEUS
    };
    ($adapter:ident, Http) => {
        $adapter::actions::HTTP
    };
    ($adapter:ident, Notices) => {
        $adapter::actions::NOTICES
    };
    ($adapter:ident, Reports) => {
        $adapter::actions::REPORTS
    };
    ($adapter:ident, TaskTokens) => {
        $adapter::actions::TASK_TOKENS
    };
    ($adapter:ident, Callback) => {
        $adapter::actions::CALLBACK
    };
}
