//! Where nobody looked while something was broken, or while the system was to come back.

use std::time::Duration;

use drill_model::observation::{Sample, Stage};
use drill_model::plan::Plan;
use jiff::Timestamp;

/// A look that comes later than this many times its pace leaves a gap.
const LATE: f64 = 2.5;

/// The gaps between samples, which are in the order of time.
pub(super) fn between(plan: &Plan, samples: &[&Sample]) -> Vec<(Timestamp, Timestamp)> {
    let experiment = &plan.scope.experiment;
    let pace = |stage: Stage| match stage {
        Stage::Baseline => None,
        Stage::Fault => Some(Duration::from(plan.scope.pacing.every)),
        Stage::Recovery => Some(Duration::from(experiment.recovery.check_every)),
    };
    let late = |pair: &[&Sample]| {
        let [before, after] = pair else { return None };
        // Before the first look of a fault nothing was there to be looked at.
        let pace = pace(before.stage)?.max(pace(after.stage)?);
        let waited = after.at.duration_since(before.at).as_secs_f64();
        (waited > pace.as_secs_f64() * LATE).then_some((before.at, after.at))
    };
    samples.windows(2).filter_map(late).collect()
}
