//! Whom a fault is done to: a selector, and how many of what it matches.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::faults::Kind as TargetKind;
use crate::ids::{GroupName, ResourceId, ZoneName};
use crate::quantity::Percent;

/// A group of targets. At least one of `tags`, `ids`, `group` and `zone` is given, and all that are given must match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["tags"] }, { "required": ["ids"] }, { "required": ["group"] }, { "required": ["zone"] }]))]
pub struct TargetSpec {
    /// What kind of thing they are.
    pub kind: TargetKind,
    /// Tags that a target must have, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1))]
    pub tags: BTreeMap<String, String>,
    /// Exactly these.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    #[schemars(length(min = 1))]
    pub ids: BTreeSet<ResourceId>,
    /// Members of this Auto Scaling group; of instances only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    /// Those in this availability zone: `eu-central-1a`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// How many of those that match: `{ count: 1 }`, `{ percent: 25 }` or `all`. There is no default.
    pub pick: Pick,
}

impl TargetSpec {
    /// The selector alone, without the pick.
    pub fn selector(&self) -> Selector {
        Selector {
            kind: self.kind,
            tags: self.tags.clone(),
            ids: self.ids.clone(),
            group: self.group.clone(),
            zone: self.zone.clone(),
        }
    }
}

/// Which resources match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of TargetSpec")]
pub struct Selector {
    pub kind: TargetKind,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ids: BTreeSet<ResourceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
}

/// How many of those that match.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pick {
    /// So many; fewer that match is a refusal.
    Count(NonZeroU32),
    /// This share of them, rounded down; nothing left is a refusal.
    Percent(Share),
    /// All of them, which needs an approval.
    All,
}

/// A share of more than 0 and at most 100, written as a bare number: `percent: 25`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "f64", into = "f64")]
#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 100))]
pub struct Share(f64);

impl Share {
    /// The share as a percentage.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = String;

    fn try_from(number: f64) -> Result<Self, String> {
        if number > 0.0 && number <= 100.0 {
            Ok(Self(number))
        } else {
            Err(format!("`{number}` percent of the targets cannot be picked: write more than 0 and at most 100"))
        }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl From<Share> for Percent {
    fn from(share: Share) -> Self {
        Self::try_from(share.0).expect("a share is a percentage")
    }
}
