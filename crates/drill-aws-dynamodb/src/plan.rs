//! Plans: too large for one item, so in parts, with one item that says which parts belong together.
//!
//! Parts carry the digest of the whole. Whoever reads while another plan is being written gets an error, never a mixture.

use drill_model::ids::RunId;
use drill_model::plan::Plan;
use drill_phases::ports::{Answer, Class, Clock, PortError};
use sha2::{Digest as _, Sha256};

use crate::calls::{QUERY, RunTable};
use crate::failure::unreadable;
use crate::item::{Item, Key, number, partition, string, text, written};
use crate::transact::TRANSACT;

/// The most bytes of one part: an item takes 400 KB, keys and names included.
pub(crate) const PART: usize = 300_000;
/// The most parts of one transaction, which takes 4 MB.
pub(crate) const PARTS_AT_ONCE: usize = 12;

impl<C: Clock> RunTable<C> {
    pub(crate) async fn write_plan(&self, plan: &Plan) -> Answer<()> {
        let run = &plan.scope.run_id;
        let whole = written(TRANSACT, plan)?;
        let digest = digest(&whole);
        let parts = split(&whole);
        let mut items: Vec<Item> = parts
            .iter()
            .enumerate()
            .map(|(at, part)| {
                Key::of_run(run, format!("PLAN#{at:04}")).with([("part", string(*part)), ("of", string(&digest))])
            })
            .collect();
        // The pointer goes last: until it is there, the plan that was there before is the plan.
        items.push(Key::of_run(run, "PLAN").with([("parts", number(parts.len() as u64)), ("of", string(&digest))]));
        for items in items.chunks(PARTS_AT_ONCE + 1) {
            let puts = items.iter().map(|item| self.put_action(item.clone(), None)).collect::<Answer<_>>()?;
            let made = self.transact(puts).await;
            made.map_err(|cancelled| cancelled.into_conflict(|| format!("the plan of run {run} was not written")))?;
        }
        Ok(())
    }

    pub(crate) async fn read_plan(&self, run: &RunId) -> Answer<Plan> {
        let items = self.under(&partition(run), "PLAN", Ok).await?;
        let pointer = items.iter().find(|item| text(item, "sk") == Some("PLAN"));
        let missing = || PortError::new(Class::Missing, QUERY, format!("there is no plan of run {run}"));
        let pointer = pointer.ok_or_else(missing)?;
        let unreadable = |why: &str| unreadable(QUERY, &format!("the plan of run {run}"), why);
        let of = text(pointer, "of").ok_or_else(|| unreadable("it has no digest"))?;
        let parts = pointer.get("parts").and_then(|parts| parts.as_n().ok()?.parse::<usize>().ok());
        let parts = parts.ok_or_else(|| unreadable("it does not say how many parts it has"))?;
        // Items come by their sort keys, so the parts of this plan come in their order; others carry another digest.
        let whole: String = items
            .iter()
            .filter(|item| text(item, "of") == Some(of))
            .filter_map(|item| text(item, "part"))
            .take(parts)
            .collect();
        if digest(&whole) != of {
            let what = format!("the plan of run {run} is being replaced: read it again");
            return Err(PortError::new(Class::Transient, QUERY, what));
        }
        serde_json::from_str(&whole).map_err(|error| unreadable(&error.to_string()))
    }
}

/// Parts of at most [`PART`] bytes, each of whole characters.
fn split(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while text.len() > PART {
        let (part, rest) = text.split_at(text.floor_char_boundary(PART));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_small_enough_whole_characters_and_nothing_is_lost() {
        let text = "é".repeat(PART);

        let parts = split(&text);

        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.len() <= PART));
        assert_eq!(parts.concat(), text);
    }

    #[test]
    fn a_small_plan_is_one_part() {
        assert_eq!(split("{}"), ["{}"]);
    }
}
