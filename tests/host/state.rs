//! State that is lost or broken, or kept over a boot; supervisors that stand still or are gone. After each, nothing of the unit is there, or it ends by itself and says so.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::case;
use crate::order::Order;
use crate::{clock, trial};

const UNIT: &str = "00000000000000a1";
const SOON: Duration = Duration::from_secs(20);
const GONE: Duration = Duration::from_secs(30);
const FOLDER: &str = "/var/lib/stormdrill";

/// A fault for each way to keep state: none, a list, how something runs, a file, a log, a kernel table.
const KEPT: [&str; 5] = ["process-pause", "service-stop", "disk-fill", "cpu-stress", "network-blackhole"];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for fault in KEPT {
        trials.push(trial(format!("state::{fault}_is_undone_when_its_copy_is_broken"), move || broken_copy(fault)));
    }
    trials.extend([
        trial("state::a_pause_ends_when_its_folder_is_removed", folder_removed),
        trial("state::a_session_of_another_boot_is_nobody_of_ours", another_boot),
        trial("state::a_watchdog_that_stands_still_goes_on", watchdog_stopped),
        trial("state::a_watchdog_that_is_killed_is_replaced", watchdog_killed),
        trial("state::a_pause_that_somebody_ends_has_ended_and_says_when", ended_early),
        trial("state::the_probe_says_what_holds_and_until_when", probed),
    ]);
    trials
}

/// Its copy is cut, and both supervisors die: the revert does it by itself.
fn broken_copy(fault: &'static str) {
    let case = case(fault);
    let before = case.host.state();
    case.host.order(&case.order(UNIT)).must_be("landed", "");

    let folder = format!("{FOLDER}/units/{UNIT}");
    assert!(case.host.holds(&format!(
        "truncate -s 12000 {folder}/document.sh && kill -9 $(cut -d: -f1 {folder}/watchdog) $(cut -d: -f1 {folder}/holder)"
    )));
    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    case.host.must_become(&before, SOON);
    case.must_be_whole();
}

fn folder_removed() {
    let case = case("process-pause");
    let before = case.host.state();
    case.host.order(&case.order(UNIT)).must_be("landed", "");

    assert!(case.host.holds(&format!("rm -rf {FOLDER}/units/*")));

    case.host.must_become(&before, SOON);
    case.must_be_whole();
    case.host.order(&Order::new("revert", UNIT)).must_be("absent", "folder-gone");
}

/// The state folder is kept, and the numbers in it are somebody else's now.
fn another_boot() {
    let case = case("process-pause");
    case.host.order(&case.order(UNIT)).must_be("landed", "");
    let folder = format!("{FOLDER}/units/{UNIT}");
    assert!(case.host.holds(&format!("kill -9 $(cut -d: -f1 {folder}/watchdog) $(cut -d: -f1 {folder}/holder)")));
    let session = "setsid sh -c 'echo $$ >/run/session; sleep 1002 & exec sleep 0.1' </dev/null >/dev/null 2>&1 &";
    assert!(case.host.holds(session));
    let sleeps = || case.host.processes().iter().any(|process| process.line == "sleep 1002");
    assert!(clock::eventually(SOON, sleeps));
    assert!(case.host.holds(&format!(
        "echo \"$(cat /run/session):1 00000000-0000-0000-0000-000000000000-1\" | tee {folder}/holder >{folder}/watchdog"
    )));

    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    assert!(sleeps(), "a stranger was killed");
    case.must_be_whole();
}

fn watchdog_stopped() {
    let case = case("process-pause");
    let before = case.host.state();
    case.host.order(&case.order(UNIT).for_seconds(6)).must_be("landed", "");

    assert!(case.host.holds(&format!("kill -STOP $(cut -d: -f1 {FOLDER}/units/{UNIT}/watchdog)")));

    case.host.must_become(&before, GONE);
    case.must_be_whole();
}

fn watchdog_killed() {
    let case = case("process-pause");
    let before = case.host.state();
    case.host.order(&case.order(UNIT).for_seconds(8)).must_be("landed", "");

    assert!(case.host.holds(&format!("kill -9 $(cut -d: -f1 {FOLDER}/units/{UNIT}/watchdog)")));

    case.host.must_become(&before, GONE);
    case.must_be_whole();
}

fn ended_early() {
    let case = case("process-pause");
    let before = case.host.state();
    case.host.order(&case.order(UNIT)).must_be("landed", "");

    let at = clock::now();
    assert!(case.host.holds("kill -CONT $(cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/ (victim-api) .*//p')"));

    case.host.must_become(&before, SOON);
    let answer = case.host.order(&Order::new("revert", UNIT));
    answer.must_be("absent", "ended-early");
    let line = answer.line.as_ref().unwrap();
    assert!(line["ended_at"].as_u64().unwrap().abs_diff(at) <= 3, "{line}, ended at {at}");
    // A copy that comes later is told the same.
    let late = case.host.order(&case.order(UNIT));
    late.must_be("refused", "tombstone");
    assert_eq!(late.line.as_ref().unwrap()["ended_at"], line["ended_at"]);
}

fn probed() {
    let case = case("process-pause");
    case.host.order(&case.order(UNIT).for_seconds(300)).must_be("landed", "");

    let during = case.host.order(&Order::new("probe", UNIT));
    let line = during.line.as_ref().unwrap();
    assert_eq!((&line["holds"], &line["present"]), (&true.into(), &true.into()));
    let left = line["until"].as_u64().unwrap() - line["time"].as_u64().unwrap();
    assert!((270..=300).contains(&left), "{line}");

    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");
    let after = case.host.order(&Order::new("probe", UNIT));
    let line = after.line.as_ref().unwrap();
    assert_eq!((&line["present"], &line["reason"]), (&false.into(), &"revert".into()));
    assert!(line["ended_at"].as_u64().unwrap() >= line["since"].as_u64().unwrap(), "{line}");
}
