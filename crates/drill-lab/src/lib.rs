//! The lab: real hosts for drills without an AWS account.
//!
//! Each host is a set of real processes in namespaces of its own on a bridge of the lab's own, bounded, sealed from the
//! machine, and gone with the lab whatever kills it. Start with [`Lab::up`] and [`FleetSpec::orders`]; call [`enter`]
//! first in `main`.

mod bounds;
pub mod cli;
mod clock;
mod control;
mod error;
mod exit;
mod home;
mod host;
mod http;
mod inside;
mod lab;
mod paint;
mod plane;
mod run;
mod spec;
mod wire;

pub use bounds::Bounds;
pub use drill_shop::{Target, TargetHealth};
pub use home::{Leftover, Leftovers, Program, default_home};
pub use host::{HostState, HostView};
pub use inside::enter;
pub use lab::{Command, Glance, GroupView, Lab, LabError, Measured, Site, Unit};
pub use spec::{FleetSpec, GroupSpec, HostSize, HostSpec, ServiceSpec};
pub use wire::{AgentOutcome, AgentStatus, Document, HttpReading, HttpRequest};
