//! Calls in a row: how many calls of a turn wait for another one. Counted on a clock on which each call takes the same time.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use stormdrill_tests::stage::{Stage, experiment};

/// What each call takes.
const CALL: Duration = Duration::from_millis(10);

/// The most calls in a row that any turn of each phase made.
fn in_a_row(fault: &str) -> BTreeMap<String, usize> {
    let stage = Stage::new();
    stage.sim.world.timing(|timing| timing.call = CALL);
    let journey = stage.play(&experiment(fault, "  stop_when: [{ probe: availability, below: 50.0, for_samples: 2 }]"));
    assert_eq!(journey.verdict(), "supported", "{:#?}", journey.run.judgement);

    // The log holds the name of each invocation, and keeps apart those of one name.
    let mut turns: BTreeMap<(String, *const u8), Vec<Timestamp>> = BTreeMap::new();
    for call in stage.sim.world.call_log() {
        turns.entry((call.actor.to_string(), Rc::as_ptr(&call.actor).cast())).or_default().push(call.at);
    }
    for call in stage.sim.world.call_log() {
        println!("{} {} {}", call.at, call.actor, call.method);
    }
    let mut most = BTreeMap::new();
    for ((phase, _), calls) in turns {
        let row = most.entry(phase).or_insert(0);
        *row = chain(&calls).max(*row);
    }
    most
}

/// The longest row of calls of which each began when the one before had ended; `calls` are in the order of time.
fn chain(calls: &[Timestamp]) -> usize {
    let mut row: Vec<Timestamp> = Vec::new();
    for at in calls {
        if row.last().is_none_or(|last| *at >= *last + CALL) {
            row.push(*at);
        }
    }
    row.len()
}

#[test]
fn a_turn_of_each_phase_waits_for_few_calls() {
    let host = in_a_row("  - { name: slow, kind: network-latency, on: orders, delay: 100ms, duration: 60s }");
    let resource = in_a_row("  - { name: cut, kind: subnet-partition, on: zone-a, traffic: all, duration: 60s }");

    // Three of each phase that asks hosts are looks for their answers. A fault on a subnet is staged entry by entry.
    let expected = |prepare, inject, observe, recover| {
        [
            ("prepare", prepare),
            ("inject", inject),
            ("observe", observe),
            ("recover", recover),
            ("validate", 3),
            ("report", 4),
        ]
    };
    for (found, expected) in [(host, expected(13, 13, 9, 13)), (resource, expected(10, 36, 7, 14))] {
        for (phase, most) in expected {
            assert_eq!(found[phase], most, "{phase} of {found:?}");
        }
    }
}
