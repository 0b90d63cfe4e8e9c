//! Observe: sample the probes and the stop conditions for one turn, look whether the faults are still there, and say
//! whether to hold, go on, or stop.
//!
//! Next state: Decide. Fails as `Observe.*`, which goes to Rollback. What cannot be read for too long stops the run.

pub mod course;
mod holds;
mod stop;

use std::time::Duration;

use drill_model::baton::{Baton, Word};
use drill_model::ledger::Row;
use drill_model::observation::{Sample, Stage};
use drill_model::plan::Plan;
use drill_model::run::{Armed, Ending, Event, Run, Status};
use jiff::{SignedDuration, Timestamp};

pub use self::course::Course;
use self::holds::Looks;
use self::stop::Guards;
use crate::ports::has::prelude::*;
use crate::ports::{PortError, has};
use crate::records::{self, RecordError};
use crate::sampling::{self, Sampler};

/// What stopped Observe.
#[derive(Debug, thiserror::Error)]
pub enum ObserveError {
    /// The run is not under observation any more: somebody is putting it back.
    #[error("run {run} is not being observed: it is {status:?}")]
    Superseded {
        /// Which run.
        run: drill_model::ids::RunId,
        /// Where it stands.
        status: Status,
    },
    /// The record could not be read or moved.
    #[error("observation cannot continue")]
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
    /// What Observe needs of the world.
    pub trait ObservePorts =
        Metrics + Prometheus + Http + Groups + Sees + Clock + Runs + Ledger + EmergencyStop + HostProbe +
        HostAnswers;
}

/// Takes one turn's samples.
pub async fn observe(world: &impl ObservePorts, baton: &Baton) -> Result<Baton, ObserveError> {
    let id = &baton.run_id;
    let run = world.runs().run(id).await.map_err(RecordError::store(id))?;
    let (Status::Observing, Some(armed)) = (run.status, run.armed) else {
        return Err(ObserveError::Superseded { run: id.clone(), status: run.status });
    };
    let plan = world.runs().plan(id).await.map_err(RecordError::store(id))?;
    let rows = world.ledger().rows(id).await.map_err(RecordError::store(id))?;
    let every = plan.scope.pacing.every;
    let sampler = Sampler::of(&plan, every);
    let before = if stop::compares(&plan.scope.experiment) {
        world.runs().latest_samples(id, Stage::Baseline, u32::MAX).await.map_err(RecordError::store(id))?
    } else {
        Vec::new()
    };
    let guards = Guards::of(&plan, &rows, armed, before);
    let memory = guards.memory().max(sampler.memory());
    let mut latest = world.runs().latest_samples(id, Stage::Fault, memory).await.map_err(RecordError::store(id))?;

    let mut next = latest.last().map_or(0, |sample| sample.number + 1);
    let mut looks = Looks::default();
    let mut taken = 0;
    loop {
        let now = world.clock().now();
        // A turn that was late leaves out the samples it missed: they cannot be taken any more.
        next = next.max(course::index(armed.from, every, now));
        let due = sampling::due(armed.from, every, next);
        let until = match looks.meanwhile(coming(world, &plan, &rows, armed, due)).await {
            // A look that is on its way is taken along by the next sample.
            Course::Watch { until } if taken < plan.scope.pacing.samples_per_turn || looks.wait_for_a_sample() => until,
            Course::Watch { until } => return Ok(holding(baton, world.clock().now(), due.min(until))),
            Course::Inject => return Ok(Baton::new(id.clone(), Word::Inject)),
            // Recover comes back to it again and again: the other faults have their sample in between.
            Course::PutBack if due <= now && course::takes_its_time(&plan, &rows, armed, now) => {
                due + Duration::from(every)
            }
            Course::PutBack => return Ok(Baton::new(id.clone(), Word::Done)),
        };
        if until <= due {
            return Ok(holding(baton, world.clock().now(), until));
        }
        looks.meanwhile(pause_until(world, due)).await;
        let last = latest.last().map(|sample| sample.number);
        if !looks.wait_for_a_sample() && holds::is_due(&plan, &rows, armed, last, next) {
            looks.ask(holds::look_at(world, &rows));
        }
        let sample = looks.meanwhile(sampler.sample(world, Stage::Fault, next, &latest)).await;
        latest.push(sample);
        let mut stops = looks.meanwhile(must_stop(world, &guards, &latest)).await;
        if stops.is_none() {
            let following = sampling::due(armed.from, every, next + 1);
            looks.hear(pause_until(world, holds::patience(world.clock().now(), following, until))).await;
        }
        if let Some(sample) = latest.last_mut() {
            sample.faults = looks.take();
            let written = looks.meanwhile(world.runs().record_samples(id, std::slice::from_ref(sample))).await;
            written.map_err(|source| ObserveError::SampleNotWritten { number: next, source })?;
            stops = stops.or_else(|| holds::vanished(&plan, sample));
        }
        next += 1;
        taken += 1;
        if let Some((ending, text)) = stops {
            records::update(world, id, Event::Injected, |run: &mut Run| run.end(ending.clone())).await?;
            return Ok(Baton::new(id.clone(), Word::Breached).saying(text));
        }
    }
}

/// What is due before the next look. Less than a second is waited for here: the machine holds for whole seconds, and would
/// come back at once, again and again.
async fn coming(world: &impl ObservePorts, plan: &Plan, rows: &[Row], armed: Armed, look: Timestamp) -> Course {
    match course::course(plan, rows, armed, world.clock().now()) {
        Course::Watch { until }
            if until <= look && until.duration_since(world.clock().now()) < SignedDuration::from_secs(1) =>
        {
            pause_until(world, until).await;
            course::course(plan, rows, armed, world.clock().now())
        }
        course => course,
    }
}

/// Why the run must stop now, with the words for it.
async fn must_stop(world: &impl ObservePorts, guards: &Guards<'_>, samples: &[Sample]) -> Option<(Ending, String)> {
    let at = samples.last()?.at;
    match world.emergency_stop().lever().await {
        Ok(None) => guards.reason(samples),
        Ok(Some(reason)) => {
            Some((Ending::Lever { reason: reason.clone() }, format!("the emergency stop is pulled: {reason}")))
        }
        Err(error) => {
            let what = format!("the emergency stop cannot be read: {error}");
            Some((Ending::Blind { what: what.clone(), at }, what))
        }
    }
}

async fn pause_until(world: &impl ObservePorts, until: Timestamp) {
    let left = Duration::try_from(until.duration_since(world.clock().now())).unwrap_or_default();
    if !left.is_zero() {
        world.clock().pause(left).await;
    }
}

/// A baton that waits until an instant, in whole seconds, rounded down: the turn itself waits for the rest.
fn holding(baton: &Baton, now: Timestamp, until: Timestamp) -> Baton {
    let millis = until.duration_since(now).as_millis().max(0);
    Baton::new(baton.run_id.clone(), Word::Hold).holding(u32::try_from(millis / 1000).unwrap_or(u32::MAX))
}
