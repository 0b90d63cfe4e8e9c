//! Orders that come twice, late or early, by clocks that are a minute off: there is one fault, or none, and every answer
//! says what is so.

use std::process::{Child, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{Case, FAULTS, case, systemd_case};
use crate::order::{Answer, Order};
use crate::{clock, trial};

const SOON: Duration = Duration::from_secs(30);
const GONE: Duration = Duration::from_secs(60);
/// How far a clock may be off, and a second for the way.
const SKEW: u64 = 59;

pub fn trials() -> Vec<Trial> {
    let each = FAULTS.into_iter().map(|fault| {
        trial(format!("copies::of_{fault}_are_one_fault_or_none"), move || copies(&case(fault), "setsid"))
    });
    each.chain([
        trial("copies::a_clock_that_is_a_minute_ahead_does_not_lengthen_a_fault", || skewed(true)),
        trial("copies::a_clock_that_is_a_minute_behind_does_not_cut_a_fault", || skewed(false)),
    ])
    .collect()
}

/// Under systemd, which is what starts the supervisor there.
pub fn systemd_trials() -> Vec<Trial> {
    let each = ["process-pause", "network-blackhole", "service-stop"].into_iter();
    each.map(|fault| {
        trial(format!("copies::under_systemd_of_{fault}_are_one_fault_or_none"), move || {
            copies(&systemd_case(fault), "systemd-run");
        })
    })
    .collect()
}

fn copies(case: &Case, arms: &str) {
    let before = case.host.state();
    case.host.install_in(
        "shims",
        arms,
        &format!("#!/bin/sh\n[ ! -e /run/shut ] || read -r _ </run/gate\nexec /usr/bin/{arms} \"$@\"\n"),
    );
    assert!(case.host.holds("mkfifo /run/gate"));

    // The first has not armed when the second comes, and arms when that one has landed.
    let first = held(case, UNITS[0]);
    case.host.order(&case.order(UNITS[0])).must_be("landed", "");
    let first = released(case, first);
    assert!(["landed", "already"].contains(&first.outcome()), "{first:?}");
    case.must_be_harmed();
    ends(case, UNITS[0], &before);

    // It has not armed when its revert comes: it never will be there.
    let first = held(case, UNITS[1]);
    case.host.order(&Order::new("revert", UNITS[1])).must_be("absent", "never-started");
    released(case, first).must_be("refused", "tombstone");
    whole(case, &before);

    // The second comes while the first is on its way to land.
    let first = case.host.start(&case.order(UNITS[2]));
    assert!(clock::eventually(SOON, || !case.host.units().is_empty()));
    let second = case.host.order(&case.order(UNITS[2]));
    let first = answer(first);
    for one in [&first, &second] {
        assert!(["landed", "already"].contains(&one.outcome()), "{one:?}");
    }
    // By whatever clock a copy was made: what is there is the answer.
    for order in both_clocks(case, UNITS[2]) {
        let copy = case.host.order(&order);
        assert_eq!(copy.outcome(), "already", "{copy:?}");
        assert_eq!(copy.line.as_ref().unwrap()["since"], first.line.as_ref().unwrap()["since"], "{copy:?}");
    }
    ends(case, UNITS[2], &before);

    // It has ended by itself.
    case.host.order(&case.order(UNITS[3]).for_seconds(6)).must_be("landed", "");
    assert!(clock::eventually(GONE, || case.host.units().is_empty()));
    for order in both_clocks(case, UNITS[3]) {
        let copy = case.host.order(&order);
        copy.must_be("refused", "tombstone");
        let line = copy.line.as_ref().unwrap();
        assert!(line["since"].as_u64().unwrap() <= line["ended_at"].as_u64().unwrap(), "{line}");
    }
    whole(case, &before);
}

const UNITS: [&str; 4] = ["00000000000000a1", "00000000000000b2", "00000000000000c3", "00000000000000d4"];

/// Starts an order that stops before it arms its dead man.
fn held(case: &Case, unit: &str) -> Child {
    assert!(case.host.holds("touch /run/shut"));
    let path = format!("{0}/shims:{0}/bin:/usr/sbin:/usr/bin:/sbin:/bin", case.host.folder.display());
    let child = case.host.start_with(&case.order(unit), &[("PATH", &path)], Stdio::piped);
    let waits = || case.host.processes().iter().any(|process| process.line.contains("/shims/"));
    assert!(clock::eventually(SOON, waits), "it did not come to its dead man");
    assert!(case.host.units().is_empty());
    assert!(case.host.holds("rm /run/shut"));
    child
}

/// Lets it go on, and gives its answer.
fn released(case: &Case, child: Child) -> Answer {
    assert!(case.host.holds("echo >/run/gate"));
    answer(child)
}

fn answer(child: Child) -> Answer {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer::read(output.status.code(), &text(output.stdout), &text(output.stderr))
}

/// Copies of an order that were made by a clock behind and by one ahead of the host's.
fn both_clocks(case: &Case, unit: &str) -> [Order; 2] {
    let at = |now: u64| {
        let order = case.order(unit).with("NotAfter", (now + 60).to_string());
        order.with("Deadline", (now + 600).to_string())
    };
    [at(clock::now() - SKEW), at(clock::now() + SKEW)]
}

fn ends(case: &Case, unit: &str, before: &str) {
    case.host.order(&Order::new("revert", unit)).must_be("reverted", "");
    whole(case, before);
}

/// As it was, with whoever was killed.
fn whole(case: &Case, before: &str) {
    if !case.reversible && case.harmed() {
        case.host.victims("victim-api");
    }
    case.host.must_become(before, SOON);
    case.must_be_whole();
}

/// The order's clock is ahead of the host's, or behind: the fault has its length, and not a second more.
fn skewed(ahead: bool) {
    let case = case("process-pause");
    let now = if ahead { clock::now() + SKEW } else { clock::now() - SKEW };
    // That it may start by then is another trial's concern.
    let order = case.order(UNITS[0]).with("NotAfter", (now + 120).to_string());

    let answer = case.host.order(&order.with("Deadline", (now + 60).to_string()).with("MaxSeconds", "60"));

    answer.must_be("landed", "");
    let line = answer.line.as_ref().unwrap();
    let length = line["until"].as_u64().unwrap() - line["since"].as_u64().unwrap();
    assert!((50..=60).contains(&length), "{length} s of 60: {line}");
}
