//! The microVM: Debian with systemd and netem in qemu, for what namespaces cannot show. One boot tries every document
//! under real systemd; a reset and a second boot show what survives.
//!
//! The image is built once into the target folder. Nothing here needs KVM: emulation is slower, and enough.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use std::{env, fs};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{Missing, clock, have, trial};

const BUILD: &str = include_str!("vm/build.sh");
const ROUNDS: &str = include_str!("vm/rounds.sh");

/// Every document under systemd, each in three ways.
const EACH: [&str; 3] =
    ["is_felt_and_taken_back", "ends_alone_when_its_command_is_killed", "ends_when_its_holder_is_killed"];

/// What is tried once.
const ONCE: [&str; 13] = [
    "probe_knows_the_host",
    "process-pause_ends_when_its_whole_group_is_killed",
    "process-pause_ends_when_its_unit_is_stopped",
    "disk-fill_ends_when_its_whole_group_is_killed",
    "disk-fill_ends_when_its_unit_is_stopped",
    "network-latency_ends_when_its_whole_group_is_killed",
    "network-latency_ends_when_its_unit_is_stopped",
    "latency_spares_what_it_must_and_refuses_a_second",
    "latency_slows_only_whom_it_is_told_to",
    "latency_leaves_a_foreign_queue_alone",
    "revert_works_without_the_state_folder",
    "reboot_leaves_nothing",
    "a_host_that_was_reset_takes_a_fault_again",
];

/// Both boots, emulated, on a machine that has other things to do.
const LONGEST: Duration = Duration::from_secs(600);

/// Why there can be no microVM here, or why it is not asked for: emulated, without KVM, both boots take ten minutes and
/// more on a busy machine.
pub fn missing() -> Missing {
    if env::var_os("STORMDRILL_VM").is_none() {
        return Some("it is not asked for: `make test-vm` boots it".to_owned());
    }
    let programs = ["qemu-system-x86_64", "mmdebstrap", "mke2fs", "busybox", "tar", "modprobe"];
    if let Some(program) = programs.iter().find(|program| !have(program)) {
        return Some(format!("{program} is not installed (tests/host/vm/packages.txt)"));
    }
    let kernel = fs::read_dir("/boot").ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    if kernel.into_iter().any(|name| name.starts_with("vmlinuz-") && name.ends_with("-cloud-amd64")) {
        return None;
    }
    Some("there is no /boot/vmlinuz-*-cloud-amd64 (linux-image-cloud-amd64, tests/host/vm/packages.txt)".to_owned())
}

pub fn trials() -> Vec<Trial> {
    let faults = crate::cases::FAULTS.into_iter().chain(["network-latency"]);
    let each = faults.flat_map(|fault| EACH.map(|what| format!("{fault}_{what}")));
    each.chain(ONCE.map(str::to_owned)).map(|name| trial(format!("vm::{name}"), move || held(&name))).collect()
}

fn held(name: &str) {
    static RESULTS: OnceLock<Result<BTreeMap<String, Value>, String>> = OnceLock::new();
    let results = RESULTS.get_or_init(run).as_ref().unwrap_or_else(|error| panic!("{error}"));
    let result = results.get(name).unwrap_or_else(|| panic!("the microVM did not come to it: {:?}", results.keys()));
    assert_eq!(result["held"], true, "{}", result["detail"].as_str().unwrap_or(""));
}

/// Boots the machine and reads what it says, by trial.
fn run() -> Result<BTreeMap<String, Value>, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-vm");
    fs::create_dir_all(&folder).map_err(|error| format!("could not make {}: {error}", folder.display()))?;
    build(&folder)?;
    pack(&folder)?;
    let accelerators = match env::var("STORMDRILL_VM_ACCEL") {
        Ok(chosen) => vec![chosen],
        // A /dev/kvm that is there may still not work, as in a machine that is one itself: only the answer counts.
        Err(_) if Path::new("/dev/kvm").exists() && !folder.join("no-kvm").exists() => vec!["kvm".into(), "tcg".into()],
        Err(_) => vec!["tcg".into()],
    };
    let mut last = "no accelerator to try".to_owned();
    for accelerator in accelerators {
        match boot(&folder, &accelerator) {
            Ok(results) => return Ok(results),
            Err(error) => last = error,
        }
        if accelerator == "kvm" {
            fs::write(folder.join("no-kvm"), &last).map_err(|error| error.to_string())?;
        }
    }
    Err(last)
}

/// Builds the image unless the one that is there was built from the same recipe and kernel.
fn build(folder: &Path) -> Result<(), String> {
    let kernels = Command::new("sh").args(["-c", "ls /boot/vmlinuz-*-cloud-amd64"]).output();
    let recipe = format!("{BUILD}\n{:?}", kernels.map(|output| output.stdout).unwrap_or_default());
    let stamp = folder.join("recipe");
    if folder.join("root.img").exists() && fs::read_to_string(&stamp).is_ok_and(|built| built == recipe) {
        return Ok(());
    }
    crate::note("building the image of the microVM, once: some minutes");
    let output = Command::new("bash").args(["-c", BUILD, "build.sh"]).arg(folder).output();
    let output = output.map_err(|error| format!("could not start bash: {error}"))?;
    if !output.status.success() {
        return Err(format!("could not build the image: {}", String::from_utf8_lossy(&output.stderr)));
    }
    fs::write(stamp, recipe).map_err(|error| format!("could not note the recipe: {error}"))
}

/// The documents and the rounds as a tar archive, which the machine sees as its second disk.
fn pack(folder: &Path) -> Result<(), String> {
    let ring = folder.join("ring");
    let packed = || -> std::io::Result<bool> {
        fs::create_dir_all(&ring)?;
        for document in drill_documents::documents() {
            fs::write(ring.join(format!("{}.sh", document.name)), &document.script)?;
        }
        fs::write(ring.join("rounds.sh"), ROUNDS)?;
        Ok(Command::new("tar")
            .arg("-C")
            .arg(&ring)
            .arg("-cf")
            .arg(folder.join("ring.tar"))
            .arg(".")
            .status()?
            .success())
    };
    match packed() {
        Ok(true) => Ok(()),
        Ok(false) => Err("tar could not pack the documents".to_owned()),
        Err(error) => Err(format!("could not pack the documents: {error}")),
    }
}

fn boot(folder: &Path, accelerator: &str) -> Result<BTreeMap<String, Value>, String> {
    let at = |name: &str| folder.join(name);
    let shown = |path: PathBuf| path.display().to_string();
    let results = at("results");
    fs::write(&results, "").map_err(|error| format!("could not make {}: {error}", results.display()))?;
    let quick = if accelerator == "tcg" { "tcg,thread=multi" } else { accelerator };
    let mut machine = Command::new("qemu-system-x86_64")
        .args(["-accel", quick, "-smp", "2", "-m", "512", "-display", "none", "-nic", "none"])
        .args(["-kernel", &shown(at("vmlinuz")), "-initrd", &shown(at("initrd"))])
        .args(["-append", "console=ttyS0 root=/dev/vda rw panic=-1 quiet systemd.show_status=0 rdinit=/init"])
        .args(["-serial", &format!("file:{}", shown(at("console")))])
        .args(["-serial", &format!("file:{}", shown(results.clone()))])
        // Written to memory only: every run starts from the image as it was built, and a reset keeps what was written.
        .args(["-drive", &format!("file={},format=raw,if=virtio,snapshot=on", shown(at("root.img")))])
        .args(["-drive", &format!("file={},format=raw,if=virtio,readonly=on", shown(at("ring.tar")))])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("could not start qemu: {error}"))?;

    let read = || fs::read_to_string(&results).unwrap_or_default();
    let mut over = || machine.try_wait().is_ok_and(|status| status.is_some());
    let alive = clock::eventually(Duration::from_secs(if accelerator == "kvm" { 30 } else { 180 }), || {
        !read().is_empty() || over()
    });
    let ended = alive && clock::eventually(LONGEST, || read().contains("\"trial\":\"end\"") || over());
    machine.kill().map_err(|error| format!("could not end qemu: {error}"))?;
    let output = machine.wait_with_output().map_err(|error| format!("could not wait for qemu: {error}"))?;
    let text = read();
    if text.is_empty() {
        let console = fs::read_to_string(at("console")).unwrap_or_default();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("the microVM did not boot with {accelerator}: {said}\n{console}"));
    }
    if !ended {
        crate::note("the microVM did not come to its end in time");
    }
    Ok(text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| Some((line["trial"].as_str()?.to_owned(), line)))
        // What failed once has failed.
        .fold(BTreeMap::new(), |mut results, (name, line)| {
            if results.get(&name).is_none_or(|earlier: &Value| earlier["held"] == true) {
                results.insert(name, line);
            }
            results
        }))
}
