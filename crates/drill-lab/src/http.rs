//! The HTTP client of the lab and of its demo services: plain HTTP/1.1, pooled, with a limit on everything.
//!
//! It tells apart what a caller may repeat (nothing was sent) from what it may not (something may have been done).

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::wire::{HttpReading, HttpRequest};

/// The most of a body that is read.
const BODY_LIMIT: usize = 1 << 20;

/// A client with its own pool of connections.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client<HttpConnector, Full<Bytes>>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpFault {
    #[error("`{url}` is not a URL that can be asked: {reason}")]
    Malformed { url: String, reason: String },
    #[error("{url} could not be connected to: {reason}")]
    Unconnected { url: String, reason: String },
    #[error("{url} did not answer within {} ms", .limit.as_millis())]
    TimedOut { url: String, limit: Duration },
    #[error("{url} broke off: {reason}")]
    Broken { url: String, reason: String },
}

impl Http {
    /// A client that gives a connection this long.
    pub(crate) fn new(connect: Duration) -> Http {
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
    pub(crate) async fn send(
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
                let reason = crate::inside::chain(&error);
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

    /// Sends one request and times its answer.
    pub(crate) async fn read(&self, request: &HttpRequest) -> Result<HttpReading, HttpFault> {
        let started = crate::clock::instant();
        let body = request.body.clone().into_bytes();
        let (status, body) = self.send(&request.method, &request.url, body, request.timeout).await?;
        Ok(HttpReading { status, body: String::from_utf8_lossy(&body).into_owned(), elapsed: started.elapsed() })
    }
}
