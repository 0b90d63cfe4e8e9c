//! Retries for calls that are not the same when made twice: only what the service refused for being asked too often.
//!
//! An attempt whose reply was lost stays the last one, so the class of the call is the class of that attempt.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use drill_phases::ports::Class;

use crate::class_of_code;

/// Forbids every retry but that of a throttled attempt. `E` is the operation's error:
/// `.customize().config_override(Config::builder().retry_classifier(OnlyThrottled::<SendCommandError>::new()))`.
pub struct OnlyThrottled<E>(PhantomData<fn() -> E>);

impl<E> OnlyThrottled<E> {
    /// The classifier.
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Default for OnlyThrottled<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> fmt::Debug for OnlyThrottled<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("OnlyThrottled")
    }
}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> ClassifyRetry for OnlyThrottled<E> {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let code =
            error.as_operation_error().and_then(|error| error.downcast_ref::<E>()).and_then(|error| error.code());
        match code.and_then(class_of_code) {
            Some(Class::Transient) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "only what was throttled"
    }
}
