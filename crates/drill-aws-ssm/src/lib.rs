//! Orders to hosts over SSM Run Command, and what the hosts answered.
//!
//! An order that harms is delivered within half a minute or not at all; a host that cannot be sent to keeps no other
//! from being sent to; no host is forgotten, and what a command as a whole says of itself is never asked.
//! Next: the phases, which wait for the answers and judge them.

mod answers;
mod command_id;
mod output;
mod send;

use aws_sdk_ssm::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready, variable};

/// The adapter of the ports `HostHarm`, `HostHeal`, `HostProbe` and `HostAnswers`.
///
/// Which of them a function may use is decided by its role: the documents that harm, the one that reverts and the one
/// that looks are separate resources. Each port sends its own documents and refuses the others.
#[derive(Debug, Clone)]
pub struct RunCommand {
    client: Client,
    prefix: String,
}

impl RunCommand {
    /// An adapter that sends the documents whose names begin with this prefix: `stormdrill-` and `revert`.
    pub fn new(config: &SdkConfig, prefix: impl Into<String>) -> Self {
        Self { client: Client::new(config), prefix: prefix.into() }
    }
}

impl Adapter for RunCommand {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config, variable("STORMDRILL_DOCUMENT_PREFIX")?))
    }
}

#[cfg(test)]
mod tests;
