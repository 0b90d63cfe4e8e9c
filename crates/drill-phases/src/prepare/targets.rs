//! Finding and picking the targets, with every guard that is about them. What is found here is frozen in the plan.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::{Experiment, MinHealthy};
use drill_model::faults::Change;
use drill_model::ids::{Environment, InstanceId, RunId, TargetName};
use drill_model::pick::{self, Seed};
use drill_model::plan::Targets;

use super::{PrepareError, PreparePorts, Reasons};
use crate::fence;
use crate::ports::{Instance, InstanceState};

/// Who was found, and what speaks against it.
pub(super) struct Found {
    pub(super) targets: BTreeMap<TargetName, Targets>,
    pub(super) reasons: Reasons,
}

/// Finds and picks the targets of every group.
pub(super) async fn resolve(
    world: &impl PreparePorts,
    run: &RunId,
    experiment: &Experiment,
    environment: &Environment,
    seed: Seed,
) -> Result<Found, PrepareError> {
    let mut targets = BTreeMap::new();
    let mut reasons = Reasons::new();
    let mut instances: BTreeMap<InstanceId, Instance> = BTreeMap::new();
    for (name, spec) in &experiment.targets {
        let found = world.find(&spec.selector()).await;
        let found = found.map_err(|source| PrepareError::Unreachable { what: "the targets", source })?;
        let running: BTreeMap<InstanceId, Instance> = found
            .into_iter()
            .filter(|instance| instance.state == InstanceState::Running)
            .map(|instance| (instance.id.clone(), instance))
            .collect();
        let population: BTreeSet<InstanceId> = running.keys().cloned().collect();
        reasons.extend(
            spec.ids.iter().filter(|id| !population.contains(*id)).map(|id| format!("{id} of `{name}` is not running")),
        );
        match pick::pick(name, spec.pick, &population, experiment.guards.max_blast_radius, seed) {
            Ok(selected) => {
                reasons.extend(
                    selected
                        .iter()
                        .filter_map(|id| running.get(id))
                        .filter_map(|picked| fence::objection(picked, environment)),
                );
                reasons.extend(unhealthy(experiment, name, &running, &selected));
                targets.insert(name.clone(), Targets { population, selected });
            }
            Err(error) => reasons.push(error.to_string()),
        }
        instances.extend(running);
    }
    reasons.extend(unsuitable(experiment, &targets, &instances));
    reasons.extend(clashes(experiment, &targets));
    let selected: BTreeSet<InstanceId> =
        targets.values().flat_map(|targets| targets.selected.iter().cloned()).collect();
    let holders = world.holders(run, &selected).await;
    let holders = holders.map_err(|source| PrepareError::Unreachable { what: "who holds the targets", source })?;
    reasons.extend(holders.into_iter().map(|(target, other)| format!("{target} is in use by run {other}")));
    Ok(Found { targets, reasons })
}

/// Too few of a population would be left.
fn unhealthy(
    experiment: &Experiment,
    name: &TargetName,
    running: &BTreeMap<InstanceId, Instance>,
    selected: &BTreeSet<InstanceId>,
) -> Option<String> {
    let least = experiment.guards.min_healthy?;
    let needed = match least {
        MinHealthy::Count(count) => count.get() as usize,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a share of a population is a small number that is not negative"
        )]
        MinHealthy::Percent(share) => (running.len() as f64 * share.get() / 100.0).ceil() as usize,
    };
    let left = running.values().filter(|other| !selected.contains(&other.id) && other.healthy == Some(true)).count();
    (left < needed).then(|| {
        format!("`{name}` would be left with {left} hosts known to be healthy, and min_healthy asks for {needed}")
    })
}

/// Faults that the picked instances cannot have without a harm that nobody asked for.
fn unsuitable(
    experiment: &Experiment,
    targets: &BTreeMap<TargetName, Targets>,
    instances: &BTreeMap<InstanceId, Instance>,
) -> Reasons {
    let mut reasons = Reasons::new();
    for spec in
        experiment.faults.iter().filter(|spec| spec.fault.change(&experiment.dependencies) == Change::StopInstance)
    {
        let picked = targets.get(&spec.on).into_iter().flat_map(|targets| &targets.selected);
        for instance in picked.filter_map(|id| instances.get(id)) {
            if let Some(group) = &instance.group {
                reasons.push(format!(
                    "{} would stop {}, and its group {group} would replace it: use instance-terminate, or leave the group",
                    spec.name, instance.id
                ));
            }
            if instance.spot {
                reasons.push(format!(
                    "{} would stop {}, a spot instance that would not come back",
                    spec.name, instance.id
                ));
            }
        }
    }
    reasons
}

/// Faults that would disarm each other on a host that two groups of targets share.
fn clashes(experiment: &Experiment, targets: &BTreeMap<TargetName, Targets>) -> Reasons {
    let faults: Vec<_> = experiment.faults.iter().zip(experiment.schedule()).collect();
    let mut reasons = Reasons::new();
    for (place, (one, slot)) in faults.iter().enumerate() {
        for (other, _) in faults.iter().skip(place + 1).filter(|(_, later)| slot.overlaps(later)) {
            let Some(why) = one.fault.surface().conflict(&other.fault.surface()) else { continue };
            let (Some(mine), Some(theirs)) = (targets.get(&one.on), targets.get(&other.on)) else { continue };
            if let Some(shared) = mine.selected.intersection(&theirs.selected).next() {
                reasons.push(format!("{} and {} would meet on {shared}: {why}", one.name, other.name));
            }
        }
    }
    reasons
}
