//! The targets: a selector that selects, a pick that can be made, a group that something is done to.

use std::num::NonZeroU32;

use super::super::{Experiment, MinHealthy, Pick, Source, TargetKind, TargetSpec};
use super::Problems;
use crate::ids::TargetName;
use crate::pick::share_of;
use crate::quantity::Percent;
use crate::read::is_hidden;

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    for (name, target) in &experiment.targets {
        selector(name, target, found);
        size(name, target, experiment.guards.max_blast_radius, found);
        healthy(name, target, experiment.guards.min_healthy, found);
        if !is_used(experiment, name) {
            let help = "name it in the `on` of a fault or the `of` of a host_health probe, or remove it";
            found.add(format!("targets.{name}"), format!("nothing is done to `{name}`"), help);
        }
    }
}

fn is_used(experiment: &Experiment, name: &TargetName) -> bool {
    experiment.faults.iter().any(|fault| fault.on == *name)
        || experiment.steady_state.iter().any(|probe| match &probe.source {
            Source::HostHealth(health) => health.of == *name,
            Source::CloudWatch(_)
            | Source::Alarm(_)
            | Source::Prometheus(_)
            | Source::Http(_)
            | Source::Capacity(_) => false,
        })
}

fn selector(name: &TargetName, target: &TargetSpec, found: &mut Problems) {
    if target.tags.is_empty() && target.ids.is_empty() && target.group.is_none() && target.zone.is_none() {
        let help = "say whom: `tags: { Service: orders }`, `ids: [i-0123456789abcdef0]` or `group: orders-asg`";
        found.add(format!("targets.{name}"), format!("`{name}` has no tags, no ids, no group and no zone"), help);
    }
    if target.group.is_some() && target.kind != TargetKind::Ec2Instance {
        let message = format!("a {} is no member of a group", target.kind);
        found.add(format!("targets.{name}.group"), message, "select it by tags, ids or zone");
    }
    for (index, id) in target.ids.iter().enumerate().filter(|(_, id)| !target.kind.is_id(id.name())) {
        let rule = target.kind.id_rule();
        let message = format!("`{id}` is not the id of a target of kind {}: expected {rule}", target.kind);
        found.add(format!("targets.{name}.ids[{index}]"), message, format!("write {rule}, or a whole ARN"));
    }
    for (key, value) in &target.tags {
        let path = format!("targets.{name}.tags.{key}");
        if key.is_empty() {
            let path = format!("targets.{name}.tags");
            found.add(path, "a tag without a name", "write the name of the tag: `tags: { Service: orders }`");
        } else if key.chars().count() > 128 || value.chars().count() > 256 {
            let help = "a tag's name has at most 128 characters and its value at most 256";
            found.add(path, format!("no instance can have the tag `{key}` with this value"), help);
        } else if key.chars().chain(value.chars()).any(is_hidden) {
            found.add(path, format!("the tag `{key}` has characters that cannot be seen"), "remove them");
        } else if key.contains(['*', '?', '\\']) || value.contains(['*', '?', '\\']) {
            let help =
                "write the whole value: EC2 takes `*` and `?` for anything, and a target is never chosen by chance";
            found.add(path, format!("the tag `{key}` has a wildcard"), help);
        }
    }
}

/// A pick that no population can satisfy. The ids that are given are the largest that the population can be.
fn size(name: &TargetName, target: &TargetSpec, limit: Percent, found: &mut Problems) {
    let path = format!("targets.{name}.pick");
    let ids = target.ids.len();
    let over = |message: String| (message, format!("pick fewer, or write a larger max_blast_radius than {limit}"));
    let problem = match target.pick {
        Pick::All if limit.get() < 100.0 => Some(over(format!("`all` is more than max_blast_radius {limit}"))),
        Pick::All => None,
        Pick::Percent(share) if share.get() > limit.get() => {
            Some(over(format!("{}% is more than max_blast_radius {limit}", share.get())))
        }
        Pick::Percent(share) if ids > 0 && share_of(ids, share.get()) == 0 => {
            let message = format!("{}% of {ids} targets is nobody: shares are rounded down", share.get());
            Some((message, "write `{ count: 1 }`, or a larger share".to_owned()))
        }
        Pick::Percent(_) => None,
        Pick::Count(count) if ids > 0 && as_size(count) > ids => {
            let message = format!("{count} of {ids} ids cannot be picked");
            Some((message, format!("write `{{ count: {ids} }}` at most")))
        }
        Pick::Count(count) if ids > 0 && as_size(count) > share_of(ids, limit.get()) => {
            Some(over(format!("{count} of {ids} ids is more than max_blast_radius {limit}")))
        }
        Pick::Count(_) => None,
    };
    if let Some((message, help)) = problem {
        found.add(path, message, help);
    }
}

/// More healthy hosts than can be left when those picked are taken away.
fn healthy(name: &TargetName, target: &TargetSpec, least: Option<MinHealthy>, found: &mut Problems) {
    let ids = target.ids.len();
    let picked = match target.pick {
        Pick::All => ids,
        Pick::Count(count) => as_size(count),
        Pick::Percent(share) => share_of(ids, share.get()),
    };
    match least {
        Some(MinHealthy::Count(count)) if ids > 0 && picked <= ids && as_size(count) > ids - picked => {
            let left = ids - picked;
            let message =
                format!("of the {ids} ids of `{name}`, {left} are left when {picked} are picked, not {count}");
            found.add(
                "guards.min_healthy",
                message,
                format!("write `min_healthy: {{ count: {left} }}` at most, or pick fewer"),
            );
        }
        Some(MinHealthy::Count(_) | MinHealthy::Percent(_)) | None => {}
    }
}

fn as_size(count: NonZeroU32) -> usize {
    usize::try_from(count.get()).unwrap_or(usize::MAX)
}
