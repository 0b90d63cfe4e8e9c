//! `disk-fill`: a volume is nearly full.
//!
//! Landed: the file system says so. Undone by: removing the one file that fills it.

use drill_words::dependency::Dependencies;
use drill_words::ids::MountPoint;
use drill_words::quantity::Percent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HostFault, Parameters, parameters, range_problem, whole_percent};
use crate::{Capability, Ends, Problem, Surface};

/// A volume is nearly full: one by its mount point, or the one that `/var/lib/stormdrill` is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiskFill {
    /// How full it is made, what was there before included.
    #[schemars(example = &"80%")]
    pub fill: Percent,
    /// Where the volume is mounted; the one that `/var/lib/stormdrill` is on when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"/var/lib/data")]
    pub volume: Option<MountPoint>,
}

impl HostFault for DiskFill {
    const ENDS: Ends = Ends::PutBack;
    const NEEDS: &'static [Capability] = &[Capability::Fallocate];
    const SCRIPT: &'static str = include_str!("disk_fill.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        let mut parameters = parameters([("Percent", whole_percent(self.fill))]);
        parameters.extend(self.volume.as_ref().map(|volume| ("Volume".to_owned(), volume.to_string())));
        parameters
    }

    fn surface(&self) -> Surface {
        Surface::Disk
    }

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        range_problem("fill", self.fill, 1.0..=99.0).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_named_by_where_it_is_mounted() {
        let sent = |text: &str| -> Result<Parameters, serde_json::Error> {
            let fault: DiskFill = serde_json::from_value(serde_json::json!({ "fill": "80%", "volume": text }))?;
            Ok(fault.parameters(&Default::default()))
        };

        for volume in ["/", "/var", "/var/lib/postgresql", "/data-1"] {
            assert_eq!(sent(volume).unwrap().remove("Volume").as_deref(), Some(volume));
        }
        for wrong in ["", "var", "/var/", "//", "/../etc", "/a b", "/%t", "/.hidden"] {
            assert!(sent(wrong).is_err(), "{wrong}");
        }
    }
}
