//! One entry of an experiment's `faults`: which harm, to whom, when and for how long.

use schemars::JsonSchema;
use serde::de::{self, Deserializer};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Fault, FaultKind};
use crate::ids::{FaultName, TargetName};
use crate::quantity::Span;
use crate::read::inside;

/// One entry of an experiment's `faults`.
///
/// In a file the parameters of the fault stand beside the fields of the entry; here they are apart.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    /// Its name in the experiment.
    pub name: FaultName,
    /// To which of the experiment's targets.
    pub on: TargetName,
    /// How long it lasts; for a fault that happens once, how long its effect is watched.
    pub duration: Span,
    /// It begins when this other fault has ended.
    pub after: Option<FaultName>,
    /// It begins this long after the run's first fault, or after the fault named in `after`.
    pub delay_start: Span,
    /// The harm itself.
    pub fault: Fault,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: FaultName,
    pub(crate) kind: FaultKind,
    pub(crate) on: TargetName,
    pub(crate) duration: Span,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<FaultName>,
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub(crate) delay_start: Span,
}

/// The fields of an entry that every fault has.
pub(crate) const ENTRY_FIELDS: [&str; 6] = ["name", "kind", "on", "duration", "after", "delay_start"];

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut parameters = Map::<String, Value>::deserialize(deserializer)?;
        let entry: Map<String, Value> = ENTRY_FIELDS
            .iter()
            .filter_map(|field| parameters.remove(*field).map(|value| ((*field).to_owned(), value)))
            .collect();
        let entry: Entry = inside(Value::Object(entry), serde_json::from_value).map_err(de::Error::custom)?;
        let fault =
            inside(Value::Object(parameters), |value| Fault::read(entry.kind, value)).map_err(de::Error::custom)?;
        let Entry { name, kind: _, on, duration, after, delay_start } = entry;
        Ok(Self { name, on, duration, after, delay_start, fault })
    }
}

impl Serialize for FaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = Entry {
            name: self.name.clone(),
            kind: self.fault.kind(),
            on: self.on.clone(),
            duration: self.duration,
            after: self.after.clone(),
            delay_start: self.delay_start,
        };
        let mut map = serializer.serialize_map(None)?;
        for part in [serde_json::to_value(entry), serde_json::to_value(&self.fault)] {
            let Value::Object(fields) = part.map_err(serde::ser::Error::custom)? else { continue };
            for (name, value) in fields {
                // Both parts name the kind; it is written once, with the entry.
                if name != "kind" {
                    map.serialize_entry(&name, &value)?;
                }
            }
        }
        map.serialize_entry("kind", self.fault.kind().word())?;
        map.end()
    }
}
