//! When each fault begins and ends.

use super::super::{Experiment, Slot};
use crate::faults::FaultSpec;
use crate::quantity::Span;

pub(in super::super) fn schedule(experiment: &Experiment) -> Vec<Slot> {
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
                slots[index] = Some(slot(begin, fault));
            }
        }
    }
    slots.into_iter().zip(&experiment.faults).map(|(known, fault)| known.unwrap_or(slot(Span::ZERO, fault))).collect()
}

fn slot(begin: Span, fault: &FaultSpec) -> Slot {
    Slot::of(begin.plus(fault.delay_start), fault.duration)
}

/// How long something is broken, if every fault lands at once.
pub(super) fn lasting(slots: &[Slot]) -> Span {
    slots.iter().map(|slot| slot.from.plus(slot.lasts)).max().unwrap_or(Span::ZERO)
}

/// When the last fault ends at the latest.
pub(super) fn length(slots: &[Slot]) -> Span {
    slots.iter().map(|slot| slot.to).max().unwrap_or(Span::ZERO)
}
