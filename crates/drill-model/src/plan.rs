//! The plan: everything that will be done, decided before anything is, with a digest that an approval binds to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::experiment::{Experiment, Probe, Slot};
use crate::faults::Change;
use crate::ids::{Environment, FaultName, ProbeName, RunId, TargetName};
use crate::observation::Finite;
use crate::pick::Seed;
use crate::quantity::Span;
use crate::target::TargetId;

/// Step Functions ends an execution at 25,000 events; no plan comes near.
pub const MOST_EVENTS: u64 = 20_000;
/// Events of everything but the observation turns: a generous bound, retries included.
const OTHER_EVENTS: u64 = 2_000;
/// Events of one turn: Wait 2, Observe 5, Choice 2.
pub const EVENTS_PER_TURN: u64 = 9;
/// One Observe call may last this long, so that it ends well inside its function's timeout.
const LONGEST_TURN: Span = Span::seconds(45);

/// Everything that will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is agreed to: the digest is over this.
    pub scope: Scope,
    /// When it was made.
    pub made_at: Timestamp,
    /// What every probe showed before anything was broken, in the order of `steady_state`.
    pub baseline: Vec<Baseline>,
}

/// What is agreed to. Two plans with the same scope do the same to the same targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Of which run.
    pub run_id: RunId,
    /// In which account.
    pub account: String,
    /// In which region.
    pub region: String,
    /// In which environment.
    pub environment: Environment,
    /// The whole experiment.
    pub experiment: Experiment,
    /// Where the picks come from.
    pub seed: Seed,
    /// Who matched, and who was picked.
    pub targets: BTreeMap<TargetName, Targets>,
    /// What the selected are a part of: the run takes a share of each, so that nobody harms it as a whole meanwhile.
    pub shares: BTreeSet<TargetId>,
    /// What is changed, in the order of the experiment's `faults`.
    pub changes: Vec<PlannedChange>,
    /// How it is watched.
    pub pacing: Pacing,
    /// The longest that the whole run can take, from the first change to the last undo.
    pub worst_case: Span,
}

/// Who matched a selector, and who was picked. Both are frozen here: nothing is resolved again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// All that matched.
    pub population: BTreeSet<TargetId>,
    /// Those picked.
    pub selected: BTreeSet<TargetId>,
}

/// One fault, as it will be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedChange {
    /// Which of the experiment's faults.
    pub fault: FaultName,
    /// To which of its targets.
    pub on: TargetName,
    /// What is done to each.
    pub change: Change,
    /// When, counted from the run's first fault.
    pub slot: Slot,
}

/// How a run is watched without passing the limits of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pacing {
    /// The time between two samples.
    pub every: Span,
    /// How many samples one turn of the loop takes.
    pub samples_per_turn: u32,
    /// The most events that the execution can write.
    pub events: u64,
}

/// An experiment that is too long to be watched as it asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a run of {length} sampled every {every} writes {events} events and an execution may write 20000: sample less often, or split the experiment"
)]
pub struct TooManyEvents {
    length: Span,
    every: Span,
    events: u64,
}

impl Pacing {
    /// The fewest samples in a turn that keep the whole run inside the limits of the machine.
    ///
    /// A turn is also never shorter than two seconds: below that the machine costs more than the waiting.
    pub fn of(length: Span, every: Span) -> Result<Self, TooManyEvents> {
        let every = every.max(Span::seconds(1));
        let samples = length.as_millis().div_ceil(every.as_millis()) + 1;
        let affordable = (MOST_EVENTS - OTHER_EVENTS) / EVENTS_PER_TURN;
        let needed = samples.div_ceil(affordable).max(2_000_u64.div_ceil(every.as_millis()));
        let fits = (LONGEST_TURN.as_millis() / every.as_millis()).max(1);
        let events = samples.div_ceil(needed.min(fits)) * EVENTS_PER_TURN + OTHER_EVENTS;
        match u32::try_from(needed.min(fits)) {
            Ok(samples_per_turn) if events <= MOST_EVENTS => Ok(Self { every, samples_per_turn, events }),
            _ => Err(TooManyEvents { length, every, events }),
        }
    }
}

/// What a probe showed before anything was broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// Which probe.
    pub probe: ProbeName,
    /// The mean of the known values; absent when there was none.
    pub mean: Option<Finite>,
    /// How many distinct values were known: a datapoint is one, however often it is read.
    pub known: u32,
    /// How many there were, those that stayed unknown with them.
    pub taken: u32,
    /// How many of the known ones were out of tolerance.
    pub out: u32,
    /// How old a metric's newest datapoint was at most when it was read, counted from the end of its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_after: Option<Span>,
    /// How small a change the run can see; absent where what was before is too little, or cannot be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
}

/// How small a change of a probe a run can see, with a chance of 80 %. Changes are multiples of what was before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// How long the faults last.
    pub lasting: Span,
    /// The smallest change that is seen in that time; absent when none is, however large.
    pub smallest: Option<Finite>,
    /// A change, as an example.
    pub example: Finite,
    /// How long the faults must last for that change to be seen; absent when no time is enough.
    pub takes: Option<Span>,
}

impl std::fmt::Display for Power {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (lasting, example) = (self.lasting.rounded(), self.example.get());
        match self.smallest {
            Some(smallest) => {
                write!(out, "in {lasting} a change to x{:.2} of before is seen with a chance of 80 %", smallest.get())
            }
            None => write!(out, "in {lasting} no change is seen with a chance of 80 %"),
        }?;
        match self.takes {
            Some(takes) if takes > self.lasting => write!(out, "; one to x{example:.2} needs {}", takes.rounded()),
            Some(_) => Ok(()),
            None => write!(out, "; one to x{example:.2} is never seen: too little is known of before"),
        }
    }
}

/// The sha256 of a plan's scope in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The digest as hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Digest {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Scope {
    /// The canonical form: JSON with sorted keys and no white space.
    pub fn canonical(&self) -> String {
        let scope = serde_json::to_value(self).expect("a scope is made of strings, numbers and maps with string keys");
        drill_words::canonical::sorted(scope).to_string()
    }

    /// The digest that an approval binds to.
    pub fn digest(&self) -> Digest {
        Digest(drill_words::ids::hex(&Sha256::digest(self.canonical().as_bytes())))
    }

    /// When the last fault ends, counted from the first.
    pub fn length(&self) -> Span {
        self.changes.iter().map(|change| change.slot.to).max().unwrap_or(Span::ZERO)
    }

    /// Every target that is picked for anything.
    pub fn selected(&self) -> BTreeSet<TargetId> {
        self.targets.values().flat_map(|targets| targets.selected.iter().cloned()).collect()
    }

    /// The targets of a change.
    pub fn targets_of(&self, change: &PlannedChange) -> &BTreeSet<TargetId> {
        static NOBODY: BTreeSet<TargetId> = BTreeSet::new();
        self.targets.get(&change.on).map_or(&NOBODY, |targets| &targets.selected)
    }
}

impl Plan {
    /// The baseline of a probe.
    pub fn baseline(&self, probe: &ProbeName) -> Option<f64> {
        self.baseline.iter().find(|baseline| baseline.probe == *probe)?.mean.map(Finite::get)
    }

    /// After so much time a datapoint of a probe has its last value: as its source usually does, or as late as it was published
    /// when the plan was made.
    pub fn settling(&self, probe: &Probe) -> Span {
        let measured = self.baseline.iter().find(|baseline| baseline.probe == probe.name);
        probe.settling().max(measured.and_then(|baseline| baseline.published_after).unwrap_or(Span::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_pacing_passes_the_limit_of_events(length in 0u64..1_209_600, every in 0u64..3600) {
            if let Ok(pacing) = Pacing::of(Span::seconds(length), Span::seconds(every)) {
                let samples = length / pacing.every.as_seconds().max(1) + 1;
                let turns = samples / u64::from(pacing.samples_per_turn);
                prop_assert!(turns * EVENTS_PER_TURN < 25_000);
            }
        }
    }

    #[test]
    fn a_day_sampled_every_second_still_fits() {
        let pacing = Pacing::of(Span::seconds(12 * 3600), Span::seconds(1)).unwrap();

        assert!(pacing.events <= MOST_EVENTS);
        assert!(pacing.samples_per_turn > 1);
    }
}
