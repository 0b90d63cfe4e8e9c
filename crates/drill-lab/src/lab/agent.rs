//! Documents sent to hosts' agents, and commands for people.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use super::{Lab, LabError, switch};
use crate::host::HostState;
use crate::wire::{AgentOutcome, AgentStatus, Document, HostReply, HostRequest};

/// A document on its way on a host. It runs to its end whether or not somebody listens, as in SSM.
pub struct Command {
    ended: tokio::task::JoinHandle<AgentOutcome>,
    cancel: mpsc::Sender<()>,
}

impl Command {
    /// Kills the script's process group. Cancelling what has ended does nothing.
    pub async fn cancel(&self) {
        // A closed channel is a command that has ended.
        self.cancel.send(()).await.ok();
    }

    /// Waits for the end.
    pub async fn outcome(self) -> AgentOutcome {
        match self.ended.await {
            Ok(outcome) => outcome,
            Err(error) => unheard(AgentStatus::Terminated, &error.to_string()),
        }
    }
}

impl Lab {
    /// Sends a document to a host's agent. An agent that is not there gets nothing, now or later: [`Command::outcome`]
    /// is then `Undeliverable`.
    pub fn send(&self, host: &str, document: Document) -> Result<Command, LabError> {
        let host = self.find(host)?;
        let (cancel, cancelled) = mpsc::channel(1);
        let reachable = host.view.state == HostState::Running && !host.agent_offline;
        let ended = tokio::spawn(async move {
            if !reachable {
                return unheard(AgentStatus::Undeliverable, "the agent is not connected");
            }
            match switch::connect(&host.socket()) {
                Ok(connection) => deliver(connection, document, cancelled).await,
                Err(error) => unheard(AgentStatus::Undeliverable, &error.to_string()),
            }
        });
        Ok(Command { ended, cancel })
    }

    /// Runs a document on a host and waits for its end.
    pub async fn run_document(
        &self,
        host: &str,
        script: &str,
        environment: &[(String, String)],
        timeout: Duration,
    ) -> Result<AgentOutcome, LabError> {
        let document = Document { script: script.to_owned(), environment: environment.to_vec(), timeout };
        Ok(self.send(host, document)?.outcome().await)
    }

    /// Takes a host's agent off the network of its control plane, or puts it back. Nothing else of the host changes.
    pub fn agent_offline(&self, host: &str, offline: bool) -> Result<(), LabError> {
        let host = self.find(host)?;
        self.change(&host.view.instance_id, |host| host.agent_offline = offline);
        Ok(())
    }

    /// Runs a command on a host for a person; `hear` gets what it prints, with whether it is an error, as it comes.
    pub async fn exec(
        &self,
        host: &str,
        argv: &[String],
        hear: impl FnMut(bool, &str),
    ) -> Result<AgentOutcome, LabError> {
        let host = self.find(host)?;
        exec_at(&host.socket(), argv, hear).await.map_err(|source| LabError::Broken { peer: host.view.name, source })
    }
}

/// Runs a command through a host's socket, from any process that may open it.
pub(crate) async fn exec_at(
    socket: &std::path::Path,
    argv: &[String],
    mut hear: impl FnMut(bool, &str),
) -> io::Result<AgentOutcome> {
    let mut connection = switch::connect(socket)?;
    connection.write_all(&switch::line(&HostRequest::Command { argv: argv.to_vec() })?).await?;
    let mut lines = BufReader::new(connection).lines();
    while let Some(line) = lines.next_line().await? {
        match serde_json::from_str(&line)? {
            HostReply::Output { error, text } => hear(error, &text),
            HostReply::Ended(outcome) => return Ok(outcome),
            HostReply::Refused(reason) => return Err(io::Error::other(reason)),
            HostReply::Service { text, .. } => return Err(io::Error::other(text)),
        }
    }
    Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the host died"))
}

async fn deliver(connection: UnixStream, document: Document, mut cancelled: mpsc::Receiver<()>) -> AgentOutcome {
    let (from, mut to) = connection.into_split();
    let mut from = BufReader::new(from);
    let sent = match switch::line(&HostRequest::Document(document)) {
        Ok(line) => to.write_all(&line).await,
        Err(error) => Err(error),
    };
    if let Err(error) = sent {
        return unheard(AgentStatus::Undeliverable, &error.to_string());
    }
    let mut reply = String::new();
    let read = async {
        from.read_line(&mut reply).await?;
        serde_json::from_str::<HostReply>(&reply).map_err(io::Error::from)
    };
    let cancel = async {
        // Nobody left who could cancel is no cancel. After a cancel the script's end is still read.
        if cancelled.recv().await.is_some()
            && let Ok(line) = switch::line(&HostRequest::Cancel)
        {
            drop(to.write_all(&line).await);
        }
        std::future::pending::<std::convert::Infallible>().await
    };
    let ended = tokio::select! {
        ended = read => ended,
        never = cancel => match never {},
    };
    match ended {
        Ok(HostReply::Ended(outcome)) => outcome,
        Ok(HostReply::Refused(reason)) => unheard(AgentStatus::Failed, &reason),
        Ok(HostReply::Output { text, .. } | HostReply::Service { text, .. }) => unheard(AgentStatus::Failed, &text),
        Err(_) => unheard(AgentStatus::Terminated, "the host died under the command"),
    }
}

fn unheard(status: AgentStatus, why: &str) -> AgentOutcome {
    AgentOutcome { exit_code: None, status, stdout: String::new(), stderr: why.to_owned() }
}
