//! What is measured, and what its value must satisfy.

mod promql;
mod sources;
mod written;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::sources::{
    AlarmProbe, CapacityProbe, CloudWatchProbe, HostHealthProbe, HttpMeasure, HttpProbe, PrometheusProbe, Statistic,
};
use self::written::Written;
use super::Selector;
use crate::ids::{ProbeName, TargetName};
use crate::quantity::{Percent, Span};

/// One thing that should stay true: exactly one source, and a tolerance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct Probe {
    /// Its name in the experiment.
    pub name: ProbeName,
    /// Where the value comes from.
    pub source: Source,
    /// What the value must satisfy.
    pub tolerance: Tolerance,
    /// For how long a value tells of the time before it was asked for, where the source does not say so.
    pub covers: Option<Span>,
    /// After this time a datapoint has its last value, where it is not the usual one of the source.
    pub settles: Option<Span>,
    /// What a datapoint that is missing means.
    pub missing: Missing,
}

/// What a datapoint that is missing means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The value is not known.
    #[default]
    Unknown,
    /// Nothing was counted, so nothing was published: the value is 0.
    Zero,
}

impl Missing {
    /// What is not written out, because it is so anyway.
    const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }
}

/// Where a probe's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A CloudWatch metric.
    CloudWatch(CloudWatchProbe),
    /// The state of a CloudWatch alarm: 0 is OK, 1 is in alarm; insufficient data is unknown.
    Alarm(AlarmProbe),
    /// A PromQL query with one value as its answer.
    Prometheus(PrometheusProbe),
    /// A GET request: its time in milliseconds, or whether the answer was the expected one.
    Http(HttpProbe),
    /// How many members of an Auto Scaling group are in service.
    Capacity(CapacityProbe),
    /// How many of the population are healthy, in percent.
    HostHealth(HostHealthProbe),
}

/// What a value must satisfy. A value that is not a number satisfies nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["at_least"] }, { "required": ["at_most"] }]))]
pub struct Tolerance {
    /// Not less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Not more than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// In so many of the samples during the fault; all of them when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_samples: Option<Percent>,
}

impl Tolerance {
    /// Whether a value satisfies both bounds. NaN and the infinities do not.
    pub fn admits(&self, value: f64) -> bool {
        value.is_finite()
            && self.at_least.is_none_or(|least| value >= least)
            && self.at_most.is_none_or(|most| value <= most)
    }
}

impl std::fmt::Display for Tolerance {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (Some(least), Some(most)) => write!(out, "{least} to {most}"),
            (Some(least), None) => write!(out, "at least {least}"),
            (None, Some(most)) => write!(out, "at most {most}"),
            (None, None) => write!(out, "nothing"),
        }?;
        self.in_samples.map_or(Ok(()), |share| write!(out, " in {share} of the samples"))
    }
}

/// After so much time a datapoint of an AWS service, or of a minute or longer, has its last value.
const SLOW: Span = Span::seconds(120);
/// The same for metrics that one publishes oneself, with a period below a minute.
const QUICK: Span = Span::seconds(5);

impl Probe {
    /// How long after its end a datapoint may come late or be restated.
    ///
    /// What was asked of the service itself is final at once.
    pub fn settling(&self) -> Span {
        self.settles.unwrap_or(match &self.source {
            Source::CloudWatch(metric) if metric.namespace.starts_with("AWS/") => SLOW,
            Source::CloudWatch(metric) if metric.period >= Span::seconds(60) => SLOW,
            Source::CloudWatch(_) => QUICK,
            Source::Alarm(_)
            | Source::Prometheus(_)
            | Source::Http(_)
            | Source::Capacity(_)
            | Source::HostHealth(_) => Span::ZERO,
        })
    }
}

impl Source {
    /// The word for it in an experiment.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::CloudWatch(_) => "cloudwatch",
            Self::Alarm(_) => "alarm",
            Self::Prometheus(_) => "prometheus",
            Self::Http(_) => "http",
            Self::Capacity(_) => "capacity",
            Self::HostHealth(_) => "host_health",
        }
    }

    /// The selector whose population this source counts, if it counts one.
    pub fn population<'a>(
        &self,
        targets: &'a std::collections::BTreeMap<TargetName, super::TargetSpec>,
    ) -> Option<(&'a TargetName, Selector)> {
        let Self::HostHealth(probe) = self else { return None };
        targets.get_key_value(&probe.of).map(|(name, spec)| (name, spec.selector()))
    }
}
