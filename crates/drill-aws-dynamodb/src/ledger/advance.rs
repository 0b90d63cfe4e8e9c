//! Steps: a row goes forward from the state that is stored, or not at all.
//!
//! A step is first tried from the row that its caller knows; the write has that row as its condition. Whoever is wrong
//! about it reads what is stored and decides again, so the rule is always applied to what the write replaces.

use std::mem::discriminant;

use drill_model::ledger::{Row, State, step};
use drill_phases::ports::{Answer, Class, Clock, PortError, Step};
use jiff::Timestamp;

use crate::calls::{BATCH_GET, Condition, PAUSES, RunTable};
use crate::item::{Key, read, row_item, string, text, written};
use crate::transact::{ACTIONS, Cancelled, Fate, TRANSACT};

/// A row and the state that it moves to, in order.
struct Move<'a> {
    key: Key,
    to: Vec<&'a State>,
    /// The row as we believe it to be stored.
    known: Option<Known>,
}

struct Known {
    row: Row,
    /// Exactly as it is stored.
    text: String,
}

impl<C: Clock> RunTable<C> {
    pub(crate) async fn write_steps(&self, steps: &[Step], at: Timestamp) -> Answer<()> {
        let mut moves = moves(steps, at)?;
        // A transaction has as many actions as a batch has keys.
        while !moves.is_empty() {
            let rest = moves.split_off(moves.len().min(ACTIONS));
            self.move_together(moves, at).await?;
            moves = rest;
        }
        Ok(())
    }

    async fn move_together(&self, mut moves: Vec<Move<'_>>, at: Timestamp) -> Answer<()> {
        for pause in PAUSES {
            self.look(&mut moves).await?;
            let mut puts = Vec::with_capacity(moves.len());
            let mut moving = Vec::with_capacity(moves.len());
            for one in moves {
                // A row that is not there, or takes no step from where it is, is passed over.
                let Some(known) = &one.known else { continue };
                let Some(next) = moved(&known.row, &one.to, at) else { continue };
                let unchanged = Condition::on("#it = :it", "row", string(&known.text));
                puts.push(self.put_action(row_item(TRANSACT, &next)?, Some(unchanged))?);
                moving.push(one);
            }
            if puts.is_empty() {
                return Ok(());
            }
            match self.transact(puts).await {
                Ok(()) => return Ok(()),
                Err(Cancelled::Failed(error)) => return Err(error),
                Err(Cancelled::Conditions(fates)) => {
                    for (one, fate) in moving.iter_mut().zip(&fates) {
                        if matches!(fate, Fate::Failed(_)) {
                            one.known = None;
                        }
                    }
                    moves = moving;
                }
            }
            self.clock.pause(pause).await;
        }
        let what = format!("{} rows were changed by others again and again", moves.len());
        Err(PortError::new(Class::Conflict, TRANSACT, what))
    }

    /// Reads the rows that are not known.
    async fn look(&self, moves: &mut [Move<'_>]) -> Answer<()> {
        let keys: Vec<Key> = moves.iter().filter(|one| one.known.is_none()).map(|one| one.key.clone()).collect();
        for item in self.items(&keys).await? {
            let key = Key::found(&item);
            if let Some(one) = moves.iter_mut().find(|one| key.as_ref() == Some(&one.key)) {
                let text = text(&item, "row").unwrap_or_default().to_owned();
                one.known = Some(Known { row: read(BATCH_GET, &item, "row")?, text });
            }
        }
        Ok(())
    }
}

/// One move for each row, however many of the steps are its own.
fn moves(steps: &[Step], at: Timestamp) -> Answer<Vec<Move<'_>>> {
    let mut moves: Vec<Move<'_>> = Vec::with_capacity(steps.len());
    let mut known = std::collections::HashMap::new();
    for Step { row, to } in steps {
        let key = Key::row(&row.run_id, &row.fault, &row.target);
        let place = *known.entry(key.clone()).or_insert_with(|| {
            moves.push(Move { key, to: Vec::new(), known: None });
            moves.len() - 1
        });
        let one = &mut moves[place];
        one.to.push(to);
        // A caller whose row takes no step has nothing to try: what is stored decides.
        if moved(row, &one.to, at).is_some() && one.known.is_none() {
            one.known = Some(Known { row: row.clone(), text: written(TRANSACT, row)? });
        }
    }
    Ok(moves)
}

/// The row after those of these steps that it can take; `None` when it takes none.
fn moved(row: &Row, to: &[&State], at: Timestamp) -> Option<Row> {
    let mut next = row.clone();
    let mut changed = false;
    for to in to {
        let repeated = discriminant(&next.state) == discriminant(*to);
        if !repeated && step(&next.state, to).is_ok() {
            next.state = (*to).clone();
            next.since = at;
            changed = true;
        }
    }
    changed.then_some(next)
}
