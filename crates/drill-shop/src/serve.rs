//! What every service of the demo does alike: its settings, its port, `/health` and `/metrics`.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::error::{ShopError, doing};
use crate::metrics::Metrics;

/// A setting from the environment.
pub(crate) fn setting(name: &'static str) -> Result<String, ShopError> {
    std::env::var(name).map_err(|_| ShopError::Setting { name, problem: "is missing" })
}

/// Serves `routes` on `$LISTEN` until the process is killed.
pub(crate) async fn serve(routes: Router, metrics: Metrics) -> Result<(), ShopError> {
    let listen = setting("LISTEN")?;
    let listener = TcpListener::bind(&listen).await.map_err(doing(format!("listen on {listen}")))?;
    let text = "text/plain; version=0.0.4";
    let routes = routes
        .route("/health", get(async || "ok\n"))
        .route("/metrics", get(async move || ([(CONTENT_TYPE, text)], metrics.render())));
    axum::serve(listener, routes).await.map_err(doing(format!("serve on {listen}")))
}
