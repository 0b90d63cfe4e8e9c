//! What an error of the SDK means for whoever called: nothing done, nothing ever done, not there, too late, or unknown.
//!
//! The code of the service decides first, then the status; what is left open is `Ambiguous`, never better than that.
//! Next: a phase, which acts on the class and never on the text.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use drill_phases::ports::{Class, PortError};

/// Every code by which a service says that it is asked too often. It did nothing.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "KMSThrottling",
    "KMSThrottlingException",
    "KmsThrottlingException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttled",
    "Throttling",
    "ThrottlingError",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflict",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Codes by which a service says that somebody else was faster.
const CONFLICT: &[&str] =
    &["ConditionalCheckFailed", "ConditionalCheckFailedException", "ConflictException", "OperationAborted"];

/// Codes whose messages quote the request that was signed, session token and all.
const QUOTES_THE_REQUEST: &[&str] = &["InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature"];

/// The longest message that is passed on, in characters.
const LONGEST: usize = 500;

const NO_ANSWER: &str = "no answer within the time";

/// What a failed call means. `call` names it as IAM does: `ssm:SendCommand`.
///
/// It speaks for the last attempt: see [`once`](crate::once) for calls whose repetition does harm.
pub fn classify<E>(call: &'static str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let class = match error {
        SdkError::ConstructionFailure(_) => Class::Refused,
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => Class::Ambiguous,
        SdkError::DispatchFailure(failure) => failure.as_connector_error().map_or(Class::Ambiguous, class_of_dispatch),
        SdkError::ServiceError(answered) => {
            let meta = answered.err().meta();
            class_of_answer(meta.code(), meta.message(), answered.raw().status().as_u16())
        }
        // The SDK may learn new ways to fail; none of them is known to have done nothing.
        _ => Class::Ambiguous,
    };
    PortError::new(class, call, message(error))
}

/// What a code means, when the code alone decides.
pub fn class_of_code(code: &str) -> Option<Class> {
    if THROTTLED.contains(&code) {
        Some(Class::Transient)
    } else if CONFLICT.contains(&code) {
        Some(Class::Conflict)
    } else if code.contains("NotFound") || code.ends_with("DoesNotExist") || code.starts_with("NoSuch") {
        Some(Class::Missing)
    } else {
        None
    }
}

fn class_of_answer(code: Option<&str>, message: Option<&str>, status: u16) -> Class {
    if code == Some("TransactionCanceledException") {
        return class_of_cancellation(message.unwrap_or_default());
    }
    match code.and_then(class_of_code) {
        Some(class) => class,
        // 429 is its own code. 408 and all of 5xx may come after the work was done.
        None if status == 429 => Class::Transient,
        None if status == 408 || status >= 500 => Class::Ambiguous,
        // An answer without a code and without the status of an error is no answer.
        None if status < 400 => Class::Ambiguous,
        None => Class::Refused,
    }
}

/// The message lists a reason for each action: `… specific reasons [None, ConditionalCheckFailed]`.
fn class_of_cancellation(message: &str) -> Class {
    let list = message.rsplit_once('[').map_or(message, |(_, list)| list);
    let mut reasons = list.split([',', ']', ' ']).filter(|word| !word.is_empty() && *word != "None");
    let classes: Vec<Option<Class>> = reasons.by_ref().map(class_of_code).collect();
    if classes.contains(&Some(Class::Conflict)) {
        Class::Conflict
    } else if !classes.is_empty() && classes.iter().all(|class| *class == Some(Class::Transient)) {
        Class::Transient
    } else {
        // ValidationError, ItemCollectionSizeLimitExceeded, or nothing that can be read: no transaction was made.
        Class::Refused
    }
}

/// A request that got no answer. Only a connection that never was shows that nothing was sent.
fn class_of_dispatch(error: &ConnectorError) -> Class {
    if error.is_user() {
        return Class::Refused;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper_util::client::legacy::Error>().is_some_and(|error| error.is_connect()) {
            return Class::Transient;
        }
        if let Some(credentials) = error.downcast_ref::<CredentialsError>() {
            return match credentials {
                CredentialsError::CredentialsNotLoaded(_) | CredentialsError::InvalidConfiguration(_) => Class::Refused,
                _ => Class::Transient,
            };
        }
        cause = error.source();
    }
    Class::Ambiguous
}

/// What was said, on one line, without anything that opens a door.
fn message<E: ProvideErrorMetadata + Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    let said = match error {
        SdkError::ServiceError(answered) => match (answered.err().meta().code(), answered.err().meta().message()) {
            (Some(code), _) if QUOTES_THE_REQUEST.contains(&code) => {
                format!(
                    "{code}: the signature was not accepted (the service's words quote the request and are left out)"
                )
            }
            (Some(code), Some(message)) => format!("{code}: {message}"),
            (Some(code), None) => code.to_owned(),
            (None, Some(message)) => format!("HTTP {}: {message}", answered.raw().status().as_u16()),
            (None, None) => format!("HTTP {}", answered.raw().status().as_u16()),
        },
        SdkError::TimeoutError(_) => NO_ANSWER.to_owned(),
        // The time of an attempt and that of its connection run side by side: either may be the first to end it.
        SdkError::DispatchFailure(failure)
            if failure.is_timeout()
                && failure.as_connector_error().map(class_of_dispatch) == Some(Class::Ambiguous) =>
        {
            NO_ANSWER.to_owned()
        }
        SdkError::ResponseError(answered) => {
            format!("the answer (HTTP {}) cannot be read", answered.raw().status().as_u16())
        }
        _ => DisplayErrorContext(error).to_string(),
    };
    one_line(&said)
}

fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .flat_map(|word| [" ", word])
        .skip(1)
        .flat_map(str::chars)
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
#[path = "class/tests.rs"]
mod tests;
