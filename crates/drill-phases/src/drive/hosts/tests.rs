use super::*;
use crate::fixtures::{at, plan, row};

/// What is kept of an answer to a revert that was asked for at second 100 and heard at second 104.
fn kept(line: &str) -> Told {
    let row = row(&plan("\n  stop_when: none", 1.0), State::Landed { at: at(1) });
    let report = HostReport::from_output(&format!("{{\"stormdrill\":1,{line}}}")).unwrap();
    told(&row, &HostAnswer::Report(Box::new(report)), at(100), at(104))
}

#[test]
fn a_fault_that_is_put_back_now_had_not_ended_before() {
    let now = kept(r#""outcome":"reverted","time":5000,"ended_at":4998,"counters":{"packets":3}"#);

    assert_eq!(now, Told { met: Some(true), ..Told::default() });
}

#[test]
fn a_fault_that_had_ended_by_itself_tells_when_by_our_clock() {
    for reason in ["dead-man", "ended-early", "folder-gone"] {
        let line = format!(r#""outcome":"absent","reason":"{reason}","time":5000,"ended_at":4970"#);

        assert_eq!(kept(&line), Told { ended: Some(at(70)), ended_by: Some(at(74)), met: None }, "{reason}");
    }
}

#[test]
fn what_our_own_revert_ended_a_moment_ago_is_not_told_as_an_early_end() {
    let again = kept(r#""outcome":"absent","reason":"revert","time":5000,"ended_at":4997"#);
    let long_ago = kept(r#""outcome":"absent","reason":"revert","time":5000,"ended_at":4900"#);

    assert_eq!(again.ended, None);
    assert_eq!(long_ago.ended, Some(at(0)), "an answer that was lost: it ended then, and not before its beginning");
}

#[test]
fn an_end_that_nobody_had_noticed_is_told_when_it_is_put_back() {
    let told = kept(r#""outcome":"reverted","time":5000,"ended_at":4960,"counters":{"packets":0}"#);

    assert_eq!(told, Told { ended: Some(at(60)), ended_by: Some(at(64)), met: Some(false) });
}

#[test]
fn a_host_that_tells_nothing_leaves_nothing_behind() {
    assert_eq!(kept(r#""outcome":"absent","reason":"never-started""#), Told::default());
    assert_eq!(kept(r#""outcome":"reverted""#), Told::default());
    assert_eq!(kept(r#""outcome":"absent","reason":"dead-man","time":10,"ended_at":20"#), Told::default());
}
