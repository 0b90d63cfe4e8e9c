//! The one driver of every fault: look, ask the fault, write, call, look again. It names no fault.
//!
//! `apply` brings changes about and is Inject's; `undo` puts them back, for everybody who heals; `hosts` does both by
//! orders to hosts. What a change did is only ever what is seen afterwards.

pub(crate) mod apply;
pub(crate) mod hosts;
pub(crate) mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Attempt, Call, Kind, Seen};
use drill_model::ledger::Row;
use drill_model::target::TargetId;
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde_json::Value;

use crate::ports::has::prelude::*;
use crate::ports::{Answer, has};

/// The longest that a call can be under way: every attempt of the SDK and the network between.
pub const UNDER_WAY: Duration = Duration::from_secs(60);
/// How many calls go out side by side. The services take more; their clients queue what is too much.
const SIDE_BY_SIDE: usize = 8;

/// Whether the change may still be made.
pub fn in_time(row: &Row, now: Timestamp) -> bool {
    now <= row.not_after
}

/// Nobody can make the change any more: it was seen, or its time is over.
pub fn settled(row: &Row, now: Timestamp) -> bool {
    row.state.landed().is_some() || now > row.not_after + UNDER_WAY
}

/// These targets as they are now, by id.
pub(crate) async fn look(
    world: &impl has::Sees,
    kind: Kind,
    ids: &BTreeSet<TargetId>,
) -> Answer<BTreeMap<TargetId, Seen>> {
    Ok(world.sees().see(kind, ids).await?.into_iter().map(|seen| (seen.id.clone(), seen)).collect())
}

/// A row, as its fault sees it.
fn attempt(row: &Row, tried: bool, healed: bool, settled: bool) -> Attempt<'_, Value> {
    Attempt {
        run: &row.run_id,
        unit: &row.unit,
        target: &row.target,
        saved: &row.saved,
        intended_at: row.intended_at,
        tried,
        healed,
        settled,
    }
}

/// Calls by what is asked: rows that ask for the same go in one call, up to what one call takes.
struct Batches<'a, C>(BTreeMap<C, Vec<&'a Row>>);

impl<'a, C: Call + Ord + Clone> Batches<'a, C> {
    const fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn add(&mut self, call: C, row: &'a Row) {
        self.0.entry(call).or_default().push(row);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn into_calls(self) -> Vec<(C, Vec<&'a Row>)> {
        let mut calls = Vec::new();
        for (call, rows) in self.0 {
            // Without a name that says whose it is, a call about an artefact is about one target.
            calls.extend(rows.chunks(call.most().max(1)).map(|batch| (call.clone(), batch.to_vec())));
        }
        calls
    }
}

fn targets_of(rows: &[&Row]) -> BTreeSet<TargetId> {
    rows.iter().map(|row| row.target.clone()).collect()
}

/// Does these things side by side, some at a time; the results in the order of the things.
pub(crate) async fn side_by_side<T, F: Future>(
    things: impl IntoIterator<Item = T>,
    what: impl FnMut(T) -> F,
) -> Vec<F::Output> {
    futures_util::stream::iter(things.into_iter().map(what)).buffered(SIDE_BY_SIDE).collect().await
}
