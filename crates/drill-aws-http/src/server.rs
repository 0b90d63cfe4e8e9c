//! A server on loopback that says exactly what it is told to, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use tokio_rustls::TlsAcceptor;

/// A server, as long as it lives in the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Mutex<mpsc::UnboundedReceiver<String>>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that it got, head and body.
    pub(crate) async fn request(&self) -> String {
        self.requests.lock().await.recv().await.expect("the server lives as long as the test")
    }
}

/// Answers every connection with these bytes and keeps it open.
pub(crate) async fn answering(bytes: &str) -> Server {
    serve(bytes, false, None).await
}

/// Answers every connection with these bytes and closes it.
pub(crate) async fn closing(bytes: &str) -> Server {
    serve(bytes, true, None).await
}

/// Answers over TLS with a certificate of its own for `localhost`, and gives the roots that trust it.
pub(crate) async fn secure(bytes: &str) -> (Server, RootCertStore) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap())
        .unwrap();
    (serve(bytes, false, Some(TlsAcceptor::from(Arc::new(config)))).await, roots)
}

/// An address where nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn serve(bytes: &str, close: bool, tls: Option<TlsAcceptor>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (told, requests) = mpsc::unbounded_channel();
    let bytes = bytes.to_owned();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (bytes, told, tls) = (bytes.clone(), told.clone(), tls.clone());
            tokio::spawn(async move {
                match tls {
                    None => answer(stream, &bytes, close, &told).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            answer(stream, &bytes, close, &told).await;
                        }
                    }
                }
            });
        }
    });
    Server { address, requests: Mutex::new(requests) }
}

async fn answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    bytes: &str,
    close: bool,
    told: &mpsc::UnboundedSender<String>,
) {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    while !is_complete(&request) {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.push_str(&String::from_utf8_lossy(&buffer[..count])),
        }
    }
    drop(told.send(request));
    // The client may hang up before it has read everything.
    drop(stream.write_all(bytes.as_bytes()).await);
    drop(stream.flush().await);
    if !close {
        while stream.read(&mut buffer).await.is_ok_and(|count| count > 0) {}
    }
}

fn is_complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}
