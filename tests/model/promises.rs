//! What must always be so, and what is left in the end.

use drill_model::run::Status;
use drill_phases::kernel::UNDO_GRACE;

use crate::cast::WORST;
use crate::happen::Action;
use crate::rules::Scene;
use crate::state::{HOST, INSTANCE, Promise, Run, Second, World};

/// How long a fault may stay after its deadline: a minute on the host, where the dead man needs nobody; on the instance
/// until the scheduled undo was there.
const GRACE: Second = 60;

/// No fault outlives its deadline and the grace.
pub const OUTLIVES: &str = "no fault outlives its deadline and the grace";
/// No change is made without a durable intent.
pub const INTENT: &str = "no change without a durable intent";
/// No fault is there after its row was closed, or its run clean.
pub const CLEAN: &str = "no fault after it was called clean";
/// A deadline is written once.
pub const DEADLINE: &str = "a deadline is never moved";
/// A target never has two owners.
pub const OWNERS: &str = "a target never has two owners";
/// No intent is written when the emergency stop is pulled.
pub const LEVER: &str = "no intent after the emergency stop";
/// When failures end, everything becomes clean.
pub const ENDS: &str = "when failures end, everything becomes clean";

impl Scene {
    /// The first promise that does not hold here.
    pub fn broken(&self, world: &World) -> Option<&'static str> {
        let now = world.now();
        for run in 0..self.runs {
            let stands = &world.runs[run];
            let Some(from) = stands.promised else { continue };
            if stands.armed != stands.promised {
                return Some(DEADLINE);
            }
            let instance = GRACE + u16::try_from(UNDO_GRACE.as_secs()).unwrap_or(Second::MAX);
            for (target, grace) in [(HOST, GRACE), (INSTANCE, instance)] {
                if self.judged[target] && world.is_there(run, target) && now > from + WORST + grace {
                    return Some(OUTLIVES);
                }
                let open = stands.rows[target].as_ref().is_none_or(|row| row.state.is_open());
                if world.is_there(run, target) && (!open || stands.status == Status::Clean) {
                    return Some(CLEAN);
                }
                // A lease is free when its rows are closed.
                let unclosed = stands.rows[target].as_ref().is_some_and(|row| row.state.is_open());
                if unclosed && world.leases[target] != Some(run) {
                    return Some(OWNERS);
                }
            }
        }
        if self.runs == 2 && world.host.units.iter().all(Option::is_some) {
            return Some(OWNERS);
        }
        match world.broken {
            Some(Promise::Intent) => Some(INTENT),
            Some(Promise::Closed) => Some(CLEAN),
            Some(Promise::Lever) => Some(LEVER),
            None => None,
        }
    }

    /// What is left when no more failures come and time goes on.
    pub fn left(&self, world: &World) -> Option<String> {
        let mut world = world.clone();
        (world.failures, world.host.agent) = (0, true);
        let mut out = Vec::new();
        for _ in 0..2_000 {
            out.clear();
            self.work(&world, &mut out);
            match out.iter().find(|action| !matches!(action, Action::Start(_))) {
                Some(action) => self.happen(&mut world, *action),
                None if world.minute > self.horizon + 8 => break,
                None => self.happen(&mut world, Action::Minute),
            }
        }
        let closed = world.runs.iter().flat_map(|run| run.rows.iter().flatten()).all(|row| !row.state.is_open());
        let gone = world.host.units == [None, None] && world.instance.stopped_by.is_none();
        // A run that was never armed holds nothing; whatever its record says, nobody has to come back to it.
        let over = |run: &Run| matches!(run.status, Status::Ready | Status::Clean) || run.armed.is_none();
        let idle = |run: &Run| over(run) && (run.clock, run.undo) == (None, None);
        let given_back = world.runs.iter().all(idle) && world.leases == [None, None];
        let whole = closed && gone && given_back;
        (!whole).then(|| format!("{world:?}"))
    }
}
