//! The faults: whom, when, for how long, and which of them would disarm or hide each other.

use super::super::{Experiment, Slot};
use super::{Problems, choose_from, repeated, schedule};
use crate::faults::{Ends, FaultSpec, Problem};
use crate::ids::FaultName;
use crate::quantity::Span;

const LONGEST: Span = Span::seconds(12 * 3600);

pub(super) fn check(experiment: &Experiment, found: &mut Problems) {
    let names: Vec<&FaultName> = experiment.faults.iter().map(|fault| &fault.name).collect();
    for (index, name) in repeated(&names) {
        found.add(format!("faults[{index}].name"), format!("two faults are called `{name}`"), "give each its own name");
    }
    for (index, fault) in experiment.faults.iter().enumerate() {
        if !experiment.targets.contains_key(&fault.on) {
            let targets = experiment.targets.keys().map(|name| name.as_str());
            let help = choose_from(fault.on.as_str(), targets, "describe it under `targets`");
            found.add(format!("faults[{index}].on"), format!("no target is called `{}`", fault.on), help);
        }
        if let Some(target) = experiment.targets.get(&fault.on).filter(|target| target.kind != fault.fault.kind().on())
        {
            let (kind, needed) = (fault.fault.kind(), fault.fault.kind().on());
            let message = format!("`{}` is of kind {}, and {kind} is done to a {needed}", fault.on, target.kind);
            let help = format!("name targets of `kind: {needed}`, or another fault");
            found.add(format!("faults[{index}].on"), message, help);
        }
        if fault.duration.is_zero() {
            let help =
                "write how long it lasts, such as `60s`; of a fault that happens once, how long its effect is watched";
            found.add(format!("faults[{index}].duration"), format!("`{}` lasts no time", fault.name), help);
        } else if fault.duration > LONGEST {
            let message = format!("{} is longer than a fault may last", fault.duration);
            found.add(format!("faults[{index}].duration"), message, format!("write at most {LONGEST}"));
        }
        for Problem { field, message, help } in fault.fault.problems(&experiment.dependencies) {
            found.add(format!("faults[{index}].{field}"), message, help);
        }
        order(experiment, index, found);
    }
    let slots = schedule(experiment);
    for (second, later) in experiment.faults.iter().enumerate() {
        for (first, earlier) in experiment.faults[..second].iter().enumerate() {
            if earlier.on == later.on {
                together(experiment, (first, slots[first]), (second, slots[second]), found);
            }
        }
    }
}

/// `after`: a fault that there is, and no circle.
fn order(experiment: &Experiment, index: usize, found: &mut Problems) {
    let faults = &experiment.faults;
    let fault = &faults[index];
    let Some(after) = &fault.after else { return };
    let path = format!("faults[{index}].after");
    if !faults.iter().any(|other| other.name == *after) {
        let others = faults.iter().filter(|other| other.name != fault.name).map(|other| other.name.as_str());
        let help = choose_from(after.as_str(), others, "remove it: there is no other fault");
        found.add(path, format!("no fault is called `{after}`"), help);
        return;
    }
    let mut chain = vec![&fault.name];
    let mut next = Some(after);
    while let Some(name) = next {
        if *name == fault.name {
            // Each fault of a circle would tell the same one.
            let first = faults.iter().position(|other| chain.contains(&&other.name));
            if first == Some(index) {
                chain.push(name);
                let circle = chain.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" after ");
                found.add(path, format!("nothing of this can begin: {circle}"), "remove one `after` of the circle");
            }
            return;
        }
        if chain.contains(&name) {
            return;
        }
        chain.push(name);
        next = faults.iter().find(|other| other.name == *name).and_then(|other| other.after.as_ref());
    }
}

/// Two faults on the same targets.
fn together(experiment: &Experiment, first: (usize, Slot), second: (usize, Slot), found: &mut Problems) {
    let (one, two) = (&experiment.faults[first.0], &experiment.faults[second.0]);
    let path = format!("faults[{}].on", second.0);
    let gone = |(earlier, earlier_slot): (&FaultSpec, Slot), later_slot: Slot| {
        earlier.fault.ends() == Ends::Never && earlier_slot.to <= later_slot.from
    };
    if first.1.overlaps(&second.1) {
        if let Some(why) = one.fault.surface().conflict(&two.fault.surface()) {
            let message = format!("`{}` and `{}` are on `{}` at the same time: {why}", one.name, two.name, two.on);
            let help = format!("let it begin `after: {}`, or do it to other targets", one.name);
            found.add(path, message, help);
        }
    } else if gone((one, first.1), second.1) || gone((two, second.1), first.1) {
        let (before, after) = if first.1.from < second.1.from { (one, two) } else { (two, one) };
        let message = format!("nothing can be done to `{}` after `{}`: they are gone for good", after.on, before.name);
        found.add(path, message, format!("do `{}` first, or to other targets", after.name));
    }
}
