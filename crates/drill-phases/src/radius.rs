//! The blast radius and what is left, as arithmetic over everything that the plan harms: all groups, all faults.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::{Experiment, MinHealthy};
use drill_model::faults::Seen;
use drill_model::ids::TargetName;
use drill_model::pick::share_of;
use drill_model::plan::Targets;
use drill_model::quantity::Percent;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

/// A group of targets, as it was found.
pub(crate) struct Group {
    name: TargetName,
    /// The population, as far as it is there.
    members: Vec<Seen>,
    /// Members of the population that are not there any more.
    lost: BTreeSet<TargetId>,
    /// Those that some fault is done to.
    hit: BTreeSet<TargetId>,
}

impl Group {
    /// The group with these members, of whom the selected are hit if a fault of the experiment is done to the group.
    pub(crate) fn of(experiment: &Experiment, name: &TargetName, targets: &Targets, members: Vec<Seen>) -> Self {
        let there: BTreeSet<&TargetId> = members.iter().map(|seen| &seen.id).collect();
        let lost = targets.population.iter().filter(|id| !there.contains(id)).cloned().collect();
        let harmed = experiment.faults.iter().any(|fault| fault.on == *name);
        let hit = if harmed { targets.selected.clone() } else { BTreeSet::new() };
        Self { name: name.clone(), members, lost, hit }
    }

    /// The members that count: the targets themselves, or the instances that lie in them; and whether each is healthy.
    fn parts(&self) -> BTreeMap<TargetId, bool> {
        let lost = self.lost.iter().map(|id| (id.clone(), false));
        self.members.iter().flat_map(parts).chain(lost).collect()
    }

    fn hit_parts(&self) -> BTreeSet<TargetId> {
        self.members
            .iter()
            .filter(|seen| self.hit.contains(&seen.id))
            .flat_map(|seen| parts(seen).into_iter().map(|(id, _)| id))
            .chain(self.lost.intersection(&self.hit).cloned())
            .collect()
    }
}

fn parts(seen: &Seen) -> Vec<(TargetId, bool)> {
    let inside = seen.parts();
    if inside.is_empty() {
        vec![(seen.id.clone(), seen.is_healthy())]
    } else {
        inside.into_iter().map(|part| (part.id, part.healthy)).collect()
    }
}

/// What speaks against harming all of this together.
///
/// Groups that share a member are one population: two groups of one selector harm no more than one of them may.
pub(crate) fn refusals(experiment: &Experiment, groups: &[Group]) -> Vec<Refusal> {
    let hit: BTreeSet<TargetId> = groups.iter().flat_map(Group::hit_parts).collect();
    let mut refusals = Vec::new();
    let limit = experiment.guards.max_blast_radius;
    for together in connected(groups) {
        // Each group by itself as well: a large one that it has members in common with must not hide what hits it.
        let alone = together.iter().map(|group| vec![*group]).filter(|_| together.len() > 1);
        refusals.extend([together.clone()].into_iter().chain(alone).find_map(|groups| too_wide(&groups, &hit, limit)));
    }
    refusals.extend(too_few_left(experiment, groups));
    refusals
}

/// Groups of which too few are left healthy after everything that the plan harms, whether it is harmed already or not.
pub(crate) fn too_few_left(experiment: &Experiment, groups: &[Group]) -> Vec<Refusal> {
    let Some(least) = experiment.guards.min_healthy else { return Vec::new() };
    let hit: BTreeSet<TargetId> = groups.iter().flat_map(Group::hit_parts).collect();
    let short = groups.iter().filter_map(|group| {
        let members = group.parts();
        let needed = match least {
            MinHealthy::Count(count) => count.get() as usize,
            // What is not allowed to be hit, so that a share never asks for less than it says.
            MinHealthy::Percent(share) => members.len() - share_of(members.len(), 100.0 - share.get()),
        };
        let left = members.iter().filter(|(id, healthy)| **healthy && !hit.contains(*id)).count();
        let taken = members.keys().filter(|id| hit.contains(*id)).count();
        let (group, population) = (group.name.clone(), members.len());
        let ailing = population - left - taken;
        (left < needed).then_some(Refusal::MinHealthy { group, left, population, hit: taken, ailing, needed })
    });
    short.collect()
}

/// More of these groups is hit than the largest blast radius allows.
fn too_wide(groups: &[&Group], hit: &BTreeSet<TargetId>, limit: Percent) -> Option<Refusal> {
    let members: BTreeMap<TargetId, bool> = groups.iter().flat_map(|group| group.parts()).collect();
    // Who is down already serves nobody: what is hit is a share of those that do.
    let population = members.iter().filter(|(id, healthy)| **healthy || hit.contains(*id)).count();
    let harmed = members.keys().filter(|id| hit.contains(*id)).count();
    let allowed = share_of(population, limit.get());
    let ailing = members.len() - population;
    let groups = groups.iter().map(|group| group.name.clone()).collect();
    (harmed > allowed).then_some(Refusal::BlastRadius { groups, harmed, population, ailing, limit, allowed })
}

/// The groups, put together where they have a member in common.
fn connected(groups: &[Group]) -> Vec<Vec<&Group>> {
    let mut sets: Vec<(BTreeSet<TargetId>, Vec<&Group>)> = Vec::new();
    for group in groups {
        let mut members: BTreeSet<TargetId> = group.parts().into_keys().collect();
        let mut together = vec![group];
        let (meeting, apart): (Vec<_>, Vec<_>) = sets.into_iter().partition(|(set, _)| !set.is_disjoint(&members));
        for (set, others) in meeting {
            members.extend(set);
            together.extend(others);
        }
        sets = apart;
        sets.push((members, together));
    }
    sets.into_iter().map(|(_, together)| together).collect()
}
