//! Leases: one owner for each target, taken all at once or given back.
//!
//! A transaction takes a hundred. For more, who holds what is read first, so that a lease that this run held before is
//! never given back when a later hundred is refused. Should another call of the same run rely on one that is given back
//! in between, its intents are refused: each has a condition on its lease.

use std::collections::BTreeSet;

use drill_model::ids::{InstanceId, RunId};
use drill_phases::ports::{Answer, Class, Clock, Leases, PortError};

use crate::calls::{BATCH_GET, Condition, RunTable};
use crate::failure::unreadable;
use crate::item::{Item, Key, string, text, what};
use crate::transact::{ACTIONS, Cancelled, Fate, TRANSACT};

impl<C: Clock> Leases for RunTable<C> {
    /// One round trip for up to 100 targets; for more, two for each 100, and those of giving back when it is refused.
    async fn lease(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<()> {
        let targets: Vec<InstanceId> = targets.iter().cloned().collect();
        if targets.len() <= ACTIONS {
            return self.take(run, &targets).await;
        }
        let held = self.read_leases(&targets).await?;
        if let Some((target, holder)) = held.iter().find(|(_, holder)| holder != run) {
            return Err(taken(target, Some(holder.as_str())));
        }
        let before: BTreeSet<InstanceId> = held.into_iter().map(|(target, _)| target).collect();
        let mut new: Vec<InstanceId> = Vec::new();
        for chunk in targets.chunks(ACTIONS) {
            match self.take(run, chunk).await {
                Ok(()) => new.extend(chunk.iter().filter(|target| !before.contains(*target)).cloned()),
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
    async fn holders(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<Vec<(InstanceId, RunId)>> {
        let targets: Vec<InstanceId> = targets.iter().cloned().collect();
        let mut held = self.read_leases(&targets).await?;
        held.retain(|(_, holder)| holder != run);
        held.sort();
        Ok(held)
    }

    /// One round trip for each 100 targets, and one more where another run holds some of them.
    async fn release(&self, run: &RunId, targets: &BTreeSet<InstanceId>) -> Answer<()> {
        let targets: Vec<InstanceId> = targets.iter().cloned().collect();
        self.give_back(run, &targets).await
    }
}

impl<C: Clock> RunTable<C> {
    /// Takes up to 100 leases, all or none.
    async fn take(&self, run: &RunId, targets: &[InstanceId]) -> Answer<()> {
        if targets.is_empty() {
            return Ok(());
        }
        let puts = targets.iter().map(|target| {
            let item = Key::lease(target).with([("run", string(run.as_str()))]);
            self.put_action(item, Some(free_or_held_by(run)))
        });
        match self.transact(puts.collect::<Answer<_>>()?).await {
            Ok(()) => Ok(()),
            Err(Cancelled::Failed(error)) => Err(error),
            Err(Cancelled::Conditions(fates)) => {
                let refused = targets.iter().zip(&fates).find_map(|(target, fate)| match fate {
                    Fate::Failed(there) => Some((target, there.as_ref())),
                    Fate::Held => None,
                });
                Err(refused.map_or_else(
                    || PortError::new(Class::Conflict, TRANSACT, "a target is held by another run"),
                    |(target, there)| taken(target, there.and_then(|there| text(there, "run"))),
                ))
            }
        }
    }

    /// Gives back those of these leases that the run holds.
    async fn give_back(&self, run: &RunId, targets: &[InstanceId]) -> Answer<()> {
        for chunk in targets.chunks(ACTIONS) {
            let mut chunk = chunk.to_vec();
            // Each turn leaves out at least one target.
            while !chunk.is_empty() {
                let deletes = chunk.iter().map(|target| self.delete_action(&Key::lease(target), free_or_held_by(run)));
                match self.transact(deletes.collect::<Answer<_>>()?).await {
                    Ok(()) => break,
                    Err(Cancelled::Failed(error)) => return Err(error),
                    Err(Cancelled::Conditions(fates)) => {
                        let mut fates = fates.iter();
                        chunk.retain(|_| fates.next().is_some_and(Fate::held));
                    }
                }
            }
        }
        Ok(())
    }

    /// Who holds these targets, where anybody does.
    async fn read_leases(&self, targets: &[InstanceId]) -> Answer<Vec<(InstanceId, RunId)>> {
        let keys: Vec<Key> = targets.iter().map(Key::lease).collect();
        self.items(&keys).await?.iter().map(lease).collect()
    }
}

fn free_or_held_by(run: &RunId) -> Condition {
    Condition::on("attribute_not_exists(pk) OR #it = :it", "run", string(run.as_str()))
}

fn lease(item: &Item) -> Answer<(InstanceId, RunId)> {
    let target = text(item, "pk").and_then(|pk| InstanceId::try_from(pk.strip_prefix("LEASE#")?).ok());
    let holder = text(item, "run").and_then(|run| RunId::try_from(run).ok());
    target.zip(holder).ok_or_else(|| unreadable(BATCH_GET, &what(item), "it is not a lease"))
}

fn taken(target: &InstanceId, holder: Option<&str>) -> PortError {
    let what = match holder {
        Some(holder) => format!("{target} is held by run {holder}"),
        None => format!("{target} is held by another run"),
    };
    PortError::new(Class::Conflict, TRANSACT, what)
}
