//! The seal: what happens in a host stays in it, and nothing of a lab outlives it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use drill_lab::{AgentStatus, FleetSpec, HostSize, HostSpec, Lab, Site};
use libtest_mimic::{Failed, Trial};

use crate::ring::{self, Outcome, expect, same, with_lab};

pub fn trials() -> Vec<Trial> {
    vec![
        ring::trial("sealing::faults_in_a_host_change_nothing_on_the_machine", machine_untouched),
        ring::trial("sealing::a_host_sees_nothing_of_the_machine_but_its_programs", nothing_seen),
        ring::trial("sealing::the_root_of_a_host_cannot_reach_the_kernel_of_all", nothing_reached),
        ring::bounded_trial("sealing::a_host_cannot_exceed_its_bounds", bounds),
        ring::trial("sealing::a_killed_lab_leaves_only_folders_and_the_next_one_removes_them", killed_lab),
        ring::trial("sealing::dropping_a_lab_ends_it", dropped_lab),
    ]
}

/// What a fault in a host could conceivably change on the machine.
#[derive(Debug, PartialEq)]
struct Machine {
    firewall: String,
    queues: String,
    links: String,
    routes: String,
    mounts: Vec<String>,
    name: String,
    settings: BTreeMap<String, String>,
    files: BTreeMap<String, (u64, i64, i64)>,
}

impl Machine {
    fn now() -> Result<Machine, Failed> {
        let mut files = BTreeMap::new();
        for folder in [Path::new("/etc"), Path::new("/var/lib"), &home()] {
            list(folder, 3, &mut files);
        }
        let settings = ["kernel/hostname", "kernel/core_pattern", "vm/drop_caches", "vm/overcommit_memory"];
        Ok(Machine {
            firewall: said("iptables-save", &[]).lines().filter(|line| !line.starts_with('#')).collect(),
            queues: said("tc", &["qdisc", "show"]),
            links: said("ip", &["-o", "link"]),
            routes: said("ip", &["route"]),
            mounts: fs::read_to_string("/proc/self/mountinfo")?.lines().map(str::to_owned).collect(),
            name: fs::read_to_string("/proc/sys/kernel/hostname")?,
            settings: settings
                .iter()
                .map(|name| ((*name).to_owned(), fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default()))
                .collect(),
            files,
        })
    }
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// The home of whoever runs this.
fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"))
}

fn list(folder: &Path, depth: usize, files: &mut BTreeMap<String, (u64, i64, i64)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(file) = fs::symlink_metadata(entry.path()) else { continue };
        // Whatever else runs on the machine writes its own caches and logs; a host has no way to any of these.
        if folder == home() && entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        files.insert(entry.path().display().to_string(), (file.ino(), file.size() as i64, file.mtime()));
        if file.is_dir() && depth > 1 {
            list(&entry.path(), depth - 1, files);
        }
    }
}

const HAVOC: &str = "
    iptables -A INPUT -p tcp --dport 5432 -j DROP
    iptables -P FORWARD DROP
    tc qdisc add dev eth0 root tbf rate 1mbit burst 32k latency 400ms
    ip route add 192.0.2.0/24 via 10.83.0.1
    ip link set lo down
    dd if=/dev/zero of=/var/lib/fill bs=1M count=1000
    echo changed > /etc/hosts; mkdir -p HOME; echo changed > HOME/changed; rm -rf /home /opt /srv
    mkdir -p /var/lib/stormdrill; echo 1 > /etc/stormdrill
    hostname changed; echo changed > /proc/sys/kernel/hostname
    date -s '2001-01-01'; echo 3 > /proc/sys/vm/drop_caches; echo b > /proc/sysrq-trigger
    rm -f /usr/bin/env; echo > /usr/sbin/service
    mount -t tmpfs none /usr; umount /usr; swapoff -a; modprobe dummy
    kill -9 -1
";

async fn machine_untouched() -> Outcome {
    let sleeper = Command::new("sleep").arg("1005").spawn()?;
    let witness = Witness(sleeper);
    let before = Machine::now()?;
    let havoc = HAVOC.replace("HOME", &home().display().to_string());
    let ended = with_lab("havoc", FleetSpec::bare("havoc", &["one"]), async |lab| {
        // The script kills itself at its end, with everything else of the host but process 1.
        let outcome = ring::script(&lab, "one", &havoc).await?;
        same(&outcome.status, &AgentStatus::Failed)?;
        // A document would not do: on a full disk the agent has no room for its script.
        let (mut said, check) = (String::new(), "iptables -S INPUT; df --output=pcent / | tail -n 1");
        lab.exec("one", &["sh", "-c", check].map(str::to_owned), |_, text| said.push_str(text)).await?;
        expect(said.contains("5432") && said.contains("100%"), || format!("the host was not changed: {said}"))?;

        let during = Machine::now()?;
        same(&during, &before)
    })
    .await;
    expect(witness.lives(), || "a process of the machine died".to_owned())?;
    ended?;
    same(&Machine::now()?, &before)
}

/// A process of the machine that a host must not be able to kill.
struct Witness(std::process::Child);

impl Witness {
    fn lives(&self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.0.id())).is_ok_and(|stat| !stat.contains(") Z "))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}

async fn nothing_seen() -> Outcome {
    let secret = ring::home("secret");
    fs::write(&secret, "secret")?;
    let here = std::env::current_dir()?;
    let ended = with_lab("unseen", FleetSpec::bare("unseen", &["one"]), async |lab| {
        for path in [&secret, &here, Path::new("/run/systemd"), Path::new("/run/dbus"), Path::new("/etc/shadow")] {
            let test = format!("test -e '{}' && echo seen || echo unseen", path.display());
            same(&ring::output(&lab, "one", &test).await?.as_str(), &"unseen")?;
        }
        let processes = ring::output(&lab, "one", "ls /proc | grep -cE '^[0-9]+$'").await?;
        expect(processes.parse().is_ok_and(|count: u32| count < 12), || format!("{processes} processes are seen"))?;
        same(&ring::output(&lab, "one", "ls -x /sys/class/net | tr -s ' '").await?.as_str(), &"eth0 lo")?;
        same(&ring::output(&lab, "one", "cat /proc/self/cgroup | cut -d: -f3 | sort -u").await?.as_str(), &"/")?;
        for namespace in ["net", "mnt", "pid", "uts", "ipc", "cgroup"] {
            let ours = fs::read_link(format!("/proc/self/ns/{namespace}"))?;
            let theirs = ring::output(&lab, "one", &format!("readlink /proc/self/ns/{namespace}")).await?;
            expect(ours.display().to_string() != theirs, || format!("the {namespace} namespace is the machine's"))?;
        }
        Ok(())
    })
    .await;
    fs::remove_file(&secret)?;
    ended
}

async fn nothing_reached() -> Outcome {
    with_lab("unreached", FleetSpec::bare("unreached", &["one"]), async |lab| {
        for attempt in [
            "date -s '2001-01-01'",
            "mount -t tmpfs none /mnt",
            "mount -o remount,rw /usr",
            "umount /proc/sys",
            "mknod /tmp/disk b 254 0",
            "touch /usr/bin/touched",
            "echo 1 > /proc/sys/vm/drop_caches",
            "echo h > /proc/sysrq-trigger",
            "echo 100000 > /sys/fs/cgroup/cpu/cpu.cfs_quota_us",
            "echo max > /sys/fs/cgroup/cpu.max",
            "unshare -m true",
            "nsenter -t 1 -m -- chroot /proc/1/root mount -t tmpfs none /mnt",
            "cat /proc/kcore | head -c 1 | grep -q .",
            "dmesg",
            "modprobe dummy",
            "reboot -f",
        ] {
            let outcome =
                ring::script(&lab, "one", &format!("({attempt}) > /dev/null 2>&1 && echo done || echo refused"))
                    .await?;
            same(&outcome.stdout.trim(), &"refused").map_err(|_| format!("`{attempt}`: {outcome:?}"))?;
        }
        Ok(())
    })
    .await
}

async fn bounds() -> Outcome {
    let size = HostSize { cpu_percent: 20, memory_mib: 64, disk_mib: 16, processes: 40 };
    let fleet = FleetSpec { hosts: vec![HostSpec::bare("one").sized(size)], ..FleetSpec::bare("bounds", &[]) };
    with_lab("bounds", fleet, async |lab| {
        let eater = ring::script(&lab, "one", "head -c 200M /dev/zero | tail -c 200M | wc -c").await?;
        same(&eater.stdout.trim(), &"0").map_err(|_| format!("200 MiB fit into 64: {eater:?}"))?;
        same(&ring::output(&lab, "one", "echo alive").await?.as_str(), &"alive")?;

        // A second of burning on every processor uses no more than the bound, within a scheduler's period or two.
        let burn = "for i in $(seq 1 $(nproc)); do timeout 1 sh -c 'while :; do :; done' & done; wait; times";
        let times = ring::output(&lab, "one", burn).await?;
        let used = times.lines().last().and_then(|line| line.split_whitespace().next()).and_then(seconds);
        expect(used.is_some_and(|used| used < 0.5), || format!("used more than a fifth of a processor: {times}"))?;

        // The shell itself ends when it cannot start another process.
        let forks = "for i in $(seq 1 100); do sleep 30 & echo $i; done 2>/dev/null";
        let outcome = ring::script(&lab, "one", forks).await?;
        let started = outcome.stdout.lines().count();
        expect((1..40).contains(&started), || format!("{started} processes where 40 are allowed"))
    })
    .await
}

/// `0m0.230s` as seconds.
fn seconds(times: &str) -> Option<f64> {
    let (minutes, seconds) = times.strip_suffix('s')?.split_once('m')?;
    Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
}

/// Live processes that have the lab's id among their arguments or in their environment, whichever lab part they are.
fn processes_of(id: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok());
    numbers
        .filter(|entry| {
            ["cmdline", "environ"].iter().any(|file| {
                let text = fs::read(entry.path().join(file)).unwrap_or_default();
                String::from_utf8_lossy(&text).contains(id)
            })
        })
        .map(|entry| entry.path().display().to_string())
        .collect()
}

/// The namespaces that live processes are in.
fn namespaces() -> std::collections::BTreeSet<String> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let links = processes.flat_map(|entry| fs::read_dir(entry.path().join("ns")).into_iter().flatten().flatten());
    links.filter_map(|link| fs::read_link(link.path()).ok()).map(|link| link.display().to_string()).collect()
}

fn cgroups_of(id: &str) -> String {
    said("find", &["/sys/fs/cgroup", "-type", "d", "-name", &format!("*{id}*")])
}

async fn killed_lab() -> Outcome {
    let home = ring::home("killed");
    let mut lab = ring::start_command(&home, &["up", "--name", "killed", "--order-hosts", "2"])?;
    let id = ring::wait_for_lab(&home).await?;
    ring::until("services run", async || Ok(processes_of(&id).len() > 12)).await?;
    let links = said("ip", &["-o", "link"]);
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    let theirs: Vec<String> = lab_namespaces(&id);
    expect(theirs.len() > 12, || format!("the lab's namespaces were not found: {theirs:?}"))?;

    lab.kill()?;
    lab.wait()?;

    ring::until("no process of the lab is left", async || Ok(processes_of(&id).is_empty())).await?;
    ring::until("no namespace of the lab is left", async || {
        let left = namespaces();
        Ok(theirs.iter().all(|namespace| !left.contains(namespace)))
    })
    .await?;
    same(&said("ip", &["-o", "link"]), &links)?;
    same(&fs::read_to_string("/proc/self/mountinfo")?, &mounts)?;
    expect(home.join(&id).exists(), || "nothing was left for the next command to find".to_owned())?;

    let next = Lab::up(&FleetSpec::bare("next", &[]), &Site::at(&home)).await?;

    let found: Vec<_> = next.found().labs.iter().map(|lab| (lab.id.clone(), lab.remaining.clone())).collect();
    same(&found, &vec![(id.clone(), Vec::new())])?;
    expect(!home.join(&id).exists(), || "the folder is still there".to_owned())?;
    same(&cgroups_of(&id).as_str(), &"")?;
    next.down().await;
    fs::remove_dir_all(&home)?;
    Ok(())
}

fn lab_namespaces(id: &str) -> Vec<String> {
    let ours: Vec<String> = fs::read_dir("/proc/self/ns")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|link| fs::read_link(link.path()).ok())
        .map(|link| link.display().to_string())
        .collect();
    let links = processes_of(id).into_iter().flat_map(|process| {
        fs::read_dir(Path::new(&process).join("ns")).into_iter().flatten().flatten().collect::<Vec<_>>()
    });
    let theirs = links.filter_map(|link| fs::read_link(link.path()).ok()).map(|link| link.display().to_string());
    let theirs: std::collections::BTreeSet<String> = theirs.filter(|link| !ours.contains(link)).collect();
    theirs.into_iter().collect()
}

async fn dropped_lab() -> Outcome {
    let home = ring::home("dropped");
    let lab = Lab::up(&FleetSpec::bare("dropped", &["one"]), &Site::at(&home)).await?;
    let id = lab.id().to_owned();
    expect(!processes_of(&id).is_empty(), || "the lab has no process".to_owned())?;

    drop(lab);

    ring::until("no process of the lab is left", async || Ok(processes_of(&id).is_empty())).await?;
    ring::until("its folders are gone", async || Ok(!home.join(&id).exists() && cgroups_of(&id).is_empty())).await?;
    fs::remove_dir_all(&home)?;
    Ok(())
}
