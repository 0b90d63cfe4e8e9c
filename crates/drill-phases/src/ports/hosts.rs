//! Orders to hosts, and what hosts said.

use std::collections::BTreeSet;

use drill_model::host::{Document, HostReport};
use drill_model::ids::InstanceId;
use serde::{Deserialize, Serialize};

use super::Answer;
#[cfg(doc)]
use super::BATCH;

/// Orders to hosts. A port for each kind of document, so that a role that heals cannot harm.
pub trait HostHarm {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Sends an order that harms. Not idempotent at the service; the host answers a second order with `already`.
    async fn harm_hosts(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// Orders to hosts that put back or only look.
pub trait HostHeal {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Sends the revert document. The host answers a second order as it answered the first.
    async fn revert(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// Looking at hosts.
pub trait HostProbe {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// Sends the probe document.
    async fn probe(&self, order: &HostCommand) -> Answer<CommandId>;
}

/// What hosts said.
pub trait HostAnswers {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// What every host of a command has said so far. A command that is too new to be known is all `Pending`.
    async fn answers(&self, command: &CommandId) -> Answer<Vec<(InstanceId, HostAnswer)>>;
}

/// An order to up to [`BATCH`] hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCommand {
    /// Which of our documents.
    pub document: Document,
    /// To whom.
    pub targets: BTreeSet<InstanceId>,
    /// Every parameter of the document.
    pub parameters: std::collections::BTreeMap<String, String>,
    /// An id for people who look into the service: `stormdrill:<run>:<fault>`.
    pub comment: String,
}

/// One command, by the service's id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub String);

/// What a host said of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum HostAnswer {
    /// Nothing yet.
    Pending,
    /// This.
    Report(Box<HostReport>),
    /// It ended without a word that can be read: it may have run.
    Silent(String),
}

impl HostAnswer {
    /// What the standard output of a document that has ended says.
    pub fn from_output(stdout: &str) -> Self {
        match HostReport::from_output(stdout) {
            Some(report) => Self::Report(Box::new(report)),
            None => Self::Silent("no report in the output".to_owned()),
        }
    }
}
