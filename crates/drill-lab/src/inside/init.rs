//! Process 1 of a host: seals it, joins it to the network, keeps its services running and answers its agent's socket.
//!
//! A host holds only the capabilities that a fault may need; none of them reaches past its namespaces.
//! Next: `supervise` runs the services, `agent` the documents.

use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use drill_shop::Program;
use nix::errno::Errno;
use nix::sched::unshare as unshare_namespaces;
use nix::sys::resource::{Resource, setrlimit};
use nix::time::{ClockId, clock_gettime};

use super::part::{OWN_TIME, SEALED, die_with_parent};
use super::reap::Reaper;
use super::supervise::Supervisor;
use super::{agent, network, seal, service};
use crate::error::{InsideError, calling, doing};
use crate::wire::HostBoot;

/// What the root of a host may do: its own files, processes, addresses and packets. Not the machine's clock, modules,
/// devices, log, mounts or kernel.
const CAPABILITIES: [Capability; 15] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
    Capability::CAP_IPC_LOCK,
    Capability::CAP_KILL,
    Capability::CAP_NET_ADMIN,
    Capability::CAP_NET_BIND_SERVICE,
    Capability::CAP_NET_RAW,
    Capability::CAP_SETGID,
    Capability::CAP_SETPCAP,
    Capability::CAP_SETUID,
    Capability::CAP_SYS_CHROOT,
    Capability::CAP_SYS_NICE,
    Capability::CAP_SYS_PTRACE,
];

/// Enters the host's bounds, then its namespaces.
pub(super) fn unshare(order: &Path) -> Result<(), InsideError> {
    let boot = read(order)?;
    for folder in boot.cgroups.values() {
        let procs = folder.join("cgroup.procs");
        fs::write(&procs, "0").map_err(doing(format!("enter the bounds of {}", procs.display())))?;
    }
    match unshare_namespaces(SEALED | OWN_TIME) {
        Ok(()) => start_clocks(),
        // Without time namespaces a host shows the machine's boot as its own, and a reboot cannot be seen.
        Err(Errno::EINVAL) => unshare_namespaces(SEALED).map_err(calling("make the host's namespaces")),
        Err(errno) => Err(calling("make the host's namespaces")(errno)),
    }
}

/// Lets the host's clocks start at its start, so that `/proc/uptime` and the boot time in `/proc/stat` are its own.
fn start_clocks() -> Result<(), InsideError> {
    let back = |name: &str, clock: ClockId| {
        let now = clock_gettime(clock)?;
        // Offsets are whole seconds, which may be negative, and nanoseconds, which may not.
        let (seconds, nanos) = match now.tv_nsec() {
            0 => (-now.tv_sec(), 0),
            nanos => (-now.tv_sec() - 1, 1_000_000_000 - nanos),
        };
        Ok::<_, Errno>(format!("{name} {seconds} {nanos}\n"))
    };
    let monotonic = back("monotonic", ClockId::CLOCK_MONOTONIC).map_err(calling("read the machine's clock"))?;
    let boot = back("boottime", ClockId::CLOCK_BOOTTIME).map_err(calling("read the machine's clock"))?;
    fs::write("/proc/self/timens_offsets", monotonic + &boot).map_err(doing("start the host's clocks"))
}

/// Runs the host that `order` describes, with `demos` among its programs.
pub(super) fn main(order: &Path, demos: &[Program]) -> Result<i32, InsideError> {
    die_with_parent()?;
    let boot = read(order)?;
    // 1, not 0: a core pattern that is a pipe to a program of the machine ignores 0.
    setrlimit(Resource::RLIMIT_CORE, 1, 1).map_err(calling("forbid core dumps"))?;
    let outside = listen(&boot.folder.join("agent.sock"))?;
    seal::seal(&boot, demos)?;
    give_up_privileges()?;
    let inside = listen(Path::new(service::SOCKET))?;
    let reaper = Reaper::default();
    let reaping = reaper.clone();
    std::thread::spawn(move || reaping.run());
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(doing("wait for the network"))?;
    network::settle(&reaper, boot.address)?;
    let supervisor = Supervisor::start(&boot, &reaper);
    agent::run_boot_scripts(&boot, &reaper);
    let host = agent::Host { boot, reaper, supervisor };
    let within = host.clone();
    std::thread::spawn(move || agent::serve(inside, &within, agent::Caller::Inside));
    let mut out = std::io::stdout();
    writeln!(out, "up").and_then(|()| out.flush()).map_err(doing("report that the host is up"))?;
    agent::serve(outside, &host, agent::Caller::Agent);
    Ok(1)
}

fn read(order: &Path) -> Result<HostBoot, InsideError> {
    let text = fs::read(order).map_err(doing(format!("read {}", order.display())))?;
    serde_json::from_slice(&text).map_err(|error| InsideError::Refused(format!("{}: {error}", order.display())))
}

fn listen(socket: &Path) -> Result<UnixListener, InsideError> {
    let listening = match fs::remove_file(socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => crate::wire::short_path(socket, |path| UnixListener::bind(path)),
    };
    listening.map_err(doing(format!("listen on {}", socket.display())))
}

/// For good: out of the bounding set, so that no program can bring one back.
fn give_up_privileges() -> Result<(), InsideError> {
    let refused = |error: caps::errors::CapsError| InsideError::Refused(format!("could not drop privileges: {error}"));
    let kept: CapsHashSet = CAPABILITIES.into_iter().collect();
    for capability in caps::runtime::thread_all_supported().difference(&kept) {
        if caps::has_cap(None, CapSet::Bounding, *capability).map_err(refused)? {
            caps::drop(None, CapSet::Bounding, *capability).map_err(refused)?;
        }
    }
    let held = caps::read(None, CapSet::Permitted).map_err(refused)?;
    let kept: CapsHashSet = held.intersection(&kept).copied().collect();
    caps::set(None, CapSet::Effective, &kept).map_err(refused)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(refused)?;
    caps::clear(None, CapSet::Inheritable).map_err(refused)
}
