//! The host's agent: runs documents as the SSM agent does, and commands for people.
//!
//! A script gets a process group of its own and is killed as a group with SIGKILL, on time-out and on cancel alike:
//! what must survive that must have left the group. Output is cut where the SSM agent cuts it.

use std::fs;
use std::io::{self, BufReader, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use super::reap::{Child, Ended, Reaper};
use super::supervise::{Supervisor, search_path};
use crate::wire::{AgentOutcome, AgentStatus, Document, HostBoot, HostReply, HostRequest, read_line, write_line};

/// What the SSM agent keeps of standard output and standard error.
const STDOUT_LIMIT: usize = 24_000;
const STDERR_LIMIT: usize = 8_000;

/// Chunks of output read in one go: more than a pipe holds, so nothing said before the end is lost, and few enough that
/// a script that never stops talking is still killed in time.
const PIPE_CHUNKS: usize = 32;

/// Run at every start of the host, when it is there and executable: what a one-shot boot unit would be.
const BOOT_SCRIPT: &str = "/etc/rc.local";

/// What process 1 knows of its host.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) boot: HostBoot,
    pub(super) reaper: Reaper,
    pub(super) supervisor: Supervisor,
}

/// Who is asking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// The lab, through the socket that only it can reach.
    Agent,
    /// A process of the host, which may only ask about services.
    Inside,
}

/// Serves for ever.
pub(super) fn serve(listener: UnixListener, host: &Host, caller: Caller) {
    for connection in listener.incoming() {
        match connection {
            Ok(connection) => {
                let host = host.clone();
                std::thread::spawn(move || {
                    if let Err(error) = host.answer(connection, caller) {
                        eprintln!("agent: a request was not answered: {error}");
                    }
                });
            }
            Err(error) => eprintln!("agent: could not accept a connection: {error}"),
        }
    }
}

/// Runs the boot script to its end.
pub(super) fn run_boot_scripts(boot: &HostBoot, reaper: &Reaper) {
    if fs::metadata(BOOT_SCRIPT).is_ok_and(|file| file.permissions().mode() & 0o100 != 0) {
        let mut command = Command::new(BOOT_SCRIPT);
        environment(&mut command, boot);
        match reaper.check(&mut command) {
            Ok(Ok(())) => {}
            Ok(Err(stderr)) => eprintln!("{BOOT_SCRIPT}: {stderr}"),
            Err(error) => eprintln!("{BOOT_SCRIPT} could not be run: {error}"),
        }
    }
}

fn environment(command: &mut Command, boot: &HostBoot) {
    command.env_clear().env("PATH", search_path()).env("HOME", "/root").env("LANG", "C.UTF-8").current_dir("/");
    command.env("AWS_SSM_INSTANCE_ID", &boot.instance_id).env("DRILL_LAB", &boot.lab);
}

impl Host {
    fn answer(&self, connection: UnixStream, caller: Caller) -> io::Result<()> {
        let mut from = BufReader::new(&connection);
        let Some(request) = read_line::<HostRequest>(&mut from)? else { return Ok(()) };
        match request {
            HostRequest::Service { name, action } => write_line(&connection, &self.supervisor.act(&name, action)),
            HostRequest::Document(document) if caller == Caller::Agent => {
                let folder = self.orchestration();
                let ended = self.document(&document, &folder).and_then(|mut command| {
                    Running::start(&self.reaper, &mut command, Some(document.timeout))?.watch(from, None)
                });
                drop(fs::remove_dir_all(&folder));
                write_line(&connection, &HostReply::Ended(ended.unwrap_or_else(not_started)))
            }
            HostRequest::Command { argv } if caller == Caller::Agent => {
                let ended = self.command(&argv).and_then(|mut command| {
                    Running::start(&self.reaper, &mut command, None)?.watch(from, Some(&connection))
                });
                write_line(&connection, &HostReply::Ended(ended.unwrap_or_else(not_started)))
            }
            HostRequest::Document(_) | HostRequest::Command { .. } | HostRequest::Cancel => {
                write_line(&connection, &HostReply::Refused("a process of the host may not ask this".to_owned()))
            }
        }
    }

    fn orchestration(&self) -> PathBuf {
        static COMMANDS: AtomicU64 = AtomicU64::new(0);
        let command = COMMANDS.fetch_add(1, Ordering::Relaxed);
        Path::new("/var/lib/amazon/ssm")
            .join(&self.boot.instance_id)
            .join("document/orchestration")
            .join(command.to_string())
    }

    /// The SSM agent's way: the script in a file that must be executable, run by `sh -c`.
    fn document(&self, document: &Document, folder: &Path) -> io::Result<Command> {
        let folder = folder.join("awsrunShellScript/0.awsrunShellScript");
        fs::create_dir_all(&folder)?;
        let script = folder.join("_script.sh");
        fs::write(&script, &document.script)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(&script);
        environment(&mut command, &self.boot);
        command.current_dir(folder).envs(document.environment.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    fn command(&self, argv: &[String]) -> io::Result<Command> {
        let missing = || io::Error::new(io::ErrorKind::InvalidInput, "a command is needed");
        let (program, arguments) = argv.split_first().ok_or_else(missing)?;
        let mut command = Command::new(program);
        command.args(arguments);
        environment(&mut command, &self.boot);
        Ok(command)
    }
}

fn not_started(error: io::Error) -> AgentOutcome {
    let stderr = format!("could not be started on the host: {error}");
    AgentOutcome { exit_code: None, status: AgentStatus::Failed, stdout: String::new(), stderr }
}

/// A started command and what it has said so far.
struct Running {
    child: Child,
    outputs: [Output; 2],
    kill_at: Option<Instant>,
    /// Why it was killed by us.
    killed: Option<AgentStatus>,
}

struct Output {
    pipe: Option<PipeReader>,
    kept: Vec<u8>,
    limit: usize,
    error: bool,
}

impl Running {
    fn start(reaper: &Reaper, command: &mut Command, timeout: Option<Duration>) -> io::Result<Running> {
        let (stdout, out) = io::pipe()?;
        let (stderr, error) = io::pipe()?;
        let child = reaper.spawn(command.stdin(Stdio::null()).stdout(out).stderr(error))?;
        // The command holds the writing ends; they must not outlive the process.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        for pipe in [&stdout, &stderr] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let outputs = [
            Output { pipe: Some(stdout), kept: Vec::new(), limit: STDOUT_LIMIT, error: false },
            Output { pipe: Some(stderr), kept: Vec::new(), limit: STDERR_LIMIT, error: true },
        ];
        Ok(Running { child, outputs, kill_at: timeout.map(|timeout| crate::clock::instant() + timeout), killed: None })
    }

    /// Until the first process ends. What it left running with its output open is not waited for, as the SSM agent
    /// does not.
    fn watch(mut self, mut from: BufReader<&UnixStream>, stream: Option<&UnixStream>) -> io::Result<AgentOutcome> {
        let mut listening = true;
        loop {
            let caller = *from.get_ref();
            let mut fds = vec![PollFd::new(self.child.ended.as_fd(), PollFlags::POLLIN)];
            if listening {
                fds.push(PollFd::new(caller.as_fd(), PollFlags::POLLIN));
            }
            for output in &self.outputs {
                if let Some(pipe) = &output.pipe {
                    fds.push(PollFd::new(pipe.as_fd(), PollFlags::POLLIN));
                }
            }
            match poll(&mut fds, self.patience()) {
                Ok(_) | Err(nix::errno::Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
            let ready = |fd: &PollFd<'_>| fd.any().unwrap_or(false);
            let ended = fds.first().is_some_and(ready);
            let spoken = listening && (fds.get(1).is_some_and(ready) || !from.buffer().is_empty());
            drop(fds);
            let read = self.outputs.iter_mut().try_for_each(|output| output.read(stream));
            if let Err(error) = read {
                self.kill(AgentStatus::Cancelled)?;
                return Err(error);
            }
            if ended {
                return self.outcome();
            }
            if spoken {
                // Cancelled, or nobody is left to tell.
                drop(read_line::<HostRequest>(&mut from));
                listening = false;
                self.kill(AgentStatus::Cancelled)?;
            }
            if self.kill_at.is_some_and(|kill_at| kill_at <= crate::clock::instant()) {
                self.kill_at = None;
                self.kill(AgentStatus::TimedOut)?;
            }
        }
    }

    fn patience(&self) -> PollTimeout {
        let Some(kill_at) = self.kill_at else { return PollTimeout::NONE };
        let left = kill_at.saturating_duration_since(crate::clock::instant()).as_millis() + 1;
        PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)
    }

    fn kill(&mut self, status: AgentStatus) -> io::Result<()> {
        self.killed.get_or_insert(status);
        self.child.signal_group(Signal::SIGKILL)
    }

    fn outcome(mut self) -> io::Result<AgentOutcome> {
        let exit_code = match self.child.wait()? {
            Ended::Exited(code) => Some(code),
            Ended::Killed(_) => None,
        };
        let status = match (self.killed, exit_code) {
            (Some(status), _) => status,
            (None, Some(0)) => AgentStatus::Success,
            (None, Some(_) | None) => AgentStatus::Failed,
        };
        let [stdout, stderr] = self.outputs.map(|output| String::from_utf8_lossy(&output.kept).into_owned());
        Ok(AgentOutcome { exit_code, status, stdout, stderr })
    }
}

impl Output {
    /// Everything there is by now, or one pipe's worth: kept up to the limit, or passed on. The rest is thrown away.
    fn read(&mut self, stream: Option<&UnixStream>) -> io::Result<()> {
        let mut chunk = [0; 8192];
        for _ in 0..PIPE_CHUNKS {
            let Some(pipe) = &mut self.pipe else { break };
            match pipe.read(&mut chunk) {
                Ok(0) => self.pipe = None,
                Ok(read) => {
                    let said = chunk.get(..read).unwrap_or_default();
                    match stream {
                        Some(stream) => {
                            let text = String::from_utf8_lossy(said).into_owned();
                            write_line(stream, &HostReply::Output { error: self.error, text })?;
                        }
                        None => self.kept.extend(said.iter().take(self.limit - self.kept.len())),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
