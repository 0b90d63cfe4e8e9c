//! Control groups: one with a limit for what runs in a host, and a tree of its own for a host whose process 1 is systemd.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

/// Where control groups of version 2 are, on their own or beside those of version 1.
pub fn unified() -> Option<PathBuf> {
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(PathBuf::from);
    let root = roots.into_iter().find(|root| root.join("cgroup.controllers").exists())?;
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    Some(root.join(own))
}

/// A new group below that one.
pub fn new_group(parent: &Path) -> io::Result<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let group = parent.join(format!("stormdrill-ring-{}-systemd-{number}", std::process::id()));
    fs::create_dir(&group)?;
    Ok(group)
}

/// Removes a group and all below it; fails while a process is in one.
pub fn remove_groups(group: &Path) -> io::Result<()> {
    for entry in fs::read_dir(group)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_groups(&path)?;
        }
    }
    fs::remove_dir(group)
}

/// A new memory group below our own, with a limit: of either version of control groups.
pub fn memory_group(bytes: u64) -> Option<PathBuf> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let name = format!("stormdrill-ring-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    groups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?.trim_start_matches('/'));
        let (root, limit) = match controllers {
            "" => (Path::new("/sys/fs/cgroup"), "memory.max"),
            "memory" => (Path::new("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        let group = root.join(path).join(&name);
        fs::create_dir(&group).ok()?;
        if fs::write(group.join(limit), bytes.to_string()).is_err() {
            fs::remove_dir(&group).ok()?;
            return None;
        }
        Some(group)
    })
}
