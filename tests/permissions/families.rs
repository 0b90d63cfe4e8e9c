//! Which faults a stack has switched on: the rules of this ring hold for all of them, and for each family alone.

use std::collections::BTreeSet;

use drill_model::faults::Family;
use serde_json::{Value, json};

/// The families that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Families(BTreeSet<Family>);

impl Families {
    pub fn all() -> Self {
        Self(Family::all().collect())
    }

    pub fn has(&self, family: Family) -> bool {
        self.0.contains(&family)
    }

    /// The stack's parameter `Faults`.
    pub fn parameter(&self) -> Value {
        json!(self.words())
    }

    /// What was found while these were on says so, unless that were all.
    pub fn named(&self, found: Vec<String>) -> Vec<String> {
        if *self == Self::all() {
            return found;
        }
        found.into_iter().map(|one| format!("{one} (with Faults={})", self.words())).collect()
    }

    fn words(&self) -> String {
        self.0.iter().map(|family| family.word()).collect::<Vec<_>>().join(",")
    }
}

/// All of them, and each alone: what is there for one of them stays away with the others.
pub fn choices() -> Vec<Families> {
    let alone = Family::all().map(|family| Families([family].into()));
    std::iter::once(Families::all()).chain(alone).collect()
}
