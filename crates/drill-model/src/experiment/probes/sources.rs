//! The sources, as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::promql;
use crate::ids::{AlarmName, GroupName, TargetName};
use crate::quantity::Span;

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

impl PrometheusProbe {
    /// The longest time that the query looks back over: 5m for `rate(x[5m])`.
    pub fn range(&self) -> Option<Span> {
        promql::longest_range(&self.query)
    }
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
    /// No answer within this time is a value of 0 for `ok`, and more than this for `milliseconds`.
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
