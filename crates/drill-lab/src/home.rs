//! The lab's home: one folder per lab, written before anything else is made, so that the next command can clean up.
//!
//! A lab that was killed leaves no process, mount or link; it may leave its folder and its cgroup folders. Both carry
//! its id, and [`sweep`] removes both and says so.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde::{Deserialize, Serialize};

use crate::bounds;
use crate::clock;

const RECORD: &str = "lab.json";

/// What a lab writes down before it makes anything.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: Process,
    /// Folders below which there may be cgroup folders of this lab.
    pub(crate) cgroup_roots: Vec<PathBuf>,
}

/// A process, told apart from a later one with the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pid: i32,
    started: u64,
}

/// What was found of labs that had died, and removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// One entry per dead lab.
    pub labs: Vec<Leftover>,
}

/// What one dead lab had left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The lab's id.
    pub id: String,
    /// Processes that were still there and were killed.
    pub processes: Vec<i32>,
    /// Folders that were removed.
    pub folders: Vec<PathBuf>,
    /// What could not be removed, and why. Running the command again tries again.
    pub remaining: Vec<String>,
}

/// The program that a lab starts for each of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Program {
    /// This process's own program, which calls [`crate::enter`] first.
    #[default]
    This,
    /// Another program that does, such as a `drill-lab` built beside a test.
    At(PathBuf),
}

/// Where labs live unless told otherwise: `$DRILL_LAB_HOME`, `/run/stormdrill-lab` for root, else the user's run folder.
pub fn default_home() -> PathBuf {
    if let Some(home) = std::env::var_os("DRILL_LAB_HOME").filter(|home| !home.is_empty()) {
        return home.into();
    }
    if geteuid().is_root() {
        return "/run/stormdrill-lab".into();
    }
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| Path::new(folder).is_dir()) {
        Some(folder) => Path::new(&folder).join("stormdrill-lab"),
        None => std::env::temp_dir().join(format!("stormdrill-lab-{}", geteuid())),
    }
}

impl Record {
    /// The lab's own folder, made and described. Nothing of the lab exists before this.
    pub(crate) fn write(&self, home: &Path) -> io::Result<PathBuf> {
        let folder = home.join(&self.id);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(home)?;
        let owner = fs::metadata(home)?.uid();
        if owner != geteuid().as_raw() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, format!("it belongs to user {owner}")));
        }
        // A folder of this name has its record from its first moment.
        let beginning = home.join(format!(".{}", self.id));
        fs::DirBuilder::new().mode(0o700).create(&beginning)?;
        fs::write(beginning.join(RECORD), serde_json::to_vec_pretty(self)?)?;
        fs::rename(&beginning, &folder)?;
        Ok(folder)
    }
}

impl Process {
    /// This process.
    pub(crate) fn this() -> Process {
        let pid = std::process::id().cast_signed();
        Process { pid, started: started(pid).unwrap_or_default() }
    }

    /// Whether it is still the same process.
    pub(crate) fn lives(&self) -> bool {
        started(self.pid) == Some(self.started)
    }
}

/// When a live process was started, in ticks since the machine was.
fn started(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before the last parenthesis may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    match fields.next()? {
        "Z" | "X" => None,
        _ => fields.nth(18)?.parse().ok(),
    }
}

/// Labs in `home` whose owner lives, with their folders.
pub(crate) fn living(home: &Path) -> Vec<(Record, PathBuf)> {
    records(home).into_iter().filter(|(record, _)| record.owner.lives()).collect()
}

fn records(home: &Path) -> Vec<(Record, PathBuf)> {
    let entries = fs::read_dir(home).into_iter().flatten().flatten();
    let mut records: Vec<_> = entries
        .filter_map(|entry| {
            let text = fs::read(entry.path().join(RECORD)).ok()?;
            Some((serde_json::from_slice::<Record>(&text).ok()?, entry.path()))
        })
        .collect();
    records.sort_by(|(one, _), (other, _)| one.id.cmp(&other.id));
    records
}

/// Removes what dead labs left in `home`. Living labs are not touched; repeating it finds nothing.
pub(crate) fn sweep(home: &Path) -> Leftovers {
    let dead = records(home).into_iter().filter(|(record, _)| !record.owner.lives());
    Leftovers { labs: dead.map(|(record, folder)| remove(&record, &folder)).collect() }
}

/// Removes everything of one lab that is outside its namespaces; kills what is still inside.
pub(crate) fn remove(record: &Record, folder: &Path) -> Leftover {
    let mut left = Leftover { id: record.id.clone(), ..Leftover::default() };
    left.processes = processes(&record.id);
    for pid in &left.processes {
        match kill(Pid::from_raw(*pid), Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(errno) => left.remaining.push(format!("process {pid} could not be killed: {errno}")),
        }
    }
    for root in &record.cgroup_roots {
        for group in fs::read_dir(root).into_iter().flatten().flatten() {
            if group.file_name().to_string_lossy().starts_with(&cgroup_name(&record.id, "")) {
                match bounds::remove(&group.path()) {
                    Ok(_) => left.folders.push(group.path()),
                    Err(error) => left.remaining.push(format!("{}: {error}", group.path().display())),
                }
            }
        }
    }
    let patience = clock::instant() + std::time::Duration::from_secs(10);
    while !processes(&record.id).is_empty() && clock::instant() < patience {
        clock::pause_thread(std::time::Duration::from_millis(20));
    }
    left.remaining
        .extend(processes(&record.id).into_iter().map(|pid| format!("process {pid} is still running after SIGKILL")));
    if left.remaining.is_empty() {
        match fs::remove_dir_all(folder) {
            Ok(()) => left.folders.push(folder.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => left.remaining.push(format!("{}: {error}", folder.display())),
        }
    }
    left
}

/// The name of a cgroup folder of a lab's host.
pub(crate) fn cgroup_name(id: &str, host: &str) -> String {
    format!("stormdrill-{id}.{host}")
}

/// Live processes that are parts of the lab `id`: its switch and its hosts' first processes say so in their arguments.
pub(crate) fn processes(id: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0).skip(1);
            words.next().is_some_and(|part| part.starts_with(b"lab-")) && words.next() == Some(id.as_bytes())
        })
        .filter(|pid| started(*pid).is_some())
        .collect()
}

impl Leftovers {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.labs.is_empty()
    }

    /// Whether something is still there.
    pub fn is_clean(&self) -> bool {
        self.labs.iter().all(|lab| lab.remaining.is_empty())
    }
}

impl std::fmt::Display for Leftovers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for lab in &self.labs {
            write!(out, "lab {} had crashed: removed {} of its folders", lab.id, lab.folders.len())?;
            if !lab.processes.is_empty() {
                write!(out, ", killed {} of its processes", lab.processes.len())?;
            }
            writeln!(out)?;
            for remaining in &lab.remaining {
                writeln!(out, "  left behind: {remaining}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_its_number_in_another_life_does_not() {
        let this = Process::this();

        assert!(this.lives());
        assert!(!Process { started: this.started + 1, ..this }.lives());
    }
}
