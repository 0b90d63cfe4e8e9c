//! `orders-db`: the orders in SQLite, behind HTTP.
//!
//! Writing the same order twice keeps one. A full disk is an error here, as everywhere.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use crate::error::{ShopError, doing};
use crate::metrics::{Kind, Metrics};
use crate::order::Order;
use crate::serve::{serve, setting};

/// Rows that are kept: enough for any drill, and less than the disk holds.
const KEPT: i64 = 100_000;

/// One row.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) order: Order,
    pub(crate) signature: String,
}

#[derive(Clone)]
struct Database {
    connection: Arc<Mutex<Connection>>,
    metrics: Metrics,
}

pub(crate) async fn main() -> Result<(), ShopError> {
    let file = setting("DATABASE")?;
    if let Some(folder) = Path::new(&file).parent() {
        std::fs::create_dir_all(folder).map_err(doing(format!("create {}", folder.display())))?;
    }
    let connection = open(&file).map_err(|source| ShopError::Database { file, source })?;
    let metrics = Metrics::new(&[("database_writes_total", Kind::Counter, "Writes by outcome.")]);
    let database = Database { connection: Arc::new(Mutex::new(connection)), metrics: metrics.clone() };
    let routes = Router::new().route("/orders", post(write)).route("/orders/count", get(count)).with_state(database);
    serve(routes, metrics).await
}

fn open(file: &str) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = NORMAL;
         CREATE TABLE IF NOT EXISTS orders (
             number INTEGER PRIMARY KEY AUTOINCREMENT,
             id TEXT NOT NULL UNIQUE,
             symbol TEXT NOT NULL,
             quantity INTEGER NOT NULL,
             price_cents INTEGER NOT NULL,
             signature TEXT NOT NULL
         ) STRICT;",
    )?;
    Ok(connection)
}

async fn write(State(database): State<Database>, Json(row): Json<Row>) -> Result<(), (StatusCode, String)> {
    let written = insert(&database.connection.lock().unwrap_or_else(PoisonError::into_inner), &row);
    database.metrics.count("database_writes_total", &[("outcome", if written.is_ok() { "done" } else { "failed" })]);
    written.map_err(|error| (StatusCode::INSUFFICIENT_STORAGE, error.to_string()))
}

fn insert(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    let Row { order, signature } = row;
    let price = i64::try_from(order.price_cents).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT OR IGNORE INTO orders (id, symbol, quantity, price_cents, signature) VALUES (?1, ?2, ?3, ?4, ?5)",
        (&order.id, &order.symbol, order.quantity, price, signature),
    )?;
    let number = connection.last_insert_rowid();
    if number > KEPT && number % 1_000 == 0 {
        connection.execute("DELETE FROM orders WHERE number <= ?1", [number - KEPT])?;
    }
    Ok(())
}

async fn count(State(database): State<Database>) -> Result<String, (StatusCode, String)> {
    let connection = database.connection.lock().unwrap_or_else(PoisonError::into_inner);
    let counted: rusqlite::Result<i64> =
        connection.query_row("SELECT coalesce(max(number), 0) FROM orders", [], |row| row.get(0));
    counted.map(|count| count.to_string()).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_written_twice_is_kept_once() {
        let connection = open(":memory:").unwrap();
        let order = Order { id: "one".into(), symbol: "ACME".into(), quantity: 1, price_cents: 100 };
        let row = Row { order, signature: "s".into() };

        insert(&connection, &row).unwrap();
        insert(&connection, &row).unwrap();

        let count: i64 = connection.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).unwrap();
        assert_eq!(count, 1);
    }
}
