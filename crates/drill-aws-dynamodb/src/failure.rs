//! What an error of DynamoDB means, beyond what the errors of every service mean.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use drill_aws_config::classify;
use drill_phases::ports::{Class, PortError};

/// Classifies an error. A table or an index that does not exist is a mistake of the deployment: told as `Missing`, it
/// would make the janitor believe that there is nothing to clean.
pub(crate) fn failure<E>(call: &'static str, error: &SdkError<E>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let error_code = error.as_service_error().and_then(|error| error.meta().code());
    let mut failed = classify(call, error);
    if error_code == Some("ResourceNotFoundException") {
        failed.class = Class::Refused;
    }
    failed
}

/// Whether a call did nothing because a transaction had one of its items, and will soon let it go.
pub(crate) fn collided<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(|error| error.meta().code());
    matches!(code, Some("TransactionConflictException" | "TransactionInProgressException"))
}

/// An item that is not what this crate writes.
pub(crate) fn unreadable(call: &'static str, what: &str, why: impl std::fmt::Display) -> PortError {
    PortError::new(Class::Refused, call, format!("{what} cannot be read: {why}"))
}
