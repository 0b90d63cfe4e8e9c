//! Against mocks of the service, whose errors are its own XML.

mod acls;
mod instances;
mod subnets;
mod verbs;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_sdk_ec2::config::Builder;
use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::config::retry::RetryConfig;
use aws_sdk_ec2::types::{Instance, InstanceState, InstanceStateName, Tag};
use aws_smithy_types::body::SdkBody;
use drill_model::ids::InstanceId;
use drill_model::target::{Home, TargetId};

use crate::Ec2;

/// Whose everything is.
const OWNER: &str = "123456789012";

/// What a mock was asked, in order.
type Asked<T> = Arc<Mutex<Vec<T>>>;

/// One attempt of each call: a mock that computes its answer cannot be asked twice.
fn single(config: Builder) -> Builder {
    config.retry_config(RetryConfig::disabled())
}

/// The service's own way to say no.
fn refusal(status: u16, code: &str, message: &str) -> HttpResponse {
    let body = format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"
    );
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
}

fn id(number: usize) -> InstanceId {
    InstanceId::try_from(format!("i-{number:08x}")).unwrap()
}

/// The account and region of every test.
fn home() -> Home {
    Home { account: OWNER.to_owned(), region: "eu-central-1".to_owned() }
}

fn target(number: usize) -> TargetId {
    home().instance(&id(number))
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> BTreeSet<TargetId> {
    numbers.into_iter().map(target).collect()
}

/// The adapter in front of a mock.
fn adapter_of(client: aws_sdk_ec2::Client) -> Ec2 {
    Ec2 { client, region: home().region }
}

/// An instance as the service describes it.
fn instance(number: usize, state: InstanceStateName, tags: &[(&str, &str)]) -> Instance {
    let tag = |(key, value): &(&str, &str)| Tag::builder().key(*key).value(*value).build();
    Instance::builder()
        .instance_id(id(number))
        .state(InstanceState::builder().name(state).build())
        .set_tags(Some(tags.iter().map(tag).collect()))
        .build()
}
