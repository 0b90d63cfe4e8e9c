//! `subnet-partition`: the traffic of a subnet is cut off, by a network ACL of ours in the place of its own.
//!
//! Landed: the subnet has our ACL, with our entries that deny. Undone by: the ACL that it had, and then ours is deleted.
//!
//! By hand: give the subnet back the ACL that the row saved with `aws ec2 replace-network-acl-association`, then delete ours
//! with `aws ec2 delete-network-acl`. Without us: the scheduler deletes the entries that deny. What is left lets through
//! what the subnet's own ACL does.

use std::num::NonZeroU16;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Entry, Harm, Heal, OwnAcl, Subnet};
use crate::fault::{Attempt, Ends, Next, Objection, Problem, Rehearsals, ResourceFault, ScheduledUndo, UniversalCall};

/// EC2's limit of entries of one direction, unless an account has asked for more.
const MOST_ENTRIES: usize = 20;
/// The number of the protocol TCP.
const TCP: &str = "6";

/// The traffic of a subnet is cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubnetPartition {
    /// Which traffic: `all`, `other-zones`, or `{ port: 5432 }`.
    #[schemars(example = &"other-zones")]
    pub traffic: Traffic,
}

/// Which traffic is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// Everything that enters or leaves the subnet. Traffic inside of it, DNS, DHCP, time and metadata go on.
    All,
    /// What comes from the other zones of the VPC, or goes there.
    OtherZones,
    /// TCP to this port, into the subnet and out of it.
    Port(NonZeroU16),
}

/// How the subnet was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// The ACL that it had.
    acl: String,
    /// The entries of ours: those that deny, and after them copies of its own.
    entries: Vec<Entry>,
}

impl SubnetPartition {
    /// The entries that deny, without numbers.
    fn denies(&self, subnet: &Subnet) -> Vec<Entry> {
        let deny = |egress, protocol: &str, network: &str, port: Option<NonZeroU16>| Entry {
            number: 0,
            egress,
            allows: false,
            protocol: protocol.to_owned(),
            network: network.to_owned(),
            ports: port.map(|port| (port.get(), port.get())),
            icmp: None,
        };
        let both =
            |protocol: &str, network: &str, port| [true, false].map(|egress| deny(egress, protocol, network, port));
        match self.traffic {
            Traffic::All => ["0.0.0.0/0", "::/0"].into_iter().flat_map(|network| both("-1", network, None)).collect(),
            Traffic::OtherZones => subnet.other_zones.iter().flat_map(|network| both("-1", network, None)).collect(),
            Traffic::Port(port) => {
                ["0.0.0.0/0", "::/0"].into_iter().flat_map(|network| both(TCP, network, Some(port))).collect()
            }
        }
    }
}

/// Numbers for entries in the order in which they stand, each direction by itself.
fn numbered(entries: Vec<Entry>) -> Vec<Entry> {
    let mut next = [1_u16, 1];
    entries
        .into_iter()
        .map(|mut entry| {
            let next = &mut next[usize::from(entry.egress)];
            entry.number = *next;
            *next += 1;
            entry
        })
        .collect()
}

/// The ACL that this change made for this subnet.
fn ours<'a>(attempt: &Attempt<'_, Before>, subnet: &'a Subnet) -> Option<&'a OwnAcl> {
    subnet.ours.iter().find(|ours| ours.unit == attempt.unit.as_str())
}

impl ResourceFault for SubnetPartition {
    type On = Subnet;
    type Saved = Before;
    const ENDS: Ends = Ends::PutBack;
    const HARMS: &'static [&'static str] =
        &["ec2:CreateNetworkAcl", "ec2:CreateTags", "ec2:CreateNetworkAclEntry", "ec2:ReplaceNetworkAclAssociation"];
    const HEALS: &'static [&'static str] = &["ec2:ReplaceNetworkAclAssociation", "ec2:DeleteNetworkAcl"];

    fn save(&self, subnet: &Subnet) -> Result<Before, Objection> {
        if let Some(held) = subnet.holds.first() {
            return Err(format!("it holds {held}, and more than this subnet would be cut off"));
        }
        let mut denies = self.denies(subnet);
        if denies.is_empty() {
            return Err("its VPC has no subnet in another zone".to_owned());
        }
        let mut copies = subnet.acl.entries.clone();
        copies.sort_by_key(|entry| (entry.egress, entry.number));
        denies.extend(copies);
        let count = |egress| denies.iter().filter(|entry| entry.egress == egress).count();
        match [false, true].map(count).into_iter().max() {
            Some(most) if most > MOST_ENTRIES => Err(format!(
                "its ACL would have {most} entries of one direction with ours, and EC2 allows {MOST_ENTRIES}"
            )),
            Some(_) | None => Ok(Before { acl: subnet.acl.id.clone(), entries: numbered(denies) }),
        }
    }

    fn apply(&self, attempt: &Attempt<'_, Before>, subnet: &Subnet) -> Next<Harm> {
        let Some(OwnAcl { acl, .. }) = ours(attempt, subnet) else {
            return Next::Stage(Harm::CreateAcl {
                vpc: subnet.vpc.clone(),
                run: attempt.run.clone(),
                unit: attempt.unit.clone(),
            });
        };
        let is_there = |entry: &&Entry| {
            acl.entries.iter().any(|other| (other.egress, other.number) == (entry.egress, entry.number))
        };
        match attempt.saved.entries.iter().find(|entry| !is_there(entry)) {
            // An entry is only ever added to an ACL that no subnet has: once it was there, one that is missing was deleted.
            Some(_) if subnet.acl.id == acl.id => Next::Wait("entries of our ACL were deleted"),
            Some(entry) => Next::Stage(Harm::CreateEntry { acl: acl.id.clone(), entry: entry.clone() }),
            None if subnet.acl.id == acl.id => Next::Done,
            None if subnet.acl.id != attempt.saved.acl => Next::Wait("somebody gave it another ACL"),
            None => Next::Do(Harm::Associate { association: subnet.association.clone(), acl: acl.id.clone() }),
        }
    }

    fn undo(&self, attempt: &Attempt<'_, Before>, subnet: &Subnet) -> Next<Heal> {
        match ours(attempt, subnet) {
            // Back first, then ours goes: while it is there, its tags say whose subnet this is.
            Some(OwnAcl { acl, .. }) if subnet.acl.id == acl.id => {
                Next::Do(Heal::Associate { association: subnet.association.clone(), acl: attempt.saved.acl.clone() })
            }
            Some(OwnAcl { acl, .. }) => Next::Do(Heal::DeleteAcl { acl: acl.id.clone() }),
            // Whatever ACL it has now is not ours to change.
            None => Next::Done,
        }
    }

    fn scheduled_undo(&self, attempt: &Attempt<'_, Before>, subnet: &Subnet) -> ScheduledUndo {
        let Some(OwnAcl { acl, .. }) = ours(attempt, subnet) else {
            return ScheduledUndo::Nothing("its ACL is not there yet");
        };
        // Copies of its own entries stand behind ours: without ours, what they say is what counts.
        let denies = self.denies(subnet).len();
        let calls = attempt.saved.entries.iter().take(denies).map(|entry| UniversalCall {
            service: "ec2",
            action: "deleteNetworkAclEntry",
            permission: "ec2:DeleteNetworkAclEntry",
            input: json!({ "NetworkAclId": acl.id, "RuleNumber": entry.number, "Egress": entry.egress }),
        });
        ScheduledUndo::Calls { calls: calls.collect(), repeats: false }
    }

    fn rehearses(&self, _: &Subnet) -> Rehearsals<Subnet> {
        // Its calls name an ACL that there is none of yet.
        (Vec::new(), Vec::new())
    }

    fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use drill_words::ids::{FaultName, RunId, UnitId};
    use drill_words::target::{Home, TargetId};
    use jiff::Timestamp;

    use super::super::Acl;
    use super::*;

    const ALL: SubnetPartition = SubnetPartition { traffic: Traffic::All };

    fn allow(number: u16, egress: bool) -> Entry {
        let network = "0.0.0.0/0".to_owned();
        Entry { number, egress, allows: true, protocol: "-1".into(), network, ports: None, icmp: None }
    }

    fn subnet() -> Subnet {
        Subnet {
            vpc: "vpc-1".into(),
            zone: "eu-central-1a".into(),
            tags: [].into(),
            acl: Acl { id: "acl-own".into(), entries: vec![allow(100, true), allow(100, false)] },
            association: "aclassoc-1".into(),
            ours: Vec::new(),
            other_zones: vec!["10.0.2.0/24".into()],
            instances: Vec::new(),
            holds: Vec::new(),
        }
    }

    fn names() -> (RunId, UnitId, TargetId) {
        let run = RunId::try_from("run-1").unwrap();
        let unit = UnitId::of(&run, &FaultName::try_from("dark").unwrap());
        let home = Home { account: "123456789012".into(), region: "eu-central-1".into() };
        (run, unit, home.resource("ec2", "subnet/subnet-0abc1234"))
    }

    fn with<T>(saved: &Before, then: impl FnOnce(&Attempt<'_, Before>) -> T) -> T {
        let (run, unit, target) = names();
        then(&Attempt {
            run: &run,
            unit: &unit,
            target: &target,
            saved,
            intended_at: Timestamp::UNIX_EPOCH,
            tried: false,
            healed: false,
            settled: true,
        })
    }

    /// Our ACL as it is when everything is staged.
    fn staged() -> (Before, Subnet) {
        let saved = ALL.save(&subnet()).unwrap();
        let acl = Acl { id: "acl-ours".into(), entries: saved.entries.clone() };
        let ours = vec![OwnAcl { acl, unit: names().1.to_string() }];
        (saved, Subnet { ours, ..subnet() })
    }

    #[test]
    fn what_denies_stands_before_the_copies_of_its_own() {
        let saved = ALL.save(&subnet()).unwrap();

        let ingress: Vec<_> = saved.entries.iter().filter(|entry| !entry.egress).collect();
        assert_eq!(
            ingress.iter().map(|entry| (entry.number, entry.allows)).collect::<Vec<_>>(),
            [(1, false), (2, false), (3, true)]
        );
    }

    #[test]
    fn nothing_is_harmed_before_everything_is_staged() {
        let (saved, whole) = staged();
        for missing in 0..saved.entries.len() {
            let mut subnet = whole.clone();
            subnet.ours[0].acl.entries.remove(missing);

            let next = with(&saved, |attempt| ALL.apply(attempt, &subnet));

            assert!(matches!(next, Next::Stage(Harm::CreateEntry { .. })), "{next:?}");
        }
        assert!(matches!(with(&saved, |attempt| ALL.apply(attempt, &whole)), Next::Do(Harm::Associate { .. })));
    }

    #[test]
    fn entries_that_the_schedule_deleted_are_not_made_again() {
        let (saved, mut subnet) = staged();
        subnet.acl = subnet.ours[0].acl.clone();
        subnet.ours[0].acl.entries.remove(0);

        let next = with(&saved, |attempt| ALL.apply(attempt, &subnet));

        assert!(matches!(next, Next::Wait(_)), "{next:?}");
    }

    #[test]
    fn an_acl_that_somebody_else_put_there_meanwhile_stays() {
        let (saved, mut subnet) = staged();
        subnet.acl.id = "acl-theirs".into();

        let undone = with(&saved, |attempt| ALL.undo(attempt, &subnet));

        assert_eq!(undone, Next::Do(Heal::DeleteAcl { acl: "acl-ours".into() }));
        subnet.ours.clear();
        assert_eq!(with(&saved, |attempt| ALL.undo(attempt, &subnet)), Next::Done);
    }

    #[test]
    fn the_schedule_takes_away_what_denies_and_nothing_else() {
        let (saved, subnet) = staged();

        let ScheduledUndo::Calls { calls, repeats } = with(&saved, |attempt| ALL.scheduled_undo(attempt, &subnet))
        else {
            panic!("nothing would end it");
        };

        let numbers: Vec<_> =
            calls.iter().map(|call| (call.input["Egress"].clone(), call.input["RuleNumber"].clone())).collect();
        assert!(!repeats);
        assert_eq!(
            numbers,
            [(json!(true), json!(1)), (json!(false), json!(1)), (json!(true), json!(2)), (json!(false), json!(2))]
        );
    }

    #[test]
    fn a_subnet_that_others_are_reached_by_is_left_alone() {
        let subnet = Subnet { holds: vec!["the NAT gateway nat-1".into()], ..subnet() };

        assert!(ALL.save(&subnet).is_err());
    }

    #[test]
    fn an_acl_without_room_is_refused_before_anything_is_made() {
        let entries = (1..=19).map(|number| allow(number, false)).collect();
        let subnet = Subnet { acl: Acl { id: "acl-own".into(), entries }, ..subnet() };

        assert!(ALL.save(&subnet).is_err());
        assert!(SubnetPartition { traffic: Traffic::OtherZones }.save(&subnet).is_ok());
    }
}
