//! The guards that do not depend on which targets are picked: the lever, what is switched on, the windows, the alarms, what is
//! permitted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::experiment::Experiment;
use drill_model::faults::{Call as _, Ends, FaultSpec, Seen};
use drill_model::ids::FaultName;
use drill_model::observation::{AlarmReading, AlarmState};
use drill_model::plan::Scope;
use drill_model::quantity::Span;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

use super::{PrepareError, PreparePorts, Reasons};
use crate::drive::side_by_side;
use crate::ports::has::prelude::*;
use crate::ports::{Class, Rehearsal};
use crate::sampling;

/// Asks the lever, the windows and the alarms. An answer that is not there is a reason.
pub(super) async fn ask(
    world: &impl PreparePorts,
    experiment: &Experiment,
    worst_case: Span,
) -> Result<Reasons, PrepareError> {
    let mut reasons = Reasons::new();
    match world.emergency_stop().lever().await {
        Ok(None) => {}
        Ok(Some(reason)) => reasons.push(Refusal::EmergencyStop { reason }),
        Err(error) => reasons.push(Refusal::EmergencyStopUnknown { why: error.to_string() }),
    }
    reasons.extend(switched_off(world, experiment));
    reasons.extend(unproven(world, experiment).await);
    let kinds: Vec<_> = experiment.faults.iter().map(|fault| fault.fault.kind()).collect();
    let now = world.clock().now();
    let until = now + Duration::from(worst_case);
    if let Err(closed) = drill_model::window::permits(&experiment.guards.windows, &kinds, now, until) {
        reasons.push(Refusal::Window { why: closed.to_string() });
    }
    let watched = sampling::stop_alarms(experiment);
    let readings = sampling::alarms(world, experiment).await;
    let readings = readings.into_iter().filter(|reading| watched.contains(&reading.alarm));
    let sound = |reading: &AlarmReading| reading.state == AlarmState::Ok;
    let alarms = readings.filter(|reading| !sound(reading));
    reasons.extend(alarms.map(|reading| Refusal::Alarm { alarm: reading.alarm, state: reading.state }));
    Ok(reasons)
}

/// Faults for which the roles of this stack can do nothing: neither do them nor undo them.
fn switched_off(world: &impl PreparePorts, experiment: &Experiment) -> Vec<Refusal> {
    let on = world.place().switched_on();
    let off = |spec: &FaultSpec| {
        let family = spec.fault.kind().family();
        (!on.contains(&family)).then(|| Refusal::SwitchedOff { fault: spec.name.clone(), family, on: on.clone() })
    };
    experiment.faults.iter().filter_map(off).collect()
}

/// Faults that the scheduler must be able to end, when nobody has seen it do so.
async fn unproven(world: &impl PreparePorts, experiment: &Experiment) -> Option<Refusal> {
    let scheduled = |spec: &&FaultSpec| {
        let change = spec.fault.change(&experiment.dependencies);
        change.on_resource().is_some_and(|fault| fault.ends() == Ends::PutBack)
    };
    let faults: Vec<FaultName> = experiment.faults.iter().filter(scheduled).map(|spec| spec.name.clone()).collect();
    if faults.is_empty() {
        return None;
    }
    match world.undo_proof().undo_proven().await {
        Ok(Some(_)) => None,
        Ok(None) => Some(Refusal::UndoNotProven { faults, why: None }),
        Err(error) => Some(Refusal::UndoNotProven { faults, why: Some(error.to_string()) }),
    }
}

/// Asks for a dry run of every call on resources, of the doing and of the undoing.
pub(super) async fn rehearse(
    world: &impl PreparePorts,
    scope: &Scope,
    selected: &BTreeMap<TargetId, Seen>,
) -> Result<Reasons, PrepareError> {
    let mut asked: BTreeMap<(Rehearsal, usize), (&FaultName, BTreeSet<TargetId>)> = BTreeMap::new();
    for change in &scope.changes {
        let Some(fault) = change.change.on_resource() else { continue };
        for seen in scope.targets_of(change).iter().filter_map(|id| selected.get(id)) {
            let (harms, heals) = fault.rehearses(seen);
            let calls = harms.into_iter().map(Rehearsal::Harm).chain(heals.into_iter().map(Rehearsal::Heal));
            for call in calls {
                let most = most(&call);
                let full = |batch: usize| asked.get(&(call.clone(), batch)).is_some_and(|(_, ids)| ids.len() >= most);
                let batch = (0..).find(|batch| !full(*batch)).unwrap_or_default();
                asked.entry((call, batch)).or_insert((&change.fault, BTreeSet::new())).1.insert(seen.id.clone());
            }
        }
    }
    let answers = side_by_side(asked, async |((call, _), (fault, targets))| {
        (fault, world.rehearse().rehearse(&call, &targets).await)
    })
    .await;
    let mut reasons = Reasons::new();
    for (fault, answer) in answers {
        match answer {
            Ok(()) => {}
            Err(error) if matches!(error.class, Class::Refused | Class::Missing) => {
                reasons.push(Refusal::NotPermitted { fault: fault.clone(), why: error.to_string() });
            }
            Err(source) => return Err(PrepareError::Unreachable { what: "what is permitted", source }),
        }
    }
    Ok(reasons)
}

fn most(call: &Rehearsal) -> usize {
    match call {
        Rehearsal::Harm(call) => call.most(),
        Rehearsal::Heal(call) => call.most(),
    }
}
