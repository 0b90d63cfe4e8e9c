//! The dead man: each fault ends by itself, at its deadline, and when what holds it dies.

use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{Case, FAULTS, case};
use crate::order::Order;
use crate::trial;

const UNIT: &str = "00000000000000a1";
/// When the dead man ends a fault: late enough that a busy machine sees the harm before.
const SECONDS: u64 = 8;
/// How far a host's clock may be ahead.
const SKEW: u64 = 60;
/// That, and time for the way back.
const GONE: Duration = Duration::from_secs(30);

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for fault in FAULTS {
        trials.push(trial(format!("deadman::{fault}_ends_at_its_deadline"), || ends(&case(fault), false)));
        trials.push(trial(format!("deadman::{fault}_ends_after_its_longest_time"), || ends(&case(fault), true)));
        trials.push(trial(format!("deadman::{fault}_ends_when_its_holder_is_killed"), || holder_killed(&case(fault))));
        trials.push(trial(format!("deadman::{fault}_without_any_supervisor_is_taken_back_by_the_revert"), || {
            orphaned(fault)
        }));
    }
    trials
}

/// A fault ends by itself, at the deadline or after its longest time.
pub fn ends(case: &Case, by_length: bool) {
    let before = case.host.state();
    // A clock that is wrong by years must not keep a fault alive. The deadline bounds it by a clock that may be the
    // allowed minute behind.
    let order = if by_length {
        case.order(UNIT).with("Deadline", "9999999999").with("MaxSeconds", SECONDS.to_string())
    } else {
        case.order(UNIT).with("Deadline", (crate::clock::now() + SECONDS - SKEW).to_string())
    };

    case.host.order(&order).must_be("landed", "");
    case.must_be_harmed();

    if case.reversible {
        case.host.must_become(&before, GONE);
    }
    assert!(crate::clock::eventually(GONE, || case.host.text("ls -A /var/lib/stormdrill/units").is_empty()));
    case.must_be_whole();
    case.host.order(&Order::new("revert", UNIT)).must_be("absent", "dead-man");
    case.host.order(&case.order(UNIT)).must_be("refused", "tombstone");
}

/// A fault ends when what holds it is killed.
pub fn holder_killed(case: &Case) {
    let before = case.host.state();
    case.host.order(&case.order(UNIT)).must_be("landed", "");

    assert!(case.host.holds(&format!("kill -9 $(cut -d: -f1 /var/lib/stormdrill/units/{UNIT}/holder)")));

    if case.reversible {
        case.host.must_become(&before, GONE);
    }
    case.must_be_whole();
}

fn orphaned(fault: &'static str) {
    let case = case(fault);
    let before = case.host.state();
    case.host.order(&case.order(UNIT)).must_be("landed", "");

    // Both in one stroke, the one that watches first.
    let folder = format!("/var/lib/stormdrill/units/{UNIT}");
    assert!(case.host.holds(&format!("kill -9 $(cut -d: -f1 {folder}/watchdog) $(cut -d: -f1 {folder}/holder)")));
    case.host.order(&case.order(UNIT)).must_be("residue", "leftover");
    case.host.order(&Order::new("revert", UNIT)).must_be("reverted", "");

    if case.reversible {
        case.host.must_become(&before, GONE);
    }
    case.must_be_whole();
}
