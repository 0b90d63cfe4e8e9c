//! How a target is named: by its ARN, whatever kind of thing it is. Leases and ledger rows are keyed by it.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ids::{InstanceId, InvalidName, hex};

/// One AWS resource, by its ARN.
///
/// Two targets are the same resource exactly when their ARNs are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TargetId(String);

/// The account and region that resources lie in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Home {
    /// The account: 12 digits.
    pub account: String,
    /// The region, such as `eu-central-1`.
    pub region: String,
}

impl Home {
    /// The partition of the region: `aws`, `aws-cn` or `aws-us-gov`.
    pub fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// A resource of a service here: `resource` is `instance/i-0abc…`, `subnet/subnet-0abc…`.
    pub fn resource(&self, service: &str, resource: &str) -> TargetId {
        TargetId(format!("arn:{}:{service}:{}:{}:{resource}", self.partition(), self.region, self.account))
    }

    /// An instance here.
    pub fn instance(&self, id: &InstanceId) -> TargetId {
        self.resource("ec2", &format!("instance/{id}"))
    }
}

impl TargetId {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The service's word in the ARN: `ec2`.
    pub fn service(&self) -> &str {
        self.0.split(':').nth(2).unwrap_or_default()
    }

    /// What stands behind the account: `instance/i-0abc…`.
    pub fn resource(&self) -> &str {
        self.0.splitn(6, ':').nth(5).unwrap_or_default()
    }

    /// The short name that people use: `i-0abc…`.
    pub fn name(&self) -> &str {
        self.0.rsplit(['/', ':']).next().unwrap_or_default()
    }

    /// 16 hex digits that stand for it, where an ARN would be too long or has signs that a name may not have.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes())[..8])
    }

    /// The instance that this is, if it is one.
    pub fn instance(&self) -> Option<InstanceId> {
        let id = self.resource().strip_prefix("instance/").filter(|_| self.service() == "ec2")?;
        InstanceId::try_from(id).ok()
    }
}

impl TryFrom<String> for TargetId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let plain = text.len() <= 1024 && text.bytes().all(|byte| byte.is_ascii_graphic());
        match parts.as_slice() {
            ["arn", partition, service, _, _, resource]
                if plain && partition.starts_with("aws") && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Self(text))
            }
            _ => Err(InvalidName::new(&text, "an ARN", "`arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`")),
        }
    }
}

impl TryFrom<&str> for TargetId {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        Self::try_from(text.to_owned())
    }
}

impl From<TargetId> for String {
    fn from(id: TargetId) -> Self {
        id.0
    }
}

/// The short name: a person who reads a message knows which account and region they are in.
impl fmt::Display for TargetId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_found_again_in_its_arn() {
        let home = Home { account: "123456789012".into(), region: "eu-central-1".into() };
        let id = InstanceId::try_from("i-0abc1234").unwrap();

        let target = home.instance(&id);

        assert_eq!(target.as_str(), "arn:aws:ec2:eu-central-1:123456789012:instance/i-0abc1234");
        assert_eq!(target.to_string(), "i-0abc1234");
        assert_eq!(target.instance(), Some(id));
    }

    #[test]
    fn each_partition_has_its_own_arns() {
        let of = |region: &str| Home { account: "1".into(), region: region.into() }.partition();

        assert_eq!([of("eu-west-1"), of("cn-north-1"), of("us-gov-west-1")], ["aws", "aws-cn", "aws-us-gov"]);
    }

    #[test]
    fn what_is_no_arn_is_no_target() {
        for wrong in
            ["", "i-0abc1234", "arn:aws:ec2", "arn:aws::r:a:x", "arn:x:ec2:r:a:instance/i", "arn:aws:ec2:r:a:b c"]
        {
            assert!(TargetId::try_from(wrong).is_err(), "{wrong}");
        }
    }
}
