//! `order-service`: takes an order, asks the risk engine, writes it to the database.
//!
//! Without the risk engine it rejects orders in order, fast; without the database it fails them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use sha2::{Digest, Sha256};

use crate::breaker::Breaker;
use crate::clock;
use crate::error::ShopError;
use crate::http::Http;
use crate::metrics::{Kind, Metrics};
use crate::order::{Order, OrderStatus, Placed};
use crate::risk::{Check, Ruling};
use crate::serve::{serve, setting};

const RISK_LIMIT: Duration = Duration::from_millis(150);
const DATABASE_LIMIT: Duration = Duration::from_millis(1_000);
const CONNECT_LIMIT: Duration = Duration::from_millis(100);

/// Rounds of hashing that sign an order: what an order costs the processor.
const SIGNING_ROUNDS: usize = 100;

#[derive(Clone)]
struct Service {
    http: Http,
    database: String,
    risk: String,
    breaker: Arc<Mutex<Breaker>>,
    metrics: Metrics,
}

pub(crate) async fn main() -> Result<(), ShopError> {
    let metrics = Metrics::new(&[
        ("orders_total", Kind::Counter, "Orders by outcome."),
        ("order_seconds", Kind::Histogram, "Time from an order to its answer."),
        ("risk_breaker_open", Kind::Gauge, "1 while the risk engine is not asked."),
    ]);
    let service = Service {
        http: Http::new(CONNECT_LIMIT),
        database: setting("ORDERS_DB")?,
        risk: setting("RISK_ENGINE")?,
        breaker: Arc::default(),
        metrics: metrics.clone(),
    };
    serve(Router::new().route("/orders", post(place)).with_state(service), metrics).await
}

async fn place(State(service): State<Service>, Json(order): Json<Order>) -> (StatusCode, Json<Placed>) {
    let started = clock::instant();
    let placed = service.place(order).await;
    let (code, outcome) = match placed.status {
        OrderStatus::Accepted => (StatusCode::OK, "accepted"),
        OrderStatus::Rejected => (StatusCode::OK, "rejected"),
        OrderStatus::Failed => (StatusCode::SERVICE_UNAVAILABLE, "failed"),
    };
    service.metrics.count("orders_total", &[("outcome", outcome)]);
    service.metrics.observe("order_seconds", &[], started.elapsed().as_secs_f64());
    (code, Json(placed))
}

impl Service {
    async fn place(&self, order: Order) -> Placed {
        let placed = |status, reason: &str| Placed { status, reason: Some(reason.to_owned()) };
        if order.quantity == 0 || order.symbol.is_empty() {
            return placed(OrderStatus::Rejected, "empty-order");
        }
        let signature = sign(&order);
        match self.ruling(&order).await {
            Some(Ruling { allowed: true }) => {}
            Some(Ruling { allowed: false }) => return placed(OrderStatus::Rejected, "risk-limit"),
            None => return placed(OrderStatus::Rejected, "risk-unavailable"),
        }
        let Ok(row) = serde_json::to_vec(&crate::database::Row { order, signature }) else {
            return placed(OrderStatus::Failed, "unwritable-order");
        };
        let written = self.http.send("POST", &format!("{}/orders", self.database), row, DATABASE_LIMIT).await;
        match written {
            Ok((200, _)) => Placed { status: OrderStatus::Accepted, reason: None },
            Ok((status, _)) => placed(OrderStatus::Failed, &format!("database-answered-{status}")),
            Err(fault) => placed(OrderStatus::Failed, &fault.to_string()),
        }
    }

    /// What the risk engine says; nothing when it is not asked or does not answer in time.
    async fn ruling(&self, order: &Order) -> Option<Ruling> {
        if !self.breaker(|breaker| breaker.allows(clock::instant())) {
            return None;
        }
        let check = Check { quantity: order.quantity, price_cents: order.price_cents };
        let url = format!("{}/check", self.risk);
        let answered = self.http.send("POST", &url, serde_json::to_vec(&check).ok()?, RISK_LIMIT).await;
        let ruling = match answered {
            Ok((200, body)) => serde_json::from_slice(&body).ok(),
            Ok(_) | Err(_) => None,
        };
        let open = self.breaker(|breaker| {
            breaker.learn(ruling.is_some(), clock::instant());
            breaker.is_open()
        });
        self.metrics.set("risk_breaker_open", &[], f64::from(u8::from(open)));
        ruling
    }

    fn breaker<T>(&self, with: impl FnOnce(&mut Breaker) -> T) -> T {
        with(&mut self.breaker.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn sign(order: &Order) -> String {
    let mut digest = Sha256::digest(format!("{order:?}"));
    for _ in 1..SIGNING_ROUNDS {
        digest = Sha256::digest(digest);
    }
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
