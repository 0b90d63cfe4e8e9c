//! `process-pause`: processes stand still.
//!
//! Landed: each is in state T. Undone by: SIGCONT to exactly those that were stopped, if they are still the same processes.

use std::num::NonZeroU16;

use drill_words::dependency::Dependencies;
use drill_words::ids::{CommandLine, ContainerId, ProcessName, SystemdUnit, UserName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::whom::Whom;
use super::{HostFault, Parameters};
use crate::{Ends, Problem, Surface};

/// Processes stand still. At least one of `process`, `command_line`, `user`, `unit` and `container` names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProcessPause {
    /// The exact name of the process: the kernel's, its program's, the first word of its command line, or its script's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"orderd")]
    pub process: Option<ProcessName>,
    /// A text in its command line, whose words have one blank between them; compared as it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"payment-reconciler.py")]
    pub command_line: Option<CommandLine>,
    /// The user that it runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"orders")]
    pub user: Option<UserName>,
    /// The systemd unit that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"orders.service")]
    pub unit: Option<SystemdUnit>,
    /// The container that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"0123456789ab")]
    pub container: Option<ContainerId>,
    /// None is touched when more than this are meant; 2000 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 10)]
    pub at_most: Option<NonZeroU16>,
}

impl ProcessPause {
    fn whom(&self) -> Whom<'_> {
        Whom {
            process: self.process.as_ref(),
            command_line: self.command_line.as_ref(),
            user: self.user.as_ref(),
            unit: self.unit.as_ref(),
            container: self.container.as_ref(),
            at_most: self.at_most,
        }
    }
}

impl HostFault for ProcessPause {
    const ENDS: Ends = Ends::PutBack;
    const SCRIPT: &'static str = include_str!("process_pause.sh");

    fn parameters(&self, _: &Dependencies) -> Parameters {
        self.whom().parameters()
    }

    fn surface(&self) -> Surface {
        self.whom().surface()
    }

    fn problems(&self, _: &Dependencies) -> Vec<Problem> {
        self.whom().problems()
    }
}
