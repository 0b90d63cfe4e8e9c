//! Who holds a target: the item of a lease, read and written.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use drill_model::ids::RunId;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Clock};

use super::Hold;
use crate::calls::{BATCH_GET, Condition, RunTable};
use crate::failure::unreadable;
use crate::item::{Item, Key, string, text, what};

/// Who holds a target. An item says of at least one run that it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Held {
    /// Who has it for itself.
    owner: Option<RunId>,
    /// Who has a share of it.
    shares: BTreeSet<RunId>,
}

impl Held {
    /// Reads the item of a lease. One that cannot be read is an error: nothing looks free because it cannot be seen.
    pub(super) fn read(item: &Item) -> Answer<(TargetId, Self)> {
        let read = || {
            let target = TargetId::try_from(text(item, "pk")?.strip_prefix("LEASE#")?).ok()?;
            let owner = match item.get("owner") {
                Some(owner) => Some(RunId::try_from(owner.as_s().ok()?.as_str()).ok()?),
                None => None,
            };
            let shares = match item.get("shares") {
                Some(shares) => {
                    shares.as_ss().ok()?.iter().map(|run| RunId::try_from(run.as_str()).ok()).collect::<Option<_>>()?
                }
                None => BTreeSet::new(),
            };
            let held = Self { owner, shares };
            (held != Self::default()).then_some((target, held))
        };
        read().ok_or_else(|| unreadable(BATCH_GET, &what(item), "it is not a lease"))
    }

    /// Whether a run holds it in this way already.
    pub(super) fn is_by(&self, run: &RunId, hold: Hold) -> bool {
        match hold {
            Hold::Whole => self.owner.as_ref() == Some(run),
            Hold::Share => self.shares.contains(run),
        }
    }

    /// The other runs beside which this one cannot hold it in this way.
    pub(super) fn in_the_way_of(&self, run: &RunId, hold: Hold) -> BTreeSet<&RunId> {
        let sharers = match hold {
            Hold::Whole => Some(&self.shares),
            Hold::Share => None,
        };
        self.owner.iter().chain(sharers.into_iter().flatten()).filter(|other| *other != run).collect()
    }

    /// What is left when a run gives back what it holds in these ways.
    pub(super) fn without(&self, run: &RunId, holds: &BTreeSet<Hold>) -> Self {
        let mut left = self.clone();
        for hold in holds {
            match hold {
                Hold::Whole if left.owner.as_ref() == Some(run) => left.owner = None,
                Hold::Whole => {}
                Hold::Share => {
                    left.shares.remove(run);
                }
            }
        }
        left
    }

    pub(super) fn attributes(&self) -> Item {
        let mut item = Item::new();
        if let Some(owner) = &self.owner {
            item.insert("owner".to_owned(), string(owner.as_str()));
        }
        if !self.shares.is_empty() {
            item.insert("shares".to_owned(), runs(&self.shares));
        }
        item
    }

    /// The item still says exactly this.
    pub(super) fn unchanged(&self) -> Condition {
        let mut values = HashMap::new();
        if let Some(owner) = &self.owner {
            values.insert(":owner".to_owned(), string(owner.as_str()));
        }
        if !self.shares.is_empty() {
            values.insert(":shares".to_owned(), runs(&self.shares));
        }
        let expression = match (&self.owner, self.shares.is_empty()) {
            (Some(_), true) => "#owner = :owner AND attribute_not_exists(#shares)",
            (Some(_), false) => "#owner = :owner AND #shares = :shares",
            (None, false) => "attribute_not_exists(#owner) AND #shares = :shares",
            (None, true) => "attribute_not_exists(#owner) AND attribute_not_exists(#shares)",
        };
        Condition { expression, names: Some(names()), values: Some(values).filter(|values| !values.is_empty()) }
    }
}

impl Condition {
    /// Nobody else holds it, in whatever way.
    pub(super) fn free_to_own(run: &RunId) -> Self {
        let expression = "(attribute_not_exists(#owner) OR #owner = :run) AND \
                          (attribute_not_exists(#shares) OR #shares = :me)";
        let values = [(":run".to_owned(), string(run.as_str())), (":me".to_owned(), runs([run]))];
        Self { expression, names: Some(names()), values: Some(HashMap::from(values)) }
    }

    /// Nobody else has it for itself.
    pub(super) fn free_to_share(run: &RunId) -> Self {
        let values = [(":run".to_owned(), string(run.as_str())), (":me".to_owned(), runs([run]))];
        Self {
            expression: "attribute_not_exists(#owner) OR #owner = :run",
            names: Some(names()),
            values: Some(HashMap::from(values)),
        }
    }
}

impl<C: Clock> RunTable<C> {
    /// Writes what is left of a lease, where it is still as it was read.
    pub(super) fn replace_lease(&self, target: &TargetId, seen: &Held, left: &Held) -> Answer<TransactWriteItem> {
        let key = Key::lease(target);
        if *left == Held::default() {
            return self.delete_action(&key, seen.unchanged());
        }
        let mut item = key.item();
        item.extend(left.attributes());
        self.put_action(item, Some(seen.unchanged()))
    }
}

fn names() -> HashMap<String, String> {
    ["owner", "shares"].map(|name| (format!("#{name}"), name.to_owned())).into()
}

fn runs<'a>(runs: impl IntoIterator<Item = &'a RunId>) -> AttributeValue {
    AttributeValue::Ss(runs.into_iter().map(ToString::to_string).collect())
}
