//! Undos that the scheduler makes by itself.

use drill_model::ids::{FaultName, UnitId};
use drill_phases::ports::{ArmUndo as _, DisarmUndo as _, TimedUndo};
use serde_json::json;

use crate::fixtures::{at, id};
use crate::ground::Ground;

/// Years from now, in whole seconds: a schedule that repeats may not begin in the past.
const LATER: i64 = 500_000_000;

fn unit(fault: &str) -> UnitId {
    UnitId::of(&id("r"), &FaultName::try_from(fault).unwrap())
}

/// The undo of a subnet's change: one entry is deleted, once.
fn entry(unit: &UnitId, place: usize) -> TimedUndo {
    TimedUndo {
        name: format!("{unit}-0123456789abcdef-{place}"),
        at: at(LATER),
        repeats: false,
        service: "ec2".to_owned(),
        action: "deleteNetworkAclEntry".to_owned(),
        input: json!({ "NetworkAclId": "acl-0123456789abcdef0", "RuleNumber": 1, "Egress": true }),
    }
}

/// The undo of a stop: a start, every minute for an hour.
fn start(unit: &UnitId) -> TimedUndo {
    TimedUndo {
        repeats: true,
        action: "startInstances".to_owned(),
        input: json!({ "InstanceIds": ["i-0123456789abcdef0"] }),
        ..entry(unit, 0)
    }
}

pub async fn what_was_armed_is_read_back_as_it_was_armed(ground: &impl Ground) {
    let (dark, off) = (unit("dark"), unit("off"));
    for undo in [entry(&dark, 0), entry(&dark, 1), start(&off)] {
        ground.arms().arm(&undo).await.unwrap();

        assert_eq!(ground.arms().armed(&undo.name).await, Ok(Some(undo)));
    }
}

pub async fn an_undo_is_armed_once(ground: &impl Ground) {
    let first = entry(&unit("dark"), 0);
    let second = TimedUndo { at: at(LATER + 60), ..first.clone() };

    ground.arms().arm(&first).await.unwrap();
    ground.arms().arm(&second).await.unwrap();

    assert_eq!(ground.arms().armed(&first.name).await, Ok(Some(first)));
}

pub async fn nothing_is_armed_under_a_name_that_nobody_used(ground: &impl Ground) {
    assert_eq!(ground.arms().armed("nobody").await, Ok(None));
}

pub async fn disarming_a_change_takes_all_of_it_and_nothing_else(ground: &impl Ground) {
    let (dark, off) = (unit("dark"), unit("off"));
    let (one, two, other) = (entry(&dark, 0), entry(&dark, 1), start(&off));
    for undo in [&one, &two, &other] {
        ground.arms().arm(undo).await.unwrap();
    }

    ground.disarms().disarm(&dark).await.unwrap();
    ground.disarms().disarm(&dark).await.unwrap();
    ground.disarms().disarm(&unit("never-armed")).await.unwrap();

    assert_eq!(ground.arms().armed(&one.name).await, Ok(None));
    assert_eq!(ground.arms().armed(&two.name).await, Ok(None));
    assert_eq!(ground.arms().armed(&other.name).await, Ok(Some(other)));
}
