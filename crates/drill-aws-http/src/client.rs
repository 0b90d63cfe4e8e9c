//! One request over a connection of its own: HTTP/1.1, with TLS where the URL says so.
//!
//! The time of an answer counts from the look-up of the name to the last byte. Nothing is pooled, so that every sample
//! measures what somebody who comes for the first time meets.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{CONNECTION, HOST, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::address::Fence;

/// The most of an answer that is read.
pub(crate) const MOST: usize = 1 << 20;

/// Who we say we are.
const AGENT: &str = concat!("stormdrill/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It was not asked, and will not be.
    #[error("{0}")]
    Unaskable(String),
    /// Nobody answered: no such name, no connection, no trust, no complete answer, not in time.
    #[error("{0}")]
    Silence(String),
    /// The answer does not end within what is read.
    #[error("the answer is longer than {MOST} bytes: ask for a smaller page")]
    Endless,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) took: Duration,
}

/// A client without a memory.
#[derive(Debug)]
pub(crate) struct Client {
    fence: Fence,
    roots: OnceLock<Arc<RootCertStore>>,
}

impl Client {
    /// A client that trusts whom the system trusts. That is read with the first URL that asks for TLS: most runs have none.
    pub(crate) const fn new(fence: Fence) -> Self {
        Self { fence, roots: OnceLock::new() }
    }

    #[cfg(test)]
    pub(crate) fn trusting(fence: Fence, roots: RootCertStore) -> Self {
        Self { fence, roots: OnceLock::from(Arc::new(roots)) }
    }

    fn roots(&self) -> &Arc<RootCertStore> {
        self.roots.get_or_init(|| {
            let mut roots = RootCertStore::empty();
            // A store with a certificate that cannot be read serves with the others; one without any is told when it is asked.
            let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            Arc::new(roots)
        })
    }

    /// Sends a request and reads its whole answer, all within a time.
    pub(crate) async fn send(&self, request: Request<Bytes>, limit: Duration) -> Result<Answered, Unanswered> {
        let place = Place::of(request.uri())?;
        // Before the time of the answer begins.
        let roots = place.secure.then(|| self.roots());
        let started = tokio::time::Instant::now();
        let asked = async {
            let stream = self.connect(&place).await?;
            if let Some(roots) = roots {
                let stream = secure(&place, roots, stream).await?;
                exchange(TokioIo::new(stream), request).await
            } else {
                exchange(TokioIo::new(stream), request).await
            }
        };
        let (status, body) = tokio::time::timeout(limit, asked)
            .await
            .map_err(|_| Unanswered::Silence(format!("no answer within {} ms", limit.as_millis())))??;
        Ok(Answered { status, body, took: started.elapsed() })
    }

    async fn connect(&self, place: &Place) -> Result<TcpStream, Unanswered> {
        let found: Vec<SocketAddr> = match place.host.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, place.port)],
            Err(_) => tokio::net::lookup_host((place.host.as_str(), place.port))
                .await
                .map_err(|error| Unanswered::Silence(format!("{} cannot be looked up: {error}", place.host)))?
                .collect(),
        };
        for address in &found {
            if let Some(why) = self.fence.objection(address.ip()) {
                return Err(Unanswered::Unaskable(format!("{} is not asked at {}: {why}", place.host, address.ip())));
            }
        }
        TcpStream::connect(found.as_slice()).await.map_err(|error| {
            Unanswered::Silence(format!("{}:{} cannot be connected to: {error}", place.host, place.port))
        })
    }
}

async fn secure(
    place: &Place,
    roots: &Arc<RootCertStore>,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Unanswered> {
    if roots.is_empty() {
        return Err(Unanswered::Unaskable("there are no root certificates here to trust".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Unanswered::Unaskable(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth();
    let name = ServerName::try_from(place.host.clone())
        .map_err(|error| Unanswered::Unaskable(format!("{} is no name of a server: {error}", place.host)))?;
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(|error| Unanswered::Silence(format!("no TLS with {}: {error}", place.host)))
}

/// Where a URL leads.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    secure: bool,
}

impl Place {
    fn of(uri: &Uri) -> Result<Self, Unanswered> {
        let unaskable = |why: &str| Unanswered::Unaskable(format!("the URL cannot be asked: {why}"));
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(unaskable("it must start with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| unaskable("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(unaskable("a name and a password do not belong into a URL"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(unaskable("it names no host"));
        }
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self { host: host.to_owned(), port, secure })
    }
}

/// Sends a request over a stream and reads the answer to its end.
async fn exchange<S>(stream: TokioIo<S>, request: Request<Bytes>) -> Result<(u16, Bytes), Unanswered>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| Unanswered::Silence(format!("the connection broke: {}", chain(&error)));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.map_err(broken)?;
    // It ends with this function, whichever way that goes.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let answer = sender.send_request(over_the_wire(request)).await.map_err(broken)?;
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), MOST).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Unanswered::Endless
        } else {
            Unanswered::Silence(format!("the answer broke off: {error}"))
        }
    })?;
    Ok((status, body.to_bytes()))
}

/// The request with a path alone as its target and with the headers that a connection of its own needs.
fn over_the_wire(request: Request<Bytes>) -> Request<Full<Bytes>> {
    let (mut parts, body) = request.into_parts();
    if let Some(host) = parts.uri.authority().and_then(|authority| authority.as_str().parse().ok()) {
        parts.headers.insert(HOST, host);
    }
    parts.headers.insert(CONNECTION, http::HeaderValue::from_static("close"));
    parts.headers.insert(USER_AGENT, http::HeaderValue::from_static(AGENT));
    parts.uri = parts.uri.path_and_query().map_or_else(Uri::default, |path| Uri::from(path.clone()));
    Request::from_parts(parts, Full::new(body))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
#[path = "client/tests.rs"]
mod tests;
