//! Against mocks of the service: what is sent, whom it leaves out, what is heard.

mod answers;
mod send;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_ssm::config::Builder;
use aws_sdk_ssm::config::http::HttpResponse;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_smithy_types::body::SdkBody;
use drill_model::ids::InstanceId;

/// What a mock was asked, in order.
type Asked<T> = Arc<Mutex<Vec<T>>>;

/// One attempt of each call: a mock that computes its answer cannot be asked twice.
fn single(config: Builder) -> Builder {
    config.retry_config(RetryConfig::disabled())
}

/// The service's own way to say no.
fn refusal(status: u16, code: &str, message: &str) -> HttpResponse {
    let body = serde_json::json!({ "__type": code, "message": message, "Message": message });
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_string()))
}

fn id(number: usize) -> InstanceId {
    InstanceId::try_from(format!("i-{number:08x}")).unwrap()
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<InstanceId> {
    numbers.into_iter().map(id).collect()
}
