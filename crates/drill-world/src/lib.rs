//! An in-memory control plane that behaves like the services it stands for, with all that makes them hard.
//!
//! [`World`] implements every port of the phases. Replies come late, reads lag, deliveries repeat, and any call can be
//! made to fail ([`faulty`]). [`Simulation`] adds hosts that are simulated and a clock that jumps; the lab adds real ones.

mod alarms;
mod builder;
mod calls;
mod clocks;
mod commands;
pub mod faulty;
pub mod hosts;
mod instances;
mod invocation;
mod leases;
mod ledger;
mod metrics;
pub mod oracle;
mod outbox;
mod random;
mod simulation;
mod store;
mod subnets;
mod targets;
pub mod time;
mod tokens;
mod undos;
mod world;

pub use self::alarms::{Alarm, Comparison, Missing};
pub use self::builder::Timing;
pub use self::calls::{Called, Method};
pub use self::clocks::Fired;
pub use self::faulty::{At, Disturbance, First, Hit, Kind, Outage};
pub use self::hosts::{HostPlane, HostSpec, HostsView, Power, Quirks, SimulatedHosts};
pub use self::invocation::{Invocation, Invoked};
pub use self::metrics::{Datum, Metric};
pub use self::oracle::Grace;
pub use self::outbox::Notice;
pub use self::simulation::Simulation;
pub use self::world::World;
