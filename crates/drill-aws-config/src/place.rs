//! Where a function runs, and what it was told about that.
//!
//! What is not set is an error that names the variable: nothing here has a default.

use std::collections::BTreeSet;

use aws_types::SdkConfig;
use drill_model::faults::Family;
use drill_phases::ports::Place;

use crate::adapter::Unready;

/// A variable that is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set: the template sets it for every function that needs it")]
pub struct UnsetVariable(pub String);

/// The value of an environment variable. One that is empty counts as not set.
pub fn variable(name: &str) -> Result<String, UnsetVariable> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        Ok(_) | Err(_) => Err(UnsetVariable(name.to_owned())),
    }
}

/// Which families of faults are switched on, separated by commas.
const FAULTS: &str = "STORMDRILL_FAULTS";

/// The account and the region of this function, and what its stack has switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    account: String,
    region: String,
    switched_on: BTreeSet<Family>,
}

impl Here {
    /// The account and the faults as the template says them (`STORMDRILL_ACCOUNT`, `STORMDRILL_FAULTS`), the region as the SDK
    /// uses it.
    pub fn new(config: &SdkConfig) -> Result<Self, Unready> {
        let region = config.region().ok_or_else(|| UnsetVariable("AWS_REGION".to_owned()))?;
        let account = variable("STORMDRILL_ACCOUNT")?;
        Ok(Self { account, region: region.to_string(), switched_on: families(&variable(FAULTS)?)? })
    }
}

fn families(words: &str) -> Result<BTreeSet<Family>, Unready> {
    let family = |word: &str| Family::try_from(word.to_owned());
    words
        .split(',')
        .map(family)
        .collect::<Result<_, _>>()
        .map_err(|wrong| Unready::Unusable { variable: FAULTS, source: wrong.into() })
}

impl Place for Here {
    fn account(&self) -> String {
        self.account.clone()
    }

    fn region(&self) -> String {
        self.region.clone()
    }

    fn switched_on(&self) -> BTreeSet<Family> {
        self.switched_on.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_without_a_region_is_no_place() {
        let error = Here::new(&SdkConfig::builder().build()).unwrap_err();

        assert!(matches!(error, Unready::Unset(UnsetVariable(name)) if name == "AWS_REGION"));
    }

    #[test]
    fn the_families_are_those_of_the_template_and_no_others() {
        let all: Vec<_> = Family::all().map(Family::word).collect();

        assert_eq!(families(&all.join(",")).unwrap(), Family::all().collect());
        assert_eq!(families("host").unwrap(), [Family::Host].into());
        assert!(matches!(families("host,hosts"), Err(Unready::Unusable { variable: FAULTS, .. })));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = variable("STORMDRILL_NOBODY_SETS_THIS").unwrap_err();

        assert!(error.to_string().contains("STORMDRILL_NOBODY_SETS_THIS"));
    }
}
