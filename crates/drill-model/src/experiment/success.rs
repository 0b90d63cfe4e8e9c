//! What else must be true at the end, beyond the steady state.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProbeName;
use crate::quantity::Span;

/// One thing that must be true at the end. Every criterion is evaluated; one that cannot be is never a pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub enum Criterion {
    /// The system was back within this time after the faults were gone.
    RecoveryTimeAtMost(Span),
    /// The mean of this probe, from the first fault to recovery, was not less than this.
    AvailabilityAtLeast {
        /// Not less than this.
        least: f64,
        /// The probe whose value is an availability, in percent.
        of: ProbeName,
    },
}

impl std::fmt::Display for Criterion {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::RecoveryTimeAtMost(most) => write!(out, "recovered within {most}"),
            Self::AvailabilityAtLeast { least, of } => write!(out, "mean of {of} at least {least}"),
        }
    }
}

/// A criterion as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "Criterion", deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["recovery_time_at_most"] },
    { "required": ["availability_at_least", "of"] },
]))]
struct Written {
    /// The system was back within this time after the faults were gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    recovery_time_at_most: Option<Span>,
    /// The mean of the probe `of`, from the first fault to recovery, was not less than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    availability_at_least: Option<f64>,
    /// The probe that `availability_at_least` is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    of: Option<ProbeName>,
}

impl TryFrom<Written> for Criterion {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written { recovery_time_at_most: Some(most), availability_at_least: None, of: None } => {
                Ok(Self::RecoveryTimeAtMost(most))
            }
            Written { recovery_time_at_most: None, availability_at_least: Some(least), of: Some(of) } => {
                Ok(Self::AvailabilityAtLeast { least, of })
            }
            Written { recovery_time_at_most: None, availability_at_least: Some(_), of: None } => {
                Err("`availability_at_least` needs the probe it is about: add `of: NAME`".to_owned())
            }
            _ => Err("a criterion is `recovery_time_at_most: 5m`, or `availability_at_least: 99.0` with `of: NAME`"
                .to_owned()),
        }
    }
}

impl From<Criterion> for Written {
    fn from(criterion: Criterion) -> Self {
        match criterion {
            Criterion::RecoveryTimeAtMost(most) => Self { recovery_time_at_most: Some(most), ..Self::default() },
            Criterion::AvailabilityAtLeast { least, of } => {
                Self { availability_at_least: Some(least), of: Some(of), ..Self::default() }
            }
        }
    }
}
