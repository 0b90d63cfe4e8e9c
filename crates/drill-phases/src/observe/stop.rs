//! When a run must stop: a condition that held for so many samples, or data that was missing for so many.

use drill_model::experiment::{StopCondition, Trigger};
use drill_model::observation::{AlarmState, Reading, Sample};
use drill_model::plan::Plan;
use drill_model::run::Ending;

/// What a sample says of a condition.
enum Seen {
    Holds,
    DoesNot,
    Unknown(String),
}

/// How many samples back the conditions look.
pub(super) fn memory(plan: &Plan) -> u32 {
    let experiment = &plan.scope.experiment;
    let longest = experiment.guards.stop_when.conditions().iter().map(|condition| condition.for_samples.get()).max();
    u32::from(longest.unwrap_or(1).max(experiment.observe.unknown_samples)) + 1
}

/// Why the run must stop after the last of these samples, with the words for it.
pub(super) fn reason(plan: &Plan, samples: &[Sample]) -> Option<(Ending, String)> {
    let at = samples.last()?.at;
    for condition in plan.scope.experiment.guards.stop_when.conditions() {
        let needed = usize::from(condition.for_samples.get());
        let holds = |sample: &Sample| matches!(look(plan, condition, sample), Seen::Holds);
        if samples.len() >= needed && samples.iter().rev().take(needed).all(holds) {
            let text = format!("{condition}{}", shown(condition, samples.last()?));
            return Some((Ending::Breached { condition: text.clone(), at }, text));
        }
    }
    blind(plan, samples).map(|what| (Ending::Blind { what: what.clone(), at }, what))
}

fn look(plan: &Plan, condition: &StopCondition, sample: &Sample) -> Seen {
    let probe = match &condition.trigger {
        Trigger::Alarm(name) => {
            let state = sample.alarms.iter().find(|reading| reading.alarm == *name).map(|reading| &reading.state);
            return match state {
                Some(AlarmState::Ok) => Seen::DoesNot,
                // An alarm that is gone cannot warn any more: that is a reason to stop, not one to go on.
                Some(AlarmState::InAlarm | AlarmState::Missing) => Seen::Holds,
                Some(AlarmState::InsufficientData) => Seen::Unknown("insufficient data".to_owned()),
                Some(AlarmState::Unknown(why)) => Seen::Unknown(why.clone()),
                None => Seen::Unknown("not sampled".to_owned()),
            };
        }
        Trigger::AboveBaseline(probe, _) | Trigger::BelowBaseline(probe, _) | Trigger::Outside(probe, _) => probe,
    };
    let value = match sample.reading(probe) {
        Reading::Known(value) => value.get(),
        Reading::MoreThan(_) => return Seen::Unknown("no answer in time".to_owned()),
        Reading::Unknown(why) => return Seen::Unknown(why),
    };
    let baseline = plan.baseline(probe);
    let holds = match (&condition.trigger, baseline) {
        (Trigger::AboveBaseline(_, multiple), Some(baseline)) => value > baseline * multiple.get(),
        (Trigger::BelowBaseline(_, multiple), Some(baseline)) => value < baseline * multiple.get(),
        (Trigger::AboveBaseline(..) | Trigger::BelowBaseline(..), None) => {
            return Seen::Unknown("there is no baseline to compare with".to_owned());
        }
        (Trigger::Outside(_, bounds), _) => !bounds.admits(value),
        (Trigger::Alarm(_), _) => false,
    };
    if holds { Seen::Holds } else { Seen::DoesNot }
}

/// What has been missing for too long: a stop condition's data, or any probe's.
fn blind(plan: &Plan, samples: &[Sample]) -> Option<String> {
    let experiment = &plan.scope.experiment;
    let needed = usize::from(experiment.observe.unknown_samples.max(1));
    if samples.len() < needed {
        return None;
    }
    let last = || samples.iter().rev().take(needed);
    for condition in experiment.guards.stop_when.conditions() {
        if last().all(|sample| matches!(look(plan, condition, sample), Seen::Unknown(_))) {
            let Seen::Unknown(why) = look(plan, condition, samples.last()?) else { continue };
            return Some(format!("whether to stop on «{condition}» has been unknown for {needed} samples: {why}"));
        }
    }
    experiment.steady_state.iter().find_map(|probe| {
        let unknown = last().all(|sample| matches!(sample.reading(&probe.name), Reading::Unknown(_)));
        match (unknown, samples.last()?.reading(&probe.name)) {
            (true, Reading::Unknown(why)) => {
                Some(format!("probe {} has been unknown for {needed} samples: {why}", probe.name))
            }
            (true | false, Reading::Known(_) | Reading::MoreThan(_) | Reading::Unknown(_)) => None,
        }
    })
}

fn shown(condition: &StopCondition, sample: &Sample) -> String {
    condition
        .trigger
        .probe()
        .and_then(|probe| sample.reading(probe).number())
        .map_or_else(String::new, |value| format!(" (now {value:.4})",))
}

#[cfg(test)]
mod tests {
    use drill_model::observation::{AlarmReading, ProbeReading, Stage};

    use super::*;
    use crate::fixtures;

    const GUARDS: &str = "
  stop_when:
    - { probe: latency, above_baseline: 2.0x, for_samples: 3 }
    - { alarm: budget }";

    fn sample(number: u32, latency: Option<f64>, alarm: AlarmState) -> Sample {
        let reading = latency.map_or_else(|| Reading::unknown("no datapoint"), Reading::from_number);
        Sample {
            stage: Stage::Fault,
            number,
            at: fixtures::at(i64::from(number)),
            readings: vec![ProbeReading {
                probe: "latency".parse().unwrap(),
                reading,
                since: None,
                until: None,
                earlier: Vec::new(),
            }],
            alarms: vec![AlarmReading { alarm: "budget".parse().unwrap(), state: alarm }],
            faults: Vec::new(),
        }
    }

    fn check(latencies: &[Option<f64>], alarm: AlarmState) -> Option<Ending> {
        let plan = fixtures::plan(GUARDS, 100.0);
        let samples: Vec<Sample> =
            (0..).zip(latencies).map(|(number, latency)| sample(number, *latency, alarm.clone())).collect();
        reason(&plan, &samples).map(|(ending, _)| ending)
    }

    #[test]
    fn a_breach_stops_only_after_so_many_samples_in_a_row() {
        assert_eq!(check(&[Some(201.0), Some(201.0)], AlarmState::Ok), None);
        assert_eq!(check(&[Some(201.0), Some(199.0), Some(201.0), Some(201.0)], AlarmState::Ok), None);
        assert!(matches!(check(&[Some(201.0); 3], AlarmState::Ok), Some(Ending::Breached { .. })));
    }

    #[test]
    fn exactly_the_limit_is_no_breach() {
        assert_eq!(check(&[Some(200.0); 5], AlarmState::Ok), None);
    }

    #[test]
    fn an_alarm_stops_at_once_and_so_does_one_that_is_gone() {
        assert!(matches!(check(&[Some(1.0)], AlarmState::InAlarm), Some(Ending::Breached { .. })));
        assert!(matches!(check(&[Some(1.0)], AlarmState::Missing), Some(Ending::Breached { .. })));
    }

    #[test]
    fn data_that_is_missing_for_three_samples_stops_the_run() {
        assert_eq!(check(&[None, None], AlarmState::Ok), None);
        assert!(matches!(check(&[None, None, None], AlarmState::Ok), Some(Ending::Blind { .. })));
        let insufficient = check(&[Some(1.0); 3], AlarmState::InsufficientData);
        assert!(matches!(insufficient, Some(Ending::Blind { .. })));
    }

    #[test]
    fn an_unknown_sample_is_no_breach_and_breaks_a_row_of_them() {
        assert_eq!(check(&[Some(201.0), None, Some(201.0), Some(201.0)], AlarmState::Ok), None);
    }
}
