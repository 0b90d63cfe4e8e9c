//! Adapters as functions make them: from the SDK's configuration and the environment variables that the template sets.
//!
//! Each variable is read in the adapter that needs it, and nowhere else.

use aws_types::SdkConfig;

use crate::{Here, SystemClock, UnsetVariable};

/// What a function cannot start without.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// A variable is not set.
    #[error(transparent)]
    Unset(#[from] UnsetVariable),
    /// A variable is set to something that cannot be used.
    #[error("the environment variable {variable} cannot be used")]
    Unusable {
        /// Which.
        variable: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Something that functions make from the SDK's configuration and their environment.
pub trait Adapter: Sized {
    /// Makes one. No call is made.
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready>;
}

impl Adapter for SystemClock {
    fn from_environment(_: &SdkConfig) -> Result<Self, Unready> {
        Ok(Self)
    }
}

impl Adapter for Here {
    fn from_environment(config: &SdkConfig) -> Result<Self, Unready> {
        Self::new(config)
    }
}
