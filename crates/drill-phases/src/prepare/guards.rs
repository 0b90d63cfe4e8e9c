//! The guards that do not depend on which targets are picked: the lever, the windows, the alarms, what is permitted.

use std::collections::BTreeSet;
use std::time::Duration;

use drill_model::experiment::Experiment;
use drill_model::faults::Change;
use drill_model::ids::InstanceId;
use drill_model::observation::AlarmState;
use drill_model::plan::Scope;
use drill_model::quantity::Span;

use super::{PrepareError, PreparePorts, Reasons};
use crate::ports::{BATCH, Class, Verb};
use crate::sampling;

/// Asks the lever, the windows and the alarms. An answer that is not there is a reason.
pub(super) async fn ask(
    world: &impl PreparePorts,
    experiment: &Experiment,
    worst_case: Span,
) -> Result<Reasons, PrepareError> {
    let mut reasons = Reasons::new();
    match world.lever().await {
        Ok(None) => {}
        Ok(Some(reason)) => reasons.push(format!("the emergency stop is pulled: {reason}")),
        Err(error) => reasons.push(format!("the emergency stop cannot be read: {error}")),
    }
    let kinds: Vec<_> = experiment.faults.iter().map(|fault| fault.fault.kind()).collect();
    let now = world.now();
    let until = now + Duration::from(worst_case);
    if let Err(closed) = drill_model::window::permits(&experiment.guards.windows, &kinds, now, until) {
        reasons.push(closed.to_string());
    }
    let watched = sampling::stop_alarms(experiment);
    for reading in
        sampling::alarms(world, experiment).await.into_iter().filter(|reading| watched.contains(&reading.alarm))
    {
        let alarm = &reading.alarm;
        match reading.state {
            AlarmState::Ok => {}
            AlarmState::InAlarm => reasons.push(format!("alarm {alarm} is in alarm already")),
            AlarmState::InsufficientData => {
                reasons.push(format!("alarm {alarm} has insufficient data: it could not stop the run"));
            }
            AlarmState::Missing => {
                reasons.push(format!("alarm {alarm} does not exist, or may not be seen: it could not stop the run"));
            }
            AlarmState::Unknown(why) => reasons.push(format!("alarm {alarm} cannot be read: {why}")),
        }
    }
    Ok(reasons)
}

/// Asks for a dry run of every call on instances, of the doing and of the undoing.
pub(super) async fn rehearse(world: &impl PreparePorts, scope: &Scope) -> Result<Reasons, PrepareError> {
    let mut reasons = Reasons::new();
    for change in &scope.changes {
        let verbs: &[Verb] = match change.change {
            Change::Host(_) => continue,
            Change::StopInstance => &[Verb::Stop, Verb::Start],
            Change::RebootInstance => &[Verb::Reboot],
            Change::TerminateInstance => &[Verb::Terminate],
        };
        let ids: Vec<InstanceId> = scope.targets_of(change).iter().cloned().collect();
        for (verb, batch) in verbs.iter().flat_map(|verb| ids.chunks(BATCH).map(move |batch| (verb, batch))) {
            let batch: BTreeSet<InstanceId> = batch.iter().cloned().collect();
            match world.rehearse(*verb, &batch).await {
                Ok(()) => {}
                Err(error) if matches!(error.class, Class::Refused | Class::Missing) => {
                    reasons.push(format!("{} would not be allowed: {error}", change.fault));
                }
                Err(source) => return Err(PrepareError::Unreachable { what: "what is permitted", source }),
            }
        }
    }
    Ok(reasons)
}
