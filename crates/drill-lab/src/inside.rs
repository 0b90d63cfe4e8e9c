//! The part of the lab that runs inside namespaces: the switch, every host's first process, and its services.
//!
//! Each part is this same program started again under a hidden word, so a lab is one file with nothing to install.
//! The switch is process 1 of a namespace that holds all others: when it dies, and it dies with the lab, the kernel
//! kills everything. Next: `switch`, then `init`.

mod agent;
mod init;
mod network;
mod part;
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

use drill_shop::Program;

use crate::error::{InsideError, chain, doing};
pub(crate) use part::SWITCH;
use part::{HOST, HOST_INIT, SWITCH_INIT};
use service::SERVICE_PROGRAM;

/// Becomes the part of a lab that this process was started as; returns only when it was started as none.
///
/// Every program that raises a lab calls this first in `main`, because the lab starts that same program again for
/// its parts. `demos` are programs that its hosts can run by name, besides what the machine has.
pub fn enter(demos: &[Program]) {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let rest: Vec<OsString> = arguments.collect();
    if let Some(code) = part(&name, &rest, demos) {
        std::process::exit(code);
    }
}

fn part(name: &str, rest: &[OsString], demos: &[Program]) -> Option<i32> {
    if name == SERVICE_PROGRAM {
        return Some(service::main(rest));
    }
    if let Some(demo) = demos.iter().find(|demo| demo.name == name) {
        return Some(answer(name, (demo.main)().map(|()| 0)));
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
            _ => init::main(&path, demos),
        },
    ))
}

fn answer(part: &str, ended: Result<i32, impl std::error::Error>) -> i32 {
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
