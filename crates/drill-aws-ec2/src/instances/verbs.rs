//! Stop, reboot, terminate for Inject; start for everybody who heals; and the dry runs of each.
//!
//! What harms is tried again only when it was throttled, so that a lost reply is told as one. An error of terminating is
//! looked into: protection works by Availability Zone, and what lies in another one is gone all the same.

use std::collections::BTreeSet;

use aws_sdk_ec2::config::Config;
use aws_sdk_ec2::operation::reboot_instances::RebootInstancesError;
use aws_sdk_ec2::operation::stop_instances::StopInstancesError;
use aws_sdk_ec2::operation::terminate_instances::TerminateInstancesError;
use aws_sdk_ec2::types::InstanceStateChange;
use drill_aws_config::OnlyThrottled;
use drill_model::faults::Call as _;
use drill_model::faults::ec2::{BATCH, Harm, Heal};
use drill_model::ids::InstanceId;
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, PortError};

use crate::Ec2;
use crate::rehearsal::judge;
use crate::remains::{code, failed, is_unknown_id, list, named, remains};

const STOP: &str = "ec2:StopInstances";
const REBOOT: &str = "ec2:RebootInstances";
const TERMINATE: &str = "ec2:TerminateInstances";
const START: &str = "ec2:StartInstances";

/// Codes of StartInstances that are about some of the instances and not about who asks.
const ABOUT_SOME: &[&str] = &[
    "IncorrectInstanceState",
    "IncorrectState",
    "InsufficientCapacity",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientReservedInstanceCapacity",
    "InstanceLimitExceeded",
    "InvalidHostState",
    "MaxSpotInstanceCountExceeded",
    "UnsupportedOperation",
    "VcpuLimitExceeded",
];

impl Ec2 {
    /// One call; after an error of terminating that may hide a partial success, one description of the instances.
    pub(crate) async fn harm_instances(&self, call: Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = &batch(call.api(), on)?[..];
        match call {
            Harm::Stop => self.stop(ids).await,
            Harm::Reboot => self.reboot(ids).await,
            Harm::Terminate => self.terminate(ids, on).await,
        }
    }

    /// One call, and one more for each time that some are left out.
    pub(crate) async fn heal_instances(&self, call: Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = batch(call.api(), on)?;
        match call {
            Heal::Start => self.start(ids).await,
        }
    }

    /// The dry run of a call that harms.
    pub(crate) async fn rehearse_instance_harm(&self, call: Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = &batch(call.api(), on)?[..];
        match call {
            Harm::Stop => {
                let request = self.client.stop_instances().set_instance_ids(Some(texts(ids))).dry_run(true);
                judge(STOP, request.send().await, ids)
            }
            Harm::Reboot => {
                let request = self.client.reboot_instances().set_instance_ids(Some(texts(ids))).dry_run(true);
                judge(REBOOT, request.send().await, ids)
            }
            Harm::Terminate => {
                let request = self.client.terminate_instances().set_instance_ids(Some(texts(ids))).dry_run(true);
                judge(TERMINATE, request.send().await, ids)
            }
        }
    }

    /// The dry run of a call that heals.
    pub(crate) async fn rehearse_instance_heal(&self, call: Heal, on: &BTreeSet<TargetId>) -> Answer<()> {
        let ids = &batch(call.api(), on)?[..];
        match call {
            Heal::Start => {
                let request = self.client.start_instances().set_instance_ids(Some(texts(ids))).dry_run(true);
                judge(START, request.send().await, ids)
            }
        }
    }

    async fn stop(&self, ids: &[InstanceId]) -> Answer<()> {
        let request = self.client.stop_instances().set_instance_ids(Some(texts(ids))).customize();
        let request =
            request.config_override(Config::builder().retry_classifier(OnlyThrottled::<StopInstancesError>::new()));
        let output = request.send().await.map_err(|error| failed(STOP, &error, ids))?;
        all_changed(STOP, ids, output.stopping_instances())
    }

    async fn reboot(&self, ids: &[InstanceId]) -> Answer<()> {
        let request = self.client.reboot_instances().set_instance_ids(Some(texts(ids))).customize();
        let request =
            request.config_override(Config::builder().retry_classifier(OnlyThrottled::<RebootInstancesError>::new()));
        request.send().await.map(drop).map_err(|error| failed(REBOOT, &error, ids))
    }

    async fn terminate(&self, ids: &[InstanceId], on: &BTreeSet<TargetId>) -> Answer<()> {
        let request = self.client.terminate_instances().set_instance_ids(Some(texts(ids))).customize();
        let request = request
            .config_override(Config::builder().retry_classifier(OnlyThrottled::<TerminateInstancesError>::new()));
        match request.send().await {
            Ok(output) => all_changed(TERMINATE, ids, output.terminating_instances()),
            Err(error) => {
                let refusal = failed(TERMINATE, &error, ids);
                // One unknown id and nothing is terminated; who may not ask is not heard at all.
                let nothing_done = is_unknown_id(&error) || code(&error) == Some("UnauthorizedOperation");
                if refusal.class == Class::Refused && error.as_service_error().is_some() && !nothing_done {
                    Err(self.terminated_all_the_same(on, refusal).await)
                } else {
                    Err(refusal)
                }
            }
        }
    }

    /// What a refused call has done all the same: a refusal when every instance looks untouched, else `Ambiguous`.
    async fn terminated_all_the_same(&self, on: &BTreeSet<TargetId>, refusal: PortError) -> PortError {
        let ambiguous =
            |what: String| PortError::new(Class::Ambiguous, TERMINATE, format!("{}; {what}", refusal.message));
        let found = match self.see_instances(on).await {
            Ok(found) => found,
            Err(error) => return ambiguous(format!("what it did cannot be read: {error}")),
        };
        let stays: BTreeSet<&TargetId> = found.iter().filter(|seen| !seen.is_gone()).map(|seen| &seen.id).collect();
        let gone: Vec<&TargetId> = on.iter().filter(|id| !stays.contains(id)).collect();
        if gone.is_empty() { refusal } else { ambiguous(format!("terminated all the same: {}", list(gone))) }
    }

    /// One call. When the service refuses it for some of the instances, those are left out and the others are started;
    /// the error names who was not.
    async fn start(&self, ids: Vec<InstanceId>) -> Answer<()> {
        let mut left: Vec<PortError> = Vec::new();
        let mut batches = vec![ids];
        while let Some(batch) = batches.pop() {
            let sent = self.client.start_instances().set_instance_ids(Some(texts(&batch))).send().await;
            match sent {
                Ok(output) => left.extend(all_changed(START, &batch, output.starting_instances()).err()),
                Err(error) => {
                    left.push(failed(START, &error, &batch));
                    if is_unknown_id(&error) || code(&error).is_some_and(|code| ABOUT_SOME.contains(&code)) {
                        let named = named(&error, &batch);
                        let rest = remains(batch, &named);
                        // A list that goes on in parts is told by its parts.
                        if named.is_empty() && !rest.is_empty() {
                            left.pop();
                        }
                        batches.extend(rest);
                    } else {
                        let untried: Vec<InstanceId> = batches.drain(..).flatten().collect();
                        let what = format!("not tried after that: {}", list(&untried));
                        left.extend((!untried.is_empty()).then(|| PortError::new(Class::Refused, START, what)));
                    }
                }
            }
        }
        // The first class is told; the messages are told together.
        let messages = left.iter().map(|error| error.message.as_str()).collect::<Vec<_>>().join("; ");
        left.first().map_or(Ok(()), |first| Err(PortError::new(first.class, START, messages)))
    }
}

/// The instances of one call. None at all would mean something else to some calls, so it is never asked.
fn batch(call: &'static str, on: &BTreeSet<TargetId>) -> Answer<Vec<InstanceId>> {
    if on.is_empty() || on.len() > BATCH {
        let what = format!("{} instances: a call is for 1 to {BATCH}", on.len());
        return Err(PortError::new(Class::Refused, call, what));
    }
    let instance = |id: &TargetId| {
        id.instance().ok_or_else(|| PortError::new(Class::Refused, call, format!("{} is no instance", id.as_str())))
    };
    on.iter().map(instance).collect()
}

fn texts(ids: &[InstanceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// The answer lists what the verb took effect on: that must be everything.
fn all_changed(call: &'static str, ids: &[InstanceId], changes: &[InstanceStateChange]) -> Answer<()> {
    let changed: BTreeSet<&str> = changes.iter().filter_map(InstanceStateChange::instance_id).collect();
    let missing: Vec<&InstanceId> = ids.iter().filter(|id| !changed.contains(id.as_str())).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(PortError::new(Class::Ambiguous, call, format!("the answer does not speak of {}", list(missing))))
}
