//! Leases: what a run has for itself and what it has shares of, taken all at once or given back.
//!
//! An item for each target says who has it for itself (`owner`) and who has shares of it (`shares`). A transaction takes
//! ninety-nine: one more action is the condition that the run injects, so that nothing is taken for a run that was or is
//! being cleaned. For more, who holds what is read first, so that a lease that this run held before is never given back
//! when a later transaction is refused. Should another call of the same run rely on one that is given back in between, its intents
//! are refused: each has a condition on its lease.

mod held;
#[cfg(test)]
mod races;

use std::collections::{BTreeMap, BTreeSet};

use drill_model::ids::RunId;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Clock, Holding, Leases, PortError};

use self::held::Held;
use crate::calls::{Condition, PAUSES, RunTable};
use crate::item::Key;
use crate::ledger::not_injecting;
use crate::transact::{ACTIONS, Cancelled, Fate, TRANSACT};

/// The most leases whose transaction has room for its condition on the run.
const TAKEN_AT_ONCE: usize = ACTIONS - 1;

/// How a target is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hold {
    /// By one run, and by no other in any way.
    Whole,
    /// By any number of runs, while nobody has it for itself.
    Share,
}

/// One target, and how it is held.
type Wish = (TargetId, Hold);

impl<C: Clock> Leases for RunTable<C> {
    const ACTIONS: &'static [&'static str] = &[
        "dynamodb:BatchGetItem",
        "dynamodb:ConditionCheckItem",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ];

    /// One round trip for up to 99 targets; for more, two for each 99, and those of giving back when it is refused.
    async fn lease(&self, run: &RunId, holding: &Holding) -> Answer<()> {
        let wishes = needed(holding);
        if wishes.len() <= TAKEN_AT_ONCE {
            return self.take(run, &wishes).await;
        }
        let held = self.read_leases(wishes.iter().map(|(target, _)| target)).await?;
        if let Some(taken) = wishes.iter().find_map(|wish| refusal(run, wish, held.get(&wish.0))) {
            return Err(taken);
        }
        let before = |(target, hold): &Wish| held.get(target).is_some_and(|held| held.is_by(run, *hold));
        let mut new: Vec<Wish> = Vec::new();
        for chunk in wishes.chunks(TAKEN_AT_ONCE) {
            match self.take(run, chunk).await {
                Ok(()) => new.extend(chunk.iter().filter(|wish| !before(wish)).cloned()),
                Err(refused) if refused.class == Class::Conflict => {
                    return Err(match self.give_back(run, &new).await {
                        Ok(()) => refused,
                        // They stay this run's, whose cleaning gives back all that it planned to hold.
                        Err(error) => PortError::new(
                            Class::Conflict,
                            TRANSACT,
                            format!("{}; {} leases could not be given back yet: {error}", refused.message, new.len()),
                        ),
                    });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One round trip for each 100 targets.
    async fn holders(&self, run: &RunId, holding: &Holding) -> Answer<Vec<(TargetId, RunId)>> {
        let wishes = needed(holding);
        let held = self.read_leases(wishes.iter().map(|(target, _)| target)).await?;
        let mut holders = Vec::new();
        for (target, hold) in wishes {
            let others = held.get(&target).map(|held| held.in_the_way_of(run, hold)).unwrap_or_default();
            holders.extend(others.into_iter().map(|other| (target.clone(), other.clone())));
        }
        holders.sort();
        Ok(holders)
    }

    /// Two round trips for each 100 targets that the run holds, and two more for each race for a share that it lost.
    async fn release(&self, run: &RunId, holding: &Holding) -> Answer<()> {
        let whole = holding.whole.iter().map(|target| (target.clone(), Hold::Whole));
        let shares = holding.shares.iter().map(|target| (target.clone(), Hold::Share));
        self.give_back(run, &whole.chain(shares).collect::<Vec<_>>()).await
    }
}

/// What has to be taken: whoever has a target for itself needs no share of it.
fn needed(holding: &Holding) -> Vec<Wish> {
    let whole = holding.whole.iter().map(|target| (target.clone(), Hold::Whole));
    let shares = holding.shares.difference(&holding.whole).map(|target| (target.clone(), Hold::Share));
    whole.chain(shares).collect()
}

impl<C: Clock> RunTable<C> {
    /// Takes up to [`TAKEN_AT_ONCE`] leases while the run injects, all or none.
    async fn take(&self, run: &RunId, wishes: &[Wish]) -> Answer<()> {
        if wishes.is_empty() {
            return Ok(());
        }
        let mut actions = vec![self.injecting(run)?];
        let updates = wishes.iter().map(|(target, hold)| {
            let (change, condition) = match hold {
                Hold::Whole => ("SET #owner = :run", Condition::free_to_own(run)),
                Hold::Share => ("ADD #shares :me", Condition::free_to_share(run)),
            };
            self.update_action(&Key::lease(target), change, condition)
        });
        actions.extend(updates.collect::<Answer<Vec<_>>>()?);
        match self.transact(actions).await {
            Ok(()) => Ok(()),
            Err(Cancelled::Failed(error)) => Err(error),
            Err(Cancelled::Conditions(fates)) => {
                let (stands, fates) = fates.split_at(1);
                if let [Fate::Failed(there)] = stands {
                    return Err(PortError::new(Class::Conflict, TRANSACT, not_injecting(run, there.as_ref())));
                }
                let refused = wishes.iter().zip(fates).find_map(|(wish, fate)| match fate {
                    Fate::Failed(there) => Some((wish, there.as_ref())),
                    Fate::Held => None,
                });
                let Some((wish, there)) = refused else {
                    return Err(PortError::new(Class::Conflict, TRANSACT, "a target is held by another run"));
                };
                let held = there.and_then(|there| Held::read(there).ok()).map(|(_, held)| held);
                Err(refusal(run, wish, held.as_ref()).unwrap_or_else(|| {
                    PortError::new(Class::Conflict, TRANSACT, format!("{} is held by another run", wish.0))
                }))
            }
        }
    }

    /// Gives back those of these leases that the run holds. What other runs hold of the same targets stays.
    async fn give_back(&self, run: &RunId, wishes: &[Wish]) -> Answer<()> {
        let mut back: BTreeMap<&TargetId, BTreeSet<Hold>> = BTreeMap::new();
        for (target, hold) in wishes {
            back.entry(target).or_default().insert(*hold);
        }
        let back: Vec<(&TargetId, BTreeSet<Hold>)> = back.into_iter().collect();
        for chunk in back.chunks(ACTIONS) {
            let mut pauses = PAUSES.iter();
            loop {
                let held = self.read_leases(chunk.iter().map(|(target, _)| *target)).await?;
                let writes = chunk.iter().filter_map(|(target, holds)| {
                    let seen = held.get(*target)?;
                    let left = seen.without(run, holds);
                    (left != *seen).then(|| self.replace_lease(target, seen, &left))
                });
                let writes = writes.collect::<Answer<Vec<_>>>()?;
                if writes.is_empty() {
                    break;
                }
                match (self.transact(writes).await, pauses.next()) {
                    (Ok(()), _) => break,
                    (Err(Cancelled::Failed(error)), _) => return Err(error),
                    // Another run came to a share of one of them or left it: what it holds must not be written over.
                    (Err(Cancelled::Conditions(_)), Some(pause)) => self.clock.pause(*pause).await,
                    (Err(Cancelled::Conditions(_)), None) => {
                        let busy = "other runs take and give back shares of the same targets all the time";
                        return Err(PortError::new(Class::Transient, TRANSACT, busy));
                    }
                }
            }
        }
        Ok(())
    }

    /// Who holds these targets, where anybody does.
    async fn read_leases<'a>(&self, targets: impl Iterator<Item = &'a TargetId>) -> Answer<BTreeMap<TargetId, Held>> {
        let keys: Vec<Key> = targets.map(Key::lease).collect();
        self.items(&keys).await?.iter().map(Held::read).collect()
    }
}

/// Why a run cannot have a target, when it cannot.
fn refusal(run: &RunId, (target, hold): &Wish, held: Option<&Held>) -> Option<PortError> {
    let other = held?.in_the_way_of(run, *hold).into_iter().next()?;
    Some(PortError::new(Class::Conflict, TRANSACT, format!("{target} is held by run {other}")))
}
