//! The guards that may have changed since they were asked: before the first fault, and before each that starts later.

use drill_model::observation::AlarmState;
use drill_model::plan::Plan;
use drill_model::refusal::Refusal;
use drill_model::run::Armed;

use super::{InjectError, InjectPorts, forbidden};
use crate::drive::side_by_side;
use crate::ports::Answer;
use crate::ports::has::prelude::*;
use crate::radius::{self, Group};
use crate::sampling;

/// Whether more may be broken now. Asks nothing twice, and changes nothing.
pub(super) async fn permit(world: &impl InjectPorts, plan: &Plan, armed: Armed) -> Result<(), InjectError> {
    let (switch, alarms, left) = futures_util::join!(
        world.emergency_stop().lever(),
        sampling::alarms(world, &plan.scope.experiment),
        too_few_left(world, plan)
    );
    match switch {
        Ok(None) => {}
        Ok(Some(reason)) => return forbidden(Refusal::EmergencyStop { reason }),
        Err(error) => return forbidden(Refusal::EmergencyStopUnknown { why: error.to_string() }),
    }
    let experiment = &plan.scope.experiment;
    let watched = sampling::stop_alarms(experiment);
    for reading in alarms.iter().filter(|reading| watched.contains(&reading.alarm)) {
        if reading.state != AlarmState::Ok {
            return forbidden(Refusal::Alarm { alarm: reading.alarm.clone(), state: reading.state.clone() });
        }
    }
    if let Some(refusal) = left {
        return forbidden(refusal);
    }
    let kinds: Vec<_> = experiment.faults.iter().map(|fault| fault.fault.kind()).collect();
    let now = world.clock().now();
    drill_model::window::permits(&experiment.guards.windows, &kinds, now, armed.deadline)
        .or_else(|closed| forbidden(Refusal::Window { why: closed.to_string() }))
}

/// Why too few targets would be left, as they are now. Who is in the plan's population and is not found any more counts as
/// down; who has come since does not count.
async fn too_few_left(world: &impl InjectPorts, plan: &Plan) -> Option<Refusal> {
    let experiment = &plan.scope.experiment;
    experiment.guards.min_healthy?;
    let planned = plan.scope.targets.iter().filter_map(|(name, targets)| {
        let spec = experiment.targets.get(name)?;
        Some((name, spec, targets))
    });
    let found = side_by_side(planned, async |(name, spec, targets)| {
        let found = world.sees().find(&spec.selector()).await?;
        let members = found.into_iter().filter(|seen| targets.population.contains(&seen.id) && seen.ailing().is_none());
        Ok(Group::of(experiment, name, targets, members.collect()))
    })
    .await;
    match found.into_iter().collect::<Answer<Vec<Group>>>() {
        Ok(groups) => radius::too_few_left(experiment, &groups).into_iter().next(),
        Err(error) => Some(Refusal::TargetsUnknown { why: error.to_string() }),
    }
}
