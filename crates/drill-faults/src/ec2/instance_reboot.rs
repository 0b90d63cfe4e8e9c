//! `instance-reboot`: an instance is rebooted, once.
//!
//! Landed: its host says that it booted after it was told to. Undone by: nothing; it comes back by itself, and that is
//! watched.

use drill_words::quantity::Span;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Harm, Heal, Instance, InstanceState};
use crate::fault::{Attempt, Ends, Next, Objection, ResourceFault, ScheduledUndo};

/// An instance is rebooted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceReboot {}

impl ResourceFault for InstanceReboot {
    type On = Instance;
    type Saved = ();
    const ENDS: Ends = Ends::ByItself;
    const HARMS: &'static [&'static str] = &["ec2:RebootInstances"];
    const HEALS: &'static [&'static str] = &[];
    /// A boot takes a minute or two; a shutdown before it, that waits for services, up to ten.
    const BACK_WITHIN: Span = Span::seconds(600);

    fn save(&self, _: &Instance) -> Result<(), Objection> {
        Ok(())
    }

    fn apply(&self, attempt: &Attempt<'_, ()>, instance: &Instance) -> Next<Harm> {
        if self.happened_at(attempt, instance).is_some() {
            return Next::Done;
        }
        if attempt.tried {
            // A reboot that may have been done is not done again.
            return Next::Wait("its host does not say yet that it booted");
        }
        Next::Do(Harm::Reboot)
    }

    fn undo(&self, _: &Attempt<'_, ()>, instance: &Instance) -> Next<Heal> {
        match instance.state {
            InstanceState::Running | InstanceState::ShuttingDown | InstanceState::Terminated => Next::Done,
            InstanceState::Pending | InstanceState::Stopping | InstanceState::Stopped => {
                Next::Wait("the instance is not running")
            }
        }
    }

    fn scheduled_undo(&self, _: &Attempt<'_, ()>, _: &Instance) -> ScheduledUndo {
        ScheduledUndo::EndsByItself
    }

    fn happened_at(&self, attempt: &Attempt<'_, ()>, instance: &Instance) -> Option<Timestamp> {
        instance.booted.filter(|booted| *booted >= attempt.intended_at)
    }

    fn asks_host(&self) -> bool {
        true
    }

    fn rehearses(&self, _: &Instance) -> (Vec<Harm>, Vec<Heal>) {
        (vec![Harm::Reboot], Vec::new())
    }
}
