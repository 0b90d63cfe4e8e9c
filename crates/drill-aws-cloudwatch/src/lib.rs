//! CloudWatch: datapoints of metrics and states of alarms.
//!
//! A result that the service calls incomplete is an error, never a shorter list; an alarm that is not returned is `Missing`.
//! Next: the sampling of a run, which calls what it cannot read unknown.

mod alarms;
mod metrics;

use aws_sdk_cloudwatch::Client;
use drill_aws_config::{Adapter, SdkConfig, Unready};
use drill_model::experiment::CloudWatchProbe;
use drill_model::ids::AlarmName;
use drill_model::observation::AlarmReading;
use drill_phases::ports::{Answer, Datapoint, Metrics};
use jiff::Timestamp;

/// The adapter of the port `Metrics`.
#[derive(Debug, Clone)]
pub struct CloudWatch {
    client: Client,
}

impl CloudWatch {
    /// An adapter for the configuration's account and region.
    pub fn new(config: &SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }
}

impl Adapter for CloudWatch {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self::new(config))
    }
}

impl Metrics for CloudWatch {
    /// Datapoints and states. `DescribeAlarms` shows composite alarms only to who may describe every alarm (`*`).
    const ACTIONS: &'static [&'static str] = &["cloudwatch:GetMetricData", "cloudwatch:DescribeAlarms"];

    /// One call for 500 probes, and one for each further page.
    async fn metrics(&self, probes: &[CloudWatchProbe], from: Timestamp, to: Timestamp) -> Answer<Vec<Vec<Datapoint>>> {
        let mut found = Vec::with_capacity(probes.len());
        for batch in probes.chunks(metrics::QUERIES) {
            found.extend(metrics::read(&self.client, batch, from, to).await?);
        }
        Ok(found)
    }

    /// One call for 100 names, and one for each further page. Every name that was asked for is in the answer, in order.
    async fn alarms(&self, names: &[AlarmName]) -> Answer<Vec<AlarmReading>> {
        alarms::read(&self.client, names).await
    }
}

#[cfg(test)]
mod tests;
