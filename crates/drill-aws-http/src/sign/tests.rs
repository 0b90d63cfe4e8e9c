use aws_credential_types::Credentials;
use drill_aws_config::SdkConfig;
use http::{Method, Request};
use jiff::Timestamp;

use super::*;

fn config() -> SdkConfig {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".to_owned()), None, "test");
    SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
}

#[test]
fn only_the_managed_service_is_signed_for_in_the_region_of_its_host() {
    for (host, expected) in [
        ("aps-workspaces.eu-west-1.amazonaws.com", Some("eu-west-1")),
        ("aps-workspaces-fips.us-gov-west-1.amazonaws.com", Some("us-gov-west-1")),
        ("aps-workspaces.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
        ("vpce-0a1b.aps-workspaces.us-east-2.vpce.amazonaws.com", Some("us-east-2")),
        ("prometheus.internal", None),
        ("aps-workspaces.eu-west-1.example.com", None),
        ("not-aps-workspaces.eu-west-1.amazonaws.com", None),
    ] {
        assert_eq!(region(host), expected, "{host}");
    }
}

#[test]
fn a_signature_does_not_travel_in_the_open_or_without_credentials() {
    let host = "aps-workspaces.eu-west-1.amazonaws.com";

    assert_eq!(Signer::of(host, false, &config()).err(), Some(Unsigned::Plain));
    assert_eq!(Signer::of(host, true, &SdkConfig::builder().build()).err(), Some(Unsigned::NoCredentials));
    assert!(Signer::of("prometheus.internal", false, &config()).unwrap().is_none());
}

#[tokio::test]
async fn a_request_is_signed_for_the_service_its_region_and_its_body() {
    let host = "aps-workspaces.eu-west-1.amazonaws.com";
    let signer = Signer::of(host, true, &config()).unwrap().unwrap();
    let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let signed = async |body: &'static str| {
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("https://{host}/workspaces/ws-1/api/v1/query").parse().unwrap();
        signer.sign(&mut request, at.into()).await.unwrap();
        request.headers()["authorization"].to_str().unwrap().to_owned()
    };

    let one = signed("query=up").await;

    let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/aps/aws4_request, SignedHeaders=";
    assert!(one.starts_with(scope), "{one}");
    assert!(one.contains("host;") && one.contains("x-amz-security-token"), "{one}");
    assert_eq!(signed("query=up").await, one);
    assert_ne!(signed("query=down").await, one);
}
