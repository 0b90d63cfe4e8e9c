//! Leases: one owner for each target, and shares of what it is a part of; taken all at once or not at all. Time alone
//! frees none.

use std::collections::{BTreeMap, BTreeSet};

use drill_model::ids::RunId;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Holding, Leases, PortError};

use crate::calls::Method;
use crate::world::World;

/// The most actions of one transaction, with one left for its own condition.
const ACTIONS: usize = 99;

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct LeaseTable {
    held: BTreeMap<TargetId, RunId>,
    shared: BTreeMap<TargetId, BTreeSet<RunId>>,
}

impl LeaseTable {
    pub(crate) fn holder(&self, target: &TargetId) -> Option<&RunId> {
        self.held.get(target)
    }

    /// Everything that is held, for itself or in a share.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&TargetId, &RunId)> {
        let shares = self.shared.iter().flat_map(|(target, runs)| runs.iter().map(move |run| (target, run)));
        self.held.iter().chain(shares)
    }

    /// Something that a run holds.
    pub(crate) fn of_run(&self, run: &RunId) -> Option<&TargetId> {
        self.all().find_map(|(target, holder)| (holder == run).then_some(target))
    }

    fn take(&mut self, run: &RunId, holding: &Holding) {
        self.held.extend(holding.whole.iter().map(|target| (target.clone(), run.clone())));
        for target in &holding.shares {
            self.shared.entry(target.clone()).or_default().insert(run.clone());
        }
    }

    /// Who else holds something that this could not stand beside.
    fn against<'a>(&'a self, run: &'a RunId, holding: &'a Holding) -> impl Iterator<Item = (&'a TargetId, &'a RunId)> {
        let owned = holding.whole.iter().chain(&holding.shares);
        let owned = owned.filter_map(|target| Some((target, self.held.get(target)?)));
        let shared = holding
            .whole
            .iter()
            .flat_map(|target| self.shared.get(target).into_iter().flatten().map(move |sharer| (target, sharer)));
        owned.chain(shared).filter(move |(_, holder)| *holder != run)
    }
}

impl World {
    /// A run holds these, as if it had leased them.
    pub fn held_by(&self, run: &RunId, holding: &Holding) {
        self.state().leases.take(run, holding);
    }
}

impl Leases for World {
    async fn lease(&self, run: &RunId, holding: &Holding) -> Answer<()> {
        const METHOD: Method = Method::Lease;
        self.call(METHOD, async |_| {
            let mut state = self.state();
            state.calls.request(METHOD.api(), more_requests(holding));
            let conflict = |what: String| {
                Err(PortError::new(Class::Conflict, METHOD.api(), format!("TransactionCanceledException: {what}")))
            };
            if let Err(what) = state.store.injects(run) {
                return conflict(what);
            }
            if let Some((target, holder)) = state.leases.against(run, holding).next() {
                return conflict(format!("{target} is held by run {holder}"));
            }
            state.leases.take(run, holding);
            Ok(())
        })
        .await
    }

    async fn holders(&self, run: &RunId, holding: &Holding) -> Answer<Vec<(TargetId, RunId)>> {
        self.call(Method::Holders, async |_| {
            let mut state = self.state();
            state.calls.request(Method::Holders.api(), more_requests(holding));
            let against = state.leases.against(run, holding);
            Ok(against.map(|(target, holder)| (target.clone(), holder.clone())).collect())
        })
        .await
    }

    async fn release(&self, run: &RunId, holding: &Holding) -> Answer<()> {
        self.call(Method::Release, async |_| {
            self.judge_giving_back(run, "a lease", |row| holding.whole.contains(&row.target));
            let mut state = self.state();
            state.calls.request(Method::Release.api(), more_requests(holding));
            state.leases.held.retain(|target, holder| holder != run || !holding.whole.contains(target));
            for target in &holding.shares {
                if let Some(sharers) = state.leases.shared.get_mut(target) {
                    sharers.remove(run);
                }
            }
            state.leases.shared.retain(|_, sharers| !sharers.is_empty());
            Ok(())
        })
        .await
    }
}

fn more_requests(holding: &Holding) -> u64 {
    (holding.whole.len() + holding.shares.len()).div_ceil(ACTIONS).saturating_sub(1) as u64
}
