//! Subnets: what is seen of one, and what can be asked of it. Traffic is stopped by network ACLs, which also cut
//! connections that stand; security groups would not.

mod subnet_partition;

use std::collections::BTreeMap;

use drill_words::ids::{RunId, UnitId, is_ec2_id};
use serde::{Deserialize, Serialize};

pub use self::subnet_partition::{SubnetPartition, Traffic};
use crate::fault::Call;
use crate::grant::{Grant, Hand, Only};
use crate::target::{Part, Target};
use crate::{Kind, Seen};

/// The tag of an artefact of ours that names the change that it belongs to.
pub const UNIT_TAG: &str = "StormdrillUnit";
/// The tag of an artefact of ours that names the run.
pub const RUN_TAG: &str = "StormdrillRun";
/// The tag of an artefact of ours that names the subnet that it is meant for.
pub const TARGET_TAG: &str = "StormdrillTarget";

/// A subnet, the network ACL that it has, and those of ours that are meant for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subnet {
    /// Its VPC: `vpc-0abc…`.
    pub vpc: String,
    /// Its availability zone: `eu-central-1a`.
    pub zone: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The ACL that it has now.
    pub acl: Acl,
    /// What binds it to that ACL. Every change makes a new one, and the old one is refused from then on.
    pub association: String,
    /// The ACLs that some run of ours made for it.
    pub ours: Vec<OwnAcl>,
    /// The networks of the other zones of its VPC.
    pub other_zones: Vec<String>,
    /// The instances that lie in it.
    pub instances: Vec<Part>,
    /// What else lies in it and must not be cut off, in words: a NAT gateway, an endpoint that hosts are reached by.
    pub holds: Vec<String>,
}

/// A network ACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acl {
    /// Its id: `acl-0abc…`.
    pub id: String,
    /// Its entries but the last, which denies what no other allows and which every ACL has.
    pub entries: Vec<Entry>,
}

/// An ACL that a run of ours made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnAcl {
    /// The ACL.
    pub acl: Acl,
    /// Of which change, by its tag.
    pub unit: String,
}

/// One rule of an ACL. The lowest number that matches decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// 1 to 32766.
    pub number: u16,
    /// For packets that leave the subnet; otherwise for those that enter it.
    pub egress: bool,
    /// Whether packets that match pass.
    pub allows: bool,
    /// The number of the protocol, or `-1` for all.
    pub protocol: String,
    /// Whose packets: an IPv4 or an IPv6 network.
    pub network: String,
    /// The ports, where the protocol has some.
    pub ports: Option<(u16, u16)>,
    /// The ICMP type and code, where the protocol is ICMP.
    pub icmp: Option<(i32, i32)>,
}

/// What harms a subnet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// An ACL of ours, tagged as it is made, which no subnet has yet. The change is its client token: repeating makes no second.
    CreateAcl {
        /// In which VPC.
        vpc: String,
        /// Of which run.
        run: RunId,
        /// Of which change.
        unit: UnitId,
    },
    /// An entry in an ACL of ours. One that is there already is left as it is.
    CreateEntry {
        /// Which ACL.
        acl: String,
        /// The entry.
        entry: Entry,
    },
    /// The subnet takes this ACL instead of the one that it has. With an association that was used up it is refused.
    Associate {
        /// What binds it to the one that it has.
        association: String,
        /// The one that it takes.
        acl: String,
    },
}

/// What heals a subnet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heal {
    /// The subnet takes back the ACL that it had. With an association that was used up it is refused.
    Associate {
        /// What binds it to ours.
        association: String,
        /// The one that it had.
        acl: String,
    },
    /// An ACL of ours goes. Refused while a subnet has it; one that does not exist is gone.
    DeleteAcl {
        /// Which.
        acl: String,
    },
}

impl Call for Harm {
    fn api(&self) -> &'static str {
        match self {
            Self::CreateAcl { .. } => "ec2:CreateNetworkAcl",
            Self::CreateEntry { .. } => "ec2:CreateNetworkAclEntry",
            Self::Associate { .. } => "ec2:ReplaceNetworkAclAssociation",
        }
    }

    fn most(&self) -> usize {
        1
    }
}

impl Call for Heal {
    fn api(&self) -> &'static str {
        match self {
            Self::Associate { .. } => "ec2:ReplaceNetworkAclAssociation",
            Self::DeleteAcl { .. } => "ec2:DeleteNetworkAcl",
        }
    }

    fn most(&self) -> usize {
        1
    }
}

impl Target for Subnet {
    const KIND: Kind = Kind::Subnet;
    type Harm = Harm;
    type Heal = Heal;
    const ID_RULE: &'static str = "`subnet-` and 8 or 17 hex digits";
    const GRANTS: &'static [Grant] = &[
        Grant::new("MakeTaggedAcls", &[Hand::Harm, Hand::Rehearse], &["ec2:CreateNetworkAcl"], &["ec2:network-acl/*"])
            .only(Only::MadeTagged(UNIT_TAG))
            .because("An ACL is ours by the tag that it is given as it is made."),
        Grant::new("InAnyVpc", &[Hand::Harm, Hand::Rehearse], &["ec2:CreateNetworkAcl"], &["ec2:vpc/*"]),
        Grant::new("TagAsTheyAreMade", &[Hand::Harm, Hand::Rehearse], &["ec2:CreateTags"], &["ec2:network-acl/*"])
            .only(Only::MadeIn("CreateNetworkAcl")),
        Grant::new(
            "ChangeOwnAcls",
            &[Hand::Harm],
            &["ec2:CreateNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation"],
            &["ec2:network-acl/*"],
        )
        .only(Only::Tagged(UNIT_TAG)),
        Grant::new(
            "RehearseOwnAcls",
            &[Hand::Rehearse],
            &["ec2:CreateNetworkAclEntry", "ec2:DeleteNetworkAcl"],
            &["ec2:network-acl/*"],
        )
        .only(Only::Tagged(UNIT_TAG)),
        Grant::new(
            "CutOffThoseWhoOptedIn",
            &[Hand::Harm, Hand::Rehearse],
            &["ec2:ReplaceNetworkAclAssociation"],
            &["ec2:subnet/*"],
        )
        .only(Only::OptedIn),
        Grant::new("RehearseAnAcl", &[Hand::Rehearse], &["ec2:ReplaceNetworkAclAssociation"], &["ec2:network-acl/*"])
            .because("Before there is an ACL of ours, the one that a subnet has is asked about."),
        Grant::new(
            "TakeBackTheAcl",
            &[Hand::Heal],
            &["ec2:ReplaceNetworkAclAssociation"],
            &["ec2:network-acl/*", "ec2:subnet/*"],
        )
        .because("The ACL that a subnet had is not ours, and its tag may be gone by now: only the verb is fenced."),
        Grant::new("DeleteOwnAcls", &[Hand::Heal], &["ec2:DeleteNetworkAcl"], &["ec2:network-acl/*"])
            .only(Only::Tagged(UNIT_TAG))
            .because("Only what a run made. An ACL that lost its tag is harmless once no subnet has it."),
        Grant::new("OpenOwnAcls", &[Hand::Undo], &["ec2:DeleteNetworkAclEntry"], &["ec2:network-acl/*"])
            .only(Only::Tagged(UNIT_TAG))
            .because("Without the entries that deny, traffic is what the ACL was copied from allows."),
    ];

    fn is_id(text: &str) -> bool {
        is_ec2_id(text, "subnet-")
    }

    fn of(seen: &Seen) -> Option<&Self> {
        Self::in_seen(seen)
    }

    fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    fn ailing(&self) -> Option<String> {
        self.ours
            .first()
            .map(|ours| format!("change {} of Stormdrill made an ACL for it that is still there", ours.unit))
    }

    fn is_gone(&self) -> bool {
        false
    }

    fn is_healthy(&self) -> bool {
        self.ours.is_empty()
    }

    fn parts(&self) -> Vec<Part> {
        self.instances.clone()
    }
}
