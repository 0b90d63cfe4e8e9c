//! What forbids a start, and what stops a run.

use std::num::{NonZeroU16, NonZeroU32};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tolerance;
use crate::ids::{AlarmName, ProbeName};
use crate::quantity::{Multiple, Percent, Span};
use crate::window::Window;

/// What forbids a start, and what stops a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Guards {
    /// What stops the run, or `none`, in so many words.
    pub stop_when: StopWhen,
    /// So many of every population must be healthy when it starts, those picked not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_healthy: Option<MinHealthy>,
    /// The largest share of a population that may be picked.
    pub max_blast_radius: Percent,
    /// When it may run; at any time when left out. The whole run must fit inside one window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
    /// That somebody must agree before it starts. A pick of `all` needs this anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// What to do when a fault that lasts is found to have ended before its time.
    #[serde(default, skip_serializing_if = "OnEarlyEnd::is_stop")]
    pub on_early_end: OnEarlyEnd,
}

/// What to do when a fault that lasts is found to have ended before its time: somebody removed it, or it died.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnEarlyEnd {
    /// The run stops, and everything is put back. Without its fault it would show nothing.
    #[default]
    Stop,
    /// The run goes on, with what is left of its faults. It tells when the fault ended.
    Continue,
}

impl OnEarlyEnd {
    /// What is not written out, because it is so anyway.
    pub const fn is_stop(&self) -> bool {
        matches!(self, Self::Stop)
    }
}

/// That somebody must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    /// How long the run waits for it.
    pub within: Span,
}

impl Default for ApprovalRule {
    fn default() -> Self {
        Self { within: Span::seconds(3600) }
    }
}

/// So many of every population must be healthy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MinHealthy {
    /// So many.
    Count(NonZeroU32),
    /// This share of the population, rounded up.
    Percent(super::targets::Share),
}

/// What stops a run: a list of conditions, any of which is enough, or `none`.
#[derive(Debug, Clone, PartialEq)]
pub enum StopWhen {
    /// Nothing but a person, the emergency stop and the deadline. Written as `none`, never by leaving it out.
    None,
    /// Any of these.
    Any(Vec<StopCondition>),
}

impl StopWhen {
    /// The conditions, which may be none.
    pub fn conditions(&self) -> &[StopCondition] {
        match self {
            Self::None => &[],
            Self::Any(conditions) => conditions,
        }
    }
}

/// One condition that stops a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Written", into = "Written")]
#[schemars(with = "Written")]
pub struct StopCondition {
    /// What is looked at.
    pub trigger: Trigger,
    /// In so many samples in a row.
    pub for_samples: NonZeroU16,
}

/// What a stop condition looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Trigger {
    /// An alarm is in alarm, or is gone.
    Alarm(AlarmName),
    /// A probe's value is above this multiple of its baseline.
    AboveBaseline(ProbeName, Multiple),
    /// A probe's value is below this multiple of its baseline.
    BelowBaseline(ProbeName, Multiple),
    /// A probe's value is outside of these bounds.
    Outside(ProbeName, Tolerance),
    /// A probe is worse than it was before the fault, as far as all its values together show.
    Degraded(ProbeName, Degraded),
}

/// What counts as worse than before. It may be asked after every datapoint: the chance that a healthy run is ever stopped stays
/// below `alpha`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Degraded {
    /// By so much of what it was, at least.
    pub by: Percent,
    /// The chance that a healthy run is stopped; several such conditions share it.
    #[schemars(range(min = 0.001, max = 0.2))]
    pub alpha: f64,
}

impl Default for Degraded {
    fn default() -> Self {
        Self { by: Percent::try_from(10.0).expect("10% is a percentage"), alpha: 0.05 }
    }
}

impl Trigger {
    /// The probe that is looked at, unless it is an alarm.
    pub const fn probe(&self) -> Option<&ProbeName> {
        match self {
            Self::Alarm(_) => None,
            Self::AboveBaseline(probe, _)
            | Self::BelowBaseline(probe, _)
            | Self::Outside(probe, _)
            | Self::Degraded(probe, _) => Some(probe),
        }
    }
}

impl std::fmt::Display for StopCondition {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.trigger {
            Trigger::Alarm(name) => write!(out, "alarm {name}"),
            Trigger::AboveBaseline(probe, multiple) => write!(out, "{probe} above {multiple} its baseline"),
            Trigger::BelowBaseline(probe, multiple) => write!(out, "{probe} below {multiple} its baseline"),
            Trigger::Outside(probe, bounds) => write!(out, "{probe} not {bounds}"),
            Trigger::Degraded(probe, degraded) => write!(out, "{probe} worse than before by more than {}", degraded.by),
        }?;
        if self.for_samples.get() > 1 { write!(out, " for {} samples", self.for_samples) } else { Ok(()) }
    }
}

/// A stop condition as it is written.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename = "StopCondition", deny_unknown_fields)]
#[schemars(extend("oneOf" = Written::one_trigger()))]
struct Written {
    /// This alarm is in alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alarm: Option<AlarmName>,
    /// This probe, with one of the five limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probe: Option<ProbeName>,
    /// Above this multiple of its baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above_baseline: Option<Multiple>,
    /// Below this multiple of its baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below_baseline: Option<Multiple>,
    /// Above this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<f64>,
    /// Below this value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    below: Option<f64>,
    /// Worse than before the fault, in the direction of its tolerance: a test of all datapoints, which may be asked after each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    degraded: Option<Degraded>,
    /// In so many samples in a row; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    for_samples: Option<NonZeroU16>,
}

impl Written {
    /// An alarm, or a probe with one limit, for the schema.
    fn one_trigger() -> serde_json::Value {
        serde_json::json!([
            { "required": ["alarm"] },
            { "required": ["probe", "above_baseline"] },
            { "required": ["probe", "below_baseline"] },
            { "required": ["probe", "degraded"] },
            { "required": ["probe"], "anyOf": [{ "required": ["above"] }, { "required": ["below"] }] },
        ])
    }
}

impl TryFrom<Written> for StopCondition {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { alarm, probe, above_baseline, below_baseline, above, below, degraded, for_samples } = written;
        let absolute = (above.is_some() || below.is_some()).then_some(Tolerance {
            at_most: above,
            at_least: below,
            in_samples: None,
        });
        if degraded.is_some() && for_samples.is_some() {
            return Err("`degraded` weighs all datapoints together: remove `for_samples`".to_owned());
        }
        let trigger = match (alarm, probe, above_baseline, below_baseline, absolute, degraded) {
            (Some(alarm), None, None, None, None, None) => Trigger::Alarm(alarm),
            (None, Some(probe), Some(multiple), None, None, None) => Trigger::AboveBaseline(probe, multiple),
            (None, Some(probe), None, Some(multiple), None, None) => Trigger::BelowBaseline(probe, multiple),
            (None, Some(probe), None, None, Some(bounds), None) => Trigger::Outside(probe, bounds),
            (None, Some(probe), None, None, None, Some(degraded)) => Trigger::Degraded(probe, degraded),
            (None, Some(probe), None, None, None, None) => {
                return Err(format!(
                    "a stop condition on probe `{probe}` needs a limit: add `above_baseline: 2.0x`, `below_baseline: 0.5x`, `above: 500`, `below: 90` or `degraded: {{ by: 10% }}`"
                ));
            }
            _ => return Err(
                    "a stop condition is either an `alarm` or a `probe` with one limit: write each condition as an item of its own"
                        .to_owned()),
        };
        Ok(Self { trigger, for_samples: for_samples.unwrap_or(NonZeroU16::MIN) })
    }
}

impl From<StopCondition> for Written {
    fn from(condition: StopCondition) -> Self {
        let written = Self {
            for_samples: (condition.for_samples != NonZeroU16::MIN).then_some(condition.for_samples),
            ..Self::default()
        };
        match condition.trigger {
            Trigger::Alarm(alarm) => Self { alarm: Some(alarm), ..written },
            Trigger::AboveBaseline(probe, multiple) => {
                Self { probe: Some(probe), above_baseline: Some(multiple), ..written }
            }
            Trigger::BelowBaseline(probe, multiple) => {
                Self { probe: Some(probe), below_baseline: Some(multiple), ..written }
            }
            Trigger::Outside(probe, bounds) => {
                Self { probe: Some(probe), above: bounds.at_most, below: bounds.at_least, ..written }
            }
            Trigger::Degraded(probe, degraded) => Self { probe: Some(probe), degraded: Some(degraded), ..written },
        }
    }
}

mod stop_when {
    //! `none`, or a list that is not empty.

    use std::fmt;

    use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
    use serde::{Serialize, Serializer};

    use super::{StopCondition, StopWhen};

    impl Serialize for StopWhen {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self {
                Self::None => serializer.serialize_str("none"),
                Self::Any(conditions) => conditions.serialize(serializer),
            }
        }
    }

    impl<'de> Deserialize<'de> for StopWhen {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(NoneOrList)
        }
    }

    struct NoneOrList;

    impl<'de> Visitor<'de> for NoneOrList {
        type Value = StopWhen;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a list of stop conditions, or `none`")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<StopWhen, E> {
            if text == "none" { Ok(StopWhen::None) } else { Err(E::invalid_value(de::Unexpected::Str(text), &self)) }
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<StopWhen, A::Error> {
            let mut conditions = Vec::<StopCondition>::new();
            while let Some(condition) = items.next_element()? {
                conditions.push(condition);
            }
            if conditions.is_empty() {
                return Err(de::Error::custom("an empty list stops nothing: name a condition, or write `none`"));
            }
            Ok(StopWhen::Any(conditions))
        }
    }

    impl schemars::JsonSchema for StopWhen {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "StopWhen".into()
        }

        fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
            let condition = generator.subschema_for::<StopCondition>();
            schemars::json_schema!({
                "description": "What stops a run: any of these conditions, or `none`.",
                "oneOf": [{ "const": "none" }, { "type": "array", "minItems": 1, "items": condition }],
            })
        }
    }
}
