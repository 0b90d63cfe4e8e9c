//! A probe as it is written: each source under its own name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AlarmProbe, CapacityProbe, CloudWatchProbe, HostHealthProbe, HttpProbe, Missing, Probe, PrometheusProbe, Source,
    Tolerance,
};
use crate::ids::ProbeName;
use crate::quantity::Span;

/// A probe as it is written: each source under its own name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Probe", deny_unknown_fields)]
#[schemars(extend("oneOf" = Written::one_source()))]
pub(super) struct Written {
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
    /// So much time before it is asked for is what a value of an `alarm`, of `host_health` or of a query with a range tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covers: Option<Span>,
    /// So long after its end a datapoint of `cloudwatch` may still come or change. Left out: 120s for the metrics of AWS services
    /// and periods of a minute or more, 5s for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    settles: Option<Span>,
    /// What a missing datapoint of `cloudwatch` means: `unknown`, or `zero` for a `Sum` or `SampleCount` of what is published
    /// only when it happens.
    #[serde(default, skip_serializing_if = "Missing::is_unknown")]
    missing: Missing,
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
        let Written {
            name,
            cloudwatch,
            alarm,
            prometheus,
            http,
            capacity,
            host_health,
            tolerance,
            covers,
            settles,
            missing,
        } = written;
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
            (Some(source), None) => Ok(Self { name, source, tolerance, covers, settles, missing }),
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
            covers: probe.covers,
            settles: probe.settles,
            missing: probe.missing,
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
