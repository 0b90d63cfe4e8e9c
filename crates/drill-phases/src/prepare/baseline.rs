//! The baseline: what every probe shows before anything is broken. A system that is not steady is not broken further.

use std::time::Duration;

use drill_model::experiment::{Probe, Slot, Source, Trigger};
use drill_model::observation::{Finite, Reading, Sample, Stage, mean};
use drill_model::plan::{Baseline, PlannedChange, Scope};
use drill_model::quantity::Span;
use drill_model::refusal::Refusal;

use super::{PrepareError, PreparePorts, Reasons};
use crate::compare::{self, values};
use crate::ports::has::prelude::*;
use crate::records::RecordError;
use crate::sampling::{History, Sampler};

/// Measuring the baseline takes no longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// How many looks make a baseline where the experiment does not say.
const LOOKS: u16 = 5;
/// So many looks more than are needed, where some are lost.
const MORE_LOOKS: u32 = 3;
/// Of fewer values than these, the share that is out of tolerance says little.
const FEWEST: u32 = 30;

/// The baseline of every probe, and what speaks against beginning.
pub(super) struct Measured {
    pub(super) baseline: Vec<Baseline>,
    pub(super) reasons: Reasons,
}

/// Measures the baseline, and writes down every sample of it.
pub(super) async fn measure(world: &impl PreparePorts, scope: &Scope) -> Result<Measured, PrepareError> {
    let (id, experiment) = (&scope.run_id, &scope.experiment);
    let sampler = Sampler::planning(scope);
    let earlier = world.runs().latest_samples(id, Stage::Baseline, 1).await.map_err(RecordError::store(id))?;
    let first = earlier.last().map_or(0, |sample| sample.number + 1);
    let usual = u32::from(experiment.observe.baseline_samples.unwrap_or(LOOKS).max(1));
    // What is compared with before must be known well.
    let of = |probe: &Probe| if compare::condition(experiment, probe).is_some() { usual.max(FEWEST) } else { usual };
    let needed = experiment.steady_state.iter().map(of).max().unwrap_or(usual);
    let every = Duration::from(scope.pacing.every).min(LONGEST / needed);
    let give_up = world.clock().now() + LONGEST;
    let mut samples: Vec<Sample> = Vec::new();
    // What has a history is known at once; what has none is looked at, a few times more than needed where looks are lost.
    for number in 0..needed + MORE_LOOKS {
        let is_known = |probe: &Probe| values(probe, &samples).len() >= of(probe) as usize;
        if number > 0 {
            if experiment.steady_state.iter().all(is_known) || world.clock().now() + every > give_up {
                break;
            }
            world.clock().pause(every).await;
        }
        let history = if number == 0 { History::Reference } else { History::SinceLast };
        let sample = sampler.sample_back(world, Stage::Baseline, first + number, &samples, history).await;
        samples.push(sample);
    }
    world.runs().record_samples(id, &samples).await.map_err(RecordError::store(id))?;
    let measured = experiment.steady_state.iter().map(|probe| of_probe(scope, probe, &samples));
    let (baseline, reasons): (Vec<_>, Vec<_>) = measured.unzip();
    Ok(Measured { baseline, reasons: reasons.into_iter().flatten().collect() })
}

/// For how long there is a fault: what lies between two of them shows nothing of either.
fn faulty(changes: &[PlannedChange]) -> Span {
    let mut slots: Vec<Slot> = changes.iter().map(|change| change.slot).collect();
    slots.sort_by_key(|slot| slot.from);
    let (mut sum, mut until) = (0, 0);
    for slot in slots {
        let to = slot.from.plus(slot.lasts).as_millis();
        sum += to.saturating_sub(slot.from.as_millis().max(until));
        until = until.max(to);
    }
    Span::millis(sum)
}

/// What a probe showed, and what speaks against it.
fn of_probe(scope: &Scope, probe: &Probe, samples: &[Sample]) -> (Baseline, Option<Refusal>) {
    let experiment = &scope.experiment;
    let name = || probe.name.clone();
    let values = values(probe, samples);
    let known: Vec<f64> = values.iter().filter_map(Reading::number).collect();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let unknown = samples.iter().filter(|sample| matches!(sample.reading(&probe.name), Reading::Unknown(_))).count();
    let before: Vec<f64> = values.iter().filter_map(compare::number).collect();
    let (power, unseeable) = compare::power(experiment, probe, &before, faulty(&scope.changes));
    let baseline = Baseline {
        probe: name(),
        mean: mean(&known).and_then(|average| Finite::try_from(average).ok()),
        known: count(known.len()),
        taken: count(values.len() + unknown),
        out: count(values.iter().filter(|value| is_out(probe, value)).count()),
        published_after: published_after(probe, samples),
        power,
    };
    let why = samples.iter().rev().find_map(|sample| match sample.reading(&probe.name) {
        Reading::Unknown(why) => Some(why),
        Reading::Known(_) | Reading::MoreThan(_) => None,
    });
    let compared = experiment.guards.stop_when.conditions().iter().any(|condition| {
        matches!(&condition.trigger, Trigger::AboveBaseline(of, _) | Trigger::BelowBaseline(of, _) if *of == probe.name)
    });
    let allowed = 100.0 - probe.tolerance.in_samples.map_or(100.0, |share| share.get());
    let reason = match baseline.mean {
        None => Some(Refusal::NoBaseline { probe: name(), why }),
        Some(measured) if !probe.tolerance.admits(measured.get()) => {
            Some(Refusal::NotSteady { probe: name(), measured, tolerance: probe.tolerance.to_string() })
        }
        Some(_)
            if values.len() >= FEWEST as usize && f64::from(baseline.out) * 100.0 > allowed * values.len() as f64 =>
        {
            let (out, of) = (baseline.out, count(values.len()));
            Some(Refusal::OutBefore { probe: name(), out, of, tolerance: probe.tolerance.to_string() })
        }
        Some(measured) if compared && measured.get() <= 0.0 => Some(Refusal::Incomparable { probe: name(), measured }),
        Some(_) => unseeable.map(|why| Refusal::Unseeable { probe: name(), why }),
    };
    (baseline, reason)
}

fn is_out(probe: &Probe, reading: &Reading) -> bool {
    match reading {
        Reading::Known(value) => !probe.tolerance.admits(value.get()),
        Reading::MoreThan(value) => probe.tolerance.at_most.is_some_and(|most| value.get() >= most),
        Reading::Unknown(_) => false,
    }
}

/// How old a metric's newest datapoint was at most when it was read, counted from the end of its period.
fn published_after(probe: &Probe, samples: &[Sample]) -> Option<Span> {
    let Source::CloudWatch(_) = &probe.source else { return None };
    let age = |sample: &Sample| {
        let reading = sample.readings.iter().find(|reading| reading.probe == probe.name)?;
        let until = reading.reading.number().and(reading.until)?;
        u64::try_from(sample.at.duration_since(until).as_millis()).ok()
    };
    samples.iter().filter_map(age).max().map(Span::millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::plan;

    fn faulty_for(slots: &[(u64, u64)]) -> Span {
        let change = plan("\n  stop_when: none", 1.0).scope.changes.remove(0);
        let of = |&(from, lasts): &(u64, u64)| {
            let (from, lasts) = (Span::seconds(from), Span::seconds(lasts));
            PlannedChange { slot: Slot { from, lasts, to: from.plus(lasts).plus(Slot::LANDING) }, ..change.clone() }
        };
        faulty(&slots.iter().map(of).collect::<Vec<_>>())
    }

    #[test]
    fn what_lies_between_two_faults_is_no_time_of_a_fault() {
        assert_eq!(faulty_for(&[(600, 60)]), Span::seconds(60));
        assert_eq!(faulty_for(&[(300, 60), (0, 60)]), Span::seconds(120));
    }

    #[test]
    fn two_faults_at_once_do_not_make_the_time_longer() {
        assert_eq!(faulty_for(&[(0, 60), (30, 60)]), Span::seconds(90));
        assert_eq!(faulty_for(&[(0, 90), (30, 10)]), Span::seconds(90));
    }
}
