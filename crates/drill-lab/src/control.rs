//! A running lab's own door: how `status`, `exec`, `host` and `down` reach the process that holds the lab.
//!
//! One JSON line in, one out, over a socket that only the lab's owner may open.

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use crate::host::HostView;
use crate::lab::{Glance, GroupView, Lab, connect, line};
use crate::wire::short_path;

const SOCKET: &str = "control.sock";

/// What can be asked of a running lab.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    Status,
    Host {
        host: String,
        action: HostAction,
    },
    /// The answer comes when the lab has begun to go; the end is the death of its process.
    Down,
}

/// What can be done to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub(crate) enum HostAction {
    /// Start a stopped host.
    Start,
    /// Kill its processes and keep its disk.
    Stop,
    /// Stop and start.
    Reboot,
    /// Kill its processes and delete its disk.
    Terminate,
    /// Disconnect its agent.
    AgentOffline,
    /// Connect its agent again.
    AgentOnline,
}

/// What a running lab answers.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Answer {
    Status(Box<Status>),
    Done,
    Refused(String),
}

/// Everything there is to know at a glance.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: String,
    pub(crate) hosts: Vec<HostView>,
    pub(crate) groups: Vec<GroupView>,
    pub(crate) lately: Option<Glance>,
}

/// Answers until the lab ends; `down` is told when somebody asks for that.
pub(crate) fn serve(lab: &Lab, down: Arc<Notify>) -> io::Result<()> {
    let listener = short_path(&lab.folder().join(SOCKET), |path| std::os::unix::net::UnixListener::bind(path))?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let lab = lab.downgrade();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Some(lab) = lab.upgrade() else { return };
            let down = Arc::clone(&down);
            tokio::spawn(async move {
                if let Err(error) = answer(connection, &lab, &down).await {
                    eprintln!("drill-lab: could not answer a request: {error}");
                }
            });
        }
    });
    Ok(())
}

async fn answer(mut connection: UnixStream, lab: &Lab, down: &Notify) -> io::Result<()> {
    let mut question = String::new();
    BufReader::new(&mut connection).read_line(&mut question).await?;
    let answer = match serde_json::from_str(&question)? {
        Ask::Status => Answer::Status(Box::new(status(lab))),
        Ask::Host { host, action } => {
            let done = match action {
                HostAction::Start => lab.start(&host).await,
                HostAction::Stop => lab.stop(&host).await,
                HostAction::Reboot => lab.reboot(&host).await,
                HostAction::Terminate => lab.terminate(&host).await,
                HostAction::AgentOffline => lab.agent_offline(&host, true),
                HostAction::AgentOnline => lab.agent_offline(&host, false),
            };
            done.map_or_else(|error| Answer::Refused(crate::error::chain(&error)), |()| Answer::Done)
        }
        Ask::Down => {
            down.notify_one();
            Answer::Done
        }
    };
    connection.write_all(&line(&answer)?).await
}

pub(crate) fn status(lab: &Lab) -> Status {
    Status { id: lab.id().to_owned(), hosts: lab.hosts(), groups: lab.groups(), lately: lab.glance() }
}

/// Asks the lab in `folder`.
pub(crate) async fn ask(folder: &Path, question: &Ask) -> io::Result<Answer> {
    let mut connection = connect(&folder.join(SOCKET))?;
    connection.write_all(&line(question)?).await?;
    let mut answer = String::new();
    BufReader::new(connection).read_line(&mut answer).await?;
    Ok(serde_json::from_str(&answer)?)
}
