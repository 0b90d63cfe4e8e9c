//! What a dry run said. Its good answer is an error called `DryRunOperation`.

use aws_sdk_ec2::config::http::HttpResponse;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use drill_phases::ports::{Answer, Class, PortError};

use crate::remains::{code, failed};

/// The code that says: you may.
const ALLOWED: &str = "DryRunOperation";

/// Whether the call would be allowed on these.
pub(crate) fn judge<O, E, I: ToString>(
    call: &'static str,
    answer: Result<O, SdkError<E, HttpResponse>>,
    ids: &[I],
) -> Answer<()>
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match answer {
        Err(error) if code(&error) == Some(ALLOWED) => Ok(()),
        Err(error) => Err(failed(call, &error, ids)),
        // A service that succeeds at a dry run has not understood that it was one.
        Ok(_) => Err(PortError::new(Class::Ambiguous, call, "the dry run was answered as if it had been done")),
    }
}
