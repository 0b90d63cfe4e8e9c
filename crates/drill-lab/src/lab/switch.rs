//! The lab's end of its switch: the process, and how it is asked.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::watch;

use super::LabError;
use crate::clock;
use crate::inside;
use crate::wire::{SwitchReply, SwitchRequest, short_path};

/// How long the switch may take to come up, and how long to die.
const PATIENCE: Duration = Duration::from_secs(20);

/// The switch's outer process. It dies when its standard input closes, which the kernel sees to whatever kills the lab.
pub(super) struct Process {
    child: Child,
    /// Its other end goes with the switch.
    life: watch::Receiver<()>,
}

impl Process {
    /// Starts the switch and waits until it listens.
    pub(super) async fn start(program: &Path, id: &str, folder: &Path) -> Result<Process, LabError> {
        let unstarted = |source| LabError::Program { program: program.to_owned(), source };
        let log = folder.join("switch.log");
        let mut child = Command::new(program)
            .arg(inside::SWITCH)
            .arg(id)
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).map_err(unstarted)?)
            // A Ctrl-C at the lab's terminal is for the lab, which takes its hosts down in order.
            .process_group(0)
            .spawn()
            .map_err(unstarted)?;
        let said = child.stdout.take().map(OwnedFd::from);
        let (alive, life) = watch::channel(());
        let process = Process { child, life };
        let said = said.ok_or_else(|| unstarted(io::Error::other("it has no standard output")))?;
        let said = tokio::net::unix::pipe::Receiver::from_owned_fd(said).map_err(unstarted)?;
        let mut lines = BufReader::new(said).lines();
        let up = async {
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "ready" {
                    return true;
                }
            }
            false
        };
        if tokio::time::timeout(PATIENCE, up).await == Ok(true) {
            // Both of the switch's processes hold its standard output: the end of that is the end of them.
            tokio::spawn(async move {
                while let Ok(Some(_)) = lines.next_line().await {}
                drop(alive);
            });
            return Ok(process);
        }
        process.end();
        Err(LabError::Switch { reason: fs::read_to_string(&log).unwrap_or_default().trim().to_owned() })
    }

    /// Ends with the switch, whatever ends that.
    pub(super) fn death(&self) -> impl Future<Output = ()> + use<> {
        let mut life = self.life.clone();
        async move { while life.changed().await.is_ok() {} }
    }

    /// Ends the switch and with it everything in the lab.
    pub(super) fn end(mut self) {
        drop(self.child.stdin.take());
        let patience = clock::instant() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && clock::instant() < patience {
            clock::pause_thread(Duration::from_millis(5));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let killed = self.child.kill().and_then(|()| self.child.wait());
            if let Err(error) = killed {
                eprintln!("drill-lab: the switch could not be killed: {error}");
            }
        }
    }
}

/// One question, one answer.
pub(super) async fn ask(folder: &Path, request: &SwitchRequest) -> Result<SwitchReply, LabError> {
    let asked = async {
        let mut connection = connect(&folder.join("switch.sock"))?;
        connection.write_all(&line(request)?).await?;
        let mut reply = String::new();
        BufReader::new(connection).read_line(&mut reply).await?;
        serde_json::from_str(&reply).map_err(io::Error::from)
    };
    asked.await.map_err(|source| LabError::Broken { peer: "the switch".to_owned(), source })
}

/// A connection to a socket of the lab.
pub(crate) fn connect(socket: &Path) -> io::Result<UnixStream> {
    let connection = short_path(socket, |path| std::os::unix::net::UnixStream::connect(path))?;
    connection.set_nonblocking(true)?;
    UnixStream::from_std(connection)
}

/// A message as it goes over the wire.
pub(crate) fn line(message: &impl serde::Serialize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    crate::wire::write_line(&mut line, message)?;
    Ok(line)
}
