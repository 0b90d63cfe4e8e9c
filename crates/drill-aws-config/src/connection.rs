//! One connector for the clients of all services.
//!
//! The SDK would make one for each client, and read anew for each whom the system trusts: most of what a start took.

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

use crate::Limits;

/// A client whose connections keep these limits, and which is shared by everybody who asks with it.
///
/// It is made as the SDK makes its own, with the proxy that the environment names. Root certificates are read here, not at
/// the first call: while it starts, a function has more of a processor than later.
pub(crate) fn shared(limits: Limits) -> SharedHttpClient {
    let settings =
        HttpConnectorSettings::builder().connect_timeout(limits.connect).read_timeout(limits.attempt).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_, _| connector.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_sts::config::{Credentials, Region};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    const ANSWER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";

    #[tokio::test]
    async fn two_clients_of_one_configuration_share_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let config = crate::load(Duration::from_secs(60)).await;
        let client = || {
            let config = aws_sdk_sts::config::Builder::from(&config)
                .region(Region::new("eu-central-1"))
                .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests"))
                .endpoint_url(&endpoint);
            aws_sdk_sts::Client::from_conf(config.build())
        };
        // It accepts once: whoever comes with another connection waits until the time is over.
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{ANSWER}", ANSWER.len());
            let mut request = Vec::new();
            for _ in 0..2 {
                while !request.ends_with(b"Version=2011-06-15") {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0, "a connection of its own");
                }
                request.clear();
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        };
        let callers = async {
            for one in [client(), client()] {
                assert_eq!(one.get_caller_identity().send().await.unwrap().account(), Some("1"));
            }
        };

        let calls = async { tokio::join!(server, callers) };

        tokio::time::timeout(Duration::from_secs(5), calls).await.expect("both calls over one connection");
    }
}
