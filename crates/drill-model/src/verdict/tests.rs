//! The rules of the verdict, one fact each; in `tests/monotone.rs` what must hold for every run.

mod faults;
mod monotone;
mod recovery;
mod review;
mod steady;

use jiff::Timestamp;

use super::fixture::{AVAILABILITY, LATENCY, Story, at, held, other_fault};
use super::{Holds, RecoveryTime, Verdict};
use crate::ids::RunId;
use crate::ledger::{Gone, State, Told};
use crate::observation::FaultLook;
use crate::quantity::Span;
use crate::refusal::Refusal;
use crate::run::{Ending, Status};

#[test]
fn a_run_that_held_is_supported_and_says_what_it_rests_on() {
    let judgement = held().judge();

    insta::assert_snapshot!(shown(&judgement), @"
    supported Recovered { at_least: Span(0), at_most: Span(8000) }
    Yes slow-network: landed on 2 of 2 targets
    Yes order-latency-p99: 12 of 12 samples in tolerance (at most 200); known for 57 s of 1 min; worst 120 at 2026-03-02T10:00:05Z, mean 120; a breach shorter than 5 s may have been missed
    Yes availability: 12 of 12 samples in tolerance (at least 99); known for 57 s of 1 min; worst 100 at 2026-03-02T10:00:05Z, mean 100; a breach shorter than 5 s may have been missed
    Yes recovery: back at most 8 s after the faults were over (4 samples); it was given 5 min; good is within every probe's tolerance
    Yes recovered within 1m: back at most 8 s after the faults were over (4 samples)
    Yes mean of availability at least 99: mean 100 over 1 min 2 s from the first fault to recovery
    ");
}

fn shown(judgement: &super::Judgement) -> String {
    let findings = judgement.findings.iter().map(|finding| {
        let super::Finding { holds, about, seen } = finding;
        format!("{holds:?} {about}: {seen}\n")
    });
    format!("{} {:?}\n{}", judgement.verdict, judgement.recovery, findings.collect::<String>())
}

#[test]
fn a_row_that_is_open_is_stuck_whatever_the_status_says() {
    for state in [State::Intended, State::Landed { at: at(2) }] {
        for status in Status::ALL {
            let mut story = held();
            story.run.status = *status;
            story.ledger[1].state = state.clone();

            let judgement = story.judge();

            assert_eq!(judgement.verdict, Verdict::Stuck, "{status:?}");
            let (holds, seen) = judgement.about("residue of slow-network");
            assert_eq!(holds, Holds::Unknown);
            assert!(seen.contains("i-0000000b") && !seen.contains("i-0000000a"), "{seen}");
        }
    }
}

#[test]
fn an_abandoned_row_is_stuck_and_names_who_took_it_on() {
    let mut story = held();
    story.ledger[0].state = State::Abandoned { by: "grace".into(), why: "host is being rebuilt".into() };

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Stuck);
    assert_eq!(
        judgement.about("residue of slow-network").1,
        "nothing shows that it is gone from i-0000000a; grace took that on: host is being rebuilt"
    );
}

#[test]
fn a_run_that_gave_up_is_stuck_even_when_no_row_is_open() {
    let mut story = held();
    story.run.status = Status::Stuck;

    assert_eq!(story.verdict(), Verdict::Stuck);
}

#[test]
fn a_refusal_gives_a_finding_for_each_reason() {
    let mut story = held();
    story.run.status = Status::Refused;
    story.run.ending = Some(Ending::Refused {
        reasons: vec![
            Refusal::Window { why: "no window is open".into() },
            Refusal::Meanwhile { why: "lever is pulled".into() },
        ],
    });
    story.ledger.clear();

    let judgement = story.judge();

    assert_eq!(judgement.verdict, Verdict::Refused);
    let reasons: Vec<&str> = judgement.findings.iter().map(|finding| finding.seen.as_str()).collect();
    assert_eq!(reasons, ["no window is open", "lever is pulled"]);
}

#[test]
fn a_dry_run_is_planned() {
    let mut story = held();
    story.run.status = Status::Planned;
    story.run.ending = Some(Ending::DryRun);
    story.ledger.clear();
    story.samples.clear();

    assert_eq!(story.verdict(), Verdict::Planned);
}

#[test]
fn every_ending_but_a_completed_one_is_aborted_whatever_the_numbers_say() {
    let endings = [
        Some(Ending::Breached { condition: "alarm orders-error-budget".into(), at: at(20) }),
        Some(Ending::Blind { what: "availability".into(), at: at(20) }),
        Some(Ending::Lever { reason: "trading day".into() }),
        Some(Ending::Failed { error: "Inject.IntentNotWritten".into(), cause: "throttled".into() }),
        Some(Ending::Stopped { how: "ABORTED".into() }),
        Some(Ending::Refused { reasons: vec![Refusal::Window { why: "late".into() }] }),
        Some(Ending::DryRun),
        None,
    ];
    for ending in endings {
        let good = held().ending(ending.clone()).judge();
        let bad = held().showing(LATENCY, &[(20, 900.0)]).ending(ending.clone()).judge();

        for judgement in [good, bad] {
            assert_eq!(judgement.verdict, Verdict::Aborted, "{ending:?}");
            assert_eq!(judgement.findings[0].about, "ending", "{ending:?}");
        }
    }
}

#[test]
fn a_run_without_the_plan_it_is_bound_to_is_inconclusive() {
    let mut without = held();
    without.plan = None;
    let mut of_another = held();
    of_another.scope().run_id = RunId::try_from("run-2").unwrap();
    let mut altered = held();
    altered.plan.as_mut().unwrap().scope.experiment.steady_state[0].tolerance.at_most = Some(1e9);

    for story in [without, of_another, altered] {
        let judgement = story.judge();

        assert_eq!(judgement.verdict, Verdict::Inconclusive);
        assert_eq!(judgement.findings.len(), 1);
        assert_eq!(judgement.findings[0].about, "plan");
    }
}

#[test]
fn a_plan_that_breaks_nothing_is_invalid() {
    let mut without_changes = held();
    without_changes.scope().changes.clear();
    without_changes.ledger.clear();
    let mut without_targets = held();
    without_targets.scope().targets.clear();
    without_targets.ledger.clear();

    for story in [without_changes, without_targets] {
        assert_eq!(story.verdict(), Verdict::Invalid);
    }
}

#[test]
fn an_experiment_that_measures_nothing_is_inconclusive() {
    let mut story = held();
    story.experiment().steady_state.clear();
    story.experiment().success.clear();
    story.experiment().recovery.within = Span::seconds(10);

    let judgement = story.judge();

    assert_eq!((judgement.verdict, judgement.recovery), (Verdict::Inconclusive, RecoveryTime::Unknown));
}

#[test]
fn what_speaks_against_the_hypothesis_stands_first() {
    let judgement = held().showing(LATENCY, &[(20, 900.0)]).blind(AVAILABILITY, &[30]).judge();

    let words: Vec<Holds> = judgement.findings.iter().map(|finding| finding.holds).collect();
    let sorted =
        [Holds::No, Holds::Unknown, Holds::Yes].iter().flat_map(|word| words.iter().filter(move |w| *w == word));
    assert_eq!(judgement.verdict, Verdict::Refuted);
    assert!(words.iter().eq(sorted), "{words:?}");
}

#[test]
fn a_breach_outweighs_what_is_unknown() {
    let refuted = held().showing(LATENCY, &[(20, 900.0)]).blind(AVAILABILITY, &[30]);
    let inconclusive = held().blind(AVAILABILITY, &[30]);

    assert_eq!(refuted.verdict(), Verdict::Refuted);
    assert_eq!(inconclusive.verdict(), Verdict::Inconclusive);
}

#[test]
fn the_order_of_the_records_does_not_matter() {
    let mut story = held().showing(LATENCY, &[(20, 150.0), (70, 300.0)]);
    let expected = story.judge();

    story.samples.reverse();
    story.ledger.reverse();

    assert_eq!(story.judge(), expected);
}

#[test]
fn a_sample_recorded_twice_counts_once_and_two_versions_of_it_are_unknown() {
    let mut same = held();
    same.samples.push(same.samples[3].clone());
    let mut other = held();
    let mut version = other.samples[3].clone();
    version.at = at(21);
    other.samples.push(version);

    assert_eq!(same.judge(), held().judge());
    assert!(other.judge().about(LATENCY).1.contains("1 unknown (recorded twice, differently)"));
    assert_eq!(other.verdict(), Verdict::Inconclusive);
}

#[test]
fn two_readings_of_a_probe_in_one_sample_are_unknown() {
    let mut story = held();
    let twice = story.samples[3].readings[0].clone();
    story.samples[3].readings.push(twice);

    assert!(story.judge().about(LATENCY).1.contains("1 unknown (several readings in one sample)"));
}

#[test]
fn the_instants_order_the_samples_and_not_their_numbers() {
    let mut story = held().showing(LATENCY, &[(70, 900.0)]);
    (story.samples[12].number, story.samples[15].number) = (3, 0);

    assert_eq!(
        story.judge().recovery,
        RecoveryTime::Recovered { at_least: Span::seconds(5), at_most: Span::seconds(18) }
    );
}

#[test]
fn extreme_records_are_judged_without_a_panic() {
    let extreme = |story: &mut Story| {
        story.ledger[0].since = Timestamp::MAX;
        story.ledger[0].state = State::undone(Some(Timestamp::MIN), Gone::Reverted);
        story.samples[0].at = Timestamp::MIN;
        story.samples[5].at = Timestamp::MAX;
        story.samples[6].readings.clear();
        let twice = story.samples[7].readings.clone();
        story.samples[7].readings.extend(twice);
        story.experiment().recovery.good_samples = 0;
        story.experiment().observe.min_samples = 0;
    };
    let mut huge = held().showing(AVAILABILITY, &[(5, f64::MAX), (10, f64::MAX), (15, -f64::MAX)]);
    extreme(&mut huge);
    let mut empty = held();
    extreme(&mut empty);
    empty.samples.clear();

    assert_ne!(huge.verdict(), Verdict::Supported);
    assert_ne!(empty.verdict(), Verdict::Supported);
}

#[test]
fn no_sample_at_all_is_inconclusive_and_recovery_is_unknown() {
    let mut story = held();
    story.samples.clear();

    let judgement = story.judge();

    assert_eq!((judgement.verdict, judgement.recovery), (Verdict::Inconclusive, RecoveryTime::Unknown));
}

#[test]
fn an_aborted_run_still_tells_how_the_system_came_back() {
    // Nobody tells when it was put back.
    let judgement = held().ending(Some(Ending::Lever { reason: "trading day".into() })).judge();

    assert_eq!(judgement.recovery, RecoveryTime::Recovered { at_least: Span::ZERO, at_most: Span::seconds(10) });
}
