//! Disks that are full or nearly full, have hardly an inode left, or cannot be written: each fault on each of them, on
//! tmpfs and on ext4. After each, nothing of the unit is there, or it has ended by itself and says so.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{Case, FAULTS, case, systemd_case};
use crate::order::Order;
use crate::sandbox::Sandbox;
use crate::{Missing, clock, note, trial};

const UNIT: &str = "00000000000000a1";
const SOON: Duration = Duration::from_secs(20);
const GONE: Duration = Duration::from_secs(60);
const FOLDER: &str = "/var/lib/stormdrill";

/// The file system that the state is on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Tmpfs,
    Ext4,
}

/// What it has left.
#[derive(Clone, Copy)]
enum Room {
    Kib(u32),
    Inodes(u32),
    ReadOnly,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Tmpfs => "tmpfs",
            Self::Ext4 => "ext4",
        })
    }
}

impl fmt::Display for Room {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kib(free) => write!(out, "{free} KiB"),
            Self::Inodes(free) => write!(out, "{free} inodes"),
            Self::ReadOnly => out.write_str("read-only"),
        }
    }
}

/// What was tried, and how it ended, for the end of the ring.
static TRIED: Mutex<BTreeMap<(Kind, String), u32>> = Mutex::new(BTreeMap::new());
/// So many loop devices at a time: a machine has few, and others use them, too.
static LOOPS: [Mutex<()>; 4] = [const { Mutex::new(()) }; 4];

/// Why no ext4 can be mounted here.
pub fn missing_ext4() -> Missing {
    let host = Sandbox::new();
    match mount_ext4(&host) {
        Ok(()) => None,
        Err(said) => Some(format!("{said}: a loop device and mkfs.ext4 (tests/host/packages.txt) are needed")),
    }
}

/// On tmpfs.
pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = FAULTS
        .into_iter()
        .enumerate()
        .map(|(index, fault)| {
            trial(format!("disks::{fault}_on_tmpfs"), move || grid(&case(fault), Kind::Tmpfs, index as u32))
        })
        .collect();
    for (fault, what) in ["process-pause", "network-blackhole"].into_iter().zip(["full", "read_only"]) {
        let full = what == "full";
        trials.push(trial(format!("disks::{fault}_ends_when_its_disk_becomes_{what}"), move || becomes(fault, full)));
    }
    trials
}

/// On ext4.
pub fn ext4_trials() -> Vec<Trial> {
    let each = FAULTS.into_iter().enumerate();
    each.map(|(index, fault)| {
        trial(format!("disks::{fault}_on_ext4"), move || {
            let _one = LOOPS[index % LOOPS.len()].lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            grid(&case(fault), Kind::Ext4, index as u32);
        })
    })
    .collect()
}

/// Under systemd, which holds the dead man there: what keeps most, and what keeps a list.
pub fn systemd_trials() -> Vec<Trial> {
    let each = ["process-pause", "service-stop"].into_iter().enumerate();
    each.map(|(index, fault)| {
        trial(format!("disks::under_systemd_{fault}_on_tmpfs"), move || {
            grid(&systemd_case(fault), Kind::Tmpfs, index as u32);
        })
    })
    .collect()
}

/// Says what was tried.
pub fn say() {
    let tried = TRIED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for kind in [Kind::Tmpfs, Kind::Ext4] {
        let of_kind: Vec<_> = tried.iter().filter(|((of, _), _)| *of == kind).collect();
        let total: u32 = of_kind.iter().map(|(_, count)| **count).sum();
        let ends: Vec<_> = of_kind.iter().map(|((_, outcome), count)| format!("{count} {outcome}")).collect();
        if total > 0 {
            note(&format!("disks: {total} orders on nearly full disks of {kind}: {}", ends.join(", ")));
        }
    }
}

/// Which rooms: from none to 64 KiB and to 16 inodes. Two faults that follow each other try the steps between.
fn rooms(index: u32) -> Vec<Room> {
    let all = std::env::var_os("STORMDRILL_DISKS_ALL").is_some();
    let step = if all { 1 } else { 2 };
    let first = if all { 0 } else { index % 2 };
    let bytes = (first..=16).step_by(step).map(|at| Room::Kib(4 * at));
    let inodes = (first..=16).step_by(step).map(Room::Inodes);
    bytes.chain(inodes).chain([Room::ReadOnly]).collect()
}

fn grid(case: &Case, kind: Kind, index: u32) {
    if kind == Kind::Ext4 {
        mount_ext4(&case.host).unwrap();
    }
    let mut outcomes = Vec::new();
    for (number, room) in rooms(index).into_iter().enumerate() {
        prepare(&case.host, kind, room);
        let outcome = once(case, kind, room, &format!("{:016x}", 0xd00 + number));
        *TRIED.lock().unwrap().entry((kind, outcome.clone())).or_default() += 1;
        outcomes.push(outcome);
        // What held the fault may still look around in it.
        let undone = match kind {
            Kind::Tmpfs => format!("umount {FOLDER}"),
            Kind::Ext4 => format!("mount -o remount,rw {FOLDER} && rm -rf {FOLDER}/*"),
        };
        assert!(clock::eventually(SOON, || case.host.holds(&undone)), "{kind} with {room}");
    }
    // A grid that is all on one side of the edge shows nothing.
    assert!(outcomes.iter().any(|outcome| outcome == "refused"), "{outcomes:?}");
    // On a busy machine its time may be over before it is seen to land.
    assert!(outcomes.iter().any(|outcome| outcome != "refused"), "{outcomes:?}");
}

/// One order on such a disk, and all that has to be so after it.
fn once(case: &Case, kind: Kind, room: Room, unit: &str) -> String {
    if !case.reversible && case.harmed() {
        case.host.victims("victim-api");
    }
    // Somebody else has filled the disk.
    let fills = case.document == "disk-fill";
    let harmed = || if fills { case.host.holds(&format!("ls {FOLDER}/units/*/fill")) } else { case.harmed() };
    let answer = case.host.order(&case.order(unit).for_seconds(4));
    let at = format!("{kind} with {room}: {answer:?}");
    match answer.outcome() {
        "refused" | "failed" => assert!(!harmed(), "not made, and there: {at}"),
        "landed" => assert!(clock::eventually(GONE, || case.host.units().is_empty()), "it does not end: {at}"),
        other => panic!("{other}: {at}"),
    }
    assert!(!case.reversible || !harmed(), "the harm is still seen: {at}");
    assert!(case.host.units().is_empty(), "{at}");
    let mut after = case.host.order(&Order::new("revert", unit));
    if after.outcome() == "reverted" {
        // Its supervisor was still about to end.
        after = case.host.order(&Order::new("revert", unit));
    }
    assert_eq!(after.outcome(), "absent", "{at} {after:?}");
    if answer.outcome() == "landed" {
        assert_eq!(after.reason(), "dead-man", "it does not say how it ended: {at} {after:?}");
    }
    assert!(!case.reversible || !harmed(), "the harm is still seen: {at}");
    assert!(!case.host.holds(&format!("iptables -S | grep -q {unit}")), "{at}");
    answer.outcome().to_owned()
}

/// Gives the file system of the state this much room.
fn prepare(host: &Sandbox, kind: Kind, room: Room) {
    let script = match (kind, room) {
        (Kind::Tmpfs, Room::Kib(free)) => format!(
            "mount -t tmpfs -o size={}k,mode=700 small {FOLDER} && head -c 4096 /dev/zero >{FOLDER}/somebodys",
            free + 4
        ),
        (Kind::Tmpfs, Room::Inodes(free)) => {
            format!("mount -t tmpfs -o size=120000k,nr_inodes={},mode=700 small {FOLDER}", free + 1)
        }
        (Kind::Tmpfs, Room::ReadOnly) => {
            format!("mount -t tmpfs -o size=120000k,mode=700 small {FOLDER} && mount -o remount,ro {FOLDER}")
        }
        (Kind::Ext4, Room::Kib(free)) => format!(
            "cd {FOLDER} && mkdir units tombstones && head -c {}k /dev/zero >spare && fallocate -l 1G full 2>/dev/null; \
             dd if=/dev/zero bs=1k >>more 2>/dev/null; dd if=/dev/zero bs=1k >>last 2>/dev/null; rm spare && sync",
            free.max(1)
        ),
        (Kind::Ext4, Room::Inodes(free)) => format!(
            "cd {FOLDER} && mkdir units tombstones && number=0 && while touch somebodys-$number; do number=$((number + 1)); \
             done 2>/dev/null; for left in $(seq {free}); do rm somebodys-$((number - left)); done"
        ),
        (Kind::Ext4, Room::ReadOnly) => format!("mount -o remount,ro {FOLDER}"),
    };
    let made = host.shell(&script);
    assert!(made.status.success(), "{kind} with {room}: {made:?}");
}

/// Small files fit into such a disk when the document does not.
fn mount_ext4(host: &Sandbox) -> Result<(), String> {
    let image = host.folder.join("image");
    let image = image.display();
    let made = host.shell(&format!(
        "truncate -s 128M {image} && mkfs.ext4 -q -O inline_data -I 1024 -m 0 -N 64 {image} && mount -o loop {image} {FOLDER} && \
         rmdir {FOLDER}/lost+found"
    ));
    if made.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&made.stderr).trim().replace('\n', "; ")) }
}

/// The disk is good when the fault lands, and full or read-only when it ends.
fn becomes(fault: &'static str, full: bool) {
    let case = case(fault);
    case.host.order(&case.order(UNIT).for_seconds(6)).must_be("landed", "");

    if full {
        case.host.shell(&format!("cat /dev/zero >{FOLDER}/somebodys"));
    } else {
        assert!(case.host.holds(&format!("mount -o remount,ro {FOLDER}")));
    }

    assert!(clock::eventually(GONE, || !case.harmed()), "it does not end");
    let answer = case.host.order(&Order::new("revert", UNIT));
    assert!(["absent", "reverted"].contains(&answer.outcome()), "{answer:?}");
    case.must_be_whole();
    // Whatever could be written of it: it does not start again.
    assert!(!["landed", "already"].contains(&case.host.order(&case.order(UNIT)).outcome()));
    case.must_be_whole();
}
