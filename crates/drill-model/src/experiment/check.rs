//! What is wrong with an experiment beyond its form.

use super::{Experiment, Slot, TargetSpec};
use crate::ids::TargetName;
use crate::quantity::Span;

/// One thing that is wrong with an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where: `faults[0].on`, `targets.order-hosts.pick`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

pub(super) fn problems(experiment: &Experiment) -> Vec<Problem> {
    let empty = |(name, target): (&TargetName, &TargetSpec)| {
        (target.tags.is_empty() && target.ids.is_empty() && target.group.is_none()).then(|| Problem {
            path: format!("targets.{name}"),
            message: format!("`{name}` selects nothing: it has no tags, no ids and no group"),
            help: "say whom: `tags: { Service: orders }`, `ids: [...]` or `group: NAME`".to_owned(),
        })
    };
    experiment.targets.iter().filter_map(empty).collect()
}

pub(super) fn schedule(experiment: &Experiment) -> Vec<Slot> {
    let mut slots: Vec<Option<Slot>> = vec![None; experiment.faults.len()];
    // Each round settles at least one fault, or none can be settled any more.
    for _ in 0..experiment.faults.len() {
        for (index, fault) in experiment.faults.iter().enumerate() {
            let begin = match &fault.after {
                None => Some(Span::ZERO),
                Some(after) => experiment
                    .faults
                    .iter()
                    .position(|other| other.name == *after)
                    .and_then(|other| slots[other])
                    .map(|slot| slot.to),
            };
            if let Some(begin) = begin {
                let from = begin.plus(fault.delay_start);
                slots[index] = Some(Slot { from, to: from.plus(fault.duration) });
            }
        }
    }
    let at_once = |(slot, fault): (Option<Slot>, &crate::faults::FaultSpec)| {
        slot.unwrap_or(Slot { from: fault.delay_start, to: fault.delay_start.plus(fault.duration) })
    };
    slots.into_iter().zip(&experiment.faults).map(at_once).collect()
}
