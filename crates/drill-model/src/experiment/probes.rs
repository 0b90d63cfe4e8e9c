//! What is measured, and what its value must satisfy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Selector;
use crate::ids::{AlarmName, GroupName, ProbeName, TargetName};
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

/// A CloudWatch metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudWatchProbe {
    /// The namespace of the metric.
    pub namespace: String,
    /// Its name.
    pub metric: String,
    /// Its dimensions, all of them.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`, or a percentile such as `p99` or `p99.9`.
    pub statistic: Statistic,
    /// The length of one datapoint: 1s, 5s, 10s, 20s, 30s or whole minutes.
    pub period: Span,
}

/// How the samples of a period become one value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^(Average|Sum|Minimum|Maximum|SampleCount|p[0-9]{1,2}(\.[0-9]{1,2})?)$"))]
pub enum Statistic {
    /// The mean.
    Average,
    /// The sum.
    Sum,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// How many there were.
    SampleCount,
    /// A percentile, in hundredths of a percent: `p99.9` is 9990.
    Percentile(u16),
}

impl TryFrom<String> for Statistic {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let percentile = || {
            let digits = text.strip_prefix('p')?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && digits.len() <= 5;
            let value: f64 = digits.parse().ok().filter(|_| plain)?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 10,000")]
            (value > 0.0 && value < 100.0).then(|| Self::Percentile((value * 100.0).round() as u16))
        };
        match text.as_str() {
            "Average" => Ok(Self::Average),
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            "SampleCount" => Ok(Self::SampleCount),
            _ => percentile().ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                format!("`{shown}` is not a statistic: write Average, Sum, Minimum, Maximum, SampleCount or a percentile such as p99")
            }),
        }
    }
}

impl From<Statistic> for String {
    fn from(statistic: Statistic) -> Self {
        statistic.to_string()
    }
}

impl std::fmt::Display for Statistic {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Average => out.write_str("Average"),
            Self::Sum => out.write_str("Sum"),
            Self::Minimum => out.write_str("Minimum"),
            Self::Maximum => out.write_str("Maximum"),
            Self::SampleCount => out.write_str("SampleCount"),
            Self::Percentile(hundredths) => write!(out, "p{}", f64::from(*hundredths) / 100.0),
        }
    }
}

/// The state of a CloudWatch alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmProbe {
    /// The alarm, metric or composite.
    pub name: AlarmName,
}

/// A PromQL query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusProbe {
    /// The query; its answer must be one value.
    pub query: String,
}

/// A GET request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpProbe {
    /// `http://` or `https://`.
    #[schemars(regex(pattern = r"^https?://[^/?#\s@]"), length(max = 2000))]
    pub url: String,
    /// What becomes the value: `milliseconds`, or `ok` (1 when the status is the expected one, else 0).
    #[serde(default)]
    pub measure: HttpMeasure,
    /// The expected status.
    #[serde(default = "HttpProbe::ok")]
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// No answer within this time is a value of 0 for `ok`, and unknown for `milliseconds`.
    #[serde(default = "HttpProbe::two_seconds")]
    pub timeout: Span,
}

impl HttpProbe {
    const fn ok() -> u16 {
        200
    }

    const fn two_seconds() -> Span {
        Span::seconds(2)
    }
}

/// What becomes the value of a GET request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HttpMeasure {
    /// 1 when the status is the expected one, else 0.
    #[default]
    Ok,
    /// The time until the answer is complete.
    Milliseconds,
}

/// How many members of a group are in service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityProbe {
    /// The Auto Scaling group.
    pub group: GroupName,
}

/// How many of a population are healthy, in percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostHealthProbe {
    /// One of the experiment's targets: its whole population is counted, not only those picked.
    pub of: TargetName,
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

/// A probe as it is written: each source under its own name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Probe", deny_unknown_fields)]
#[schemars(extend("oneOf" = Written::one_source()))]
struct Written {
    /// Its name in the experiment.
    name: ProbeName,
    /// A CloudWatch metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cloudwatch: Option<CloudWatchProbe>,
    /// The state of a CloudWatch alarm: 0 is OK, 1 is in alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alarm: Option<AlarmProbe>,
    /// A PromQL query with one value as its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prometheus: Option<PrometheusProbe>,
    /// A GET request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    http: Option<HttpProbe>,
    /// How many members of an Auto Scaling group are in service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capacity: Option<CapacityProbe>,
    /// How many of a population are healthy, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    host_health: Option<HostHealthProbe>,
    /// What the value must satisfy.
    tolerance: Tolerance,
}

impl Written {
    /// Exactly one source, for the schema.
    fn one_source() -> serde_json::Value {
        ["cloudwatch", "alarm", "prometheus", "http", "capacity", "host_health"]
            .map(|source| serde_json::json!({ "required": [source] }))
            .to_vec()
            .into()
    }
}

impl TryFrom<Written> for Probe {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { name, cloudwatch, alarm, prometheus, http, capacity, host_health, tolerance } = written;
        let mut sources = [
            cloudwatch.map(Source::CloudWatch),
            alarm.map(Source::Alarm),
            prometheus.map(Source::Prometheus),
            http.map(Source::Http),
            capacity.map(Source::Capacity),
            host_health.map(Source::HostHealth),
        ]
        .into_iter()
        .flatten();
        match (sources.next(), sources.next()) {
            (Some(source), None) => Ok(Self { name, source, tolerance }),
            (None, _) => Err(format!(
                "probe `{name}` has no source: write one of cloudwatch, alarm, prometheus, http, capacity, host_health"
            )),
            (Some(one), Some(two)) => Err(format!(
                "probe `{name}` has several sources, `{}` and `{}`: write one, and a probe for each other",
                one.word(),
                two.word()
            )),
        }
    }
}

impl From<Probe> for Written {
    fn from(probe: Probe) -> Self {
        let mut written = Self {
            name: probe.name,
            cloudwatch: None,
            alarm: None,
            prometheus: None,
            http: None,
            capacity: None,
            host_health: None,
            tolerance: probe.tolerance,
        };
        match probe.source {
            Source::CloudWatch(source) => written.cloudwatch = Some(source),
            Source::Alarm(source) => written.alarm = Some(source),
            Source::Prometheus(source) => written.prometheus = Some(source),
            Source::Http(source) => written.http = Some(source),
            Source::Capacity(source) => written.capacity = Some(source),
            Source::HostHealth(source) => written.host_health = Some(source),
        }
        written
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
