//! Whose traffic a network fault is about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use drill_words::dependency::{Dependencies, DependencyHost};
use drill_words::ids::DependencyName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Problem;

/// Whose traffic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Peers {
    /// Everybody's.
    #[default]
    Any,
    /// Of these networks.
    Cidrs(Vec<Cidr>),
    /// Of one of the experiment's dependencies.
    Dependency(DependencyName),
}

impl Peers {
    /// The networks as the documents take them: a comma list, or `any`.
    pub(super) fn addresses(&self, dependencies: &Dependencies) -> String {
        match self {
            Self::Any => "any".to_owned(),
            Self::Cidrs(cidrs) => cidrs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
            Self::Dependency(name) => match dependencies.get(name).map(|dependency| &dependency.host) {
                Some(DependencyHost::Address(address)) => format!("{address}/32"),
                Some(DependencyHost::Name(_)) | None => "any".to_owned(),
            },
        }
    }

    /// The DNS name of the dependency as the documents take it, or `-`.
    pub(super) fn name(&self, dependencies: &Dependencies) -> String {
        match self {
            Self::Any | Self::Cidrs(_) => "-".to_owned(),
            Self::Dependency(name) => match dependencies.get(name).map(|dependency| &dependency.host) {
                Some(DependencyHost::Name(host)) => host.to_string(),
                Some(DependencyHost::Address(_)) | None => "-".to_owned(),
            },
        }
    }

    /// The port of the dependency, where it has one.
    pub(super) fn port(&self, dependencies: &Dependencies) -> Option<u16> {
        match self {
            Self::Any | Self::Cidrs(_) => None,
            Self::Dependency(name) => dependencies.get(name).and_then(|dependency| dependency.port).map(Into::into),
        }
    }

    /// What is wrong with them; `named` says whether the document can look up a DNS name.
    pub(super) fn problems(&self, dependencies: &Dependencies, named: bool) -> Vec<Problem> {
        match self {
            Self::Any => Vec::new(),
            Self::Cidrs(cidrs) if cidrs.is_empty() => {
                vec![Problem::new(
                    "to",
                    "an empty list of networks".to_owned(),
                    "name at least one, such as `10.0.0.0/8`".to_owned(),
                )]
            }
            Self::Cidrs(cidrs) if cidrs.len() > 20 => {
                vec![Problem::new(
                    "to",
                    format!("{} networks are too many for one fault", cidrs.len()),
                    "name at most 20".to_owned(),
                )]
            }
            Self::Cidrs(cidrs) if cidrs.iter().any(|cidr| is_the_hosts_own(cidr.address)) => {
                let own = cidrs.iter().filter(|cidr| is_the_hosts_own(cidr.address));
                own.map(|cidr| own_problem(&cidr.to_string())).collect()
            }
            Self::Cidrs(cidrs) => cidrs
                .iter()
                .filter(|cidr| cidr.length < if cidr.address.is_ipv4() { 8 } else { 16 })
                .map(|cidr| {
                    let help = "name networks of at most /8, in IPv6 /16, or `any` with a port".to_owned();
                    Problem::new("to", format!("`{cidr}` takes in whoever would undo the fault"), help)
                })
                .collect(),
            Self::Dependency(name) => match dependencies.get(name).map(|dependency| &dependency.host) {
                None => {
                    let known = dependencies.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    let help = if known.is_empty() {
                        "describe it under `dependencies`".to_owned()
                    } else {
                        format!("write one of: {known}")
                    };
                    vec![Problem::new("to", format!("no dependency is called `{name}`"), help)]
                }
                Some(DependencyHost::Name(host)) if !named => vec![Problem::new(
                    "to",
                    format!("dependency `{name}` is known by a name ({host}), and this fault needs an address"),
                    "give the dependency an IPv4 address as its `host`".to_owned(),
                )],
                Some(DependencyHost::Address(address)) if is_the_hosts_own(IpAddr::V4(*address)) => {
                    vec![own_problem(&address.to_string())]
                }
                Some(DependencyHost::Name(_) | DependencyHost::Address(_)) => Vec::new(),
            },
        }
    }
}

/// Addresses by which a host knows itself, its clock and its neighbours: the documents never touch them.
fn is_the_hosts_own(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            (first, second) == (0xfd00, 0x0ec2) || first & 0xffc0 == 0xfe80 || first == 0xff02
        }
    }
}

fn own_problem(address: &str) -> Problem {
    Problem::new(
        "to",
        format!("`{address}` is how a host knows itself, its clock and its neighbours, and is never touched"),
        "name the networks of a dependency".to_owned(),
    )
}

/// A network, written `10.0.0.0/8` or `2001:db8::/32`; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^([0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?|[0-9A-Fa-f:]{2,39}(/[0-9]{1,3})?)$"))]
pub struct Cidr {
    address: IpAddr,
    length: u8,
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            let shown: String = text.chars().take(40).collect();
            format!("`{shown}` is not a network: write for example `10.0.0.0/8`, `192.0.2.7` or `2001:db8::/32`")
        };
        let (address, length) =
            text.split_once('/').map_or((&*text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length: u8 = length
            .map_or(Some(most), |length| length.parse().ok())
            .filter(|length| *length <= most)
            .ok_or_else(wrong)?;
        let base = match address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask))
            }
            // Such an address is one of IPv4, and packets bear that one.
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return Err(wrong()),
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask))
            }
        };
        if base == address {
            Ok(Self { address, length })
        } else {
            Err(format!("`{text}` has address bits beyond its length: write `{base}/{length}`"))
        }
    }
}

impl From<Cidr> for String {
    fn from(cidr: Cidr) -> Self {
        cidr.to_string()
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.address, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_with_stray_bits_is_answered_with_the_right_one() {
        let error = Cidr::try_from("10.1.2.3/8".to_owned()).unwrap_err();

        assert_eq!(error, "`10.1.2.3/8` has address bits beyond its length: write `10.0.0.0/8`");
    }

    #[test]
    fn what_a_host_knows_itself_by_cannot_be_named() {
        let problems = |network: &str| {
            let peers = Peers::Cidrs(vec![Cidr::try_from(network.to_owned()).unwrap()]);
            peers.problems(&Default::default(), false).len()
        };

        for own in ["169.254.169.254", "169.254.0.0/16", "fd00:ec2::254", "fe80::1", "ff02::1"] {
            assert_eq!(problems(own), 1, "{own}");
        }
        for other in ["10.0.0.0/8", "fd00:ec3::/32", "2001:db8::/32"] {
            assert_eq!(problems(other), 0, "{other}");
        }
    }

    #[test]
    fn an_address_is_a_network_of_one() {
        assert_eq!(Cidr::try_from("192.0.2.7".to_owned()).map(String::from), Ok("192.0.2.7/32".to_owned()));
        assert_eq!(Cidr::try_from("2001:DB8::7".to_owned()).map(String::from), Ok("2001:db8::7/128".to_owned()));
        assert_eq!(Cidr::try_from("fd00::/8".to_owned()).map(String::from), Ok("fd00::/8".to_owned()));
        for wrong in ["", "10", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "::ffff:192.0.2.7", "fe80::1%lo", "a.b.c.d/8"] {
            assert!(Cidr::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
