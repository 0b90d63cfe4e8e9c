//! The canary: every host that a fault is meant for answers a probe first, and says that it can do it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use drill_model::faults::{Change, Surface};
use drill_model::host::{Capability, Document, HostReport};
use drill_model::ids::InstanceId;
use drill_model::plan::Scope;

use super::{PreparePorts, Reasons};
use crate::answers;
use crate::ports::{BATCH, HostAnswer, HostCommand};

/// How long hosts may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// How far a host's clock may be off: more, and its own deadlines mean something else than ours.
const MOST_SKEW_SECONDS: i64 = 60;
/// So many hosts are named in a reason; the others are counted.
const NAMED: usize = 3;

/// Asks every host that a host fault, or a reboot, is meant for.
pub(super) async fn ask(world: &impl PreparePorts, scope: &Scope) -> Reasons {
    let mut needs: BTreeMap<InstanceId, BTreeSet<Need>> = BTreeMap::new();
    for (change, spec) in scope.changes.iter().zip(&scope.experiment.faults) {
        let asked: BTreeSet<Need> = match change.change {
            Change::Host(_) => {
                let queue = (spec.fault.surface() == Surface::Queue).then_some(Need::OwnQueue);
                spec.fault.needs().iter().copied().map(Need::Can).chain(queue).collect()
            }
            Change::RebootInstance => BTreeSet::from([Need::BootTime]),
            Change::StopInstance | Change::TerminateInstance => continue,
        };
        for target in scope.targets_of(change) {
            needs.entry(target.clone()).or_default().extend(asked.iter().copied());
        }
    }
    let mut objections: BTreeMap<String, Vec<InstanceId>> = BTreeMap::new();
    let ids: Vec<InstanceId> = needs.keys().cloned().collect();
    let mut commands = Vec::new();
    for batch in ids.chunks(BATCH) {
        let order = HostCommand {
            document: Document::Probe,
            targets: batch.iter().cloned().collect(),
            parameters: [("Unit".to_owned(), "-".to_owned())].into(),
            comment: format!("stormdrill:{}:canary", scope.run_id),
        };
        match world.probe(&order).await {
            Ok(command) => commands.push(command),
            Err(error) => {
                objections.entry(format!("cannot be reached ({error})")).or_default().extend(batch.to_vec());
                needs.retain(|id, _| !order.targets.contains(id));
            }
        }
    }
    let said = answers::wait(world, &commands, PATIENCE).await;
    let now = world.now().as_second();
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
    objections.into_iter().map(|(why, hosts)| format!("{} {why}", named(&hosts))).collect()
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
                    against.push(lacks(*capability).to_owned());
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

const fn lacks(capability: Capability) -> &'static str {
    match capability {
        Capability::Netem => "cannot delay packets: its kernel has no netem",
        Capability::Iptables => "has no working iptables",
        Capability::StressNg => "has no stress-ng",
        Capability::Fallocate => "has neither fallocate nor dd",
        Capability::Bounds => "shares a machine, and nothing bounds the memory and CPU that it may take from it",
    }
}

fn named(hosts: &[InstanceId]) -> String {
    let shown = hosts.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if hosts.len() > NAMED { format!("{shown} and {} more", hosts.len() - NAMED) } else { shown }
}
