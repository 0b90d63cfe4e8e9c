//! What a host said, and what that says of a row.

use serde_json::json;

use super::*;
use crate::fixtures::{at, plan, row};

fn paused(state: State) -> Row {
    row(&plan("\n  stop_when: none", 1.0), state)
}

fn says(row: &Row, outcome: &str, reason: &str) -> HostAnswer {
    let report = json!({ "stormdrill": 1, "unit": row.unit, "outcome": outcome, "reason": reason });
    HostAnswer::Report(serde_json::from_value(report).unwrap())
}

#[test]
fn a_host_that_was_not_heard_may_have_done_it() {
    let row = paused(State::Intended);

    for answer in [HostAnswer::Pending, HostAnswer::Silent("Terminated".into())] {
        assert_eq!(heard(&row, &answer, true, at(1)), None);
    }
}

#[test]
fn only_the_first_order_can_say_that_nothing_was_made() {
    let row = paused(State::Intended);
    let refused = says(&row, "refused", "busy");

    let never = heard(&row, &refused, true, at(1)).map(|step| step.to);
    assert_eq!(never, Some(State::NeverMade { why: "busy".into() }));
    assert_eq!(heard(&row, &refused, false, at(1)), None);
}

#[test]
fn a_signal_that_nobody_is_seen_to_obey_has_not_landed() {
    let row = paused(State::Intended);

    assert_eq!(heard(&row, &says(&row, "landed", "unseen"), true, at(1)), None);
}

#[test]
fn an_answer_about_another_unit_says_nothing() {
    let row = paused(State::Intended);
    let mut other = row.clone();
    other.unit = UnitId::of(&"other".parse().unwrap(), &row.fault);

    assert_eq!(heard(&row, &says(&other, "landed", ""), true, at(1)), None);
    assert!(gone(&row, &says(&other, "reverted", "")).is_err());
}

#[test]
fn only_what_is_seen_to_be_gone_is_gone() {
    let row = paused(State::Landed { at: at(1) });

    assert_eq!(gone(&row, &says(&row, "reverted", "")), Ok(Gone::Reverted));
    assert_eq!(gone(&row, &says(&row, "absent", "")), Ok(Gone::Absent));
    for word in ["residue", "failed", "refused", "landed", "already", "alive"] {
        assert!(gone(&row, &says(&row, word, "")).is_err(), "{word}");
    }
    assert!(gone(&row, &HostAnswer::Silent("Success".into())).is_err());
    assert!(gone(&row, &HostAnswer::Pending).is_err());
}
