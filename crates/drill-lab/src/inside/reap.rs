//! Process 1's first duty: every child that ends is reaped, whoever started it.
//!
//! A process started here has a [`Child`] whose end can be waited for or polled; nothing else may call `wait`.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use nix::errno::Errno;
use nix::sys::signal::{self, Signal};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// Starts processes and reaps them.
#[derive(Clone, Default)]
pub(super) struct Reaper {
    shared: Arc<(Mutex<Awaited>, Condvar)>,
}

#[derive(Default)]
struct Awaited {
    notices: HashMap<i32, UnixStream>,
    /// How many processes were ever started: with no child left, only a start can make one.
    starts: u64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Exited(i32),
    Killed(i32),
}

/// A process started by the [`Reaper`], as a process group of its own.
pub(super) struct Child {
    pub(super) pid: Pid,
    /// Readable once the process has ended.
    pub(super) ended: UnixStream,
}

impl Reaper {
    /// Starts a process in a group of its own.
    pub(super) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        use std::os::unix::process::CommandExt;
        let (ended, notice) = UnixStream::pair()?;
        // Held over the start, so that the child cannot be reaped before it is awaited.
        let mut awaited = self.lock();
        let child = command.process_group(0).spawn()?;
        let pid = Pid::from_raw(child.id().cast_signed());
        awaited.notices.insert(pid.as_raw(), notice);
        awaited.starts += 1;
        self.shared.1.notify_all();
        Ok(Child { pid, ended })
    }

    /// Runs a command to its end; its standard error when it fails.
    pub(super) fn check(&self, command: &mut Command) -> io::Result<Result<(), String>> {
        let (mut messages, stderr) = io::pipe()?;
        let mut child = self.spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr))?;
        // The command holds the writing end, which must not outlive the process.
        command.stderr(Stdio::null());
        let mut text = String::new();
        messages.read_to_string(&mut text)?;
        Ok(match child.wait()? {
            Ended::Exited(0) => Ok(()),
            Ended::Exited(_) | Ended::Killed(_) => Err(text.trim().to_owned()),
        })
    }

    /// Reaps for ever.
    pub(super) fn run(&self) -> ! {
        loop {
            let before = self.lock().starts;
            // Peek first: a failed start is reaped by the standard library itself, under the lock.
            let peeked = waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            let pid = match peeked {
                Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _)) => pid,
                Ok(_) | Err(Errno::EINTR) => continue,
                // No child at all: nothing to reap until one is started.
                Err(_) => {
                    let awaited = self.lock();
                    drop(self.shared.1.wait_while(awaited, |awaited| awaited.starts == before));
                    continue;
                }
            };
            let mut awaited = self.lock();
            let ended = match waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
                Ok(WaitStatus::Exited(_, code)) => Ended::Exited(code),
                Ok(WaitStatus::Signaled(_, signal, _)) => Ended::Killed(signal as i32),
                Ok(_) | Err(_) => continue,
            };
            if let Some(mut notice) = awaited.notices.remove(&pid.as_raw()) {
                let (kind, number) = match ended {
                    Ended::Exited(code) => (b'x', code),
                    Ended::Killed(signal) => (b'k', signal),
                };
                let mut message = vec![kind];
                message.extend(number.to_le_bytes());
                // Whoever asked may have hung up; then nobody wants to know.
                drop(notice.write_all(&message));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Awaited> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Child {
    /// Waits for the end.
    pub(super) fn wait(&mut self) -> io::Result<Ended> {
        let mut message = [0; 5];
        self.ended.read_exact(&mut message)?;
        let [kind, number @ ..] = message;
        let number = i32::from_le_bytes(number);
        Ok(if kind == b'x' { Ended::Exited(number) } else { Ended::Killed(number) })
    }

    /// Signals the whole process group. A group that is gone is left alone.
    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<()> {
        match signal::killpg(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
