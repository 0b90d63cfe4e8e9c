//! The baseline: what every probe shows before anything is broken. A system that is not steady is not broken further.

use std::time::Duration;

use drill_model::experiment::{Probe, Source, Trigger};
use drill_model::observation::{Finite, Reading, Sample, Stage, mean};
use drill_model::plan::{Baseline, Scope};
use drill_model::quantity::Span;
use drill_model::refusal::Refusal;

use super::{PrepareError, PreparePorts, Reasons};
use crate::ports::has::prelude::*;
use crate::records::RecordError;
use crate::sampling::Sampler;

/// Measuring the baseline takes no longer than this.
const LONGEST: Duration = Duration::from_secs(60);

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
    let every = Duration::from(scope.pacing.every);
    let give_up = world.clock().now() + LONGEST;
    let mut samples: Vec<Sample> = Vec::new();
    for number in 0..u32::from(experiment.observe.baseline_samples.max(1)) {
        if number > 0 {
            if world.clock().now() + every > give_up {
                break;
            }
            world.clock().pause(every).await;
        }
        let sample = sampler.sample(world, Stage::Baseline, first + number, &samples).await;
        samples.push(sample);
    }
    world.runs().record_samples(id, &samples).await.map_err(RecordError::store(id))?;

    let mut baseline = Vec::new();
    let mut reasons = Reasons::new();
    for probe in &experiment.steady_state {
        let readings: Vec<Reading> = samples.iter().map(|sample| sample.reading(&probe.name)).collect();
        let known: Vec<f64> = readings.iter().filter_map(Reading::number).collect();
        let average = mean(&known).and_then(|average| Finite::try_from(average).ok());
        match (average, readings.last()) {
            (None, Some(Reading::Unknown(why))) => {
                reasons.push(Refusal::NoBaseline { probe: probe.name.clone(), why: Some(why.clone()) });
            }
            (None, _) => reasons.push(Refusal::NoBaseline { probe: probe.name.clone(), why: None }),
            (Some(measured), _) if !probe.tolerance.admits(measured.get()) => reasons.push(Refusal::NotSteady {
                probe: probe.name.clone(),
                measured,
                tolerance: probe.tolerance.to_string(),
            }),
            (Some(measured), _) => {
                let compared = experiment.guards.stop_when.conditions().iter().any(|condition| {
                    matches!(&condition.trigger, Trigger::AboveBaseline(of, _) | Trigger::BelowBaseline(of, _) if *of == probe.name)
                });
                if compared && measured.get() <= 0.0 {
                    reasons.push(Refusal::Incomparable { probe: probe.name.clone(), measured });
                }
            }
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        baseline.push(Baseline {
            probe: probe.name.clone(),
            mean: average,
            known: count(known.len()),
            taken: count(readings.len()),
            published_after: published_after(probe, &samples),
        });
    }
    Ok(Measured { baseline, reasons })
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
