//! A host of namespaces: its own processes, mounts and network, and a peer to talk to. It dies with its trial.
//!
//! Nothing that happens in it reaches the machine: the state folder and /run are its own, and so is every packet.

use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, io};

use crate::groups::{memory_group, new_group, remove_groups, unified};
use crate::order::{Answer, Order};
use crate::{Missing, clock, have};

/// The address of the host and of its peer, on `eth0`.
pub const HOST: &str = "10.77.0.1";
pub const PEER: &str = "10.77.0.2";

/// What the ring calls from a host, and what the documents need on one.
const PROGRAMS: [&str; 12] = [
    "unshare",
    "nsenter",
    "ip",
    "tc",
    "iptables",
    "ip6tables",
    "iptables-save",
    "nft",
    "stress-ng",
    "flock",
    "ping",
    "bash",
];

const BOOT: &str = r#"
set -eu
mkdir -p /var/lib/stormdrill
mount -t tmpfs -o size=200m,mode=700 ring /var/lib/stormdrill
mount -t tmpfs -o size=8m ring /run
# What anybody writes to /etc lands in a folder that can be listed.
mkdir /run/etc /run/etc.work
mount -t overlay -o lowerdir=/etc,upperdir=/run/etc,workdir=/run/etc.work ring /etc
ip link set lo up
ip netns add peer
ip link add eth0 type veth peer name eth0 netns peer
ip addr add 10.77.0.1/24 dev eth0
ip link set eth0 up
ip -n peer addr add 10.77.0.2/24 dev eth0
ip -n peer link set eth0 up
ip -n peer link set lo up
# Somebody's own rules, which must stay; the first rule also creates the tables, which nothing removes again.
iptables -A INPUT -s 192.0.2.1 -j DROP
ip6tables -A INPUT -s 2001:db8::1 -j DROP
echo ready
read -r _ || exit 0
"#;

const SYSTEMD: &str = include_str!("systemd.sh");

const STATE: &str = r"
for table in iptables ip6tables; do $table-save | grep -v '^#' | sed 's/ \[[0-9:]*\]//'; done
tc qdisc show
ip rule
ip -o link | cut -d' ' -f2
find /var/lib/stormdrill -mindepth 2 ! -path '*/tombstones/*' | sort
find /run/etc -mindepth 1 -printf '%P %s %m\n' | sort
[ ! -d /run/systemd/system ] || systemctl list-units --all --plain --no-legend 'stormdrill-*'
[ ! -d /run/systemd/system ] || systemctl --failed --plain --no-legend
";

/// Why there can be no host of namespaces here.
pub fn missing() -> Missing {
    if let Some(program) = PROGRAMS.iter().find(|program| !have(program)) {
        return Some(format!("{program} is not installed (tests/host/packages.txt)"));
    }
    match Sandbox::boot(None) {
        Ok(_) => None,
        Err(error) => Some(format!("{error}: run as root, on a kernel with namespaces and iptables")),
    }
}

/// Why there can be no host here whose process 1 is systemd.
pub fn missing_systemd() -> Missing {
    if let Some(program) = ["systemd-run", "systemctl", "setpriv"].iter().find(|program| !have(program)) {
        return Some(format!("{program} is not installed (tests/host/packages.txt)"));
    }
    if !Path::new("/lib/systemd/systemd").exists() {
        return Some("systemd is not installed (tests/host/packages.txt)".to_owned());
    }
    match Sandbox::boot_systemd() {
        Ok(_) => None,
        Err(error) => Some(format!("{error}: run as root, with control groups of version 2")),
    }
}

/// A host. Dropping it ends everything in it.
pub struct Sandbox {
    unshare: Child,
    /// Process 1 of the host blocks on this; when it closes, the host ends. Systemd is killed instead.
    stdin: Option<ChildStdin>,
    init: u32,
    /// A folder of the machine that the host sees at the same path: scripts, shims, marks.
    pub folder: PathBuf,
    group: Option<PathBuf>,
    /// The control groups of a host with systemd.
    tree: Option<PathBuf>,
    orders: AtomicU32,
}

impl Sandbox {
    pub fn new() -> Self {
        Self::boot(None).unwrap()
    }

    /// A host whose processes may use this much memory; `None` where no group can bound it.
    pub fn bounded(bytes: u64) -> Option<Self> {
        let group = memory_group(bytes)?;
        Some(Self::boot(Some(group)).unwrap())
    }

    fn boot(group: Option<PathBuf>) -> io::Result<Self> {
        let mut unshare = Command::new("unshare");
        unshare.args(["-n", "-m", "-p", "-f", "--mount-proc", "--kill-child", "bash", "-c", BOOT]);
        Self::begin(unshare, Stdio::piped(), group, None)
    }

    /// A host whose process 1 is the machine's own systemd.
    pub fn systemd() -> Self {
        Self::boot_systemd().unwrap()
    }

    fn boot_systemd() -> io::Result<Self> {
        let tree = new_group(&unified().ok_or_else(|| io::Error::other("no control groups of version 2"))?)?;
        let mut unshare = Command::new("sh");
        // A ring that dies takes its hosts along: nobody else ends a systemd.
        unshare.args(["-c", "echo $$ >\"$0/cgroup.procs\" && exec setpriv --pdeathsig KILL unshare \"$@\""]).arg(&tree);
        unshare.args(["-n", "-m", "-p", "-u", "-i", "-C", "-f", "--mount-proc", "--kill-child", "bash", "-c", SYSTEMD]);
        let host = Self::begin(unshare, Stdio::null(), None, Some(tree))?;
        // Not only up: at rest, with nothing in its queue.
        if clock::eventually(Duration::from_secs(30), || host.root("run/ring/up").exists()) {
            Ok(host)
        } else {
            Err(io::Error::other("systemd did not come up"))
        }
    }

    fn begin(mut unshare: Command, stdin: Stdio, group: Option<PathBuf>, tree: Option<PathBuf>) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("stormdrill-ring-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("bin"))?;
        fs::create_dir_all(folder.join("shims"))?;
        let mut unshare = unshare.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdin = unshare.stdin.take();
        let mut stdout = io::BufReader::new(unshare.stdout.take().unwrap());
        let mut line = String::new();
        io::BufRead::read_line(&mut stdout, &mut line)?;
        if line != "ready\n" {
            let mut said = String::new();
            io::Read::read_to_string(&mut unshare.stderr.take().unwrap(), &mut said)?;
            unshare.wait()?;
            fs::remove_dir_all(&folder)?;
            return Err(io::Error::other(said.trim().replace('\n', "; ")));
        }
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", unshare.id()))?;
        let init = children.trim().parse().map_err(io::Error::other)?;
        Ok(Self { unshare, stdin, init, folder, group, tree, orders: AtomicU32::new(0) })
    }

    /// A command that runs inside.
    pub fn command(&self, program: &str) -> Command {
        let enter = ["-t", &self.init.to_string(), "-n", "-m", "-p", "--", program].map(str::to_owned);
        match &self.group {
            None => {
                let mut command = Command::new("nsenter");
                command.args(enter);
                command
            }
            Some(group) => {
                let mut command = Command::new("sh");
                command.args(["-c", "echo $$ >\"$0/cgroup.procs\" && exec nsenter \"$@\""]).arg(group).args(enter);
                command
            }
        }
    }

    /// Runs a piece of shell inside and gives what it printed, whatever its status.
    pub fn shell(&self, script: &str) -> Output {
        self.command("sh").args(["-c", script]).stdin(Stdio::null()).output().unwrap()
    }

    /// The same, as text.
    pub fn text(&self, script: &str) -> String {
        String::from_utf8(self.shell(script).stdout).unwrap()
    }

    /// True when the piece of shell succeeds inside.
    pub fn holds(&self, script: &str) -> bool {
        self.shell(script).status.success()
    }

    /// True when process 1 is systemd.
    pub fn has_systemd(&self) -> bool {
        self.tree.is_some()
    }

    /// Writes a file of the host.
    pub fn write(&self, path: &str, text: &str) {
        fs::write(self.root(path), text).unwrap();
    }

    /// Starts two processes of that name, which do nothing.
    pub fn victims(&self, name: &str) {
        let program = self.folder.join(name);
        fs::copy("/bin/sleep", &program).unwrap();
        let program = program.display();
        assert!(self.holds(&format!("for _ in 1 2; do setsid {program} 1000 </dev/null >/dev/null 2>&1 & done")));
        assert!(clock::eventually(Duration::from_secs(5), || self.states(&name[..name.len().min(15)]).len() == 2));
    }

    /// The state letters of the processes of that name, as the kernel shows them.
    pub fn states(&self, name: &str) -> String {
        self.processes().into_iter().filter(|process| process.name == name).map(|process| process.state).collect()
    }

    /// What runs in the host, seen from outside.
    pub fn processes(&self) -> Vec<Process> {
        let entries = fs::read_dir(self.root("proc")).unwrap();
        entries.filter_map(|entry| Process::read(&entry.unwrap().path())).collect()
    }

    /// A path of the host, seen from outside.
    pub fn root(&self, path: &str) -> PathBuf {
        Path::new("/proc").join(self.init.to_string()).join("root").join(path)
    }

    /// The units that have a folder.
    pub fn units(&self) -> Vec<PathBuf> {
        // Nothing has been started where there is no such folder yet.
        let Ok(entries) = fs::read_dir(self.root("var/lib/stormdrill/units")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Runs an order to its end, as the agent does.
    pub fn order(&self, order: &Order) -> Answer {
        let child = self.start(order);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer::read(output.status.code(), &text(output.stdout), &text(output.stderr))
    }

    /// Starts an order.
    pub fn start(&self, order: &Order) -> Child {
        self.start_with(order, &[], Stdio::piped)
    }

    /// Starts an order in a process group of its own, from a script file, with the agent's variables and these.
    pub fn start_with(&self, order: &Order, more: &[(&str, &str)], output: fn() -> Stdio) -> Child {
        let number = self.orders.fetch_add(1, Ordering::Relaxed);
        let script = self.folder.join(format!("_script-{number}.sh"));
        fs::write(&script, &drill_documents::document(order.document).unwrap().script).unwrap();
        let mut command = self.command("sh");
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .arg(&script)
            .env_clear()
            .env("PATH", format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.folder.join("bin").display()))
            .envs(order.environment())
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .stdout(output())
            .stderr(output())
            .spawn()
            .unwrap()
    }

    /// Everything that a document could leave behind, without the counters that mere traffic moves.
    pub fn state(&self) -> String {
        // Until it is the program that it was started for, systemd calls a process of its own `(name)`.
        clock::eventually(Duration::from_secs(5), || !self.processes().iter().any(|one| one.line.starts_with('(')));
        let mut processes: Vec<_> = self.processes().into_iter().map(|process| process.line).collect();
        // One that is just being made has no command line yet; a holder looks at its fault every second.
        processes.retain(|line| {
            !line.is_empty()
                && ![
                    "iptables ",
                    "ip6tables ",
                    "iptables-restore ",
                    "awk ",
                    "cksum",
                    "getent ",
                    "timeout ",
                    "sort ",
                    "tr ",
                    "ls ",
                    "cat ",
                    "sed ",
                    "grep ",
                    "du ",
                    "cut ",
                    "sleep 1",
                    "sleep 0.2",
                    "nsenter",
                    "bash -c",
                    "setsid",
                ]
                .iter()
                .any(|passing| line.starts_with(passing))
        });
        processes.sort();
        // A shell that waits in a subshell is still one shell.
        processes.dedup();
        format!("{}{}\n", self.text(STATE), processes.join("\n"))
    }

    /// Puts a program into the host's PATH.
    pub fn install(&self, name: &str, script: &str) {
        self.install_in("bin", name, script);
    }

    /// Puts a program into one of the host's folders.
    pub fn install_in(&self, folder: &str, name: &str, script: &str) {
        let path = self.folder.join(folder).join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Polls until the state is this again: cheaply while a unit is there, and then the whole of it.
    #[track_caller]
    pub fn must_become(&self, state: &str, within: Duration) {
        clock::eventually(within, || self.units().is_empty());
        if !clock::eventually(Duration::from_secs(10), || self.state() == state) {
            assert_eq!(self.state(), state);
        }
    }
}

/// A process of a host.
pub struct Process {
    pub name: String,
    pub state: char,
    /// Processor time, in ticks.
    pub ticks: u64,
    /// The command line, blank separated.
    pub line: String,
    folder: PathBuf,
}

impl Process {
    /// `None` for what is no process, or none that runs.
    fn read(folder: &Path) -> Option<Self> {
        folder.file_name()?.to_str()?.parse::<u32>().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let state = rest.chars().next()?;
        let ticks = fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?;
        let line = fs::read_to_string(folder.join("cmdline")).ok()?.replace(['\0', '\n'], " ").trim().to_owned();
        (state != 'Z').then(|| Self { name: name.to_owned(), state, ticks, line, folder: folder.to_owned() })
    }

    /// The number after `key` in one of its files of `/proc`; 0 when it has just gone.
    pub fn number(&self, file: &str, key: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let found = text.lines().find_map(|line| line.strip_prefix(key));
        found.and_then(|rest| rest.split_whitespace().next()).map_or(0, |number| number.parse().unwrap())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if self.tree.is_some() {
            self.unshare.kill().unwrap_or_default();
        }
        self.unshare.wait().map(drop).unwrap_or_default();
        fs::remove_dir_all(&self.folder).unwrap_or_default();
        if let Some(tree) = &self.tree {
            clock::eventually(Duration::from_secs(5), || remove_groups(tree).is_ok() || !tree.exists());
        }
        if let Some(group) = &self.group {
            // The kernel needs a moment to see the last process go.
            clock::eventually(Duration::from_secs(5), || fs::remove_dir(group).is_ok() || !group.exists());
        }
    }
}
