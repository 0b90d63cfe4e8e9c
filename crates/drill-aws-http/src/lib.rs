//! Probes over HTTP: a GET request to a service, and one number from Prometheus.
//!
//! No request leaves for an address that hands out credentials, no redirect is followed, no answer is read without end.
//! Next: the sampling of a run, which calls no answer what it is.

mod address;
mod client;
mod probe;
mod prometheus;
#[cfg(test)]
mod server;
mod sign;

use std::time::Duration;

use drill_aws_config::{Adapter, SdkConfig, Unready};

use self::address::Fence;
use self::client::Client;
pub use self::prometheus::InvalidServer;
use self::prometheus::Server;

/// The variable that names the Prometheus server.
const PROMETHEUS_URL: &str = "STORMDRILL_PROMETHEUS_URL";
/// The time that a query has when the configuration does not say.
const QUERY_TIME: Duration = Duration::from_secs(10);

/// The adapter of the ports `Http` and `Prometheus`.
#[derive(Debug)]
pub struct Web {
    client: Client,
    prometheus: Option<Server>,
}

impl Web {
    /// An adapter that asks this Prometheus server; an empty URL stands for none.
    ///
    /// The requests to a workspace of the managed service are signed with the configuration's credentials. A query has
    /// the time of one attempt of the configuration. Nothing is asked twice: the next sample is the next attempt.
    pub fn new(config: &SdkConfig, prometheus: &str) -> Result<Self, InvalidServer> {
        let limit = config.timeout_config().and_then(|limits| limits.operation_attempt_timeout()).unwrap_or(QUERY_TIME);
        let server = (!prometheus.is_empty()).then(|| Server::new(prometheus, config, limit)).transpose()?;
        Ok(Self { client: Client::new(Fence::here()), prometheus: server })
    }
}

impl Adapter for Web {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        // Nothing there stands for no server.
        let server = std::env::var(PROMETHEUS_URL).unwrap_or_default();
        Self::new(config, &server)
            .map_err(|source| Unready::Unusable { variable: PROMETHEUS_URL, source: Box::new(source) })
    }
}
