//! Where a function runs, and what it was told about that.
//!
//! What is not set is an error that names the variable: nothing here has a default.

use aws_types::SdkConfig;
use drill_phases::ports::Place;

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

/// The account and the region of this function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Here {
    account: String,
    region: String,
}

impl Here {
    /// The account as the template says it (`STORMDRILL_ACCOUNT`), the region as the SDK uses it.
    pub fn new(config: &SdkConfig) -> Result<Self, UnsetVariable> {
        let region = config.region().ok_or_else(|| UnsetVariable("AWS_REGION".to_owned()))?;
        Ok(Self { account: variable("STORMDRILL_ACCOUNT")?, region: region.to_string() })
    }

    /// A place by its names.
    pub fn named(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self { account: account.into(), region: region.into() }
    }
}

impl Place for Here {
    fn account(&self) -> String {
        self.account.clone()
    }

    fn region(&self) -> String {
        self.region.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_without_a_region_is_no_place() {
        let error = Here::new(&SdkConfig::builder().build()).unwrap_err();

        assert_eq!(error, UnsetVariable("AWS_REGION".to_owned()));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let error = variable("STORMDRILL_NOBODY_SETS_THIS").unwrap_err();

        assert!(error.to_string().contains("STORMDRILL_NOBODY_SETS_THIS"));
    }
}
