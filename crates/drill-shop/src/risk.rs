//! `risk-engine`: says whether an order is within the limit.

use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use crate::error::ShopError;
use crate::metrics::{Kind, Metrics};
use crate::serve::serve;

/// The most that one order may be worth.
const LIMIT_CENTS: u64 = 100_000_000;

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Check {
    pub(crate) quantity: u32,
    pub(crate) price_cents: u64,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ruling {
    pub(crate) allowed: bool,
}

pub(crate) async fn main() -> Result<(), ShopError> {
    let metrics = Metrics::new(&[("risk_checks_total", Kind::Counter, "Checks by ruling.")]);
    let counted = metrics.clone();
    let check = async move |Json(check): Json<Check>| {
        let worth = u64::from(check.quantity).checked_mul(check.price_cents);
        let allowed = worth.is_some_and(|worth| worth <= LIMIT_CENTS);
        counted.count("risk_checks_total", &[("ruling", if allowed { "allowed" } else { "denied" })]);
        Json(Ruling { allowed })
    };
    serve(Router::new().route("/check", post(check)), metrics).await
}
