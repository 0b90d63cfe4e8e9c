//! When an experiment may run: weekdays, hours, a time zone, a calendar of holidays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::faults::FaultKind;

/// One window in which an experiment may run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Weekdays: `mon-fri`, `sat,sun`, `daily`. A window across midnight belongs to the day it opens on.
    pub days: String,
    /// When it opens, `17:00`.
    pub from: String,
    /// When it closes, `08:00`; not later than `from` means the next day.
    pub to: String,
    /// The time zone, `America/New_York`.
    pub zone: String,
    /// The exchange whose holidays count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Only for faults of these kinds; for all when left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultKind>,
}
