//! What was measured: readings that are a number or say why they are not.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::ProbeName;

/// One value of one probe, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A finite number.
    Known(Finite),
    /// More than this: a request that had no answer in time took longer than it was waited for.
    MoreThan(Finite),
    /// No number, and why.
    Unknown(String),
}

impl Reading {
    /// A reading from a number: NaN and the infinities are unknown.
    pub fn from_number(number: f64) -> Self {
        Finite::try_from(number).map_or_else(|_| Self::Unknown(format!("the value is {number}")), Self::Known)
    }

    /// A reading that is not there.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }

    /// The number, if it is known.
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Known(value) => Some(value.0),
            Self::MoreThan(_) | Self::Unknown(_) => None,
        }
    }
}

/// A number that is neither NaN nor infinite.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Finite(f64);

impl Finite {
    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Finite {
    type Error = &'static str;

    fn try_from(number: f64) -> Result<Self, Self::Error> {
        if number.is_finite() { Ok(Self(number)) } else { Err("not a finite number") }
    }
}

impl From<Finite> for f64 {
    fn from(number: Finite) -> Self {
        number.0
    }
}

/// In which part of a run a sample was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Before anything was broken.
    Baseline,
    /// While something was broken.
    Fault,
    /// After it was put back.
    Recovery,
}

/// All probes at one instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// In which part of the run.
    pub stage: Stage,
    /// Which one of that part, from 0. The same number is the same sample: recording it again changes nothing.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// One reading for each probe, in the order of the experiment's `steady_state`.
    pub readings: Vec<ProbeReading>,
    /// The alarms among the stop conditions that are in alarm, or cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<AlarmReading>,
    /// The faults that were looked at for this sample: whether they are still there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultLook>,
}

impl Sample {
    /// The reading of a probe; unknown when the sample has none.
    pub fn reading(&self, probe: &ProbeName) -> Reading {
        self.readings
            .iter()
            .find(|reading| reading.probe == *probe)
            .map_or_else(|| Reading::unknown("not sampled"), |reading| reading.reading.clone())
    }
}

/// The reading of one probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProbeReading {
    /// Which probe.
    pub probe: ProbeName,
    /// What it showed.
    pub reading: Reading,
    /// The beginning of the time that the value tells of, where that is before the sample: a metric's datapoint is of
    /// its period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The end of that time, where it is known: the end of the period, or when the answer had come. The sample's own instant
    /// without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Datapoints before this one that no sample had so far, or with another value than before, oldest first; at most
    /// [`ProbeReading::MOST_EARLIER`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Datapoint>,
}

impl ProbeReading {
    /// A sample takes along no more datapoints of a probe than these, the newest.
    pub const MOST_EARLIER: usize = 180;
}

/// One datapoint of a metric, as it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datapoint {
    /// The beginning of its period.
    pub since: Timestamp,
    /// The end of its period.
    pub until: Timestamp,
    /// What it showed.
    pub reading: Reading,
}

/// Whether a fault that lasts is still there, on all its targets together. Its size does not grow with their number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultLook {
    /// Which fault.
    pub fault: crate::ids::FaultName,
    /// When the targets were asked. What they say is of a later instant.
    pub asked: Timestamp,
    /// On how many of them it is there.
    pub holds: u32,
    /// On how many it is not there any more.
    pub ended: u32,
    /// How many gave no answer that says either.
    pub silent: u32,
    /// On how many of those where it is there its own counters show that nothing has met it so far.
    pub unmet: u32,
    /// When it ended, by the word of the first target on which it did. `None` where none of them tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_end: Option<Timestamp>,
    /// The first few targets on which it is not there any more, and what they say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// The state of one alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct AlarmReading {
    pub alarm: crate::ids::AlarmName,
    pub state: AlarmState,
}

/// The state of a CloudWatch alarm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// `OK`.
    Ok,
    /// `ALARM`.
    InAlarm,
    /// `INSUFFICIENT_DATA`.
    InsufficientData,
    /// It was asked for and not returned: it does not exist, or may not be seen.
    Missing,
    /// The state could not be read.
    Unknown(String),
}

/// The mean of some numbers; `None` for none.
#[expect(clippy::cast_precision_loss, reason = "no run has 2^52 samples")]
pub fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}
