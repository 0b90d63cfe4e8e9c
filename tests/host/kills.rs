//! SIGKILL at every step: before each program that a document calls, its whole process group dies, as the agent does
//! it. Programs are counted by shims in the PATH, so the documents are executed as they are.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{Case, FAULTS, case};
use crate::order::Order;
use crate::trial;

/// What the documents call. A program that is missing here is a step that is not tried.
const PROGRAMS: [&str; 44] = [
    "awk",
    "cat",
    "chmod",
    "cksum",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "dirname",
    "du",
    "fallocate",
    "flock",
    "getent",
    "grep",
    "id",
    "ip",
    "ip6tables",
    "ip6tables-restore",
    "iptables",
    "iptables-restore",
    "kill",
    "ls",
    "mkdir",
    "mv",
    "nice",
    "nft",
    "nproc",
    "nsenter",
    "readlink",
    "rm",
    "sed",
    "setsid",
    "sleep",
    "sort",
    "stress-ng",
    "systemctl",
    "systemd-run",
    "tc",
    "timeout",
    "touch",
    "tr",
    "uname",
    "unshare",
];

/// Counts the calls of one role, and kills that role's process group before call number `$STORMDRILL_RING_STEP`.
/// The command's group was made outside of the host, where its number is 0. Naps are not counted: how many there are is
/// chance, and they change nothing.
const SHIM: &str = r#"#!/bin/bash
read -r line </proc/$$/stat
fields=(${line##*) })
mapfile -d '' -t words <"/proc/$PPID/cmdline"
case "${fields[2]} ${words[*]}" in
  0\ *) role=command ;;
  *document.sh\ hold*) role=holder ;;
  *) role=other ;;
esac
if [ "$role" = "$STORMDRILL_RING_ROLE" ] && [ "${0##*/}" != sleep ]; then
  echo "${0##*/}" >>"$STORMDRILL_RING_STEPS"
  mapfile -t steps <"$STORMDRILL_RING_STEPS"
  [ "${#steps[@]}" -ne "$STORMDRILL_RING_STEP" ] || kill -9 0
fi
exec "REAL" "$@"
"#;

/// The longest that the end of a killed order may take.
const GONE: Duration = Duration::from_secs(30);

/// The faults whose commands and reverts die at every step: one for each kind of thing that is changed: processes,
/// files, kernel tables, a supervisor's mind. Of the others, whose commands are the same up to there, every fifth.
const WHOLE: [&str; 4] = ["process-pause", "disk-fill", "network-blackhole", "service-stop"];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![trial("kill::the_steps_are_those_of_the_documents", steps_are_seen)];
    for (index, fault) in FAULTS.into_iter().enumerate() {
        let mut add = |what: &str, lanes: Vec<Lane>, body: fn(&Killed)| {
            trials.extend(lanes.into_iter().map(|lane| {
                let name = format!("kill::{fault}_{what}_at_steps_from_{}_by_{}", lane.first, lane.stride);
                trial(name, move || body(&Killed::new(fault, lane)))
            }));
        };
        let lanes = || match WHOLE.contains(&fault) {
            true => (1..=3).map(|first| Lane { first, stride: 3 }).collect(),
            false => vec![Lane { first: 1 + index % 5, stride: 5 }],
        };
        add("command", lanes(), command);
        add("holder", vec![Lane { first: 1, stride: 1 }], holder);
        add("revert", lanes(), revert);
    }
    trials
}

/// Which steps a trial tries. Most of the time of a step is waiting for a dead man, so several hosts share them.
#[derive(Clone, Copy)]
struct Lane {
    first: usize,
    stride: usize,
}

/// The shims see what a document calls, before and after it arms the dead man: the trials below are not empty.
fn steps_are_seen() {
    let killed = Killed::new("process-pause", Lane { first: 1, stride: 1 });

    killed.run(&killed.case.order("00000000000000a1"), "command", 9999);
    let calls = fs::read_to_string(killed.path()).unwrap();
    // The watchdog sees the holder die, and may then be quicker than the revert.
    assert!(killed.case.host.holds("kill -9 $(cut -d: -f1 /var/lib/stormdrill/units/00000000000000a1/watchdog)"));
    killed.run(&Order::new("revert", "00000000000000a1"), "command", 9999);
    let back = fs::read_to_string(killed.path()).unwrap();

    let (before, after) = calls.split_once("setsid\n").unwrap();
    assert!(before.contains("grep\n") && before.lines().count() > 5, "{calls}");
    assert!(after.contains("tr\n"), "{calls}");
    assert!(back.contains("flock\n") && back.contains("mv\n") && back.contains("rm\n"), "{back}");
}

/// The command dies at every step: nothing is left, at once or when the dead man has been.
fn command(killed: &Killed) {
    let before = killed.case.host.state();
    let steps = killed.each_step(|unit, step| {
        let died = killed.run(&killed.case.order(unit).for_seconds(2), "command", step);
        killed.must_end(&before);
        killed.must_stay_ended(unit);
        died
    });
    assert!(steps > 1, "only {steps} steps were tried");
}

/// What holds the fault dies at every step of saving, applying and seeing: the watchdog takes back what was begun.
fn holder(killed: &Killed) {
    let before = killed.case.host.state();
    let steps = killed.each_step(|unit, step| {
        killed.run(&killed.case.order(unit).for_seconds(60), "holder", step);
        let died = killed.steps() == step;
        if died {
            killed.must_end(&before);
        }
        killed.must_stay_ended(unit);
        died
    });
    assert!(steps > 0, "no step was tried");
}

/// The revert dies at every step: the dead man is not disarmed before the fault is gone.
fn revert(killed: &Killed) {
    let before = killed.case.host.state();
    let steps = killed.each_step(|unit, step| {
        killed.case.host.order(&killed.case.order(unit).for_seconds(8)).must_be("landed", "");
        let died = killed.run(&Order::new("revert", unit), "command", step);
        killed.must_end(&before);
        killed.must_stay_ended(unit);
        died
    });
    assert!(steps > 1, "only {steps} steps were tried");
}

/// A case whose host has the shims, and which steps it tries.
struct Killed {
    case: Case,
    lane: Lane,
}

impl Killed {
    fn new(fault: &'static str, lane: Lane) -> Self {
        let case = case(fault);
        for program in PROGRAMS {
            let real = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(|folder| format!("{folder}/{program}"));
            if let Some(real) = real.iter().find(|real| std::path::Path::new(real).exists()) {
                case.host.install_in("shims", program, &SHIM.replace("REAL", real));
            }
        }
        Self { case, lane }
    }

    /// Calls it with one unit and step after the other, until nothing was killed any more. Gives the number of kills.
    fn each_step(&self, mut one: impl FnMut(&str, usize) -> bool) -> usize {
        for (kills, step) in (self.lane.first..200).step_by(self.lane.stride).enumerate() {
            self.ready();
            if !one(&format!("{step:016x}"), step) {
                return kills;
            }
        }
        panic!("{} never ends", self.case.document)
    }

    /// The processes that a kill took are there again.
    fn ready(&self) {
        if self.case.document == "process-kill" && self.case.harmed() {
            self.case.host.victims("victim-api");
        }
    }

    /// Runs an order in which that role dies before its call of that number. True when the command itself was killed.
    fn run(&self, order: &Order, role: &str, step: usize) -> bool {
        fs::write(self.path(), "").unwrap();
        let (path, step) = (self.path(), step.to_string());
        let folders = format!("{0}/shims:{0}/bin:/usr/sbin:/usr/bin:/sbin:/bin", self.case.host.folder.display());
        let variables = [
            ("PATH", folders.as_str()),
            ("STORMDRILL_RING_ROLE", role),
            ("STORMDRILL_RING_STEP", &step),
            ("STORMDRILL_RING_STEPS", path.to_str().unwrap()),
        ];
        let mut child = self.case.host.start_with(order, &variables, Stdio::null);
        child.wait().unwrap().code().is_none()
    }

    fn path(&self) -> std::path::PathBuf {
        self.case.host.folder.join("steps")
    }

    fn steps(&self) -> usize {
        fs::read_to_string(self.path()).unwrap().lines().count()
    }

    #[track_caller]
    fn must_end(&self, before: &str) {
        self.ready();
        self.case.host.must_become(before, GONE);
        self.case.must_be_whole();
    }

    /// The revert that a rollback sends all the same has nothing left to do, or ends what has not ended.
    #[track_caller]
    fn must_stay_ended(&self, unit: &str) {
        let answer = self.case.host.order(&Order::new("revert", unit));
        assert!(["absent", "reverted"].contains(&answer.outcome()), "{answer:?}");
        assert!(self.case.host.units().is_empty());
    }
}
