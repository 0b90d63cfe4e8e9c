use drill_aws_config::SdkConfig;
use rustls::RootCertStore;

use super::*;
use crate::address::Fence;
use crate::client::{Client, MOST};
use crate::server::{self, Server};

fn probe(url: String, timeout: &str) -> HttpProbe {
    serde_json::from_value(serde_json::json!({ "url": url, "timeout": timeout })).unwrap()
}

async fn ask(server: &Server) -> Answer<HttpReading> {
    web(false).http(&probe(server.url("/health?deep=1"), "5s")).await
}

fn web(inside_lambda: bool) -> Web {
    let client = Client::trusting(Fence { itself: inside_lambda }, RootCertStore::empty());
    Web { client, ..Web::new(&SdkConfig::builder().build(), "").unwrap() }
}

#[tokio::test]
async fn an_answer_is_its_status_and_its_time() {
    let server = server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;

    let reading = ask(&server).await.unwrap();

    let HttpReading::Answered { status: 200, millis } = reading else { panic!("{reading:?}") };
    assert!(millis > 0.0 && millis < 5000.0, "{millis}");
    let request = server.request().await;
    assert!(request.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", server.address)), "{request}");
    assert!(request.contains("user-agent: stormdrill/"), "{request}");
}

#[tokio::test]
async fn every_status_is_an_answer() {
    for status in [204, 404, 500, 503] {
        let server = server::answering(&format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")).await;

        let reading = ask(&server).await.unwrap();

        assert!(matches!(reading, HttpReading::Answered { status: found, .. } if found == status), "{reading:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let location = "http://169.254.169.254/latest/meta-data/";
    let server =
        server::answering(&format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")).await;

    let reading = ask(&server).await.unwrap();

    assert!(matches!(reading, HttpReading::Answered { status: 302, .. }), "{reading:?}");
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let address = server::nobody().await;

    let reading = web(false).http(&probe(format!("http://{address}/"), "5s")).await;

    assert_eq!(reading, Ok(HttpReading::NoAnswer));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_no_answer() {
    let reading = web(false).http(&probe("http://no-such-host.invalid/".to_owned(), "5s")).await;

    assert_eq!(reading, Ok(HttpReading::NoAnswer));
}

#[tokio::test]
async fn silence_ends_with_the_time() {
    let server = server::answering("").await;

    let reading = web(false).http(&probe(server.url("/"), "50ms")).await;

    assert_eq!(reading, Ok(HttpReading::NoAnswer));
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_no_answer() {
    let server = server::closing("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;

    assert_eq!(ask(&server).await, Ok(HttpReading::NoAnswer));
}

#[tokio::test]
async fn something_that_is_not_http_is_no_answer() {
    let server = server::closing("SSH-2.0-OpenSSH_9.9\r\n").await;

    assert_eq!(ask(&server).await, Ok(HttpReading::NoAnswer));
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_not_further() {
    let body = "x".repeat(MOST + 1);
    let full = format!("HTTP/1.1 200 OK\r\ncontent-length: {MOST}\r\n\r\n{}", &body[1..]);
    let server = server::answering(&full).await;
    assert!(ask(&server).await.is_ok());

    let long = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", MOST + 1);
    let server = server::answering(&long).await;
    let error = ask(&server).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("1048576 bytes"), "{error}");
}

#[tokio::test]
async fn addresses_that_hand_out_credentials_are_refused() {
    for url in [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "http://169.254.170.2/v2/credentials",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        // The resolver reads these as the same address.
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
    ] {
        let error = web(false).http(&probe(url.to_owned(), "5s")).await.unwrap_err();

        assert_eq!((error.class, error.message.contains("credentials")), (Class::Refused, true), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_lambda_is_not_asked_for_its_own_invocations() {
    let server = server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;

    for host in [server.address.to_string(), format!("localhost:{}", server.address.port())] {
        let url = format!("http://{host}/2018-06-01/runtime/invocation/next");
        let error = web(true).http(&probe(url, "5s")).await.unwrap_err();

        assert_eq!(error.class, Class::Refused, "{host}");
    }
}

#[tokio::test]
async fn what_is_no_url_is_refused_and_a_key_in_it_is_not_shown() {
    for url in ["", "orders/health", "ftp://orders/", "http://user:word@orders/", "https://"] {
        let error = web(false).http(&probe(url.to_owned(), "5s")).await.unwrap_err();

        assert_eq!(error.class, Class::Refused, "{url}");
    }
    let error = web(false).http(&probe("http://169.254.169.254/?key=s3cret".to_owned(), "5s")).await.unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_somebody_vouches_for_is_needed() {
    let (server, roots) = server::secure("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let url = format!("https://localhost:{}/", server.address.port());
    let ask = async |roots: RootCertStore| {
        let web = Web { client: Client::trusting(Fence { itself: false }, roots), ..web(false) };
        web.http(&probe(url.clone(), "5s")).await
    };
    let (_, strangers) = server::secure("").await;

    assert!(matches!(ask(roots).await, Ok(HttpReading::Answered { status: 200, .. })));
    assert_eq!(ask(strangers).await, Ok(HttpReading::NoAnswer));
    assert_eq!(ask(RootCertStore::empty()).await.unwrap_err().class, Class::Refused);
}
