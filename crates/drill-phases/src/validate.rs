//! Validate: after everything is put back, see whether the system comes back, and how long that takes.
//!
//! Next state: Settle while it is not back and has time left, Report then. Fails as `Validate.*`, which goes to Report.

use std::time::Duration;

use drill_model::baton::{Baton, Word};
use drill_model::experiment::{Probe, Source};
use drill_model::ledger::{Row, State};
use drill_model::observation::Stage;
use drill_model::plan::Plan;
use drill_model::quantity::Span;
use drill_model::verdict::{RecoveryTime, judge};
use jiff::Timestamp;

use crate::ports::has::prelude::*;
use crate::ports::{PortError, has};
use crate::records::RecordError;
use crate::sampling::Sampler;

/// What stopped Validate.
#[derive(Debug, thiserror::Error)]
pub enum ValidateError {
    /// The record could not be read.
    #[error("validation cannot continue")]
    RunRecord(#[from] RecordError),
    /// A sample was taken and could not be stored.
    #[error("sample {number} was taken and could not be stored")]
    SampleNotWritten {
        /// Which.
        number: u32,
        /// What the store said.
        #[source]
        source: PortError,
    },
}

has::bundle! {
    /// What Validate needs of the world.
    pub trait ValidatePorts =
        Metrics + Prometheus + Http + Groups + Sees + Clock + Runs + Ledger;
}

/// True unless the change is known not to have been made.
fn may_have_been_made(row: &Row) -> bool {
    !matches!(row.state, State::NeverMade { .. })
}

/// Takes a sample and says whether the system is back.
pub async fn validate(world: &impl ValidatePorts, baton: &Baton) -> Result<Baton, ValidateError> {
    let id = &baton.run_id;
    let done = || Ok(Baton::new(id.clone(), Word::Done));
    // A run that was never planned broke nothing.
    let (run, plan, rows, samples) = futures_util::join!(
        world.runs().run(id),
        world.runs().plan(id),
        world.ledger().rows(id),
        world.runs().samples(id)
    );
    let run = run.map_err(RecordError::store(id))?;
    let rows = rows.map_err(RecordError::store(id))?;
    let (Some(clean_at), true) = (run.clean_at, rows.iter().any(may_have_been_made)) else {
        // Nothing was ever broken, so there is nothing to recover from.
        return done();
    };
    let plan = plan.map_err(RecordError::store(id))?;
    let mut samples = samples.map_err(RecordError::store(id))?;
    let taken = samples.iter().filter(|sample| sample.stage == Stage::Recovery).map(|sample| sample.number);
    let number = taken.max().map_or(0, |number| number + 1);
    let sampler = Sampler::of(&plan, plan.scope.experiment.recovery.check_every);
    let sample = sampler.sample(world, Stage::Recovery, number, &samples).await;
    let written = world.runs().record_samples(id, std::slice::from_ref(&sample)).await;
    written.map_err(|source| ValidateError::SampleNotWritten { number, source })?;
    samples.push(sample);

    let recovery = &plan.scope.experiment.recovery;
    let settled = settled(&plan, clean_at);
    // That a system is not back in its time is only seen by what is measured after it.
    let until = match judge(&run, Some(&plan), &rows, &samples).recovery {
        RecoveryTime::Recovered { .. } => settled,
        RecoveryTime::NotRecovered { .. } | RecoveryTime::Unknown => settled + Duration::from(recovery.within),
    };
    let left = until.duration_since(world.clock().now()).as_millis();
    if left < 0 {
        return done();
    }
    let left = u64::try_from(left / 1000 + 1).unwrap_or(u64::MAX);
    let seconds = u32::try_from(recovery.check_every.as_seconds().min(left)).unwrap_or(u32::MAX);
    Ok(Baton::new(id.clone(), Word::Hold).holding(seconds))
}

/// When the last datapoint of the time in which something was broken has its last value, for every metric. Until then a verdict
/// would rest on values that may still change.
fn settled(plan: &Plan, clean_at: Timestamp) -> Timestamp {
    let after = |probe: &Probe| match &probe.source {
        Source::CloudWatch(metric) => metric.period.plus(plan.settling(probe)),
        Source::Alarm(_) | Source::Prometheus(_) | Source::Http(_) | Source::Capacity(_) | Source::HostHealth(_) => {
            Span::ZERO
        }
    };
    let longest = plan.scope.experiment.steady_state.iter().map(after).max();
    clean_at + Duration::from(longest.unwrap_or(Span::ZERO))
}
