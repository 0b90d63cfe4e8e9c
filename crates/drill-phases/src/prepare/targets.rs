//! Finding and picking the targets, with every guard that is about them. What is found here is frozen in the plan.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::Experiment;
use drill_model::faults::{Change, FaultSpec, Seen};
use drill_model::ids::{Environment, RunId, TargetName};
use drill_model::pick::{self, Seed};
use drill_model::plan::Targets;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

use super::{PrepareError, PreparePorts, Reasons};
use crate::fence;
use crate::ports::Holding;
use crate::ports::has::prelude::*;
use crate::radius::{self, Group};

/// Who was found, and what speaks against it.
pub(super) struct Found {
    pub(super) targets: BTreeMap<TargetName, Targets>,
    /// What the selected are a part of.
    pub(super) shares: BTreeSet<TargetId>,
    /// The selected, as they were seen.
    pub(super) selected: BTreeMap<TargetId, Seen>,
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
    let mut groups = Vec::new();
    let mut all: BTreeMap<TargetId, Seen> = BTreeMap::new();
    let found = crate::drive::side_by_side(&experiment.targets, async |(name, spec)| {
        (name, spec, world.sees().find(&spec.selector()).await)
    })
    .await;
    for (name, spec, found) in found {
        let found = found.map_err(|source| PrepareError::Unreachable { what: "the targets", source })?;
        let whole: BTreeMap<TargetId, Seen> =
            found.into_iter().filter(|seen| seen.ailing().is_none()).map(|seen| (seen.id.clone(), seen)).collect();
        let population: BTreeSet<TargetId> = whole.keys().cloned().collect();
        let there = |id: &str| population.iter().any(|target| target.name() == id);
        let missing = spec.ids.iter().filter(|id| !there(id.name()));
        let missing = missing.map(|id| Refusal::TargetMissing { group: name.clone(), target: id.name().to_owned() });
        reasons.extend(missing);
        match pick::pick(name, spec.pick, &population, experiment.guards.max_blast_radius, seed) {
            Ok(selected) => {
                let picked = selected.iter().filter_map(|id| whole.get(id));
                reasons.extend(picked.flat_map(|picked| objections(picked, environment)));
                let found = Targets { population, selected };
                groups.push(Group::of(experiment, name, &found, whole.values().cloned().collect()));
                targets.insert(name.clone(), found);
            }
            Err(error) => reasons.push(Refusal::Pick { group: name.clone(), why: error.to_string() }),
        }
        all.extend(whole);
    }
    reasons.extend(radius::refusals(experiment, &groups));
    let selected: BTreeSet<TargetId> = targets.values().flat_map(|targets| targets.selected.iter().cloned()).collect();
    let selected: BTreeMap<TargetId, Seen> = all.into_iter().filter(|(id, _)| selected.contains(id)).collect();
    let shares = selected.values().flat_map(Seen::part_of).filter(|id| !selected.contains_key(id)).collect();
    reasons.extend(unsuitable(experiment, &targets, &selected));
    reasons.extend(clashes(experiment, &targets, &selected));
    let holding = Holding { whole: selected.keys().cloned().collect(), shares };
    let holders = world.leases().holders(run, &holding).await;
    let holders = holders.map_err(|source| PrepareError::Unreachable { what: "who holds the targets", source })?;
    reasons.extend(holders.into_iter().map(|(target, holder)| Refusal::InUse { target, holder }));
    Ok(Found { targets, shares: holding.shares, selected, reasons })
}

/// Why a target must not be harmed: its own tags, and those of what is hit with it.
fn objections(seen: &Seen, environment: &Environment) -> Reasons {
    let protected = seen.parts().into_iter().filter(|part| part.protected);
    fence::objection(seen, environment)
        .into_iter()
        .chain(protected.map(|part| fence::protected(seen, Some(part.id))))
        .collect()
}

/// Faults that the picked targets cannot have without a harm that nobody asked for.
fn unsuitable(
    experiment: &Experiment,
    targets: &BTreeMap<TargetName, Targets>,
    seen: &BTreeMap<TargetId, Seen>,
) -> Reasons {
    let mut reasons = Reasons::new();
    for spec in &experiment.faults {
        let change = spec.fault.change(&experiment.dependencies);
        let fault = match &change {
            Change::Host(_) => continue,
            Change::Resource { .. } => change.on_resource(),
        };
        let picked = targets.get(&spec.on).into_iter().flat_map(|targets| &targets.selected);
        for (id, seen) in picked.filter_map(|id| Some((id, seen.get(id)?))) {
            if let Some(Err(why)) = fault.map(|fault| fault.save(seen)) {
                reasons.push(Refusal::Unsuitable { fault: spec.name.clone(), target: id.clone(), why });
            }
        }
    }
    reasons
}

/// Faults that would disarm each other: on a target that two groups share, or on one that is a part of another.
fn clashes(
    experiment: &Experiment,
    targets: &BTreeMap<TargetName, Targets>,
    seen: &BTreeMap<TargetId, Seen>,
) -> Reasons {
    let faults: Vec<_> = experiment.faults.iter().zip(experiment.schedule()).collect();
    let mut reasons = Reasons::new();
    for (place, (one, slot)) in faults.iter().enumerate() {
        for (other, _) in faults.iter().skip(place + 1).filter(|(_, later)| slot.overlaps(later)) {
            let (Some(mine), Some(theirs)) = (targets.get(&one.on), targets.get(&other.on)) else { continue };
            if let Some(why) = one.fault.surface().conflict(&other.fault.surface())
                && let Some(shared) = mine.selected.intersection(&theirs.selected).next()
            {
                reasons.push(clash(one, other, shared.clone(), why.to_owned()));
            }
            let inside = within(mine, theirs, seen).or_else(|| within(theirs, mine, seen));
            if let Some((part, whole)) = inside {
                let why = format!("{part} is a part of it, and what is done to {whole} hides what is done to {part}");
                reasons.push(clash(one, other, whole, why));
            }
        }
    }
    reasons
}

fn clash(one: &FaultSpec, other: &FaultSpec, target: TargetId, why: String) -> Refusal {
    Refusal::Clash { one: one.name.clone(), other: other.name.clone(), target, why }
}

/// A target of one group that is a part of a target of the other.
fn within<'a>(
    parts: &'a Targets,
    wholes: &Targets,
    seen: &BTreeMap<TargetId, Seen>,
) -> Option<(&'a TargetId, TargetId)> {
    parts.selected.iter().find_map(|id| {
        let whole = seen.get(id)?.part_of().into_iter().find(|whole| wholes.selected.contains(whole))?;
        Some((id, whole))
    })
}
