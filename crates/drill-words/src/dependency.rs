//! What targets depend on: a database, a queue, a name somewhere else.

use std::net::Ipv4Addr;
use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{DnsName, InvalidName};

/// The dependencies of an experiment, by name.
pub type Dependencies = std::collections::BTreeMap<crate::ids::DependencyName, Dependency>;

/// Something that targets depend on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dependency {
    /// An IPv4 address, or a DNS name that the target looks up when the fault begins.
    pub host: DependencyHost,
    /// Its port; every port when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<NonZeroU16>,
}

/// Where a dependency is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum DependencyHost {
    /// An IPv4 address.
    Address(Ipv4Addr),
    /// A DNS name.
    Name(DnsName),
}

impl TryFrom<String> for DependencyHost {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse() {
            Ok(address) => Ok(Self::Address(address)),
            // `10.0.0.999` is not a name that anybody has.
            Err(_) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
                Err(InvalidName::new(&text, "an IPv4 address", "four numbers from 0 to 255, such as `10.0.0.7`"))
            }
            Err(_) => DnsName::try_from(text).map(Self::Name),
        }
    }
}

impl From<DependencyHost> for String {
    fn from(host: DependencyHost) -> Self {
        match host {
            DependencyHost::Address(address) => address.to_string(),
            DependencyHost::Name(name) => name.into(),
        }
    }
}
