//! What the landing of a fault, its time and its end say of a run.

use super::*;

#[test]
fn a_fault_that_did_not_land_everywhere_makes_the_run_invalid() {
    let not_landed = [State::NeverMade { why: "no netem".into() }, State::undone(None, Gone::Absent)];
    for state in not_landed {
        let mut story = held();
        story.ledger[1].state = state;

        let judgement = story.judge();

        assert_eq!(judgement.verdict, Verdict::Invalid);
        let (holds, seen) = judgement.about("slow-network");
        assert_eq!(holds, Holds::Unknown);
        assert!(seen.starts_with("landed on 1 of 2 targets; not seen on i-0000000b"), "{seen}");
    }
}

#[test]
fn numbers_measured_without_the_fault_are_not_told() {
    let mut story = held().showing(LATENCY, &[(20, 900.0)]);
    story.ledger.clear();

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Invalid);
    assert!(judgement.findings.iter().all(|finding| finding.about != LATENCY));
}

#[test]
fn a_breach_under_a_weaker_fault_than_was_planned_is_told() {
    let mut story = held().showing(LATENCY, &[(20, 900.0)]);
    story.ledger.pop();

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Refuted);
    assert_eq!(judgement.about(LATENCY).0, Holds::No);
    assert_eq!(judgement.about("slow-network").0, Holds::Unknown);
}

#[test]
fn the_row_of_another_run_shows_no_landing() {
    let mut story = held();
    story.ledger[0].run_id = RunId::try_from("run-2").unwrap();

    assert_eq!(story.verdict(), Verdict::Invalid);
}

#[test]
fn a_change_that_was_not_planned_leaves_the_run_inconclusive() {
    let mut story = held();
    let mut strange = story.ledger[0].clone();
    strange.fault = other_fault();
    story.ledger.push(strange);

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.about("ledger").1.contains("other on i-0000000a"));
}

#[test]
fn a_fault_that_was_gone_long_before_its_end_leaves_the_run_inconclusive() {
    let mut story = held();
    story.ledger[0].since = at(40);

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert_eq!(
        judgement.about("slow-network"),
        (
            Holds::Unknown,
            "landed on 2 of 2 targets; for 38 s of 1 min all of them certainly had it, and 90 % are needed"
        )
    );
}

#[test]
fn a_fault_that_had_nine_tenths_of_its_time_had_enough() {
    let mut story = held();
    for row in &mut story.ledger {
        row.since = at(56);
    }
    assert_eq!(
        story.judge().about("slow-network"),
        (Holds::Yes, "landed on 2 of 2 targets; for 54 s of 1 min all of them certainly had it")
    );

    story.ledger[0].since = at(55);
    assert_eq!(story.judge().about("slow-network").0, Holds::Unknown);
}

#[test]
fn a_target_tells_when_a_fault_had_ended() {
    let mut story = held();
    let ended = |second| State::Undone {
        landed: Some(at(2)),
        how: Gone::Absent,
        told: Told { ended: Some(at(second)), ..Told::default() },
    };
    story.ledger[1].state = ended(61);
    assert_eq!(story.verdict(), Verdict::Supported);

    story.ledger[1].state = ended(30);
    let judgement = story.judge();
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert!(judgement.about("slow-network").1.contains("for 28 s of 1 min"), "{judgement:#?}");
    assert!(judgement.about(LATENCY).1.contains("5 of 5 samples"), "{judgement:#?}");
}

#[test]
fn a_look_at_a_fault_that_found_it_gone_ends_its_exposure() {
    let look = |asked, holds, ended, first_end: Option<i64>| FaultLook {
        holds,
        ended,
        first_end: first_end.map(at),
        ..all_hold(at(asked))
    };
    for (looks, had) in [
        ([look(15, 2, 0, None), look(30, 2, 0, None)], "landed on 2 of 2 targets"),
        ([look(15, 2, 0, None), look(30, 1, 1, Some(20))], "for 18 s of 1 min"),
        // Nobody tells when: it may have ended right after it was last seen on both.
        ([look(15, 2, 0, None), look(30, 1, 1, None)], "for 13 s of 1 min"),
        ([look(15, 1, 0, None), look(30, 1, 1, None)], "for 0 of 1 min"),
    ] {
        let mut story = held();
        (story.samples[2].faults, story.samples[5].faults) = looks.map(|look| vec![look]).into();

        let judgement = story.judge();

        assert!(judgement.about("slow-network").1.contains(had), "{had}: {judgement:#?}");
    }
}

#[test]
fn a_restored_target_was_broken_till_the_end_only_if_it_was_looked_at_shortly_before() {
    let with = |asked: Option<i64>| {
        let mut story = held();
        for row in &mut story.ledger {
            row.state = State::undone(Some(at(2)), Gone::Restored);
        }
        story.samples[10].faults = asked.map(|asked| vec![all_hold(at(asked))]).unwrap_or_default();
        story.judge().about("slow-network").0
    };

    assert_eq!((with(Some(55)), with(Some(20)), with(None)), (Holds::Yes, Holds::Unknown, Holds::Unknown));
}

fn all_hold(asked: Timestamp) -> FaultLook {
    FaultLook {
        fault: "slow-network".try_into().unwrap(),
        asked,
        holds: 2,
        ended: 0,
        silent: 0,
        unmet: 0,
        first_end: None,
        names: vec![],
    }
}

#[test]
fn a_fault_that_met_nothing_is_no_test_of_anything() {
    let mut story = held();
    story.ledger[1].state =
        State::Undone { landed: Some(at(2)), how: Gone::Reverted, told: Told { met: Some(false), ..Told::default() } };

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert_eq!(judgement.about("slow-network").1, "landed on 2 of 2 targets; nothing met it on i-0000000b");
}
