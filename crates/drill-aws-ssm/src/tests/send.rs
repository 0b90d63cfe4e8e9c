//! Sending: limits, leaving out, and what is told of a call that failed half way.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::send_command::{SendCommandError, SendCommandInput, SendCommandOutput};
use aws_sdk_ssm::types::Command;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::faults::FaultKind;
use drill_model::host::Document;
use drill_model::ids::InstanceId;
use drill_phases::ports::{Class, HostCommand, HostHarm as _, HostHeal as _, HostProbe as _};

use super::{Asked, id, ids, refusal, single};
use crate::RunCommand;
use crate::command_id::Sent;

type Response = MockResponse<SendCommandOutput, SendCommandError>;

/// A service that answers SendCommand by a function of the call's number and its hosts.
fn service(
    answer: impl Fn(usize, &[String]) -> Response + Send + Sync + 'static,
) -> (RunCommand, Asked<SendCommandInput>) {
    let asked: Asked<SendCommandInput> = Asked::default();
    let seen = Arc::clone(&asked);
    let rule = mock!(Client::send_command).then_compute_response(move |input: &SendCommandInput| {
        seen.lock().unwrap().push(input.clone());
        let number = seen.lock().unwrap().len();
        answer(number, input.instance_ids())
    });
    let client = mock_client!(aws_sdk_ssm, RuleMode::MatchAny, [&rule], single);
    (RunCommand { client, prefix: "stormdrill-".to_owned() }, asked)
}

fn taken(number: usize) -> Response {
    let command = Command::builder().command_id(format!("c-{number}")).build();
    MockResponse::Output(SendCommandOutput::builder().command(command).build())
}

fn order(document: Document, targets: BTreeSet<InstanceId>) -> HostCommand {
    let parameters = [("Unit", "0123456789abcdef"), ("DelayMs", "100")];
    HostCommand {
        document,
        targets,
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        comment: "stormdrill:run-1:slow".to_owned(),
    }
}

fn calls(asked: &Asked<SendCommandInput>) -> Vec<Vec<String>> {
    asked.lock().unwrap().iter().map(|input| input.instance_ids().to_vec()).collect()
}

#[tokio::test]
async fn an_order_says_everything_and_waits_for_nobody() {
    let (ssm, asked) = service(|number, _| taken(number));

    let sent = ssm.harm_hosts(&order(Document::Fault(FaultKind::NetworkLatency), ids([1, 2]))).await.unwrap();

    assert_eq!(sent.0, "c-1@i-00000001,i-00000002");
    let asked = asked.lock().unwrap();
    let input = &asked[0];
    assert_eq!(input.document_name(), Some("stormdrill-network-latency"));
    assert_eq!(input.document_version(), Some("$LATEST"));
    assert_eq!(input.instance_ids(), ["i-00000001", "i-00000002"]);
    assert_eq!(input.targets().len(), 0);
    assert_eq!(input.timeout_seconds(), Some(30));
    assert_eq!((input.max_concurrency(), input.max_errors()), (Some("100%"), Some("100%")));
    assert_eq!(input.comment(), Some("stormdrill:run-1:slow"));
    let parameters = input.parameters().unwrap();
    assert_eq!(parameters["DelayMs"], ["100"]);
    assert_eq!(parameters.len(), 2);
}

#[tokio::test]
async fn fifty_hosts_are_one_call_and_fifty_one_are_none() {
    let (ssm, asked) = service(|number, _| taken(number));

    assert!(ssm.harm_hosts(&order(Document::Fault(FaultKind::CpuStress), ids(1..=50))).await.is_ok());
    for targets in [ids(1..=51), BTreeSet::new()] {
        let error = ssm.harm_hosts(&order(Document::Fault(FaultKind::CpuStress), targets)).await.unwrap_err();
        assert_eq!(error.class, Class::Refused);
    }

    assert_eq!(calls(&asked).len(), 1);
}

#[tokio::test]
async fn a_comment_is_cut_to_what_the_service_takes() {
    let (ssm, asked) = service(|number, _| taken(number));
    let mut long = order(Document::Probe, ids([1]));
    long.comment = "x".repeat(156);

    ssm.probe(&long).await.unwrap();

    assert_eq!(asked.lock().unwrap()[0].comment().unwrap().len(), 100);
}

#[tokio::test]
async fn each_port_sends_its_own_documents_and_no_other() {
    let (ssm, asked) = service(|number, _| taken(number));
    let (fault, revert, probe) = (
        order(Document::Fault(FaultKind::ProcessKill), ids([1])),
        order(Document::Revert, ids([1])),
        order(Document::Probe, ids([1])),
    );

    for wrong in [
        ssm.harm_hosts(&revert).await,
        ssm.harm_hosts(&probe).await,
        ssm.revert(&fault).await,
        ssm.revert(&probe).await,
        ssm.probe(&fault).await,
        ssm.probe(&revert).await,
    ] {
        assert_eq!(wrong.unwrap_err().class, Class::Refused);
    }
    assert_eq!(calls(&asked).len(), 0);

    ssm.harm_hosts(&fault).await.unwrap();
    ssm.revert(&revert).await.unwrap();
    ssm.probe(&probe).await.unwrap();

    let times: Vec<_> = asked.lock().unwrap().iter().map(|input| input.timeout_seconds()).collect();
    assert_eq!(times, [Some(30), Some(120), Some(30)], "only a revert may come late");
}

#[tokio::test]
async fn hosts_that_the_service_names_are_left_out_at_once() {
    let (ssm, asked) = service(|number, hosts| {
        if hosts.contains(&id(2).to_string()) {
            let said = "Instances [[i-00000002, i-00000004]] not in a valid state for account 123456789012";
            return MockResponse::Http(refusal(400, "InvalidInstanceId", said));
        }
        taken(number)
    });

    let sent = ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids(1..=5))).await.unwrap();

    assert_eq!(sent.0, "c-2@i-00000001,i-00000003,i-00000005+!i-00000002,i-00000004");
    assert_eq!(calls(&asked).len(), 2);
}

#[tokio::test]
async fn hosts_that_the_service_does_not_name_are_found_by_halving() {
    for bad in 1..=50 {
        let (ssm, asked) = service(move |number, hosts| {
            if hosts.contains(&id(bad).to_string()) {
                return MockResponse::Http(refusal(400, "InvalidInstanceId", ""));
            }
            taken(number)
        });

        let sent = ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids(1..=50))).await.unwrap();

        let sent = Sent::read(&sent).unwrap();
        let reached: BTreeSet<InstanceId> = sent.commands.iter().flat_map(|(_, hosts)| hosts.clone()).collect();
        assert_eq!(sent.unsent, [id(bad)]);
        assert_eq!(reached, ids((1..=50).filter(|number| *number != bad)));
        // The whole, and at most two for each of six halvings.
        assert!(calls(&asked).len() <= 13, "{} calls", calls(&asked).len());
    }
}

#[tokio::test]
async fn when_nobody_can_be_sent_to_it_is_an_error_that_says_so() {
    let (ssm, asked) = service(|_, _| MockResponse::Http(refusal(400, "InvalidInstanceId", "")));

    let error = ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids([1, 2]))).await.unwrap_err();

    assert_eq!((error.class, error.call), (Class::Refused, "ssm:SendCommand"));
    assert_eq!(calls(&asked).len(), 3);
}

#[tokio::test]
async fn every_error_keeps_its_class() {
    for (status, code, class) in [
        (400, "AccessDeniedException", Class::Refused),
        (400, "InvalidParameters", Class::Refused),
        (400, "InvalidDocument", Class::Refused),
        (400, "DuplicateInstanceId", Class::Refused),
        (400, "ThrottlingException", Class::Transient),
        (500, "InternalServerError", Class::Ambiguous),
    ] {
        let (ssm, _) = service(move |_, _| MockResponse::Http(refusal(status, code, "no")));

        let error = ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids([1, 2]))).await.unwrap_err();

        assert_eq!(error.class, class, "{code}");
    }
}

#[tokio::test]
async fn a_lost_reply_is_not_followed_by_a_second_call_and_a_throttled_one_is() {
    for (status, code, expected) in [(500, "InternalServerError", 1), (400, "ThrottlingException", 3)] {
        let rule = mock!(Client::send_command).then_http_response(move || refusal(status, code, "no"));
        let client = mock_client!(aws_sdk_ssm, RuleMode::MatchAny, [&rule]);
        let ssm = RunCommand { client, prefix: String::new() };

        ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids([1]))).await.unwrap_err();

        assert_eq!(rule.num_calls(), expected, "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_a_command_is_ambiguous() {
    let (ssm, _) = service(|_, _| MockResponse::Output(SendCommandOutput::builder().build()));

    let error = ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids([1]))).await.unwrap_err();

    assert_eq!(error.class, Class::Ambiguous);
}

/// One bad host without a name among four; the call after the first half was sent fails like this.
async fn half_way(status: u16, code: &'static str) -> String {
    let (ssm, _) = service(move |number, hosts| match hosts.len() {
        4 => MockResponse::Http(refusal(400, "InvalidInstanceId", "")),
        _ if hosts.contains(&id(1).to_string()) => taken(number),
        _ => MockResponse::Http(refusal(status, code, "no")),
    });
    ssm.harm_hosts(&order(Document::Fault(FaultKind::DiskFill), ids(1..=4))).await.unwrap().0
}

#[tokio::test]
async fn an_order_that_is_half_sent_keeps_its_id_whatever_comes_then() {
    assert_eq!(half_way(400, "AccessDeniedException").await, "c-2@i-00000001,i-00000002+!i-00000003,i-00000004");
    assert_eq!(half_way(500, "InternalServerError").await, "c-2@i-00000001,i-00000002+?i-00000003,i-00000004");
}
