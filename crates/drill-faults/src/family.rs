//! The faults that a stack switches on together: its roles can do what they need, and nothing for those that are off.

use serde::{Deserialize, Serialize};

use crate::grant::Grant;
use crate::{FaultKind, Kind, host};

/// The faults on hosts, or those on one kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Family {
    /// Faults that a host does to itself, by a document.
    Host,
    /// Faults on this kind of target, by calls to its service.
    On(Kind),
}

impl Family {
    /// Every family there is.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Host).chain(Kind::ALL.iter().copied().map(Self::On))
    }

    /// The word for it in the stack's parameter `Faults`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::On(kind) => kind.word(),
        }
    }

    /// What its faults need of IAM.
    pub const fn grants(self) -> &'static [Grant] {
        match self {
            Self::Host => host::GRANTS,
            Self::On(kind) => kind.grants(),
        }
    }

    /// Its faults.
    pub fn faults(self) -> impl Iterator<Item = FaultKind> {
        FaultKind::ALL.iter().copied().filter(move |kind| kind.family() == self)
    }
}

impl FaultKind {
    /// The family that it belongs to.
    pub const fn family(self) -> Family {
        match self.script() {
            Some(_) => Family::Host,
            None => Family::On(self.on()),
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.word())
    }
}

impl From<Family> for String {
    fn from(family: Family) -> Self {
        family.word().to_owned()
    }
}

impl TryFrom<String> for Family {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Self::all().find(|family| family.word() == word).ok_or_else(|| {
            let known: Vec<_> = Self::all().map(Self::word).collect();
            format!("there is no family of faults `{word}`: use some of {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::grant::Hand;

    fn granted(family: Family, to: Hand) -> BTreeSet<&'static str> {
        let grants = family.grants().iter().filter(|grant| grant.to.contains(&to));
        grants.flat_map(|grant| grant.actions).copied().collect()
    }

    #[test]
    fn a_family_is_granted_the_calls_of_its_faults_and_no_others() {
        for family in Family::all().filter(|family| *family != Family::Host) {
            let harms: BTreeSet<_> = family.faults().flat_map(|kind| kind.actions().0).copied().collect();
            let heals: BTreeSet<_> = family.faults().flat_map(|kind| kind.actions().1).copied().collect();
            let mut may_heal = granted(family, Hand::Heal);
            // A start of an instance with encrypted volumes needs it, and no fault calls it.
            may_heal.remove("kms:CreateGrant");

            assert_eq!(granted(family, Hand::Harm), harms, "{family}");
            assert_eq!(may_heal, heals, "{family}");
            assert_eq!(granted(family, Hand::Rehearse), harms.union(&heals).copied().collect(), "{family}");
        }
    }

    #[test]
    fn no_statement_has_a_name_that_another_of_the_same_role_has() {
        for hand in [Hand::Harm, Hand::Rehearse, Hand::Heal, Hand::Undo] {
            let grants = Family::all().flat_map(Family::grants).filter(|grant| grant.to.contains(&hand));
            let sids: Vec<_> = grants.map(|grant| grant.sid).collect();

            assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len(), "{hand:?}: {sids:?}");
        }
    }

    #[test]
    fn no_word_is_within_another() {
        // The templates look for a word in the list of those that are on, as text.
        for one in Family::all() {
            for other in Family::all().filter(|other| *other != one) {
                assert!(!other.word().contains(one.word()), "{one} {other}");
            }
        }
    }

    #[test]
    fn a_word_names_its_family_and_another_is_refused_with_those_that_there_are() {
        for family in Family::all() {
            assert_eq!(Family::try_from(String::from(family)), Ok(family));
        }
        assert!(Family::try_from("hosts".to_owned()).unwrap_err().contains("use some of host, "));
    }
}
