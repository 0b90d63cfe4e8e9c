//! The demo: a small order service as people run it, with a database, a risk engine, a load balancer and a client.
//!
//! Each is a process of its own under its own name; what they cost and how they fail is real. Every one answers
//! `/health` and, for Prometheus, `/metrics`. Start with [`PROGRAMS`].

mod balancer;
mod breaker;
mod client;
mod clock;
mod database;
mod error;
pub mod http;
mod metrics;
mod order;
mod risk;
mod serve;
mod service;

pub use balancer::{Target, TargetHealth};
pub use client::{Measurements, Second};
pub use error::ShopError;

/// A program that a host can run under its own process name.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// The process name.
    pub name: &'static str,
    /// Serves until it is killed.
    pub main: fn() -> Result<(), ShopError>,
}

/// The shop's programs.
pub const PROGRAMS: [Program; 5] = [
    Program { name: "order-service", main: || run(service::main()) },
    Program { name: "orders-db", main: || run(database::main()) },
    Program { name: "risk-engine", main: || run(risk::main()) },
    Program { name: "order-lb", main: || run(balancer::main()) },
    Program { name: "order-client", main: || run(client::main()) },
];

fn run(program: impl Future<Output = Result<(), ShopError>>) -> Result<(), ShopError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(error::doing("start a runtime"))?.block_on(program)
}
