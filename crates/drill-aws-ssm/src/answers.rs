//! Reading what hosts answered: every invocation of every command, page by page.
//!
//! The status of a command as a whole is not read: it can be `Success` with hosts that were never reached.

use std::collections::BTreeMap;

use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationError;
use aws_sdk_ssm::operation::list_command_invocations::ListCommandInvocationsError;
use aws_sdk_ssm::types::{CommandInvocation, CommandInvocationStatus};
use drill_aws_config::classify;
use drill_model::ids::InstanceId;
use drill_phases::ports::{Answer, Class, CommandId, HostAnswer, HostAnswers, PortError};

use crate::RunCommand;
use crate::command_id::Sent;
use crate::output;

const LIST: &str = "ssm:ListCommandInvocations";
const GET: &str = "ssm:GetCommandInvocation";
/// The most invocations on a page.
const PAGE: i32 = 50;

impl HostAnswers for RunCommand {
    /// What hosts said; the second for an output that the list cuts short.
    const ACTIONS: &'static [&'static str] = &["ssm:ListCommandInvocations", "ssm:GetCommandInvocation"];

    /// One call for each command that the order became, and one more for each host whose output was cut short.
    /// Every host of the order is in the answer: one that the service does not list yet is `Pending`, one that could not
    /// be sent to is `Silent`.
    async fn answers(&self, command: &CommandId) -> Answer<Vec<(InstanceId, HostAnswer)>> {
        let foreign = || PortError::new(Class::Missing, LIST, "this is not the id of an order");
        let sent = Sent::read(command).ok_or_else(foreign)?;
        let mut answers = Vec::new();
        for (id, hosts) in sent.commands {
            let mut said = self.invocations(&id).await?;
            for host in hosts {
                let answer = match said.remove(host.as_str()) {
                    Some(invocation) => self.answer(&id, &host, &invocation).await?,
                    None => HostAnswer::Pending,
                };
                answers.push((host, answer));
            }
        }
        let silent = |hosts: Vec<InstanceId>, why: &'static str| {
            hosts.into_iter().map(move |host| (host, HostAnswer::Silent(why.to_owned())))
        };
        answers.extend(silent(sent.unsent, "the order was not sent: SSM takes no command for this host now"));
        answers.extend(silent(sent.unknown, "the reply to the call was lost: the order may have been sent"));
        Ok(answers)
    }
}

impl RunCommand {
    /// Every invocation of a command, by host. A command that is too new to be known has none.
    async fn invocations(&self, command: &str) -> Answer<BTreeMap<String, CommandInvocation>> {
        let mut found = BTreeMap::new();
        let mut next = None;
        loop {
            let request = self.client.list_command_invocations().command_id(command).details(true).max_results(PAGE);
            let page = match request.set_next_token(next).send().await {
                Ok(page) => page,
                Err(error)
                    if matches!(error.as_service_error(), Some(ListCommandInvocationsError::InvalidCommandId(_))) =>
                {
                    return Ok(BTreeMap::new());
                }
                Err(error) => return Err(classify(LIST, &error)),
            };
            let invocations = page.command_invocations.unwrap_or_default();
            found.extend(invocations.into_iter().filter_map(|one| Some((one.instance_id.clone()?, one))));
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    async fn answer(&self, command: &str, host: &InstanceId, invocation: &CommandInvocation) -> Answer<HostAnswer> {
        if !has_ended(invocation) {
            return Ok(HostAnswer::Pending);
        }
        let shown: Vec<&str> = invocation.command_plugins().iter().filter_map(|plugin| plugin.output()).collect();
        let report = |outputs: &[&str]| {
            let read = outputs.iter().rev().map(|output| output::read(output));
            read.into_iter().find(|answer| matches!(answer, HostAnswer::Report(_)))
        };
        if let Some(report) = report(&shown) {
            return Ok(report);
        }
        let ended = ended(invocation);
        if !shown.iter().any(|output| output::is_cut(output)) {
            return Ok(HostAnswer::Silent(format!("{ended}, and no report in the output")));
        }
        match self.whole_output(command, host).await {
            Ok(whole) => Ok(report(&[&whole])
                .unwrap_or_else(|| HostAnswer::Silent(format!("{ended}, and no report in the whole output")))),
            Err(error) if matches!(error.class, Class::Transient | Class::Ambiguous) => Err(error),
            Err(error) => Ok(HostAnswer::Silent(format!("{ended}, the output was cut, and the whole of it: {error}"))),
        }
    }

    /// The standard output as the agent sent it, up to 24,000 characters.
    async fn whole_output(&self, command: &str, host: &InstanceId) -> Answer<String> {
        let request = self.client.get_command_invocation().command_id(command).instance_id(host.as_str());
        match request.send().await {
            Ok(invocation) => Ok(invocation.standard_output_content.unwrap_or_default()),
            Err(error)
                if matches!(error.as_service_error(), Some(GetCommandInvocationError::InvocationDoesNotExist(_))) =>
            {
                Err(PortError::new(Class::Transient, GET, format!("the invocation on {host} is not known yet")))
            }
            Err(error) => Err(classify(GET, &error)),
        }
    }
}

/// A status that the service may learn later counts as not ended: who waits gives up by the clock.
fn has_ended(invocation: &CommandInvocation) -> bool {
    matches!(
        invocation.status(),
        Some(
            CommandInvocationStatus::Success
                | CommandInvocationStatus::Failed
                | CommandInvocationStatus::TimedOut
                | CommandInvocationStatus::Cancelled
        )
    )
}

/// How an invocation ended, in the service's word: `DeliveryTimedOut`, `Undeliverable`, `ExecutionTimedOut`, ….
fn ended(invocation: &CommandInvocation) -> &str {
    let status = invocation.status().map_or("ended", CommandInvocationStatus::as_str);
    invocation.status_details().filter(|details| !details.is_empty()).unwrap_or(status)
}
