//! One entry of an experiment's `faults`: which harm, to whom, when and for how long.

use schemars::JsonSchema;
use serde::de::{self, Deserializer, Error as _};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::faults::{Fault, FaultKind};
use crate::ids::{FaultName, TargetName};
use crate::quantity::Span;
use crate::read::{Node, Reader, Value as Held, Wrong};

/// One entry of an experiment's `faults`.
///
/// In a file the parameters of the fault stand beside the fields of the entry; here they are apart.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    /// Its name in the experiment.
    pub name: FaultName,
    /// To which of the experiment's targets.
    pub on: TargetName,
    /// How long it lasts, from its landing on the last target; for a fault that happens once, how long its effect is watched.
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
    /// Its name in the experiment.
    name: FaultName,
    /// What is done.
    kind: FaultKind,
    /// To which of the experiment's targets.
    on: TargetName,
    /// How long it lasts; for a fault that happens once, how long its effect is watched.
    duration: Span,
    /// It begins when this other fault has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<FaultName>,
    /// It begins this long after the run's first fault, or after the fault named in `after`.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    delay_start: Span,
}

/// The fields of an entry that every fault has.
const ENTRY_FIELDS: [&str; 6] = ["name", "kind", "on", "duration", "after", "delay_start"];

impl FaultSpec {
    /// Reads an entry: its own fields and those of its kind, so that a mistake in one does not hide one in the other.
    pub(crate) fn from_node(node: &Node) -> Result<Self, Wrong> {
        let Held::Map(entries) = &node.value else {
            return Err(Entry::deserialize(Reader::new(node)).err().unwrap_or_else(|| Wrong(Vec::new())));
        };
        let (own, parameters) = entries.iter().cloned().partition(|(key, _)| ENTRY_FIELDS.contains(&key.text.as_str()));
        let part = |entries| Node { value: Held::Map(entries), at: node.at.clone() };
        let (own, parameters) = (part(own), part(parameters));
        let entry = Entry::deserialize(Reader::new(&own));
        let kind = own.get("kind").map(|node| FaultKind::deserialize(Reader::new(node)));
        let fault = match kind {
            // A kind that is not known, or missing, is told with the entry.
            None | Some(Err(_)) => None,
            Some(Ok(kind)) => {
                let noun = format!("a `{kind}` fault");
                Some(kind.read(Reader::part(&parameters, &noun, &ENTRY_FIELDS)))
            }
        };
        match (entry, fault) {
            (Ok(entry), Some(Ok(fault))) => {
                let Entry { name, kind: _, on, duration, after, delay_start } = entry;
                Ok(Self { name, on, duration, after, delay_start, fault })
            }
            (Ok(_), None) => Err(Wrong::missing_field("kind")),
            (Ok(_), Some(Err(wrong))) => Err(wrong),
            (Err(wrong), None | Some(Ok(_))) => Err(wrong),
            (Err(own), Some(Err(parameters))) => Err(own.and(parameters)),
        }
    }
}

impl<'de> Deserialize<'de> for FaultSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_node(&Node::deserialize(deserializer)?).map_err(de::Error::custom)
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
