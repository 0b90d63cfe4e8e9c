//! `order-client`: sends orders at a steady rate, whatever comes back, and measures each one.
//!
//! The load is open: an order is due at its time and its latency counts from then, so a slow service cannot slow its
//! own measurement down. Next: the lab reads `/measurements` every second.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::error::ShopError;
use crate::http::Http;
use crate::metrics::{Kind, Metrics};
use crate::order::{Order, OrderStatus, Placed};
use crate::serve::{serve, setting};

/// How long an order waits for its answer before it counts as dropped.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Orders on their way at once. One that is due beyond that is dropped unsent.
const IN_FLIGHT: usize = 2_000;

/// Seconds that are kept for whoever reads late.
const KEPT: usize = 600;

/// What the client measured in one second of the wall clock, by the time of the answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// The end of the second.
    pub at: Timestamp,
    /// Orders that were due.
    pub requests: u64,
    /// Answers that the order is in the database.
    pub accepted: u64,
    /// Orders refused in order.
    pub rejected: u64,
    /// Answers with an error.
    pub errors: u64,
    /// Orders without an answer: timed out, broken off, never sent.
    pub dropped: u64,
    /// Milliseconds from when each order was due to its answer, or to when it was given up.
    pub latencies: Vec<f64>,
}

/// What `/measurements/AFTER` answers: the finished seconds after number `AFTER`, and the number to ask with next.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measurements {
    /// The number to ask with next.
    pub next: u64,
    /// The finished seconds.
    pub seconds: Vec<Second>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Rejected,
    Error,
    Dropped,
}

#[derive(Clone)]
struct Client {
    http: Http,
    target: String,
    in_flight: Arc<AtomicUsize>,
    book: Arc<Mutex<Book>>,
    metrics: Metrics,
}

#[derive(Default)]
struct Book {
    current: Second,
    finished: VecDeque<Second>,
    /// The number of the next second to be finished.
    next: u64,
}

pub(crate) async fn main() -> Result<(), ShopError> {
    let rate: u32 =
        setting("RATE")?.parse().map_err(|_| ShopError::Setting { name: "RATE", problem: "is not a number" })?;
    let metrics = Metrics::new(&[
        ("client_orders_total", Kind::Counter, "Orders by outcome."),
        ("client_order_seconds", Kind::Histogram, "Time from when an order was due to its answer."),
    ]);
    let client = Client {
        http: Http::new(ANSWER_LIMIT),
        target: setting("TARGET")?,
        in_flight: Arc::default(),
        book: Arc::default(),
        metrics: metrics.clone(),
    };
    tokio::spawn(client.clone().send_for_ever(rate.max(1)));
    tokio::spawn(client.clone().keep_book());
    serve(Router::new().route("/measurements/{after}", get(measurements)).with_state(client), metrics).await
}

async fn measurements(State(client): State<Client>, Path(after): Path<u64>) -> Json<Measurements> {
    Json(client.book(|book| book.after(after)))
}

impl Client {
    async fn send_for_ever(self, rate: u32) {
        let mut due = tokio::time::interval(Duration::from_secs(1) / rate);
        // Late ticks are made up for: an order that is due is sent, or counted as dropped.
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let run = clock::now().as_millisecond();
        for number in 0_u64.. {
            let due = due.tick().await.into_std();
            self.book(|book| book.current.requests += 1);
            if self.in_flight.load(Ordering::Relaxed) >= IN_FLIGHT {
                self.note(Outcome::Dropped, due.elapsed());
                continue;
            }
            self.in_flight.fetch_add(1, Ordering::Relaxed);
            let client = self.clone();
            tokio::spawn(async move {
                let outcome = client.send(&order(run, number), due).await;
                client.in_flight.fetch_sub(1, Ordering::Relaxed);
                client.note(outcome, due.elapsed());
            });
        }
    }

    async fn send(&self, order: &Order, due: Instant) -> Outcome {
        let left = ANSWER_LIMIT.saturating_sub(due.elapsed());
        let Ok(body) = serde_json::to_vec(order) else { return Outcome::Dropped };
        match self.http.send("POST", &self.target, body, left).await {
            Ok((200, body)) => match serde_json::from_slice(&body) {
                Ok(Placed { status: OrderStatus::Accepted, .. }) => Outcome::Accepted,
                Ok(Placed { status: OrderStatus::Rejected, .. }) => Outcome::Rejected,
                Ok(Placed { status: OrderStatus::Failed, .. }) | Err(_) => Outcome::Error,
            },
            Ok(_) => Outcome::Error,
            Err(_) => Outcome::Dropped,
        }
    }

    fn note(&self, outcome: Outcome, latency: Duration) {
        let name = match outcome {
            Outcome::Accepted => "accepted",
            Outcome::Rejected => "rejected",
            Outcome::Error => "error",
            Outcome::Dropped => "dropped",
        };
        self.metrics.count("client_orders_total", &[("outcome", name)]);
        self.metrics.observe("client_order_seconds", &[], latency.as_secs_f64());
        self.book(|book| book.current.note(outcome, latency));
    }

    async fn keep_book(self) {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        seconds.tick().await;
        loop {
            seconds.tick().await;
            self.book(|book| book.turn(clock::now()));
        }
    }

    fn book<T>(&self, with: impl FnOnce(&mut Book) -> T) -> T {
        with(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn order(run: i64, number: u64) -> Order {
    let symbols = ["ACME", "GLOBEX", "INITECH", "UMBRELLA"];
    let pick = usize::try_from(number).unwrap_or(0) % symbols.len();
    Order {
        id: format!("{run}-{number}"),
        symbol: symbols.get(pick).copied().unwrap_or("ACME").to_owned(),
        quantity: 1 + u32::try_from(number % 100).unwrap_or(0),
        price_cents: 1_000 + number % 5_000,
    }
}

impl Second {
    fn note(&mut self, outcome: Outcome, latency: Duration) {
        match outcome {
            Outcome::Accepted => self.accepted += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::Error => self.errors += 1,
            Outcome::Dropped => self.dropped += 1,
        }
        self.latencies.push(latency.as_secs_f64() * 1_000.0);
    }
}

impl Book {
    fn turn(&mut self, at: Timestamp) {
        let finished = Second { at, ..std::mem::take(&mut self.current) };
        self.finished.push_back(finished);
        self.next += 1;
        if self.finished.len() > KEPT {
            self.finished.pop_front();
        }
    }

    fn after(&self, after: u64) -> Measurements {
        let first = self.next - self.finished.len() as u64;
        let skipped = usize::try_from(after.saturating_sub(first)).unwrap_or(usize::MAX);
        Measurements { next: self.next, seconds: self.finished.iter().skip(skipped).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_is_read_once_and_late_readers_get_what_is_kept() {
        let mut book = Book::default();
        for second in 0..KEPT as i64 + 5 {
            book.current.note(Outcome::Accepted, Duration::from_millis(7));
            book.turn(Timestamp::from_second(second).unwrap());
        }

        let all = book.after(0);
        assert_eq!((all.next, all.seconds.len()), (KEPT as u64 + 5, KEPT));
        assert_eq!(book.after(all.next - 1).seconds, all.seconds[KEPT - 1..]);
        assert_eq!(book.after(all.next).seconds, []);
        assert_eq!(all.seconds[0].latencies, [7.0]);
    }
}
