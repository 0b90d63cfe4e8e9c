//! Sending an order: one call for up to fifty hosts, and one more for each time that the service names hosts it will not
//! send to.
//!
//! The service takes a command as a whole or not at all, so hosts without an agent are left out and told of.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_ssm::config::Config;
use aws_sdk_ssm::operation::send_command::SendCommandError;
use drill_aws_config::{OnlyThrottled, classify};
use drill_model::host::Document;
use drill_model::ids::InstanceId;
use drill_phases::ports::{Answer, BATCH, Class, CommandId, HostCommand, HostHarm, HostHeal, HostProbe, PortError};

use crate::RunCommand;
use crate::command_id::Sent;

pub(crate) const SEND: &str = "ssm:SendCommand";
/// The longest comment.
const COMMENT: usize = 100;
/// An order that has not begun after so many seconds does not begin any more; the service takes no less. The host refuses
/// it a second time by its `NotAfter`.
const SOON: i32 = 30;
/// A revert may come late: it is the same at any time, and between two sweeps there is always one on its way.
const LATE: i32 = 120;
/// Our own documents change with the template only, so the newest version is the one that was deployed with this code. That
/// an update moves the default version along is documented, and reported not to be so
/// (<https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/2539>).
/// A hash would pin the text, but what is deployed is the template's rendering of it.
const VERSION: &str = "$LATEST";

impl HostHarm for RunCommand {
    const ACTIONS: &'static [&'static str] = &["ssm:SendCommand"];

    /// One call; with hosts that cannot be sent to, one more for each time that the service names some.
    async fn harm_hosts(&self, order: &HostCommand) -> Answer<CommandId> {
        self.order(order, order.document.harms(), SOON).await
    }
}

impl HostHeal for RunCommand {
    const ACTIONS: &'static [&'static str] = &["ssm:SendCommand"];

    /// As [`HostHarm::harm_hosts`], but the order may arrive late.
    async fn revert(&self, order: &HostCommand) -> Answer<CommandId> {
        self.order(order, order.document == Document::Revert, LATE).await
    }
}

impl HostProbe for RunCommand {
    const ACTIONS: &'static [&'static str] = &["ssm:SendCommand"];

    /// As [`HostHarm::harm_hosts`].
    async fn probe(&self, order: &HostCommand) -> Answer<CommandId> {
        self.order(order, order.document == Document::Probe, SOON).await
    }
}

/// A call that sent nothing, as far as one knows.
enum Unsent {
    /// The service takes no command for some of the hosts: those that it names, or none.
    Hosts(BTreeSet<InstanceId>, PortError),
    /// It failed for all of them.
    All(PortError),
}

impl RunCommand {
    async fn order(&self, order: &HostCommand, of_this_port: bool, deliver_within: i32) -> Answer<CommandId> {
        let refused = |what: String| Err(PortError::new(Class::Refused, SEND, what));
        if !of_this_port {
            return refused(format!("{} is not a document of this port", order.document.name()));
        }
        if order.targets.is_empty() || order.targets.len() > BATCH {
            return refused(format!("{} hosts: an order is for 1 to {BATCH}", order.targets.len()));
        }
        let mut sent = Sent::default();
        let mut last = None;
        let mut batches: Vec<Vec<InstanceId>> = vec![order.targets.iter().cloned().collect()];
        while let Some(batch) = batches.pop() {
            match self.send(order, &batch, deliver_within).await {
                Ok(command) => sent.commands.push((command, batch)),
                Err(Unsent::Hosts(named, error)) => {
                    last = Some(error);
                    batches.extend(without(batch, &named, &mut sent.unsent));
                }
                Err(Unsent::All(error)) if sent.commands.is_empty() => return Err(error),
                // Part of the order is on its way: its id must not be lost, so the rest is told by the answers.
                Err(Unsent::All(error)) => {
                    if error.class == Class::Ambiguous {
                        sent.unknown.extend(batch);
                    } else {
                        sent.unsent.extend(batch);
                    }
                    sent.unsent.extend(batches.drain(..).flatten());
                }
            }
        }
        match last {
            Some(error) if sent.commands.is_empty() => Err(error),
            _ => Ok(sent.id()),
        }
    }

    async fn send(&self, order: &HostCommand, hosts: &[InstanceId], deliver_within: i32) -> Result<String, Unsent> {
        let parameters: HashMap<String, Vec<String>> =
            order.parameters.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect();
        let output = self
            .client
            .send_command()
            .document_name(format!("{}{}", self.prefix, order.document.name()))
            .document_version(VERSION)
            .set_instance_ids(Some(hosts.iter().map(ToString::to_string).collect()))
            .set_parameters(Some(parameters))
            .comment(order.comment.chars().take(COMMENT).collect::<String>())
            .timeout_seconds(deliver_within)
            // Every host at once, and none of them waits for what another one did.
            .max_concurrency("100%")
            .max_errors("100%")
            .customize()
            .config_override(Config::builder().retry_classifier(OnlyThrottled::<SendCommandError>::new()))
            .send()
            .await
            .map_err(|error| {
                let failed = classify(SEND, &error);
                match error.as_service_error() {
                    Some(SendCommandError::InvalidInstanceId(said)) => {
                        Unsent::Hosts(named(said.message.as_deref().unwrap_or_default(), hosts), failed)
                    }
                    _ => Unsent::All(failed),
                }
            })?;
        let id = output.command.and_then(|command| command.command_id).filter(|id| !id.is_empty());
        id.ok_or_else(|| {
            Unsent::All(PortError::new(Class::Ambiguous, SEND, "the answer names no command: it may have been sent"))
        })
    }
}

/// The hosts of a batch that a message names: `Instances [[i-…, i-…]] not in a valid state for account …`.
fn named(message: &str, hosts: &[InstanceId]) -> BTreeSet<InstanceId> {
    let words: BTreeSet<&str> = message.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).collect();
    hosts.iter().filter(|host| words.contains(host.as_str())).cloned().collect()
}

/// What is left to try of a batch that was refused: all but those that were named, or both halves when nobody was.
fn without(batch: Vec<InstanceId>, named: &BTreeSet<InstanceId>, unsent: &mut Vec<InstanceId>) -> Vec<Vec<InstanceId>> {
    if !named.is_empty() || batch.len() == 1 {
        let (bad, rest): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|host| named.is_empty() || named.contains(host));
        unsent.extend(bad);
        return if rest.is_empty() { Vec::new() } else { vec![rest] };
    }
    let (one, two) = batch.split_at(batch.len() / 2);
    vec![two.to_vec(), one.to_vec()]
}
