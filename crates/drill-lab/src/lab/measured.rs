//! One measurement, in CloudWatch's words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One measurement, as it would be put into CloudWatch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// When.
    pub at: Timestamp,
    /// The namespace, such as `Orders`.
    pub namespace: String,
    /// The metric, such as `Latency`.
    pub metric: String,
    /// Its dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// CloudWatch's word for the unit.
    pub unit: Unit,
    /// Every sample of the second; a count is one value.
    pub values: Vec<f64>,
}

/// CloudWatch's words for the units that the lab measures in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Thousandths of a second.
    Milliseconds,
    /// A number of things.
    Count,
    /// Hundredths of what there is.
    Percent,
}

impl Measured {
    pub(super) fn one(
        at: Timestamp,
        namespace: &str,
        metric: &str,
        dimensions: impl IntoIterator<Item = (String, String)>,
        value: f64,
    ) -> Measured {
        Measured {
            at,
            namespace: namespace.to_owned(),
            metric: metric.to_owned(),
            dimensions: dimensions.into_iter().collect(),
            unit: Unit::Count,
            values: vec![value],
        }
    }
}
