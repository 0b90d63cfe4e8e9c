//! Calls that the scheduler makes by itself: at their time, or a little later, whatever has died.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::ids::{InstanceId, UnitId};
use drill_phases::ports::{Answer, ArmUndo, DisarmUndo, TimedUndo};
use serde_json::Value;

use crate::calls::Method;
use crate::hosts::Power;
use crate::world::{WeakWorld, World};

/// Between two tries of a call that repeats, and how long it does.
const EVERY: Duration = Duration::from_secs(60);
const TRIES: u32 = 60;

/// The calls that are armed.
#[derive(Debug, Default)]
pub(crate) struct Undos {
    armed: BTreeMap<String, TimedUndo>,
    /// Those that were ever armed.
    known: BTreeSet<String>,
}

impl Undos {
    pub(crate) fn armed(&self) -> impl Iterator<Item = &TimedUndo> {
        self.armed.values()
    }

    pub(crate) fn was_armed(&self, prefix: &str) -> bool {
        self.known.iter().any(|name| name.starts_with(prefix))
    }
}

impl ArmUndo for World {
    async fn arm(&self, undo: &TimedUndo) -> Answer<()> {
        self.call(Method::Arm, async |_| {
            {
                let mut state = self.state();
                if state.undos.armed.contains_key(&undo.name) {
                    return Ok(());
                }
                state.undos.known.insert(undo.name.clone());
                state.undos.armed.insert(undo.name.clone(), undo.clone());
            }
            let (world, undo, due) = (self.downgrade(), undo.clone(), self.sleep_until(undo.at));
            self.spawn(async move {
                due.await;
                go_off(&world, &undo).await;
            });
            Ok(())
        })
        .await
    }

    async fn armed(&self, name: &str) -> Answer<Option<TimedUndo>> {
        self.call(Method::Armed, async |_| Ok(self.state().undos.armed.get(name).cloned())).await
    }
}

impl DisarmUndo for World {
    async fn disarm(&self, unit: &UnitId) -> Answer<()> {
        self.call(Method::Disarm, async |_| {
            let taken = {
                let mut state = self.state();
                let all = std::mem::take(&mut state.undos.armed);
                let (taken, left): (BTreeMap<_, _>, _) =
                    all.into_iter().partition(|(name, _)| name.starts_with(unit.as_str()));
                state.undos.armed = left;
                taken
            };
            if let Some(later) = self.state().timing.ghost_undos {
                self.haunt(taken.into_values().collect(), later);
            }
            Ok(())
        })
        .await
    }
}

async fn go_off(world: &WeakWorld, undo: &TimedUndo) {
    let tries = if undo.repeats { TRIES } else { 1 };
    for _ in 0..tries {
        let Some(world) = world.upgrade() else { return };
        if !world.state().undos.armed.contains_key(&undo.name) {
            return;
        }
        world.make(undo).await;
        world.sleep(EVERY).await;
    }
    if let Some(world) = world.upgrade() {
        // A schedule that is over removes itself.
        world.state().undos.armed.remove(&undo.name);
    }
}

impl World {
    /// Makes calls that were taken back, all the same.
    fn haunt(&self, undos: Vec<TimedUndo>, later: Duration) {
        let (world, due) = (self.downgrade(), self.sleep(later));
        self.spawn(async move {
            due.await;
            let Some(world) = world.upgrade() else { return };
            for undo in undos {
                world.make(&undo).await;
            }
        });
    }

    /// Makes the call as AWS would: names that it does not know make it fail, and nobody hears of that.
    async fn make(&self, undo: &TimedUndo) {
        let known = |names: &[&str]| {
            undo.input.as_object().is_some_and(|fields| fields.keys().all(|name| names.contains(&name.as_str())))
        };
        match (undo.service.as_str(), undo.action.as_str()) {
            ("ec2", "startInstances") if known(&["InstanceIds"]) => {
                let ids = undo.input.get("InstanceIds").and_then(Value::as_array).into_iter().flatten();
                let ids: BTreeSet<InstanceId> =
                    ids.filter_map(Value::as_str).filter_map(|id| InstanceId::try_from(id).ok()).collect();
                drop(self.plane().power(Power::Start, &ids).await);
            }
            ("ec2", "deleteNetworkAclEntry") if known(&["NetworkAclId", "RuleNumber", "Egress"]) => {
                let acl = undo.input.get("NetworkAclId").and_then(Value::as_str);
                let number = undo.input.get("RuleNumber").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok());
                let egress = undo.input.get("Egress").and_then(Value::as_bool);
                if let (Some(acl), Some(number), Some(egress)) = (acl, number, egress) {
                    self.delete_acl_entry(acl, number, egress);
                }
            }
            (service, action) => {
                self.violation(format!("the scheduler cannot make {service}:{action} with {}", undo.input));
            }
        }
    }
}
