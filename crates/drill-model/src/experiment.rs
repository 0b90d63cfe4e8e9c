//! The experiment document: what should stay true, what is broken, for how long, and when to stop.
//!
//! Read it with [`crate::read::experiment`], which answers a wrong one with the line, a caret and what to write.

mod check;
mod guards;
mod probes;
pub(crate) mod spec;
mod success;
mod targets;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use drill_words::dependency::{Dependency, DependencyHost};

pub use self::check::Problem;
pub use self::guards::{ApprovalRule, Degraded, Guards, MinHealthy, OnEarlyEnd, StopCondition, StopWhen, Trigger};
pub use self::probes::{
    AlarmProbe, CapacityProbe, CloudWatchProbe, HostHealthProbe, HttpMeasure, HttpProbe, Missing, Probe,
    PrometheusProbe, Source, Statistic, Tolerance,
};
pub use self::spec::FaultSpec;
pub use self::success::Criterion;
pub use self::targets::{Pick, Selector, Share, TargetKind, TargetSpec};
use crate::ids::{DependencyName, Environment, ExperimentId, TargetName};
use crate::quantity::{Percent, Span};

/// An experiment, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name: 1 to 64 lower-case letters, digits and `-`.
    pub id: ExperimentId,
    /// One line for people.
    #[schemars(length(min = 1, max = 500))]
    pub title: String,
    /// What you expect, in one sentence. It is for people: what is measured stands in `steady_state` and `success`.
    #[schemars(length(min = 1, max = 500))]
    pub hypothesis: String,
    /// Where it may run; a start names one of these.
    #[schemars(length(min = 1))]
    pub environments: Vec<Environment>,
    /// Whom it may be done to.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 10))]
    pub targets: BTreeMap<TargetName, TargetSpec>,
    /// What the targets depend on, for faults that cut it off.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependencies: BTreeMap<DependencyName, Dependency>,
    /// What is broken.
    #[schemars(length(min = 1, max = 20))]
    pub faults: Vec<FaultSpec>,
    /// What should stay true.
    #[schemars(length(min = 1, max = 50))]
    pub steady_state: Vec<Probe>,
    /// What forbids a start, and what stops a run.
    pub guards: Guards,
    /// How it is watched.
    #[serde(default)]
    pub observe: Observe,
    /// What counts as recovered.
    #[serde(default)]
    pub recovery: Recovery,
    /// What else must be true at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub success: Vec<Criterion>,
    /// Who hears of it.
    #[serde(default)]
    pub notify: Notify,
}

/// How a run is watched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Observe {
    /// How often every probe is sampled, 1s or more.
    pub every: Span,
    /// How many values of before make the baseline. Left out: up to 180 datapoints of the last 3 hours where there is a
    /// history, and five looks where there is none. Write fewer where a drill comes soon after another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_samples: Option<u16>,
    /// Fewer known samples than this during the fault and a probe says nothing.
    pub min_samples: u16,
    /// So many unknown samples of a probe in a row, during the fault, stop the run.
    pub unknown_samples: u16,
}

impl Default for Observe {
    fn default() -> Self {
        Self { every: Span::seconds(5), baseline_samples: None, min_samples: 3, unknown_samples: 3 }
    }
}

/// What counts as recovered after the faults are gone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recovery {
    /// How long the system may take; after that it has not recovered.
    pub within: Span,
    /// How far from its baseline a probe may stay: 10% either way. Left out, the probe's own tolerance decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_of_baseline: Option<Percent>,
    /// How often it is looked at.
    pub check_every: Span,
    /// So many good looks in a row count as recovered.
    pub good_samples: u16,
}

impl Default for Recovery {
    fn default() -> Self {
        Self {
            within: Span::seconds(300),
            tolerance_of_baseline: None,
            check_every: Span::seconds(10),
            good_samples: 2,
        }
    }
}

/// Who hears of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// The topic: `default` is the deployment's own.
    pub topic: String,
}

impl Default for Notify {
    fn default() -> Self {
        Self { topic: "default".to_owned() }
    }
}

impl Experiment {
    /// Everything that is wrong with the experiment beyond its form: names that nothing has, sizes that cannot be, faults
    /// that disarm each other. Empty when it can be planned.
    pub fn problems(&self) -> Vec<Problem> {
        check::problems(self)
    }

    /// When each fault begins and ends, counted from the run's first fault; in the order of `faults`.
    ///
    /// A circle of `after` is a problem that [`Self::problems`] reports; here its faults begin at once.
    pub fn schedule(&self) -> Vec<Slot> {
        check::schedule(self)
    }
}

/// When one fault begins and ends, counted from the run's first fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// When it begins.
    pub from: Span,
    /// When it ends at the latest.
    pub to: Span,
    /// How long it lasts, once it has landed on the last of its targets.
    pub lasts: Span,
}

impl Slot {
    /// The longest time that a fault may take to land without getting less than its duration: hosts answer within seconds,
    /// and Inject looks for half a minute.
    pub const LANDING: Span = Span::seconds(30);

    /// The slot of a fault that begins then and lasts this long.
    pub const fn of(from: Span, lasts: Span) -> Self {
        Self { from, to: from.plus(Self::LANDING).plus(lasts), lasts }
    }

    /// True when the two are under way together at some instant.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}
