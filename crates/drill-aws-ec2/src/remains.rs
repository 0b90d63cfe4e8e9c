//! What the service said of a list when it refused it, and what is left to try of it.

use std::collections::BTreeSet;

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use drill_aws_config::classify;
use drill_model::ids::InstanceId;
use drill_phases::ports::PortError;

/// The most ids that an error message is given when it has none.
const SHOWN: usize = 5;
/// What follows is for `sts:DecodeAuthorizationMessage`, and as long as a page.
const ENCODED: &str = "Encoded authorization failure message";

/// The code of the service's error, if the service answered.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// True when the service does not know an id.
pub(crate) fn is_unknown_id<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    code(error).is_some_and(|code| code.starts_with("InvalidInstanceID."))
}

/// The ids among these that a message of the service names.
pub(crate) fn named<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
    ids: &[InstanceId],
) -> BTreeSet<InstanceId> {
    let said = error.as_service_error().and_then(ProvideErrorMetadata::message).unwrap_or_default();
    ids.iter().filter(|id| names(said, id.as_str())).cloned().collect()
}

fn names(said: &str, id: &str) -> bool {
    said.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).any(|word| word == id)
}

/// What is left to try: all but those that were named, or both halves when nobody was. One id alone leaves nothing.
pub(crate) fn remains(ids: Vec<InstanceId>, named: &BTreeSet<InstanceId>) -> Vec<Vec<InstanceId>> {
    if ids.len() <= 1 {
        return Vec::new();
    }
    if named.is_empty() {
        let (one, two) = ids.split_at(ids.len() / 2);
        return vec![two.to_vec(), one.to_vec()];
    }
    let rest: Vec<InstanceId> = ids.into_iter().filter(|id| !named.contains(id)).collect();
    if rest.is_empty() { Vec::new() } else { vec![rest] }
}

/// What a failed call means, with what it was about.
pub(crate) fn failed<E, I: ToString>(call: &'static str, error: &SdkError<E, HttpResponse>, ids: &[I]) -> PortError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let mut failed = classify(call, error);
    if let Some((said, _)) = failed.message.split_once(ENCODED) {
        failed.message = said.trim_end().to_owned();
    }
    if !ids.iter().any(|id| names(&failed.message, &id.to_string())) {
        failed.message = format!("{} ({})", failed.message, list(ids.iter().map(I::to_string)));
    }
    failed
}

/// Some ids in words.
pub(crate) fn list<I: ToString>(ids: impl IntoIterator<Item = I>) -> String {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    match ids.len().checked_sub(SHOWN) {
        None | Some(0) => ids.join(", "),
        Some(more) => format!("{} and {more} more", ids[..SHOWN].join(", ")),
    }
}
