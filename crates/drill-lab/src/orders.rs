//! The demo: a small order service as people run it, with a database, a risk engine, a load balancer and a client.
//!
//! Each is a process of its own under its own name; what they cost and how they fail is real. Every one answers
//! `/health` and, for Prometheus, `/metrics`.

mod balancer;
mod breaker;
mod client;
mod database;
mod metrics;
mod risk;
mod serve;
mod service;

use serde::{Deserialize, Serialize};

use crate::inside::InsideError;

pub use balancer::{Target, TargetHealth};
pub(crate) use client::{Measurements, Second};
#[cfg(test)]
pub(crate) use metrics::{Kind, Metrics};

/// The demo's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    Service,
    Database,
    Risk,
    Balancer,
    Client,
}

impl Demo {
    /// All of them.
    pub(crate) const ALL: [Demo; 5] = [Demo::Service, Demo::Database, Demo::Risk, Demo::Balancer, Demo::Client];

    /// The process name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Demo::Service => "order-service",
            Demo::Database => "orders-db",
            Demo::Risk => "risk-engine",
            Demo::Balancer => "order-lb",
            Demo::Client => "order-client",
        }
    }

    /// The program of this process name.
    pub(crate) fn by_name(name: &str) -> Option<Demo> {
        Demo::ALL.into_iter().find(|demo| demo.name() == name)
    }

    /// Serves until it is killed.
    pub(crate) fn main(self) -> Result<i32, InsideError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(crate::inside::doing("start a runtime"))?;
        runtime.block_on(async {
            match self {
                Demo::Service => service::main().await,
                Demo::Database => database::main().await,
                Demo::Risk => risk::main().await,
                Demo::Balancer => balancer::main().await,
                Demo::Client => client::main().await,
            }
        })?;
        Ok(0)
    }
}

/// One order, as it goes from the client to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Order {
    id: String,
    symbol: String,
    quantity: u32,
    price_cents: u64,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Placed {
    status: OrderStatus,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OrderStatus {
    /// It is in the database.
    Accepted,
    /// It was refused in order: the answer is right, the customer is not served.
    Rejected,
    /// It may or may not be in the database.
    Failed,
}
