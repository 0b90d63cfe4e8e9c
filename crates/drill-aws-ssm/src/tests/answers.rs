//! Hearing: pages, statuses, outputs, and hosts that the service does not speak of.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_command_invocation::{GetCommandInvocationError, GetCommandInvocationOutput};
use aws_sdk_ssm::operation::list_command_invocations::{
    ListCommandInvocationsError, ListCommandInvocationsInput, ListCommandInvocationsOutput,
};
use aws_sdk_ssm::types::{CommandInvocation, CommandInvocationStatus, CommandPlugin};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::host::HostOutcome;
use drill_model::ids::InstanceId;
use drill_phases::ports::{Class, CommandId, HostAnswer, HostAnswers as _};

use super::{Asked, id, refusal, single};
use crate::RunCommand;

const LANDED: &str = r#"{"stormdrill":1,"outcome":"landed"}"#;

type Listed = MockResponse<ListCommandInvocationsOutput, ListCommandInvocationsError>;
type Got = MockResponse<GetCommandInvocationOutput, GetCommandInvocationError>;

fn service(
    list: impl Fn(&ListCommandInvocationsInput) -> Listed + Send + Sync + 'static,
    get: impl Fn() -> Got + Send + Sync + 'static,
) -> (RunCommand, Asked<ListCommandInvocationsInput>) {
    let asked: Asked<ListCommandInvocationsInput> = Asked::default();
    let seen = Arc::clone(&asked);
    let list =
        mock!(Client::list_command_invocations).then_compute_response(move |input: &ListCommandInvocationsInput| {
            seen.lock().unwrap().push(input.clone());
            list(input)
        });
    let get = mock!(Client::get_command_invocation).then_compute_response(move |_| get());
    let client = mock_client!(aws_sdk_ssm, RuleMode::MatchAny, [&list, &get], single);
    (RunCommand { client, prefix: String::new() }, asked)
}

/// A service whose list is one page.
fn listing(invocations: Vec<CommandInvocation>) -> RunCommand {
    service(move |_| page(invocations.clone(), None), || panic!("nothing was cut")).0
}

fn page(invocations: Vec<CommandInvocation>, next: Option<&str>) -> Listed {
    MockResponse::Output(
        ListCommandInvocationsOutput::builder()
            .set_command_invocations(Some(invocations))
            .set_next_token(next.map(str::to_owned))
            .build(),
    )
}

fn invocation(number: usize, status: &str, details: &str, output: &str) -> CommandInvocation {
    CommandInvocation::builder()
        .instance_id(id(number))
        .status(CommandInvocationStatus::from(status))
        .status_details(details)
        .command_plugins(CommandPlugin::builder().name("network_latency").output(output).build())
        .build()
}

fn command(text: &str) -> CommandId {
    CommandId(text.to_owned())
}

async fn answers(ssm: &RunCommand, text: &str) -> BTreeMap<InstanceId, HostAnswer> {
    ssm.answers(&command(text)).await.unwrap().into_iter().collect()
}

fn outcome(answer: &HostAnswer) -> Option<HostOutcome> {
    if let HostAnswer::Report(report) = answer { Some(report.outcome) } else { None }
}

#[tokio::test]
async fn a_host_is_heard_whatever_its_exit_status() {
    let refused = r#"{"stormdrill":1,"outcome":"refused","reason":"no-netem"}"#;
    let complaint = format!("{refused}\n\n----------ERROR-------\nfailed to run commands: exit status 3");
    let ssm = listing(vec![invocation(1, "Success", "Success", LANDED), invocation(2, "Failed", "Failed", &complaint)]);

    let said = answers(&ssm, "c-1@i-00000001,i-00000002").await;

    assert_eq!(outcome(&said[&id(1)]), Some(HostOutcome::Landed));
    assert_eq!(outcome(&said[&id(2)]), Some(HostOutcome::Refused));
}

#[tokio::test]
async fn an_end_without_a_report_is_silence_in_the_services_word() {
    for (status, details) in [
        ("TimedOut", "DeliveryTimedOut"),
        ("TimedOut", "ExecutionTimedOut"),
        ("Failed", "Undeliverable"),
        ("Failed", "Terminated"),
        ("Failed", "AccessDenied"),
        ("Cancelled", "Cancelled"),
        ("Success", "Success"),
    ] {
        let ssm = listing(vec![invocation(1, status, details, "")]);

        let said = answers(&ssm, "c-1@i-00000001").await;

        assert_eq!(said[&id(1)], HostAnswer::Silent(format!("{details}, and no report in the output")));
    }
}

#[tokio::test]
async fn what_has_not_ended_is_pending_even_with_an_output() {
    for status in ["Pending", "InProgress", "Delayed", "Cancelling", "Dreaming"] {
        let ssm = listing(vec![invocation(1, status, status, LANDED)]);

        assert_eq!(answers(&ssm, "c-1@i-00000001").await[&id(1)], HostAnswer::Pending, "{status}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_listed_yet_is_pending() {
    let ssm = listing(vec![invocation(1, "Success", "Success", LANDED)]);

    let said = answers(&ssm, "c-1@i-00000001,i-00000002").await;

    assert_eq!((said.len(), &said[&id(2)]), (2, &HostAnswer::Pending));
}

#[tokio::test]
async fn a_command_that_is_too_new_is_all_pending() {
    let (ssm, _) = service(|_| MockResponse::Http(refusal(400, "InvalidCommandId", "")), || panic!("not asked"));

    let said = answers(&ssm, "c-1@i-00000001,i-00000002").await;

    assert!(said.len() == 2 && said.values().all(|answer| *answer == HostAnswer::Pending));
}

#[tokio::test]
async fn hosts_that_were_not_sent_to_are_told_of_without_a_call() {
    let (ssm, asked) = service(|_| panic!("not asked"), || panic!("not asked"));

    let said = answers(&ssm, "!i-00000001+?i-00000002").await;

    assert!(matches!(&said[&id(1)], HostAnswer::Silent(why) if why.contains("was not sent")));
    assert!(matches!(&said[&id(2)], HostAnswer::Silent(why) if why.contains("may have been sent")));
    assert_eq!(asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn every_page_of_every_command_is_read_with_details() {
    let (ssm, asked) = service(
        |input| match (input.command_id(), input.next_token()) {
            (Some("c-1"), None) => page(vec![invocation(1, "Success", "Success", LANDED)], Some("two")),
            (Some("c-1"), Some("two")) => page(vec![invocation(2, "Success", "Success", LANDED)], Some("")),
            _ => page(vec![invocation(3, "Success", "Success", LANDED)], None),
        },
        || panic!("nothing was cut"),
    );

    let said = answers(&ssm, "c-1@i-00000001,i-00000002+c-2@i-00000003").await;

    assert!(said.len() == 3 && said.values().all(|answer| outcome(answer) == Some(HostOutcome::Landed)));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|input| input.details() == Some(true) && input.max_results() == Some(50)));
}

/// What is heard of a host whose output was cut, when the whole of it is read like this.
async fn cut(get: impl Fn() -> Got + Send + Sync + 'static) -> Result<HostAnswer, Class> {
    let shown =
        "{\"stormdrill\":1,\"outco\n---Output truncated---\n----------ERROR-------\nlong\n---Error truncated----";
    let (ssm, _) = service(move |_| page(vec![invocation(1, "Success", "Success", shown)], None), get);
    let said = ssm.answers(&command("c-1@i-00000001")).await.map_err(|error| error.class)?;
    Ok(said[0].1.clone())
}

#[tokio::test]
async fn an_output_that_was_cut_is_read_whole() {
    let whole =
        cut(|| MockResponse::Output(GetCommandInvocationOutput::builder().standard_output_content(LANDED).build()));

    assert_eq!(outcome(&whole.await.unwrap()), Some(HostOutcome::Landed));
}

#[tokio::test]
async fn a_cut_output_that_cannot_be_read_now_is_asked_for_again() {
    let later = [
        cut(|| MockResponse::Http(refusal(400, "InvocationDoesNotExist", ""))).await,
        cut(|| MockResponse::Http(refusal(400, "ThrottlingException", ""))).await,
    ];

    assert_eq!(later, [Err(Class::Transient), Err(Class::Transient)]);
}

#[tokio::test]
async fn a_cut_output_that_may_not_be_read_is_silence() {
    let silence = cut(|| MockResponse::Http(refusal(400, "AccessDeniedException", "no"))).await.unwrap();

    assert!(matches!(silence, HostAnswer::Silent(why) if why.contains("AccessDeniedException")));
}

#[tokio::test]
async fn every_error_of_the_list_keeps_its_class() {
    for (status, code, class) in [
        (400, "AccessDeniedException", Class::Refused),
        (400, "InvalidNextToken", Class::Refused),
        (400, "ThrottlingException", Class::Transient),
        (500, "InternalServerError", Class::Ambiguous),
    ] {
        let (ssm, _) = service(move |_| MockResponse::Http(refusal(status, code, "")), || panic!("not asked"));

        let error = ssm.answers(&command("c-1@i-00000001")).await.unwrap_err();

        assert_eq!((error.class, error.call), (class, "ssm:ListCommandInvocations"), "{code}");
    }
}

#[tokio::test]
async fn an_id_that_no_order_has_is_missing() {
    let ssm = listing(Vec::new());

    assert_eq!(ssm.answers(&command("c-1")).await.unwrap_err().class, Class::Missing);
}
