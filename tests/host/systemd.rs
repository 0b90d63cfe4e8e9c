//! The same faults under the machine's own systemd, which is process 1 of the host: it holds the dead man there.

use std::process::Stdio;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::cases::{Case, FAULTS, systemd_case};
use crate::{clock, deadman, effects, trial};

const UNIT: &str = "00000000000000a1";
/// How long a fault may take to be there.
const SOON: Duration = Duration::from_secs(20);
/// The deadline of a short fault, and time for the way back.
const GONE: Duration = Duration::from_secs(30);

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for fault in FAULTS {
        let mut add = |what: &str, body: fn(&Case)| {
            trials.push(trial(format!("systemd::{fault}_{what}"), move || body(&systemd_case(fault))));
        };
        add("is_felt_and_taken_back", effects::felt);
        add("ends_at_its_deadline", |case| deadman::ends(case, false));
        add("ends_when_its_command_is_killed", command_killed);
        add("ends_when_its_holder_is_killed", deadman::holder_killed);
    }
    trials
}

/// The command's whole process group dies as soon as the unit is there, as the agent does it.
fn command_killed(case: &Case) {
    let before = case.host.state();

    let mut command = case.host.start_with(&case.order(UNIT).for_seconds(6), &[], Stdio::null);
    assert!(clock::eventually(SOON, || !case.host.units().is_empty()), "the unit did not come");
    let group = format!("-{}", command.id());
    let killed = std::process::Command::new("kill").args(["-KILL", "--", &group]).status().unwrap();
    assert!(killed.success());
    assert_eq!(command.wait().unwrap().code(), None, "it was over before it was killed");

    case.must_be_harmed();
    if case.reversible {
        case.host.must_become(&before, GONE);
    }
    assert!(clock::eventually(GONE, || case.host.units().is_empty()));
    case.must_be_whole();
}
