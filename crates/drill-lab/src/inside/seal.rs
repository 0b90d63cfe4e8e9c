//! A host's own file system: a small disk in memory, the machine's programs read-only, and nothing else of the machine.
//!
//! What is not listed here does not exist in a host: no home, no checkout, no `/run`, no systemd, no D-Bus, no device
//! that does anything. Next: `init` starts what runs on it.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use drill_shop::Program;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{chdir, pivot_root, sethostname};

use super::service::SERVICE_PROGRAM;
use crate::error::{InsideError, calling, doing};
use crate::wire::HostBoot;

/// Where a host finds the demo's programs and its own `service`.
pub(super) const PROGRAMS: &str = "/opt/lab/bin";

/// The machine's programs, read-only. What is a link on the machine is the same link in a host.
const READ_ONLY: [&str; 8] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix"];

/// What programs want to find in `/etc`, copied at the first start; the rest of `/etc` stays out.
const ETC: [&str; 17] = [
    "alternatives",
    "bash.bashrc",
    "debian_version",
    "gai.conf",
    "group",
    "host.conf",
    "iproute2",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "login.defs",
    "os-release",
    "passwd",
    "profile",
    "protocols",
    "rpc",
    "services",
];

/// Folders of a fresh disk, with their modes.
const FOLDERS: [(&str, u32); 16] = [
    ("etc", 0o755),
    ("home", 0o755),
    ("media", 0o755),
    ("mnt", 0o755),
    ("opt", 0o755),
    ("root", 0o700),
    ("srv", 0o755),
    ("tmp", 0o1777),
    ("var", 0o755),
    ("var/cache", 0o755),
    ("var/lib", 0o755),
    ("var/log", 0o755),
    ("var/spool", 0o755),
    ("var/tmp", 0o1777),
    ("opt/lab/bin", 0o755),
    ("var/lib/amazon/ssm", 0o700),
];

/// Parts of `/proc` through which a process could reach the whole machine.
const PROC_READ_ONLY: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];
const PROC_HIDDEN: [&str; 9] =
    ["kcore", "keys", "key-users", "kmsg", "latency_stats", "sched_debug", "timer_list", "acpi", "scsi"];

/// Enters the host's own file system for good. The caller is process 1 of fresh namespaces.
pub(super) fn seal(boot: &HostBoot, demos: &[Program]) -> Result<(), InsideError> {
    private_mounts()?;
    let root = boot.disk();
    furnish(boot, &root)?;
    for name in READ_ONLY {
        programs(&root, name).map_err(doing(format!("show the machine's /{name} read-only")))?;
    }
    own_programs(boot, &root, demos)?;
    devices(&root)?;
    tmpfs(&root.join("run"), "size=4m,mode=0755", MsFlags::MS_NOEXEC)?;
    kernel(boot, &root)?;
    chdir(&root).map_err(calling("enter the host's disk"))?;
    pivot_root(".", ".").map_err(calling("make the host's disk the root"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(calling("let go of the machine's file systems"))?;
    chdir("/").map_err(calling("enter the host's root"))?;
    sethostname(&boot.name).map_err(calling("name the host"))
}

/// Keeps every mount made from here on out of the machine's view, and the reverse.
pub(super) fn private_mounts() -> Result<(), InsideError> {
    let flags = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).map_err(calling("make all mounts private"))
}

/// A bounded file system in memory.
pub(super) fn tmpfs(at: &Path, options: &str, flags: MsFlags) -> Result<(), InsideError> {
    fs::create_dir_all(at).map_err(doing(format!("create {}", at.display())))?;
    let flags = flags | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), at, Some("tmpfs"), flags, Some(options))
        .map_err(calling(format!("mount a tmpfs on {}", at.display())))
}

/// The disk's own content: made at the first start, kept at the others.
fn furnish(boot: &HostBoot, root: &Path) -> Result<(), InsideError> {
    if root.join("etc").exists() {
        return Ok(());
    }
    first_content(boot, root).map_err(doing(format!("furnish the disk of {}", boot.name)))
}

fn first_content(boot: &HostBoot, root: &Path) -> io::Result<()> {
    for (folder, mode) in FOLDERS {
        let path = root.join(folder);
        fs::create_dir_all(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    }
    symlink("/run", root.join("var/run"))?;
    let etc = root.join("etc");
    for name in ETC {
        copy(&Path::new("/etc").join(name), &etc.join(name))?;
    }
    let mut hosts = String::from("127.0.0.1 localhost\n");
    for (address, name) in &boot.names {
        hosts.push_str(&format!("{address} {name}\n"));
    }
    fs::write(etc.join("hosts"), hosts)?;
    fs::write(etc.join("hostname"), format!("{}\n", boot.name))?;
    fs::write(etc.join("nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n")?;
    fs::write(etc.join("resolv.conf"), "")?;
    fs::write(etc.join("instance-id"), format!("{}\n", boot.instance_id))?;
    symlink("/proc/self/mounts", etc.join("mtab"))
}

/// Copies a file, a link or a folder of them; what the machine lacks, the host lacks.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let Ok(kind) = fs::symlink_metadata(from) else { return Ok(()) };
    if kind.is_symlink() {
        return symlink(fs::read_link(from)?, to);
    }
    if !kind.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn programs(root: &Path, name: &str) -> io::Result<()> {
    let (machine, host) = (Path::new("/").join(name), root.join(name));
    let Ok(kind) = fs::symlink_metadata(&machine) else { return Ok(()) };
    if kind.is_symlink() {
        return match symlink(fs::read_link(&machine)?, &host) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    fs::create_dir_all(&host)?;
    bind(&machine, &host)?;
    read_only(&host)
}

fn bind(from: &Path, to: &Path) -> io::Result<()> {
    Ok(mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?)
}

/// Makes a bind mount and every mount below it read-only. In a user namespace the flags that a mount came with are
/// locked and must be repeated.
fn read_only(at: &Path) -> io::Result<()> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let below: Vec<PathBuf> = table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .map(|point| PathBuf::from(point.replace("\\040", " ")))
        .filter(|point| point.starts_with(at))
        .collect();
    for point in below {
        let kept = statvfs(&point)?.flags();
        let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        for (set, flag) in [
            (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
            (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
            (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
            (FsFlags::ST_NOATIME, MsFlags::MS_NOATIME),
            (FsFlags::ST_NODIRATIME, MsFlags::MS_NODIRATIME),
            (FsFlags::ST_RELATIME, MsFlags::MS_RELATIME),
        ] {
            if kept.contains(set) {
                flags |= flag;
            }
        }
        mount(None::<&str>, &point, None::<&str>, flags | MsFlags::MS_NOSUID | MsFlags::MS_NODEV, None::<&str>)?;
    }
    Ok(())
}

/// The lab's own program under each name by which the host calls it, so that `/proc/PID/exe` and `comm` agree.
fn own_programs(boot: &HostBoot, root: &Path, demos: &[Program]) -> Result<(), InsideError> {
    for name in demos.iter().map(|demo| demo.name).chain([SERVICE_PROGRAM]) {
        show(&boot.program, &root.join(PROGRAMS.trim_start_matches('/')).join(name))?;
    }
    // Scripts that set their own PATH must find the host's supervisor too, not the machine's.
    for machine in ["usr/sbin/service", "sbin/service"] {
        let path = root.join(machine);
        if fs::symlink_metadata(&path).is_ok_and(|kind| kind.is_file()) {
            show(&boot.program, &path)?;
            break;
        }
    }
    Ok(())
}

fn show(program: &Path, at: &Path) -> Result<(), InsideError> {
    let shown = || {
        if !at.exists() {
            fs::write(at, "")?;
        }
        bind(program, at)?;
        read_only(at)
    };
    shown().map_err(doing(format!("show the lab's program as {}", at.display())))
}

fn devices(root: &Path) -> Result<(), InsideError> {
    let dev = root.join("dev");
    // The devices below are the machine's own, bound one by one: a host can make none.
    tmpfs(&dev, "size=64k,mode=0755", MsFlags::MS_NOEXEC)?;
    let made = || {
        for name in ["null", "zero", "full", "random", "urandom", "tty"] {
            fs::write(dev.join(name), "")?;
            bind(&Path::new("/dev").join(name), &dev.join(name))?;
        }
        for (name, target) in
            [("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")]
        {
            symlink(target, dev.join(name))?;
        }
        fs::create_dir(dev.join("pts"))
    };
    made().map_err(doing("make the host's devices"))?;
    tmpfs(&dev.join("shm"), "size=16m,mode=1777", MsFlags::MS_NOEXEC)?;
    let options = Some("newinstance,ptmxmode=0666,mode=0620");
    mount(Some("devpts"), &dev.join("pts"), Some("devpts"), MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC, options)
        .map_err(calling("mount the host's terminals"))
}

/// `/proc` of the host's own processes and `/sys` of its own network, without the handles on the whole machine.
fn kernel(boot: &HostBoot, root: &Path) -> Result<(), InsideError> {
    let quiet = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let (proc, sys) = (root.join("proc"), root.join("sys"));
    let folders = [&proc, &sys].into_iter().try_for_each(fs::create_dir_all);
    folders.map_err(doing("create the host's /proc and /sys"))?;
    mount(Some("proc"), &proc, Some("proc"), quiet, None::<&str>).map_err(calling("mount the host's /proc"))?;
    let masked = || {
        // Whoever keeps a process number past a reboot asks this whether it still means anything.
        let (boot_id, fresh) = (proc.join("sys/kernel/random/boot_id"), root.join("run/boot-id"));
        fs::write(&fresh, fs::read(proc.join("sys/kernel/random/uuid"))?)?;
        bind(&fresh, &boot_id)?;
        for name in PROC_READ_ONLY.iter().map(|name| proc.join(name)).filter(|path| path.exists()) {
            bind(&name, &name)?;
            read_only(&name)?;
        }
        for name in PROC_HIDDEN.iter().map(|name| proc.join(name)).filter(|path| path.exists()) {
            if name.is_dir() {
                mount(Some("tmpfs"), &name, Some("tmpfs"), quiet | MsFlags::MS_RDONLY, Some("size=0,mode=0555"))?;
            } else {
                bind(Path::new("/dev/null"), &name)?;
            }
        }
        Ok(())
    };
    masked().map_err(doing("hide the machine behind the host's /proc"))?;
    mount(Some("sysfs"), &sys, Some("sysfs"), quiet | MsFlags::MS_RDONLY, None::<&str>)
        .map_err(calling("mount the host's /sys"))?;
    let groups = sys.join("fs/cgroup");
    if groups.exists() {
        tmpfs(&groups, "size=64k,mode=0755", MsFlags::MS_NOEXEC)?;
        let shown = || {
            for (name, folder) in &boot.cgroups {
                let at = groups.join(name);
                fs::create_dir_all(&at)?;
                bind(folder, &at)?;
            }
            read_only(&groups)
        };
        shown().map_err(doing("show the host its own bounds"))?;
    }
    Ok(())
}
