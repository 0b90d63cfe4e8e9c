//! What the lab, its switch and its hosts say to each other: one JSON object a line over Unix sockets.
//!
//! A connection carries one request and its replies; whoever asked may hang up, which cancels.
//! Sockets are addressed through their folder's descriptor, so a long home does not exceed the 108 bytes of a path.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::spec::{HostSize, ServiceSpec};

/// Everything a host needs to know to start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HostBoot {
    pub(crate) lab: String,
    pub(crate) instance_id: String,
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    /// The number of this start, which keeps the names of network links apart.
    pub(crate) link: String,
    pub(crate) size: HostSize,
    pub(crate) services: Vec<ServiceSpec>,
    /// `/etc/hosts`: the fleet as it is known at the first start.
    pub(crate) names: Vec<(Ipv4Addr, String)>,
    /// Cgroup folders of this host, by the name under which the host sees them.
    pub(crate) cgroups: BTreeMap<String, PathBuf>,
    /// The folder of this host in the lab's home.
    pub(crate) folder: PathBuf,
    /// The program that every part of the lab is.
    pub(crate) program: PathBuf,
}

impl HostBoot {
    /// Where the switch keeps the host's disk mounted between its starts.
    pub(crate) fn disk(&self) -> PathBuf {
        self.folder.join("disk")
    }
}

/// What the lab asks of its switch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum SwitchRequest {
    /// Start a host. Starting a host that runs is refused.
    Boot(Box<HostBoot>),
    /// Kill every process of a host at once. Killing a dead host succeeds.
    Kill { instance_id: String },
    /// Kill a host and forget its disk. Repeating it succeeds.
    Discard { instance_id: String },
    /// Which hosts run.
    List,
    /// Speak HTTP from inside the lab's network.
    Http(HttpRequest),
}

/// What the switch answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum SwitchReply {
    Done,
    Running(Vec<String>),
    Http(Result<HttpReading, String>),
    Refused(String),
}

/// One HTTP request from inside the lab's network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HttpRequest {
    /// `GET`, `PUT` or `POST`.
    pub method: String,
    /// An absolute `http://` URL.
    pub url: String,
    /// The body to send, as JSON text; empty for none.
    pub body: String,
    /// From the first packet to the last byte.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HttpReading {
    /// The status code.
    pub status: u16,
    /// The body, at most one mebibyte of it.
    pub body: String,
    /// From the request to the last byte.
    pub elapsed: Duration,
}

/// What the lab asks of a host; `service` inside the host may only ask for `Service`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum HostRequest {
    /// Run a script as the SSM agent does.
    Document(Document),
    /// Run a command and stream what it prints.
    Command { argv: Vec<String> },
    /// Look at or change a supervised service.
    Service { name: String, action: ServiceAction },
    /// Kill what this connection asked for.
    Cancel,
}

/// What a host answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum HostReply {
    Output { error: bool, text: String },
    Ended(AgentOutcome),
    Service { running: bool, pid: Option<u32>, text: String },
    Refused(String),
}

/// What `service NAME …` can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ServiceAction {
    Status,
    Start,
    Stop,
    Restart,
}

/// A script for a host's agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    /// The text that `aws:runShellScript` would run.
    pub script: String,
    /// `SSM_<Name>` and its value, as `interpolationType: ENV_VAR` exports them.
    pub environment: Vec<(String, String)>,
    /// The document's `executionTimeout`: then the whole process group is killed.
    pub timeout: Duration,
}

/// How a document ended on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentOutcome {
    /// The script's exit code; absent when it did not exit by itself.
    pub exit_code: Option<i32>,
    /// The status that SSM gives to such an end.
    pub status: AgentStatus,
    /// The first 24,000 bytes of standard output.
    pub stdout: String,
    /// The first 8,000 bytes of standard error.
    pub stderr: String,
}

impl AgentOutcome {
    /// What `ListCommandInvocations` shows: the first 2,500 characters of the output.
    pub fn plugin_output(&self) -> String {
        let mut text = self.stdout.clone();
        if !self.stderr.is_empty() {
            text.push_str("\n----------ERROR-------\n");
            text.push_str(&self.stderr);
        }
        text.chars().take(2_500).collect()
    }
}

/// The ends of a document, in SSM's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AgentStatus {
    /// The script ended with exit code 0, which says nothing about what it did.
    Success,
    /// The script ended with another exit code or by a signal, or could not be started.
    Failed,
    /// The script outlived its `executionTimeout` and was killed.
    TimedOut,
    /// The command was cancelled and the script killed.
    Cancelled,
    /// The agent was not there: nothing ran.
    Undeliverable,
    /// The host died under the script: it ran, at least in part.
    Terminated,
}

/// Writes one line.
pub(crate) fn write_line(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

/// Reads one line; `None` when the other side has hung up.
pub(crate) fn read_line<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(serde_json::from_str(&line)?))
}

/// Runs `with` on a short path to `socket`, whatever the length of its folder's name.
pub(crate) fn short_path<T>(socket: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    use std::os::fd::AsRawFd;
    let (Some(folder), Some(name)) = (socket.parent(), socket.file_name()) else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a socket needs a folder and a name"));
    };
    if socket.as_os_str().len() < 100 {
        return with(socket);
    }
    let folder = std::fs::File::open(folder)?;
    with(&PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugin_output_is_cut_where_ssm_cuts_it() {
        let outcome = AgentOutcome {
            exit_code: Some(0),
            status: AgentStatus::Success,
            stdout: "é".repeat(3_000),
            stderr: "x".to_owned(),
        };

        assert_eq!(outcome.plugin_output(), "é".repeat(2_500));
    }

    #[test]
    fn a_line_survives_the_wire() {
        let mut wire = Vec::new();

        write_line(&mut wire, &HostRequest::Command { argv: vec!["a\nb".to_owned()] }).unwrap();

        let back: Option<HostRequest> = read_line(&mut wire.as_slice()).unwrap();
        assert!(matches!(back, Some(HostRequest::Command { argv }) if argv == ["a\nb"]));
    }
}
