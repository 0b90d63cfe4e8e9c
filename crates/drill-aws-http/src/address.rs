//! Which addresses are never asked: those that hand out credentials, and those of the function itself.
//!
//! An address is judged after its name was looked up, and the connection goes to the address that was judged.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The variable that only a Lambda has.
const INSIDE_LAMBDA: &str = "AWS_LAMBDA_RUNTIME_API";

/// What may be asked from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    /// The addresses of the machine itself are fenced too. In a Lambda that is where its own invocations are handed out.
    pub(crate) itself: bool,
}

impl Fence {
    /// The fence of this process.
    pub(crate) fn here() -> Self {
        Self { itself: std::env::var_os(INSIDE_LAMBDA).is_some() }
    }

    /// Why an address is not asked; `None` when it may be.
    pub(crate) fn objection(self, address: IpAddr) -> Option<&'static str> {
        match inner(address) {
            IpAddr::V4(four) if four.is_link_local() => Some("link-local addresses hand out metadata and credentials"),
            IpAddr::V6(six) if is_link_local(six) => Some("link-local addresses hand out metadata and credentials"),
            inner if self.itself && (inner.is_loopback() || inner.is_unspecified()) => {
                Some("the function would ask itself")
            }
            inner if inner.is_multicast() || inner == IpAddr::V4(Ipv4Addr::BROADCAST) => {
                Some("that is not one host's address")
            }
            _ => None,
        }
    }
}

/// The IPv4 address inside of an IPv6 address, where there is one: mapped, compatible, translated, 6to4.
fn inner(address: IpAddr) -> IpAddr {
    let IpAddr::V6(six) = address else { return address };
    let bytes = |at: usize| {
        let octets = six.octets();
        IpAddr::V4(Ipv4Addr::new(octets[at], octets[at + 1], octets[at + 2], octets[at + 3]))
    };
    match six.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => bytes(12),
        // `::` and `::1` are addresses of their own.
        [0, 0, 0, 0, 0, 0, high, low] if (high, low) != (0, 0) && (high, low) != (0, 1) => bytes(12),
        [0x2002, ..] => bytes(2),
        _ => address,
    }
}

/// `fe80::/10`, and the networks in which AWS keeps its metadata: `fd00:ec2::/32`.
fn is_link_local(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    segments[0] & 0xffc0 == 0xfe80 || segments[..2] == [0xfd00, 0x0ec2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objection(itself: bool, address: &str) -> Option<&'static str> {
        Fence { itself }.objection(address.parse().unwrap())
    }

    #[test]
    fn an_address_that_hands_out_credentials_is_never_asked() {
        for address in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.100.1",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "64:ff9b::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fe80::1",
            "febf::1",
        ] {
            assert!(objection(false, address).is_some(), "{address}");
        }
    }

    #[test]
    fn a_host_may_be_asked_wherever_it_is() {
        for address in ["10.0.0.7", "172.31.255.1", "192.0.2.1", "8.8.8.8", "fd12:3456::1", "2001:db8::1", "fec0::1"] {
            assert_eq!(objection(true, address), None, "{address}");
        }
    }

    #[test]
    fn only_a_lambda_does_not_ask_its_own_machine() {
        for address in ["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"] {
            assert_eq!(objection(false, address), None, "{address}");
            assert!(objection(true, address).is_some(), "{address}");
        }
    }
}
