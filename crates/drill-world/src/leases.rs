//! Leases: one owner for each target, taken all at once or not at all. Time alone frees none.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::ids::{InstanceId, RunId};
use drill_phases::ports::{Answer, Class, Leases, PortError};

use crate::calls::Method;
use crate::world::World;

/// The most actions of one transaction, with one left for its own condition.
const ACTIONS: usize = 99;

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct LeaseTable {
    held: BTreeMap<InstanceId, RunId>,
}

impl LeaseTable {
    pub(crate) fn holder(&self, target: &InstanceId) -> Option<&RunId> {
        self.held.get(target)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&InstanceId, &RunId)> {
        self.held.iter()
    }
}

impl Leases for World {
    async fn lease(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<()> {
        const METHOD: Method = Method::Lease;
        self.call(METHOD, async |_| {
            let mut state = self.state();
            state.calls.request(METHOD.api(), more_requests(targets));
            for target in targets {
                if let Some(holder) = state.leases.holder(target).filter(|holder| *holder != run) {
                    let what = format!("TransactionCanceledException: {target} is held by run {holder}");
                    return Err(PortError::new(Class::Conflict, METHOD.api(), what));
                }
            }
            state.leases.held.extend(targets.iter().map(|target| (target.clone(), run.clone())));
            Ok(())
        })
        .await
    }

    async fn holders(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<Vec<(InstanceId, RunId)>> {
        self.call(Method::Holders, async |_| {
            let mut state = self.state();
            state.calls.request(Method::Holders.api(), more_requests(targets));
            let held = targets.iter().filter_map(|target| Some((target.clone(), state.leases.holder(target)?.clone())));
            Ok(held.filter(|(_, holder)| holder != run).collect())
        })
        .await
    }

    async fn release(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<()> {
        self.call(Method::Release, async |_| {
            self.judge_giving_back(run, "a lease", |row| targets.contains(&row.target));
            let mut state = self.state();
            state.calls.request(Method::Release.api(), more_requests(targets));
            state.leases.held.retain(|target, holder| holder != run || !targets.contains(target));
            Ok(())
        })
        .await
    }
}

fn more_requests(targets: &BTreeSet<InstanceId>) -> u64 {
    targets.len().div_ceil(ACTIONS).saturating_sub(1) as u64
}
