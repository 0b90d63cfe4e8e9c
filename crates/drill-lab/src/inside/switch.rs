//! The switch: process 1 of the lab's namespaces. It owns the bridge and the hosts' disks, and starts and kills hosts.
//!
//! It reads its standard input for ever and dies when that closes, so the end of the lab, however it came, is the end
//! of every process, mount and link of it. Next: a host's `init`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare as unshare_namespaces};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getegid, geteuid};

use super::part::{HOST, die_with_parent};
use super::reap::Reaper;
use super::{network, seal};
use crate::error::{InsideError, calling, chain, doing};
use crate::http;
use crate::wire::{HostBoot, HttpReading, HttpRequest, SwitchReply, SwitchRequest, read_line, write_line};

/// How long the kernel may take to bury a killed host.
const BURIAL: Duration = Duration::from_secs(15);

/// Leaves the machine's namespaces; as somebody else than root, by way of a user namespace in which we are.
pub(super) fn unshare() -> Result<(), InsideError> {
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    let (user, group) = (geteuid(), getegid());
    if user.is_root() {
        return unshare_namespaces(flags).map_err(|errno| {
            InsideError::Refused(format!(
                "root may not create namespaces here ({errno}): the lab needs CAP_SYS_ADMIN and CAP_NET_ADMIN; in a \
                 container, start it with `--privileged` or run the lab outside"
            ))
        });
    }
    unshare_namespaces(flags | CloneFlags::CLONE_NEWUSER).map_err(|errno| {
        InsideError::Refused(format!(
            "user namespaces are forbidden here ({errno}): run the lab as root, or allow them with `sysctl \
             user.max_user_namespaces=10000`, on Debian also `kernel.unprivileged_userns_clone=1`, on Ubuntu also \
             `kernel.apparmor_restrict_unprivileged_userns=0`"
        ))
    })?;
    let mapped = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("0 {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("0 {group} 1")));
    mapped.map_err(doing("become root in a user namespace"))
}

/// Runs the switch in `folder`, the lab's own.
pub(super) fn main(folder: &Path) -> Result<i32, InsideError> {
    die_with_parent()?;
    // A session of its own: no process of the lab may reach the terminal that the lab was started from.
    nix::unistd::setsid().map_err(calling("leave the terminal's session"))?;
    seal::private_mounts()?;
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), quiet, None::<&str>)
        .map_err(calling("mount /proc for the lab's own processes"))?;
    keep_program(folder)?;
    let socket = folder.join("switch.sock");
    let listener = crate::wire::short_path(&socket, |path| UnixListener::bind(path))
        .map_err(doing(format!("listen on {}", socket.display())))?;
    let switch = Switch::default();
    let reaper = switch.reaper.clone();
    std::thread::spawn(move || reaper.run());
    std::thread::spawn(die_with_input);
    network::raise_bridge(&switch.reaper)?;
    let mut out = std::io::stdout();
    writeln!(out, "ready").and_then(|()| out.flush()).map_err(doing("report that the switch is up"))?;
    for connection in listener.incoming() {
        let connection = connection.map_err(doing("accept a connection"))?;
        let switch = switch.clone();
        std::thread::spawn(move || switch.serve(connection));
    }
    Ok(0)
}

/// The lab holds the other end of our standard input and never writes to it.
fn die_with_input() {
    let mut nothing = [0; 64];
    while matches!(std::io::stdin().read(&mut nothing), Ok(read) if read > 0) {}
    std::process::exit(0);
}

/// Holds on to this program's file, which a rebuild may replace while the lab runs.
fn keep_program(folder: &Path) -> Result<(), InsideError> {
    let (program, kept) = (std::env::current_exe(), folder.join("drill-lab"));
    let program = program.map_err(doing("find this program's own file"))?;
    fs::write(&kept, "").map_err(doing(format!("create {}", kept.display())))?;
    mount(Some(&program), &kept, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .map_err(calling("hold on to this program's own file"))
}

#[derive(Clone, Default)]
struct Switch {
    reaper: Reaper,
    hosts: Arc<(Mutex<Hosts>, Condvar)>,
}

#[derive(Default)]
struct Hosts {
    /// The process to kill, by instance id.
    running: BTreeMap<String, Pid>,
    disks: BTreeMap<String, std::path::PathBuf>,
}

impl Switch {
    fn serve(&self, connection: UnixStream) {
        let mut from = BufReader::new(&connection);
        let Ok(Some(request)) = read_line::<SwitchRequest>(&mut from) else { return };
        let reply = match request {
            SwitchRequest::Boot(boot) => done(self.boot(&boot)),
            SwitchRequest::Kill { instance_id } => done(self.kill(&instance_id)),
            SwitchRequest::Discard { instance_id } => done(self.discard(&instance_id)),
            SwitchRequest::List => SwitchReply::Running(self.lock().running.keys().cloned().collect()),
            SwitchRequest::Http(request) => SwitchReply::Http(speak(&request)),
        };
        if let Err(error) = write_line(&connection, &reply) {
            eprintln!("switch: the lab hung up before its answer: {error}");
        }
    }

    fn boot(&self, boot: &HostBoot) -> Result<(), InsideError> {
        if self.lock().running.contains_key(&boot.instance_id) {
            return Err(InsideError::Refused(format!("{} is already running", boot.name)));
        }
        if !self.lock().disks.contains_key(&boot.instance_id) {
            // An inode a page would let a host fill kernel memory that no bound covers.
            let options = format!("size={}m,nr_inodes=16k,mode=0755", boot.size.disk_mib);
            seal::tmpfs(&boot.disk(), &options, MsFlags::empty())?;
            self.lock().disks.insert(boot.instance_id.clone(), boot.disk());
        }
        let order = boot.folder.join("boot.json");
        let text = serde_json::to_vec(boot).map_err(|error| InsideError::Refused(error.to_string()))?;
        fs::write(&order, text).map_err(doing(format!("write {}", order.display())))?;
        let console = fs::File::create(boot.folder.join("console.log")).map_err(doing("open the host's console"))?;
        let (input, to_host) = std::io::pipe().map_err(doing("make a pipe"))?;
        let (from_host, output) = std::io::pipe().map_err(doing("make a pipe"))?;
        let mut command = Command::new(&boot.program);
        command.arg(HOST).arg(&boot.lab).arg(&order).stdin(input).stdout(output).stderr(console);
        let mut child = self.reaper.spawn(&mut command).map_err(doing(format!("start {}", boot.name)))?;
        drop(command);
        self.lock().running.insert(boot.instance_id.clone(), child.pid);
        let (switch, instance_id, link) = (self.clone(), boot.instance_id.clone(), boot.link.clone());
        std::thread::spawn(move || {
            let ended = child.wait();
            network::cut(&switch.reaper, &link);
            switch.lock().running.remove(&instance_id);
            switch.hosts.1.notify_all();
            drop(ended);
        });
        self.bring_up(boot, BufReader::new(from_host), to_host).inspect_err(|_| drop(self.kill(&boot.instance_id)))
    }

    /// The talk with a starting host: it names its first process, gets its link, and says that it is up.
    fn bring_up(&self, boot: &HostBoot, mut from: impl BufRead, mut to: impl Write) -> Result<(), InsideError> {
        let pid = word(&mut from, "pid ", boot)?.parse().map_err(|_| broken(boot))?;
        if let Some(running) = self.lock().running.get_mut(&boot.instance_id) {
            *running = Pid::from_raw(pid);
        }
        network::wire(&self.reaper, &boot.link, pid.cast_unsigned())?;
        writeln!(to, "wired").map_err(|_| broken(boot))?;
        word(&mut from, "up", boot).map(drop)
    }

    fn kill(&self, instance_id: &str) -> Result<(), InsideError> {
        let hosts = self.lock();
        let Some(pid) = hosts.running.get(instance_id) else { return Ok(()) };
        // The first process of a PID namespace: the kernel kills all others with it.
        match kill(*pid, Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(errno) => return Err(calling(format!("kill {instance_id}"))(errno)),
        }
        let alive = |hosts: &mut Hosts| hosts.running.contains_key(instance_id);
        let (_hosts, waited) =
            self.hosts.1.wait_timeout_while(hosts, BURIAL, alive).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(InsideError::Refused(format!("{instance_id} is still running after SIGKILL")));
        }
        Ok(())
    }

    fn discard(&self, instance_id: &str) -> Result<(), InsideError> {
        self.kill(instance_id)?;
        if let Some(disk) = self.lock().disks.remove(instance_id) {
            umount2(&disk, MntFlags::MNT_DETACH).map_err(calling(format!("let go of {}", disk.display())))?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Hosts> {
        self.hosts.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The next line of a starting host, which begins with `word`.
fn word(from: &mut impl BufRead, word: &str, boot: &HostBoot) -> Result<String, InsideError> {
    let mut line = String::new();
    from.read_line(&mut line).map_err(|_| broken(boot))?;
    Ok(line.trim().strip_prefix(word).ok_or_else(|| broken(boot))?.to_owned())
}

/// Why a host did not come up: what it said on its console.
fn broken(boot: &HostBoot) -> InsideError {
    let console = fs::read_to_string(boot.folder.join("console.log")).unwrap_or_default();
    InsideError::Refused(format!("{} did not start: {}", boot.name, console.trim()))
}

fn done(ended: Result<(), InsideError>) -> SwitchReply {
    match ended {
        Ok(()) => SwitchReply::Done,
        Err(error) => SwitchReply::Refused(chain(&error)),
    }
}

fn speak(request: &HttpRequest) -> Result<HttpReading, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(http::read(request)).map_err(|fault| fault.to_string())
}
