use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use rustls::RootCertStore;

use super::*;
use crate::address::Fence;
use crate::client::Client;
use crate::server;

fn config() -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

fn web(url: &str) -> Web {
    let client = Client::trusting(Fence { itself: false }, RootCertStore::empty());
    Web { client, ..Web::new(&config(), url).unwrap() }
}

fn at() -> Timestamp {
    "2026-11-21T12:00:00.5Z".parse().unwrap()
}

/// What is read of an answer with this status and this body.
fn reading(status: u16, body: &str) -> Result<f64, (Class, String)> {
    read(&Answered { status, body: Bytes::from(body.to_owned()), took: Duration::ZERO })
}

fn success(data: &str) -> String {
    format!(r#"{{"status":"success","data":{data}}}"#)
}

#[tokio::test]
async fn a_query_is_asked_for_its_instant() {
    let body = success(r#"{"resultType":"scalar","result":[1700000000,"99.5"]}"#);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let server = server::answering(&(head + &body)).await;

    let found = web(&server.url("/prom/")).prometheus(r#"avg(up{job="order-service"}) * 100"#, at()).await;

    assert_eq!(found, Ok(99.5));
    let request = server.request().await;
    assert!(request.starts_with("POST /prom/api/v1/query HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("content-type: application/x-www-form-urlencoded\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
    let form = "query=avg%28up%7Bjob%3D%22order-service%22%7D%29+*+100&time=2026-11-21T12%3A00%3A00.5Z";
    assert!(request.ends_with(form), "{request}");
}

#[tokio::test]
async fn the_managed_service_is_asked_with_a_signature() {
    let web = web("https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1");

    let request = web.prometheus.as_ref().unwrap().request("up", at()).await.unwrap();

    assert_eq!(request.uri().path(), "/workspaces/ws-1/api/v1/query");
    assert!(request.headers()["authorization"].to_str().unwrap().contains("/eu-west-1/aps/aws4_request"));
}

#[test]
fn one_number_is_read_wherever_it_stands() {
    let one = r#"{"resultType":"vector","result":[{"metric":{"job":"a"},"value":[1700000000.781,"99.5"]}]}"#;
    assert_eq!(reading(200, &success(one)), Ok(99.5));
    assert_eq!(reading(200, &success(r#"{"resultType":"scalar","result":[1700000000,"-1e3"]}"#)), Ok(-1000.0));
}

#[test]
fn what_is_no_finite_number_is_passed_on() {
    let scalar = |text: &str| reading(200, &success(&format!(r#"{{"resultType":"scalar","result":[1,"{text}"]}}"#)));

    assert!(scalar("NaN").unwrap().is_nan());
    assert_eq!(scalar("+Inf"), Ok(f64::INFINITY));
    assert_eq!(scalar("-Inf"), Ok(f64::NEG_INFINITY));
}

#[test]
fn every_other_answer_says_what_it_is() {
    let series = r#"{"metric":{},"value":[1,"1"]}"#;
    let histogram = r#"{"metric":{},"histogram":[1,{"count":"3"}]}"#;
    for (data, class, word) in [
        (r#"{"resultType":"vector","result":[]}"#.to_owned(), Class::Missing, "no series"),
        (format!(r#"{{"resultType":"vector","result":[{series},{series}]}}"#), Class::Refused, "2 series"),
        (format!(r#"{{"resultType":"vector","result":[{histogram}]}}"#), Class::Refused, "histogram"),
        (r#"{"resultType":"matrix","result":[]}"#.to_owned(), Class::Refused, "range"),
        (r#"{"resultType":"string","result":[1,"a"]}"#.to_owned(), Class::Refused, "text"),
        (r#"{"resultType":"scalar","result":[1,"many"]}"#.to_owned(), Class::Refused, "`many`"),
        ("null".to_owned(), Class::Refused, "no data"),
    ] {
        let (found, said) = reading(200, &success(&data)).unwrap_err();

        assert_eq!((found, said.contains(word)), (class, true), "{data}: {said}");
    }
}

#[test]
fn a_number_with_a_warning_is_not_trusted_and_one_with_information_is() {
    let data = r#""data":{"resultType":"scalar","result":[1,"1"]}"#;

    let warned = reading(200, &format!(r#"{{"status":"success",{data},"warnings":["a store did not answer"]}}"#));
    let informed = reading(200, &format!(r#"{{"status":"success",{data},"infos":["might not be a counter"]}}"#));

    assert_eq!(warned, Err((Class::Refused, "the number cannot be trusted: a store did not answer".to_owned())));
    assert_eq!(informed, Ok(1.0));
}

#[test]
fn an_error_is_classified_by_its_status_and_told_in_the_servers_words() {
    let body = r#"{"status":"error","errorType":"bad_data","error":"parse error:\nunexpected"}"#;
    for (status, class) in [
        (400, Class::Refused),
        (401, Class::Refused),
        (403, Class::Refused),
        (404, Class::Missing),
        (408, Class::Transient),
        (422, Class::Refused),
        (429, Class::Transient),
        (302, Class::Refused),
        (500, Class::Transient),
        (503, Class::Transient),
    ] {
        let expected = format!("HTTP {status} parse error: unexpected");
        assert_eq!(reading(status, body), Err((class, expected)));
    }
    assert_eq!(reading(200, body), Err((Class::Refused, "bad_data: parse error: unexpected".to_owned())));
    assert_eq!(reading(502, "<html>"), Err((Class::Transient, "HTTP 502".to_owned())));
    assert_eq!(reading(200, "<html>"), Err((Class::Refused, "the answer is not Prometheus's".to_owned())));
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_back() {
    let address = server::nobody().await;

    let error = web(&format!("http://{address}")).prometheus("up", at()).await.unwrap_err();

    assert_eq!((error.class, error.call), (Class::Transient, "prometheus:Query"));
}

#[tokio::test]
async fn a_deployment_without_prometheus_says_so() {
    let error = web("").prometheus("up", at()).await.unwrap_err();

    assert_eq!(error.class, Class::Missing);
}

#[tokio::test]
async fn a_server_at_an_address_that_hands_out_credentials_is_refused() {
    let error = web("http://169.254.169.254").prometheus("up", at()).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
}

#[test]
fn a_url_that_can_be_no_server_is_told() {
    for (url, word) in [
        ("prometheus:9090", "http://"),
        ("ftp://prometheus", "http://"),
        ("http://prometheus/?a=b", "before the `?`"),
        ("http://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1", "https://"),
    ] {
        let error = Web::new(&config(), url).unwrap_err();

        assert!(error.to_string().contains(word), "{error}");
    }
}
