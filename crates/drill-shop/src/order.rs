//! An order and its answer, as they go between the shop's programs.

use serde::{Deserialize, Serialize};

/// One order, as it goes from the client to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) symbol: String,
    pub(crate) quantity: u32,
    pub(crate) price_cents: u64,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Placed {
    pub(crate) status: OrderStatus,
    pub(crate) reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OrderStatus {
    /// It is in the database.
    Accepted,
    /// It was refused in order: the answer is right, the customer is not served.
    Rejected,
    /// It may or may not be in the database.
    Failed,
}
