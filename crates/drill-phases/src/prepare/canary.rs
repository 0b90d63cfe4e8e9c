//! The canary: every host that a fault is meant for answers a probe first, and says that it can do it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Change, Surface};
use drill_model::host::{Capability, Document, HostReport};
use drill_model::ids::InstanceId;
use drill_model::plan::Scope;
use drill_model::refusal::Refusal;
use drill_model::target::TargetId;

use super::{PreparePorts, Reasons};
use crate::answers;
use crate::drive::side_by_side;
use crate::ports::has::prelude::*;
use crate::ports::{BATCH, HostAnswer, HostCommand};

/// How long hosts may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How far a host's clock may be off: more, and its own deadlines mean something else than ours.
const MOST_SKEW_SECONDS: i64 = 60;

/// Asks every host that a host fault, or a reboot, is meant for.
pub(super) async fn ask(world: &impl PreparePorts, scope: &Scope) -> Reasons {
    let mut needs: BTreeMap<InstanceId, BTreeSet<Need>> = BTreeMap::new();
    for (change, spec) in scope.changes.iter().zip(&scope.experiment.faults) {
        let is_order = matches!(change.change, Change::Host(_));
        let asked: BTreeSet<Need> = match change.change {
            Change::Host(_) => {
                let queue = (spec.fault.surface() == Surface::Queue).then_some(Need::OwnQueue);
                spec.fault.needs().iter().copied().map(Need::Can).chain(queue).collect()
            }
            Change::Resource { .. } => {
                let asks = change.change.on_resource().is_some_and(|fault| fault.asks_host());
                asks.then_some(Need::BootTime).into_iter().collect()
            }
        };
        for host in
            scope.targets_of(change).iter().filter(|_| !asked.is_empty() || is_order).filter_map(TargetId::instance)
        {
            needs.entry(host).or_default().extend(asked.iter().copied());
        }
    }
    let mut objections: BTreeMap<String, Vec<InstanceId>> = BTreeMap::new();
    let ids: Vec<InstanceId> = needs.keys().cloned().collect();
    let mut commands = Vec::new();
    let orders = ids.chunks(BATCH).map(|batch| HostCommand {
        document: Document::Probe,
        targets: batch.iter().cloned().collect(),
        parameters: [("Unit".to_owned(), "-".to_owned())].into(),
        comment: format!("stormdrill:{}:canary", scope.run_id),
    });
    let sent = side_by_side(orders, async |order| {
        let sent = world.host_probe().probe(&order).await;
        (order, sent)
    })
    .await;
    for (order, sent) in sent {
        match sent {
            Ok(command) => commands.push(command),
            Err(error) => {
                objections
                    .entry(format!("cannot be reached ({error})"))
                    .or_default()
                    .extend(order.targets.iter().cloned());
                needs.retain(|id, _| !order.targets.contains(id));
            }
        }
    }
    let said = answers::wait(world, &commands, PATIENCE).await;
    let now = world.clock().now().as_second();
    for (id, needs) in needs {
        let against = match &said {
            Err(error) => vec![format!("cannot be heard ({error})")],
            Ok(said) => match said.get(&id) {
                Some(HostAnswer::Report(report)) => against(report, &needs, now),
                Some(HostAnswer::Silent(why)) => vec![format!("did not answer the probe ({why})")],
                Some(HostAnswer::Pending) | None => vec!["did not answer the probe in time".to_owned()],
            },
        };
        for why in against {
            objections.entry(why).or_default().push(id.clone());
        }
    }
    objections.into_iter().map(|(why, hosts)| Refusal::Hosts { hosts, why }).collect()
}

/// What a host must be able to do, or be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Can(Capability),
    OwnQueue,
    BootTime,
}

fn against(report: &HostReport, needs: &BTreeSet<Need>, now: i64) -> Vec<String> {
    let mut against = Vec::new();
    match report.time {
        Some(time) if (time - now).abs() <= MOST_SKEW_SECONDS => {}
        Some(time) => against.push(format!("has a clock that is {} s off", time - now)),
        None => against.push("does not say what time it has".to_owned()),
    }
    for need in needs {
        match need {
            Need::Can(capability) => {
                let has =
                    report.capabilities.as_ref().is_some_and(|list| list.iter().any(|word| word == capability.word()));
                if !has {
                    against.push(capability.lacking().to_owned());
                }
            }
            Need::OwnQueue if report.root_qdisc.as_deref() == Some("default") => {}
            Need::OwnQueue => {
                let found = report.root_qdisc.as_deref().unwrap_or("unknown");
                against.push(format!("has a root qdisc that is {found}: it is not ours to replace"));
            }
            Need::BootTime if report.booted.is_some() => {}
            Need::BootTime => against.push("does not say when it booted, so nobody could see a reboot".to_owned()),
        }
    }
    against
}
