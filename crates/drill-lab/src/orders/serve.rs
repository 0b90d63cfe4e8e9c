//! What every service of the demo does alike: its settings, its port, `/health` and `/metrics`.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use super::metrics::Metrics;
use crate::inside::{InsideError, doing};

/// A setting from the environment.
pub(super) fn setting(name: &str) -> Result<String, InsideError> {
    std::env::var(name).map_err(|_| InsideError::Refused(format!("the setting {name} is missing")))
}

/// Serves `routes` on `$LISTEN` until the process is killed.
pub(super) async fn serve(routes: Router, metrics: Metrics) -> Result<(), InsideError> {
    let listen = setting("LISTEN")?;
    let listener = TcpListener::bind(&listen).await.map_err(doing(format!("listen on {listen}")))?;
    let text = "text/plain; version=0.0.4";
    let routes = routes
        .route("/health", get(async || "ok\n"))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, text)], metrics.render())));
    axum::serve(listener, routes).await.map_err(doing(format!("serve on {listen}")))
}
