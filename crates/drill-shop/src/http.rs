//! The shop's HTTP client: plain HTTP/1.1, pooled, with a limit on everything.
//!
//! It tells apart what a caller may repeat (nothing was sent) from what it may not (something may have been done).

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// The most of a body that is read.
const BODY_LIMIT: usize = 1 << 20;

/// A client with its own pool of connections.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpFault {
    /// Nothing was sent: this is no URL of a host.
    #[error("`{url}` is not a usable URL: {reason}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing was sent: there was no connection.
    #[error("could not connect to {url}: {reason}")]
    Unconnected {
        /// What was asked for.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The request may have been served.
    #[error("{url} did not answer within {} ms", .limit.as_millis())]
    TimedOut {
        /// What was asked for.
        url: String,
        /// How long it had.
        limit: Duration,
    },
    /// The request may have been served.
    #[error("{url} broke off: {reason}")]
    Broken {
        /// What was asked for.
        url: String,
        /// How.
        reason: String,
    },
}

impl Http {
    /// A client that gives a connection this long.
    pub fn new(connect: Duration) -> Http {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(connect));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(20))
            .build(connector);
        Http { client }
    }

    /// Sends one request and reads its whole answer.
    pub async fn send(
        &self,
        method: &str,
        url: &str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<(u16, Vec<u8>), HttpFault> {
        let malformed = |reason: String| HttpFault::Malformed { url: url.to_owned(), reason };
        let request = Request::builder()
            .method(method)
            .uri(url)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| malformed(error.to_string()))?;
        if request.uri().scheme_str() != Some("http") || request.uri().host().is_none() {
            return Err(malformed("it must start with http:// and name a host".to_owned()));
        }
        let broken = |reason: String| HttpFault::Broken { url: url.to_owned(), reason };
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| {
                let reason = chain(&error);
                match error.is_connect() {
                    true => HttpFault::Unconnected { url: url.to_owned(), reason },
                    false => broken(reason),
                }
            })?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), BODY_LIMIT).collect().await;
            Ok((status, body.map_err(|error| broken(error.to_string()))?.to_bytes().to_vec()))
        };
        match tokio::time::timeout(limit, exchange).await {
            Ok(ended) => ended,
            Err(_) => Err(HttpFault::TimedOut { url: url.to_owned(), limit }),
        }
    }
}

/// An error and its causes on one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
