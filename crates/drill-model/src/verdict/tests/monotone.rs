//! What must hold for every run: knowing less never makes it `supported`.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;

use super::super::Verdict;
use super::super::fixture::{AVAILABILITY, LATENCY, Story, at, held};
use crate::ledger::{Gone, State};
use crate::observation::{Reading, Sample, Stage};
use crate::quantity::{Percent, Span};

/// A value of a probe: mostly one that the rules call good, else near a bound, far out, or not known.
fn value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        30 => Just(Some(100.0)),
        4 => Just(Some(99.0)),
        2 => Just(Some(200.0)),
        2 => Just(Some(90.0)),
        2 => Just(Some(0.0)),
        2 => Just(Some(900.0)),
        1 => Just(Some(-50.0)),
        2 => Just(None),
    ]
}

prop_compose! {
    /// A run whose faults all landed and are gone, with any readings, tolerances and rules.
    fn any_run()(
        values in prop::collection::vec((value(), value()), 1..40),
        during in 0.3..0.9_f64,
        share in prop_oneof![Just(None), (50.0..=100.0_f64).prop_map(Some)],
        of_baseline in prop_oneof![Just(None), Just(Some(1.0)), Just(Some(10.0))],
        (min_samples, good_samples) in (0..6_u16, 0..4_u16),
        (within, limit) in (10..200_u64, 10..200_u64),
        least in prop_oneof![Just(99.0), Just(90.0), Just(60.0)],
        availability_of in prop_oneof![Just(LATENCY), Just(AVAILABILITY)],
        once in any::<bool>(),
    ) -> Story {
        let mut story = if once { held().happening_once() } else { held() };
        let template = story.samples[0].clone();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 40")]
        let in_fault = (values.len() as f64 * during) as u32;
        story.samples = (0..).zip(&values).map(|(number, (latency, availability))| {
            let (stage, when) = if number < in_fault {
                (Stage::Fault, 3 + 2 * i64::from(number))
            } else {
                (Stage::Recovery, 66 + 5 * i64::from(number - in_fault))
            };
            let mut sample = Sample { stage, number, at: at(when), ..template.clone() };
            for (reading, value) in sample.readings.iter_mut().zip([latency, availability]) {
                reading.reading = value.map_or_else(|| Reading::unknown("gap"), Reading::from_number);
            }
            sample
        }).collect();
        let experiment = story.experiment();
        for probe in &mut experiment.steady_state {
            probe.tolerance.in_samples = share.map(|share| Percent::try_from(share).unwrap());
        }
        experiment.observe.min_samples = min_samples;
        experiment.recovery.good_samples = good_samples;
        experiment.recovery.within = Span::seconds(within);
        experiment.recovery.tolerance_of_baseline = of_baseline.map(|share| Percent::try_from(share).unwrap());
        experiment.success = vec![
            crate::experiment::Criterion::RecoveryTimeAtMost(Span::seconds(limit)),
            crate::experiment::Criterion::AvailabilityAtLeast { least, of: availability_of.try_into().unwrap() },
        ];
        story
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_reading_that_becomes_unknown_or_is_missing_never_makes_a_run_supported(
        story in any_run(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..2_usize, any::<bool>()), 1..6),
    ) {
        let before = story.verdict();
        let mut after = story;
        for (index, probe, missing) in picks {
            let sample = index.get(&after.samples).number;
            let sample = after.samples.iter_mut().find(|other| other.number == sample).unwrap();
            let name = [LATENCY, AVAILABILITY][probe];
            if missing {
                sample.readings.retain(|reading| reading.probe.as_str() != name);
            } else if let Some(reading) = sample.readings.iter_mut().find(|reading| reading.probe.as_str() == name) {
                reading.reading = Reading::unknown("gap");
            }
        }

        if before != Verdict::Supported {
            prop_assert_ne!(after.verdict(), Verdict::Supported);
        }
    }

}

proptest! {
    #[test]
    fn a_planned_change_without_a_row_that_landed_is_never_supported(
        story in any_run(),
        index in 0..2_usize,
        state in prop::option::of(prop_oneof![
            Just(State::Intended),
            Just(State::Landed { at: at(2) }),
            Just(State::NeverMade { why: "refused".into() }),
            Just(State::undone(None, Gone::Absent)),
            Just(State::Abandoned { by: "ada".into(), why: "gone".into() }),
        ]),
    ) {
        let mut story = story;
        match state {
            Some(state) => story.ledger[index].state = state,
            None => { story.ledger.remove(index); }
        }

        prop_assert_ne!(story.verdict(), Verdict::Supported);
    }

    #[test]
    fn a_probe_with_too_few_known_samples_during_the_fault_is_never_supported(story in any_run(), more in 1..4_u16) {
        let mut story = story;
        let window = at(2)..=at(62);
        let during = story.samples.iter().filter(|sample| sample.stage == Stage::Fault && window.contains(&sample.at));
        let probe = LATENCY.try_into().unwrap();
        let known = during.filter(|sample| sample.reading(&probe).number().is_some()).count();
        story.experiment().observe.min_samples = u16::try_from(known).unwrap() + more;

        prop_assert_ne!(story.verdict(), Verdict::Supported);
    }

    #[test]
    fn the_order_of_the_samples_never_matters(
        (story, order) in any_run().prop_flat_map(|story| {
            let order = Just((0..story.samples.len()).collect::<Vec<_>>()).prop_shuffle();
            (Just(std::rc::Rc::new(story)), order)
        }),
    ) {
        let shuffled: Vec<Sample> = order.iter().map(|index| story.samples[*index].clone()).collect();

        let judgement = super::super::judge(&story.run, story.plan.as_ref(), &story.ledger, &shuffled);

        prop_assert_eq!(judgement, story.judge());
    }

    #[test]
    fn a_supported_run_has_no_finding_but_yes_and_was_seen_to_be_back(story in any_run()) {
        let judgement = story.judge();

        if judgement.verdict == Verdict::Supported {
            prop_assert!(judgement.findings.iter().all(|finding| finding.holds == super::super::Holds::Yes));
            let back = matches!(judgement.recovery, super::super::RecoveryTime::Recovered { .. });
            prop_assert!(back);
        }
    }
}

#[test]
fn the_generator_makes_runs_of_every_verdict_that_numbers_can_give() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..500 {
        let story = any_run().new_tree(&mut runner).unwrap().current();
        seen.insert(story.verdict());
    }

    assert_eq!(seen, [Verdict::Supported, Verdict::Refuted, Verdict::Inconclusive].into());
}
