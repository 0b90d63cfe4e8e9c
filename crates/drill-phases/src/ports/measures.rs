//! The ways to measure.

use drill_model::experiment::{CloudWatchProbe, HttpProbe};
use drill_model::ids::AlarmName;
use drill_model::observation::AlarmReading;
use jiff::Timestamp;

use super::Answer;

/// Measurements of the monitoring service.
pub trait Metrics {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// The datapoints of each metric that lie in `[from, to)`, newest first. Missing ones are not there.
    async fn metrics(&self, probes: &[CloudWatchProbe], from: Timestamp, to: Timestamp) -> Answer<Vec<Vec<Datapoint>>>;

    /// The state of each alarm; `Missing` for one that is not returned.
    async fn alarms(&self, names: &[AlarmName]) -> Answer<Vec<AlarmReading>>;
}

/// Measurements of Prometheus.
pub trait Prometheus {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// The answer to an instant query, which must be one number.
    async fn prometheus(&self, query: &str, at: Timestamp) -> Answer<f64>;
}

/// Asking a service itself.
pub trait Http {
    /// The IAM actions that its calls need; none where nothing of AWS is asked.
    const ACTIONS: &'static [&'static str] = &[];

    /// A GET request.
    async fn http(&self, probe: &HttpProbe) -> Answer<HttpReading>;
}

/// One datapoint of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datapoint {
    /// The beginning of its period.
    pub at: Timestamp,
    /// Its value, as the service gave it: it may be NaN.
    pub value: f64,
}

/// The answer to a GET request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HttpReading {
    /// An answer.
    Answered {
        /// Its status.
        status: u16,
        /// The time until it was complete.
        millis: f64,
    },
    /// None within the time.
    NoAnswer,
}
