//! The blast radius and what is left, as arithmetic over everything that the plan harms: all groups, all faults.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::experiment::{Experiment, MinHealthy};
use drill_model::faults::Seen;
use drill_model::ids::TargetName;
use drill_model::pick::share_of;
use drill_model::quantity::Percent;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

use super::Reasons;

/// A group of targets, as it was found.
pub(super) struct Group {
    pub(super) name: TargetName,
    /// The whole population.
    pub(super) members: Vec<Seen>,
    /// Those that some fault is done to.
    pub(super) hit: BTreeSet<TargetId>,
}

impl Group {
    /// The members that count: the targets themselves, or the instances that lie in them; and whether each is healthy.
    fn parts(&self) -> BTreeMap<TargetId, bool> {
        self.members.iter().flat_map(parts).collect()
    }

    fn hit_parts(&self) -> BTreeSet<TargetId> {
        self.members
            .iter()
            .filter(|seen| self.hit.contains(&seen.id))
            .flat_map(|seen| parts(seen).into_iter().map(|(id, _)| id))
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
pub(super) fn reasons(experiment: &Experiment, groups: &[Group]) -> Reasons {
    let hit: BTreeSet<TargetId> = groups.iter().flat_map(Group::hit_parts).collect();
    let mut reasons = Reasons::new();
    let limit = experiment.guards.max_blast_radius;
    for together in connected(groups) {
        // Each group by itself as well: a large one that it has members in common with must not hide what hits it.
        let alone = together.iter().map(|group| vec![*group]).filter(|_| together.len() > 1);
        reasons.extend([together.clone()].into_iter().chain(alone).find_map(|groups| too_wide(&groups, &hit, limit)));
    }
    let Some(least) = experiment.guards.min_healthy else { return reasons };
    for group in groups {
        let members = group.parts();
        let needed = match least {
            MinHealthy::Count(count) => count.get() as usize,
            // What is not allowed to be hit, so that a share never asks for less than it says.
            MinHealthy::Percent(share) => members.len() - share_of(members.len(), 100.0 - share.get()),
        };
        let left = members.iter().filter(|(id, healthy)| **healthy && !hit.contains(*id)).count();
        if left < needed {
            let taken = members.keys().filter(|id| hit.contains(*id)).count();
            let ailing = members.iter().filter(|(id, healthy)| !**healthy && !hit.contains(*id)).count();
            let (group, population) = (group.name.clone(), members.len());
            reasons.push(Refusal::MinHealthy { group, left, population, hit: taken, ailing, needed });
        }
    }
    reasons
}

/// More of these groups is hit than the largest blast radius allows.
fn too_wide(groups: &[&Group], hit: &BTreeSet<TargetId>, limit: Percent) -> Option<Refusal> {
    let population: BTreeSet<TargetId> = groups.iter().flat_map(|group| group.parts().into_keys()).collect();
    let harmed = population.intersection(hit).count();
    let allowed = share_of(population.len(), limit.get());
    let groups = groups.iter().map(|group| group.name.clone()).collect();
    let population = population.len();
    (harmed > allowed).then_some(Refusal::BlastRadius { groups, harmed, population, limit, allowed })
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
