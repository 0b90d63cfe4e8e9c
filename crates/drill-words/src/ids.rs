//! Names with rules: a value of one of these types has been checked, and there is no other way to make one.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A name that breaks the rule of its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not {what}: expected {rule}")]
pub struct InvalidName {
    value: String,
    what: &'static str,
    rule: &'static str,
}

impl InvalidName {
    /// A value that is not what it should be, and the rule that it breaks.
    pub fn new(value: &str, what: &'static str, rule: &'static str) -> Self {
        Self { value: value.chars().take(100).collect(), what, rule }
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $rule:literal, $pattern:literal, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = $pattern))]
        pub struct $name(String);

        impl $name {
            /// The text of the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(value: String) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(&value) {
                    Ok(Self(value))
                } else {
                    Err(InvalidName::new(&value, $what, $rule))
                }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;

            fn try_from(value: &str) -> Result<Self, InvalidName> {
                Self::try_from(value.to_owned())
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(value: &str) -> Result<Self, InvalidName> {
                Self::try_from(value.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }
    )*};
}

fn is_kebab(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_among(text: &str, length: std::ops::RangeInclusive<usize>, extra: &[u8]) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte))
}

fn is_zone(text: &str) -> bool {
    let Some(region) = text.strip_suffix(|last: char| last.is_ascii_lowercase()) else { return false };
    let parts: Vec<&str> = region.split('-').collect();
    let lower = |part: &&&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let number = parts.last().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()));
    text.len() <= 40
        && parts.len() >= 3
        && number
        && parts.iter().take(parts.len() - 1).filter(lower).count() == parts.len() - 1
}

/// `prefix` and 8 or 17 hex digits, as EC2 names things.
pub fn is_ec2_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|hex| {
        (hex.len() == 8 || hex.len() == 17)
            && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

fn is_mount_point(text: &str) -> bool {
    let Some(names) = text.strip_prefix('/') else { return false };
    let is_name = |name: &str| is_among(name, 1..=64, b"._-") && !name.starts_with('.');
    names.is_empty() || (text.len() <= 255 && names.split('/').count() <= 8 && names.split('/').all(is_name))
}

fn is_printable(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.trim() == text && !text.chars().any(char::is_control)
}

names! {
    /// One experiment, by its `id`.
    ExperimentId: "an experiment id", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// The name of a fault inside its experiment.
    FaultName: "a fault name", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// The name of a group of targets inside its experiment.
    TargetName: "a target name", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// The name of a probe inside its experiment.
    ProbeName: "a probe name", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// The name of a dependency inside its experiment.
    DependencyName: "a dependency name", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// Where an experiment may run: `staging`, `production`, ….
    Environment: "an environment", "1 to 64 lower-case letters, digits and `-`, starting with a letter",
        "^[a-z]([a-z0-9-]{0,62}[a-z0-9])?$", is_kebab;
    /// One run of an experiment: the name of its execution, so that a start repeated is one run.
    RunId: "a run id", "1 to 80 letters, digits, `-` and `_` (the name of a Step Functions execution)",
        "^[0-9A-Za-z_-]{1,80}$", |text| is_among(text, 1..=80, b"-_");
    /// One EC2 instance.
    InstanceId: "an EC2 instance id", "`i-` and 8 or 17 hex digits",
        "^i-([0-9a-f]{8}|[0-9a-f]{17})$", |text| is_ec2_id(text, "i-");
    /// A resource, as an author names it: by its id, or by its ARN.
    ResourceId: "the id of a resource", "an id such as `i-0123456789abcdef0`, or an ARN",
        "^[!-~]{1,1024}$", |text| (1..=1024).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    /// An availability zone.
    ZoneName: "an availability zone", "a region and a letter, such as `eu-central-1a`",
        "^[a-z]{2}(-[a-z]+)+-[0-9]+[a-z]$", is_zone;
    /// The name of an Auto Scaling group.
    GroupName: "the name of an Auto Scaling group", "1 to 255 printable characters",
        "^.{1,255}$", |text| is_printable(text, 255);
    /// The name of a CloudWatch alarm.
    AlarmName: "the name of an alarm", "1 to 255 printable characters",
        "^.{1,255}$", |text| is_printable(text, 255);
    /// The exact name of a process on a host.
    ProcessName: "a process name", "1 to 64 letters, digits, `.`, `_` and `-`, not starting with `-`",
        "^[A-Za-z0-9._][A-Za-z0-9._-]{0,63}$", |text| is_among(text, 1..=64, b"._-") && !text.starts_with('-');
    /// A text in the command line of a process on a host.
    CommandLine: "a text of a command line",
        "2 to 256 letters, digits, blanks and `/._:=@,-`, starting with a letter, a digit, `/` or `_`",
        "^[A-Za-z0-9/_][A-Za-z0-9 /._:=@,-]{0,254}[A-Za-z0-9/._:=@,-]$",
        |text| is_among(text, 2..=256, b" /._:=@,-") && !text.starts_with([' ', '.', ':', '=', '@', ',', '-']) && !text.ends_with(' ');
    /// A user of a host, by name or number.
    UserName: "a user", "1 to 32 letters, digits, `.`, `_` and `-`, starting with a letter, a digit or `_`",
        "^[A-Za-z0-9_][A-Za-z0-9._-]{0,31}$", |text| is_among(text, 1..=32, b"._-") && !text.starts_with(['.', '-']);
    /// A systemd unit of a host that has processes.
    SystemdUnit: "a systemd unit", "a name that ends with `.service`, `.scope` or `.slice`",
        "^[A-Za-z0-9._@][A-Za-z0-9:@._-]{0,200}[.](service|scope|slice)$",
        |text| [".service", ".scope", ".slice"].iter().filter_map(|kind| text.strip_suffix(kind))
            .any(|name| is_among(name, 1..=201, b":@._-") && !name.starts_with([':', '-']));
    /// A container, by its id or the beginning of it.
    ContainerId: "a container id", "its first 12 to 64 digits, in hex",
        "^[0-9a-f]{12,64}$",
        |text| (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    /// Where a file system of a host is mounted.
    MountPoint: "a mount point", "`/`, or up to 8 names of 1 to 64 letters, digits, `.`, `_` and `-`, each after a `/`, such as `/var/lib`",
        "^(/|(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){1,8})$", is_mount_point;
    /// The name of a service on a host, as its supervisor knows it.
    ServiceName: "a service name", "1 to 64 letters, digits, `@`, `.`, `_` and `-`, not starting with `-`",
        "^[A-Za-z0-9@._][A-Za-z0-9@._-]{0,63}$", |text| is_among(text, 1..=64, b"@._-") && !text.starts_with('-');
    /// A network interface on a host, or `default` for the one that the default route uses.
    InterfaceName: "a network interface",
        "`default`, or 1 to 15 letters, digits, `_`, `.`, `@` and `-`, starting with a letter, a digit or `_`",
        "^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}$",
        |text| is_among(text, 1..=15, b"_.@-") && !text.starts_with(['.', '@', '-']);
    /// A DNS name.
    DnsName: "a DNS name", "letters, digits, `.` and `-`, at most 253 characters",
        "^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$",
        |text| is_among(text, 1..=253, b".-") && text.starts_with(|first: char| first.is_ascii_alphanumeric());
    /// What a change on a host is called there: the systemd unit, the chain, the qdisc and the state folder carry it.
    UnitId: "a unit id", "16 hex digits",
        "^[0-9a-f]{16}$",
        |text| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
}

impl ResourceId {
    /// The id alone, without what an ARN says before it.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or_default()
    }
}

impl UnitId {
    /// The unit of one fault of one run: the same two names always give the same unit.
    ///
    /// It is the same on every host, so that one command can address fifty of them.
    pub fn of(run: &RunId, fault: &FaultName) -> Self {
        let mut hash = Sha256::new();
        for part in [run.as_str(), fault.as_str()] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        Self(hex(&hash.finalize()[..8]))
    }
}

/// Lower-case hex digits of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String succeeds");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_has_8_or_17_hex_digits() {
        assert!(InstanceId::try_from("i-0abc1234").is_ok());
        assert!(InstanceId::try_from("i-0123456789abcdef0").is_ok());
        for wrong in ["", "i-", "i-0ABC1234", "i-0123", "0abc1234", "i-0abc1234\n"] {
            assert!(InstanceId::try_from(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_rule() {
        let error = ExperimentId::try_from("Order Service").unwrap_err();

        assert_eq!(
            error.to_string(),
            "`Order Service` is not an experiment id: expected 1 to 64 lower-case letters, digits and `-`, starting with a letter"
        );
    }

    #[test]
    fn a_unit_is_a_function_of_run_and_fault() {
        let unit =
            |run: &str, fault: &str| UnitId::of(&RunId::try_from(run).unwrap(), &FaultName::try_from(fault).unwrap());

        assert_eq!(unit("r1", "slow"), unit("r1", "slow"));
        assert_ne!(unit("r1", "slow"), unit("r2", "slow"));
        assert_ne!(unit("ab", "c"), unit("a", "bc"));
    }
}
