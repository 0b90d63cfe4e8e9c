//! `instance-stop`: an instance is stopped, and started again afterwards.
//!
//! Landed: EC2 says stopping or stopped. Undone by: StartInstances, and seen running. Not for members of an Auto Scaling
//! group, which would be replaced. A stop itself takes away what nothing brings back: a public IPv4 address that is not an
//! Elastic IP, and all that is on instance store volumes.
//!
//! By hand: `aws ec2 start-instances --instance-ids INSTANCE`. Without us: the scheduler starts it, and tries again while
//! EC2 refuses because it is still stopping.

use drill_words::quantity::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Harm, Heal, Instance, InstanceState};
use crate::fault::{Attempt, Ends, Next, Objection, ResourceFault, ScheduledUndo, UniversalCall};

/// An instance is stopped, and started again afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceStop {}

impl ResourceFault for InstanceStop {
    type On = Instance;
    type Saved = ();
    const ENDS: Ends = Ends::PutBack;
    const HARMS: &'static [&'static str] = &["ec2:StopInstances"];
    const HEALS: &'static [&'static str] = &["ec2:StartInstances"];
    /// A start takes a minute or two; a stop before it, that waits for services, up to ten.
    const BACK_WITHIN: Span = Span::seconds(600);

    fn save(&self, instance: &Instance) -> Result<(), Objection> {
        match (&instance.group, instance.spot) {
            (Some(group), _) => {
                Err(format!("its group {group} would replace it: use instance-terminate, or leave the group"))
            }
            (None, true) => Err("it is a spot instance and would not come back".to_owned()),
            (None, false) => Ok(()),
        }
    }

    fn apply(&self, _: &Attempt<'_, ()>, instance: &Instance) -> Next<Harm> {
        match instance.state {
            InstanceState::Stopping | InstanceState::Stopped => Next::Done,
            InstanceState::Running => Next::Do(Harm::Stop),
            InstanceState::Pending => Next::Wait("it is starting"),
            InstanceState::ShuttingDown | InstanceState::Terminated => Next::Wait("it is terminated"),
        }
    }

    fn undo(&self, attempt: &Attempt<'_, ()>, instance: &Instance) -> Next<Heal> {
        match instance.state {
            InstanceState::ShuttingDown | InstanceState::Terminated => Next::Done,
            // What EC2 shows may be from before the stop: it is started once more, whatever it looks like, when nobody can
            // stop it any more.
            InstanceState::Running if attempt.healed || !attempt.settled => Next::Done,
            InstanceState::Running | InstanceState::Stopped => Next::Do(Heal::Start),
            InstanceState::Pending => Next::Wait("the instance is starting"),
            InstanceState::Stopping => Next::Wait("the instance is still stopping"),
        }
    }

    fn scheduled_undo(&self, attempt: &Attempt<'_, ()>, _: &Instance) -> ScheduledUndo {
        ScheduledUndo::Calls {
            calls: vec![UniversalCall {
                service: "ec2",
                action: "startInstances",
                permission: "ec2:StartInstances",
                input: json!({ "InstanceIds": [attempt.target.name()] }),
            }],
            // EC2 refuses to start an instance that is still stopping.
            repeats: true,
        }
    }

    fn rehearses(&self, _: &Instance) -> (Vec<Harm>, Vec<Heal>) {
        (vec![Harm::Stop], vec![Heal::Start])
    }
}
