//! The part of the lab that runs inside namespaces: the switch, every host's first process, and its services.
//!
//! Each part is this same program started again under a hidden word, so a lab is one file with nothing to install.
//! The switch is process 1 of a namespace that holds all others: when it dies, and it dies with the lab, the kernel
//! kills everything. Next: `switch`, then `init`.

mod agent;
mod init;
mod network;
mod reap;
mod seal;
mod service;
mod supervise;
mod switch;

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sched::CloneFlags;

pub(crate) use service::SERVICE_PROGRAM;

/// Hidden first arguments.
pub(crate) const SWITCH: &str = "lab-switch";
const SWITCH_INIT: &str = "lab-switch-init";
const HOST: &str = "lab-host";
const HOST_INIT: &str = "lab-host-init";

/// Becomes the part of a lab that this process was started as; returns only when it was started as none.
///
/// Every program that raises a lab calls this first in `main`, because the lab starts that same program again for
/// its parts.
pub fn enter() {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rest: Vec<OsString> = arguments.collect();
    if let Some(code) = part(&name, &rest) {
        std::process::exit(code);
    }
}

fn part(name: &str, rest: &[OsString]) -> Option<i32> {
    if name == SERVICE_PROGRAM {
        return Some(service::main(rest));
    }
    if let Some(demo) = crate::orders::Demo::by_name(name) {
        return Some(answer(name, demo.main()));
    }
    let part = rest.first()?.to_str()?;
    let lab = rest.get(1).map(|lab| lab.to_string_lossy().into_owned());
    let path = rest.get(2).map(PathBuf::from);
    let (lab, path) = match part {
        SWITCH | SWITCH_INIT | HOST | HOST_INIT => (lab?, path?),
        _ => return None,
    };
    Some(answer(
        part,
        match part {
            SWITCH => switch::unshare().and_then(|()| descend(SWITCH_INIT, &lab, &path)),
            SWITCH_INIT => switch::main(&path),
            HOST => init::unshare(&path).and_then(|()| descend(HOST_INIT, &lab, &path)),
            _ => init::main(&path),
        },
    ))
}

fn answer(part: &str, ended: Result<i32, InsideError>) -> i32 {
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{part}: {}", chain(&error));
            1
        }
    }
}

/// Starts the first process of the new PID namespace and waits for it. This process must stay single-threaded:
/// the kernel lets it have no threads once its children live in another PID namespace.
fn descend(part: &str, lab: &str, path: &Path) -> Result<i32, InsideError> {
    let program = std::env::current_exe().map_err(doing("find this program's own file"))?;
    let mut command = Command::new(program);
    // Naming a group, our own, makes the standard library fork: before Linux 6.1 a vforked child does not enter the
    // new time namespace.
    command.arg(part).arg(lab).arg(path).gid(nix::unistd::getegid().as_raw());
    let mut child = command.spawn().map_err(doing(part))?;
    let mut out = std::io::stdout();
    writeln!(out, "pid {}", child.id()).and_then(|()| out.flush()).map_err(doing("report the first process"))?;
    let ended = child.wait().map_err(doing("wait for the first process"))?;
    Ok(ended.code().unwrap_or(1))
}

/// Dies with the parent. Also fatal when the parent is already gone is the closed standard input, which the switch
/// watches.
fn die_with_parent() -> Result<(), InsideError> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).map_err(calling("die with the parent"))
}

/// The namespaces of a host, all but the user namespace, which belongs to the whole lab.
const SEALED: CloneFlags = CloneFlags::CLONE_NEWNS
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWPID)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWIPC)
    .union(CloneFlags::CLONE_NEWCGROUP);

/// A time namespace, which only `unshare` can make and which a kernel may lack.
const OWN_TIME: CloneFlags = CloneFlags::from_bits_retain(0x80);

/// What a part of the lab could not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InsideError {
    #[error("could not {what}")]
    Io {
        what: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` was refused: {stderr}")]
    Tool { command: String, stderr: String },
    #[error("{0}")]
    Refused(String),
}

pub(crate) fn doing(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> InsideError {
    let what = what.into();
    move |source| InsideError::Io { what, source }
}

fn calling(what: impl Into<String>) -> impl FnOnce(nix::errno::Errno) -> InsideError {
    let what = what.into();
    move |errno| InsideError::Io { what, source: errno.into() }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
