//! What keeps a host from eating the machine: cgroups, version 2 or 1, one folder per host and controller.
//!
//! Only folders are made, under names that carry the lab's id, and no setting of a folder that is not ours is touched.
//! A bound that cannot be had is missing in [`Bounds`], so that a fault that needs it can be refused.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::spec::HostSize;

/// The bounds that a host really has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// Hundredths of a processor; absent when its use of the processors is not bounded.
    pub cpu_percent: Option<u32>,
    /// Memory; absent when it is not bounded.
    pub memory_mib: Option<u32>,
    /// Processes and threads; absent when they are not bounded.
    pub processes: Option<u32>,
}

/// Where folders for hosts can be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounding {
    roots: Vec<Root>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Root {
    /// The name under which a host sees it below `/sys/fs/cgroup`.
    name: &'static str,
    folder: PathBuf,
}

/// The folders of one host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounded {
    pub(crate) folders: BTreeMap<String, PathBuf>,
    pub(crate) bounds: Bounds,
}

impl Bounding {
    /// Looks for controllers that this process may use.
    pub(crate) fn find() -> Bounding {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        Bounding { roots: roots(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"), &enabled) }
    }

    /// The folders below which it makes folders, to be written down before it does.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        self.roots.iter().map(|root| root.folder.clone()).collect()
    }

    /// The folders of a host, there or not.
    pub(crate) fn folders(&self, name: &str) -> BTreeMap<String, PathBuf> {
        self.roots.iter().map(|root| (root.name.to_owned(), root.folder.join(name))).collect()
    }

    /// Makes the folders of a host and sets its limits. Repeating it sets them again.
    pub(crate) fn bound(&self, name: &str, size: HostSize) -> Bounded {
        let mut bounded = Bounded::default();
        for (controller, folder) in self.folders(name) {
            let made = match fs::create_dir(&folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                Ok(()) | Err(_) => Ok(()),
            };
            if made.is_ok() {
                bounded.bounds.set(&controller, &folder, size);
                bounded.folders.insert(controller, folder);
            }
        }
        bounded
    }
}

impl Bounds {
    /// Sets what this controller can set.
    fn set(&mut self, controller: &str, folder: &Path, size: HostSize) {
        let write = |file: &str, value: String| fs::write(folder.join(file), value).is_ok();
        let (memory, quota) = (u64::from(size.memory_mib) << 20, size.cpu_percent * 1_000);
        let two = controller.is_empty();
        if two || controller == "cpu" {
            let set = match two {
                true => write("cpu.max", format!("{quota} 100000")),
                false => write("cpu.cfs_period_us", "100000".into()) && write("cpu.cfs_quota_us", quota.to_string()),
            };
            self.cpu_percent = set.then_some(size.cpu_percent).or(self.cpu_percent);
        }
        if two || controller == "memory" {
            let set = match two {
                // Without swap accounting there is no such file, and then no swap to bound.
                true => {
                    write("memory.max", memory.to_string())
                        && (write("memory.swap.max", "0".into()) || !folder.join("memory.swap.max").exists())
                }
                false => {
                    write("memory.limit_in_bytes", memory.to_string())
                        && (write("memory.memsw.limit_in_bytes", memory.to_string())
                            || !folder.join("memory.memsw.limit_in_bytes").exists())
                }
            };
            self.memory_mib = set.then_some(size.memory_mib).or(self.memory_mib);
        }
        if two || controller == "pids" {
            self.processes = write("pids.max", size.processes.to_string()).then_some(size.processes).or(self.processes);
        }
    }
}

/// How much of the processors the host of these folders has ever used, when the kernel counts that.
pub(crate) fn processor_time(folders: &BTreeMap<String, PathBuf>) -> Option<Duration> {
    if let Some(folder) = folders.get("cpuacct") {
        let nanos = fs::read_to_string(folder.join("cpuacct.usage")).ok()?;
        return nanos.trim().parse().ok().map(Duration::from_nanos);
    }
    let stat = fs::read_to_string(folders.get("")?.join("cpu.stat")).ok()?;
    let micros = stat.lines().find_map(|line| line.strip_prefix("usage_usec "))?;
    micros.parse().ok().map(Duration::from_micros)
}

/// Removes a host's folder of one controller, killing what may still be in it; whether there was one.
pub(crate) fn remove(folder: &Path) -> io::Result<bool> {
    if !folder.exists() {
        return Ok(false);
    }
    for pid in fs::read_to_string(folder.join("cgroup.procs"))?.lines() {
        if let Ok(pid) = pid.parse() {
            match nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
    // The kernel may take a moment to bury the last process.
    let patience = crate::clock::instant() + Duration::from_secs(10);
    loop {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy && crate::clock::instant() < patience => {
                crate::clock::pause_thread(Duration::from_millis(20));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            ended => return ended.map(|()| true),
        }
    }
}

/// The folders below which hosts can get theirs: with version 1 this process's own folder of each controller, with
/// version 2 the nearest folder above it that hands processor and memory on to its children.
fn roots(mounts: &str, own: &str, enabled: &dyn Fn(&Path) -> bool) -> Vec<Root> {
    let mut roots = Vec::new();
    for line in mounts.lines() {
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let (mut left, mut right) = (left.split(' ').skip(3), right.split(' '));
        let (Some(top), Some(point)) = (left.next(), left.next()) else { continue };
        let (Some(kind), Some(options)) = (right.next(), right.nth(1)) else { continue };
        let path = |controller: &str| {
            let line = own.lines().find(|line| {
                line.split(':').nth(1).is_some_and(|controllers| controllers.split(',').any(|one| one == controller))
            })?;
            let path = line.splitn(3, ':').nth(2)?;
            let below = path.strip_prefix(top).unwrap_or(path).trim_start_matches('/');
            Some(Path::new(point).join(below))
        };
        match kind {
            "cgroup" => {
                for name in ["cpu", "cpuacct", "memory", "pids"] {
                    if options.split(',').any(|option| option == name)
                        && let Some(folder) = path(name)
                    {
                        roots.push(Root { name, folder });
                    }
                }
            }
            "cgroup2" => {
                let above = path("").map(|own| own.ancestors().map(Path::to_owned).collect::<Vec<_>>());
                let fitting = above.into_iter().flatten().filter(|folder| folder.starts_with(point));
                if let Some(folder) = fitting.into_iter().find(|folder| enabled(folder)) {
                    roots.push(Root { name: "", folder });
                }
            }
            _ => {}
        }
    }
    roots
}

fn enabled(folder: &Path) -> bool {
    let controllers = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
    ["cpu", "memory"].iter().all(|needed| controllers.split_whitespace().any(|one| one == *needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_one_bounds_below_the_own_folder_of_each_controller() {
        let mounts = "\
            40 30 0:36 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n\
            43 30 0:39 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
            48 30 0:44 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/box/one\n1:cpu:/\n0::/\n";

        let found = roots(mounts, own, &|_| false);

        assert_eq!(
            found,
            [
                Root { name: "cpu", folder: "/sys/fs/cgroup/cpu".into() },
                Root { name: "memory", folder: "/sys/fs/cgroup/memory/box/one".into() },
            ]
        );
    }

    #[test]
    fn version_two_bounds_below_the_nearest_folder_that_hands_on_its_controllers() {
        let mounts = "30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let own = "0::/user.slice/user-0.slice/session-1.scope\n";
        let slice = Path::new("/sys/fs/cgroup/user.slice");

        let found = roots(mounts, own, &|folder| folder == slice || folder == Path::new("/sys/fs/cgroup"));

        assert_eq!(found, [Root { name: "", folder: slice.to_owned() }]);
        assert_eq!(roots(mounts, own, &|_| false), []);
    }
}
