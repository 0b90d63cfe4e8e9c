//! `instance-terminate`: an instance is terminated.
//!
//! Landed: EC2 says shutting-down or terminated. Undone by: nothing. A replacement is the business of its Auto Scaling
//! group, and is watched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Harm, Heal, Instance, InstanceState};
use crate::fault::{Attempt, Ends, Next, Objection, ResourceFault, ScheduledUndo};

/// An instance is terminated, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceTerminate {
    /// Must be `accepted`: nothing brings this instance back.
    #[schemars(example = &"accepted")]
    pub irreversible: Irreversible,
}

/// The word that an author must write to do harm that nothing undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Irreversible {
    /// It is understood that nothing brings the target back.
    Accepted,
}

impl ResourceFault for InstanceTerminate {
    type On = Instance;
    type Saved = ();
    const ENDS: Ends = Ends::Never;
    const HARMS: &'static [&'static str] = &["ec2:TerminateInstances"];
    const HEALS: &'static [&'static str] = &[];

    fn save(&self, _: &Instance) -> Result<(), Objection> {
        Ok(())
    }

    fn apply(&self, _: &Attempt<'_, ()>, instance: &Instance) -> Next<Harm> {
        match instance.state {
            InstanceState::ShuttingDown | InstanceState::Terminated => Next::Done,
            InstanceState::Pending | InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped => {
                Next::Do(Harm::Terminate)
            }
        }
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
        ScheduledUndo::Nothing("nothing brings a terminated instance back")
    }

    fn rehearses(&self, _: &Instance) -> (Vec<Harm>, Vec<Heal>) {
        (vec![Harm::Terminate], Vec::new())
    }
}
