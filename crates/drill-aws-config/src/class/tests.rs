//! Every way in which a call fails, on connections that really fail and answers that really come.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_sts::config::{Credentials, ProvideCredentials, Region};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Limits;

const CALL: &str = "sts:GetCallerIdentity";

fn config(endpoint: &str) -> aws_sdk_sts::config::Builder {
    let limits = Limits::within(Duration::from_millis(4_000));
    aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "tests"))
        .endpoint_url(endpoint)
        .timeout_config(limits.into())
        .retry_config(RetryConfig::disabled())
}

async fn ask(config: aws_sdk_sts::config::Builder) -> PortError {
    let error = aws_sdk_sts::Client::from_conf(config.build()).get_caller_identity().send().await.unwrap_err();
    classify(CALL, &error)
}

/// A server for one connection, which reads the whole request and then does this.
async fn served<F: Future<Output = ()>>(then: impl FnOnce(TcpStream) -> F) -> PortError {
    served_to(config, then).await
}

async fn served_to<F: Future<Output = ()>>(
    client: impl FnOnce(&str) -> aws_sdk_sts::config::Builder,
    then: impl FnOnce(TcpStream) -> F,
) -> PortError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !String::from_utf8_lossy(&request).contains("Action=GetCallerIdentity") {
            let mut some = [0; 4096];
            let read = stream.read(&mut some).await.unwrap();
            request.extend(&some[..read]);
        }
        then(stream).await;
    };
    let (error, ()) = tokio::join!(ask(client(&endpoint)), server);
    error
}

async fn answered(status: &str, body: &str) -> PortError {
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    served(async |mut stream| stream.write_all(answer.as_bytes()).await.unwrap()).await
}

async fn said(status: &str, code: &str, message: &str) -> PortError {
    let body = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    answered(status, &body).await
}

#[tokio::test]
async fn a_connection_that_was_refused_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);

    assert_eq!(ask(config(&endpoint)).await.class, Class::Transient);
}

#[tokio::test]
async fn a_name_that_is_not_resolved_sent_nothing() {
    assert_eq!(ask(config("http://nobody.invalid")).await.class, Class::Transient);
}

#[tokio::test]
async fn a_connection_lost_after_the_request_may_have_done_it() {
    assert_eq!(served(async |stream| drop(stream)).await.class, Class::Ambiguous);
}

#[tokio::test]
async fn no_answer_in_time_may_have_done_it() {
    let short = Duration::from_millis(200);
    let whole = TimeoutConfig::builder().operation_attempt_timeout(short).build();
    let between_two_bytes = TimeoutConfig::builder().read_timeout(short).build();
    for limits in [whole, between_two_bytes] {
        // The stream is kept until the client has given up and closes it.
        let error = served_to(
            |endpoint| config(endpoint).timeout_config(limits),
            async |mut stream| {
                stream.read_to_end(&mut Vec::new()).await.unwrap_or_default();
            },
        )
        .await;

        assert_eq!(error, PortError::new(Class::Ambiguous, CALL, "no answer within the time"));
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_may_have_done_it() {
    assert_eq!(answered("200 OK", "<not what was promised").await.class, Class::Ambiguous);
}

#[tokio::test]
async fn an_answer_cut_short_may_have_done_it() {
    let error = served(async |mut stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n<Get").await.unwrap();
    })
    .await;

    assert_eq!(error.class, Class::Ambiguous);
}

#[tokio::test]
async fn what_the_service_says_decides() {
    let cases = [
        ("400 Bad Request", "Throttling", Class::Transient),
        ("503 Slow Down", "SlowDown", Class::Transient),
        ("503 Service Unavailable", "RequestLimitExceeded", Class::Transient),
        ("429 Too Many Requests", "Whatever", Class::Transient),
        ("400 Bad Request", "TransactionConflictException", Class::Transient),
        ("500 Internal Server Error", "InternalFailure", Class::Ambiguous),
        ("503 Service Unavailable", "ServiceUnavailable", Class::Ambiguous),
        ("408 Request Timeout", "RequestTimeout", Class::Ambiguous),
        ("400 Bad Request", "ResourceNotFoundException", Class::Missing),
        ("400 Bad Request", "InvalidInstanceID.NotFound", Class::Missing),
        ("400 Bad Request", "InvocationDoesNotExist", Class::Missing),
        ("404 Not Found", "NoSuchKey", Class::Missing),
        ("400 Bad Request", "ConditionalCheckFailedException", Class::Conflict),
        ("409 Conflict", "ConflictException", Class::Conflict),
        ("403 Forbidden", "AccessDenied", Class::Refused),
        ("400 Bad Request", "ValidationException", Class::Refused),
        ("403 Forbidden", "ExpiredToken", Class::Refused),
    ];
    for (status, code, expected) in cases {
        let error = said(status, code, "so it is").await;

        assert_eq!(error, PortError::new(expected, CALL, format!("{code}: so it is")), "{status} {code}");
    }
}

#[tokio::test]
async fn an_error_without_a_code_is_told_by_its_status() {
    assert_eq!(answered("502 Bad Gateway", "").await, PortError::new(Class::Ambiguous, CALL, "HTTP 502"));
    assert_eq!(answered("403 Forbidden", "").await, PortError::new(Class::Refused, CALL, "HTTP 403"));
}

#[tokio::test]
async fn a_message_is_one_line_of_bearable_length() {
    let error = said("400 Bad Request", "ValidationError", &format!("one\n\ttwo  {}", "x".repeat(2_000))).await;

    assert!(error.message.starts_with("ValidationError: one two xxx"), "{}", error.message);
    assert_eq!(error.message.chars().count(), LONGEST);
}

#[tokio::test]
async fn a_refused_signature_does_not_tell_the_session_token() {
    let quoted = "The Canonical String should have been 'POST / x-amz-security-token:FwoGZXIvYXdzEBYaD'";
    let error = said("403 Forbidden", "SignatureDoesNotMatch", quoted).await;

    assert_eq!(error.class, Class::Refused);
    assert!(!error.message.contains("FwoGZXIvYXdzEBYaD"), "{}", error.message);
}

#[derive(Debug)]
struct Nothing(fn() -> CredentialsError);

impl ProvideCredentials for Nothing {
    fn provide_credentials<'a>(&'a self) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        aws_credential_types::provider::future::ProvideCredentials::ready(Err((self.0)()))
    }
}

#[tokio::test]
async fn credentials_that_are_not_there_stay_away_and_those_that_were_slow_may_come() {
    let unreachable = "http://127.0.0.1:9";
    let none = Nothing(|| CredentialsError::not_loaded("there are none"));
    let slow = Nothing(|| CredentialsError::provider_error("the provider did not answer"));

    assert_eq!(ask(config(unreachable).credentials_provider(none)).await.class, Class::Refused);
    assert_eq!(ask(config(unreachable).credentials_provider(slow)).await.class, Class::Transient);
}

#[test]
fn a_request_that_cannot_be_made_is_refused() {
    type Asked = aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    let error = SdkError::<Asked, HttpResponse>::construction_failure("a field is missing");

    let error = classify(CALL, &error);

    assert_eq!(error.class, Class::Refused);
    assert!(error.message.contains("a field is missing"), "{}", error.message);
}

#[test]
fn a_cancelled_transaction_is_told_by_its_worst_reason() {
    let check = |reasons: &str, expected| {
        let message =
            format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{reasons}]");
        assert_eq!(class_of_answer(Some("TransactionCanceledException"), Some(&message), 400), expected, "{reasons}");
    };

    check("None, ConditionalCheckFailed", Class::Conflict);
    check("TransactionConflict, ConditionalCheckFailed", Class::Conflict);
    check("TransactionConflict, None", Class::Transient);
    check("ThrottlingError", Class::Transient);
    check("ProvisionedThroughputExceeded, None", Class::Transient);
    check("ValidationError", Class::Refused);
    check("ValidationError, TransactionConflict", Class::Refused);
    check("", Class::Refused);
}
