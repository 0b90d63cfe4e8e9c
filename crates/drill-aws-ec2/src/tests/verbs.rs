//! The verbs, and the dry runs of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_instances::DescribeInstancesOutput;
use aws_sdk_ec2::operation::reboot_instances::RebootInstancesOutput;
use aws_sdk_ec2::operation::start_instances::{StartInstancesError, StartInstancesInput, StartInstancesOutput};
use aws_sdk_ec2::operation::stop_instances::StopInstancesOutput;
use aws_sdk_ec2::operation::terminate_instances::TerminateInstancesOutput;
use aws_sdk_ec2::types::{InstanceStateChange, InstanceStateName, Reservation};
use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
use drill_model::faults::ec2::{Harm, Heal};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Harms as _, Heals as _, Rehearsal, Rehearse as _};

use super::{Asked, OWNER, adapter_of, home, id, ids, instance, refusal, single};
use crate::Ec2;

/// The calls by their names.
impl Ec2 {
    async fn harms(&self, call: Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.harm(&call.into(), on).await
    }

    async fn starts(&self, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.heal(&Heal::Start.into(), on).await
    }

    async fn rehearses(&self, call: Harm, on: &BTreeSet<TargetId>) -> Answer<()> {
        self.rehearse(&Rehearsal::Harm(call.into()), on).await
    }
}

fn adapter(rules: &[&Rule]) -> Ec2 {
    adapter_of(mock_client!(aws_sdk_ec2, RuleMode::MatchAny, rules))
}

fn changes(texts: &[String]) -> Vec<InstanceStateChange> {
    texts.iter().map(|text| InstanceStateChange::builder().instance_id(text).build()).collect()
}

/// A service that answers StartInstances by a function.
fn starting(
    answer: impl Fn(&[String]) -> MockResponse<StartInstancesOutput, StartInstancesError> + Send + Sync + 'static,
) -> (Ec2, Asked<Vec<String>>) {
    let asked: Asked<Vec<String>> = Asked::default();
    let seen = Arc::clone(&asked);
    let rule = mock!(Client::start_instances).then_compute_response(move |input: &StartInstancesInput| {
        seen.lock().unwrap().push(input.instance_ids().to_vec());
        answer(input.instance_ids())
    });
    (adapter_of(mock_client!(aws_sdk_ec2, RuleMode::MatchAny, [&rule], single)), asked)
}

fn started(texts: &[String]) -> MockResponse<StartInstancesOutput, StartInstancesError> {
    MockResponse::Output(StartInstancesOutput::builder().set_starting_instances(Some(changes(texts))).build())
}

#[tokio::test]
async fn every_verb_says_whom_it_is_about_and_is_never_a_dry_run() {
    let stop = mock!(Client::stop_instances)
        .match_requests(|input| {
            input.instance_ids() == [id(1).as_str(), id(2).as_str()]
                && input.dry_run().is_none()
                && input.force().is_none()
        })
        .then_compute_output(|input| {
            StopInstancesOutput::builder().set_stopping_instances(Some(changes(input.instance_ids()))).build()
        });
    let reboot = mock!(Client::reboot_instances)
        .match_requests(|input| input.instance_ids().len() == 2 && input.dry_run().is_none())
        .then_output(|| RebootInstancesOutput::builder().build());
    let terminate = mock!(Client::terminate_instances)
        .match_requests(|input| input.instance_ids().len() == 2 && input.dry_run().is_none())
        .then_compute_output(|input| {
            TerminateInstancesOutput::builder().set_terminating_instances(Some(changes(input.instance_ids()))).build()
        });
    let ec2 = adapter(&[&stop, &reboot, &terminate]);

    assert_eq!(ec2.harms(Harm::Stop, &ids([1, 2])).await, Ok(()));
    assert_eq!(ec2.harms(Harm::Reboot, &ids([1, 2])).await, Ok(()));
    assert_eq!(ec2.harms(Harm::Terminate, &ids([1, 2])).await, Ok(()));
}

#[tokio::test]
async fn nobody_and_more_than_fifty_are_refused_without_a_call() {
    let ec2 = adapter(&[]);
    for ids in [BTreeSet::new(), ids(1..=51)] {
        let answers = [
            ec2.harms(Harm::Stop, &ids).await,
            ec2.harms(Harm::Reboot, &ids).await,
            ec2.harms(Harm::Terminate, &ids).await,
            ec2.starts(&ids).await,
            ec2.rehearses(Harm::Stop, &ids).await,
            ec2.rehearses(Harm::Terminate, &ids).await,
        ];
        assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|error| error.class == Class::Refused)));
    }
}

#[tokio::test]
async fn an_error_is_classified_and_names_the_instances() {
    for (status, code, said, class) in [
        (403, "UnauthorizedOperation", "You may not. Encoded authorization failure message: AbCdEf", Class::Refused),
        (400, "IncorrectInstanceState", "The instance 'i-00000001' is not in a state", Class::Refused),
        (400, "InvalidInstanceID.NotFound", "The instance ID 'i-00000001' does not exist", Class::Missing),
        (400, "UnsupportedOperation", "it has instance store", Class::Refused),
        (503, "RequestLimitExceeded", "slower", Class::Transient),
        (500, "InternalError", "oh", Class::Ambiguous),
    ] {
        let stop = mock!(Client::stop_instances).then_http_response(move || refusal(status, code, said));

        let error = adapter(&[&stop]).harms(Harm::Stop, &ids([1])).await.unwrap_err();

        assert_eq!((error.class, error.call), (class, "ec2:StopInstances"), "{code}");
        assert!(error.message.contains("i-00000001") && !error.message.contains("AbCdEf"), "{}", error.message);
    }
}

#[tokio::test]
async fn a_call_that_harms_is_made_once_more_when_it_was_throttled_and_never_when_its_reply_was_lost() {
    for (status, code, calls) in [(503, "RequestLimitExceeded", 3), (500, "InternalError", 1)] {
        let reboot = mock!(Client::reboot_instances).then_http_response(move || refusal(status, code, "no"));

        adapter(&[&reboot]).harms(Harm::Reboot, &ids([1])).await.unwrap_err();

        assert_eq!(reboot.num_calls(), calls, "{code}");
    }
}

#[tokio::test]
async fn a_call_that_heals_is_made_again_when_its_reply_was_lost() {
    let start = mock!(Client::start_instances).then_http_response(|| refusal(500, "InternalError", "no"));

    let error = adapter(&[&start]).starts(&ids([1])).await.unwrap_err();

    assert_eq!((error.class, start.num_calls()), (Class::Ambiguous, 3));
}

#[tokio::test]
async fn an_answer_that_does_not_speak_of_everybody_is_ambiguous() {
    let stop = mock!(Client::stop_instances).then_compute_output(|input| {
        StopInstancesOutput::builder().set_stopping_instances(Some(changes(&input.instance_ids()[..1]))).build()
    });

    let error = adapter(&[&stop]).harms(Harm::Stop, &ids([1, 2])).await.unwrap_err();

    assert_eq!((error.class, error.message.as_str()), (Class::Ambiguous, "the answer does not speak of i-00000002"));
}

/// What `terminate` says after this error, when the instances then look like this.
async fn terminated(code: &'static str, states: &'static [(usize, InstanceStateName)]) -> (Class, String, usize) {
    let terminate =
        mock!(Client::terminate_instances).then_http_response(move || refusal(400, code, "it may not be terminated"));
    let describe = mock!(Client::describe_instances).then_output(move || {
        let instances = states.iter().map(|(number, state)| instance(*number, state.clone(), &[])).collect();
        let reservation = Reservation::builder().owner_id(OWNER).set_instances(Some(instances)).build();
        DescribeInstancesOutput::builder().reservations(reservation).build()
    });
    let error = adapter(&[&terminate, &describe]).harms(Harm::Terminate, &ids([1, 2])).await.unwrap_err();
    (error.class, error.message, describe.num_calls())
}

#[tokio::test]
async fn a_partial_success_of_terminating_is_told() {
    let states = &[(1, InstanceStateName::ShuttingDown), (2, InstanceStateName::Running)];

    let (class, message, looks) = terminated("OperationNotPermitted", states).await;

    assert_eq!((class, looks), (Class::Ambiguous, 1));
    assert_eq!(
        message,
        "OperationNotPermitted: it may not be terminated (i-00000001, i-00000002); terminated all the same: i-00000001"
    );
}

#[tokio::test]
async fn a_refusal_that_did_nothing_stays_a_refusal() {
    let states = &[(1, InstanceStateName::Running), (2, InstanceStateName::Stopped)];

    assert_eq!(terminated("OperationNotPermitted", states).await.0, Class::Refused);
}

#[tokio::test]
async fn a_refusal_that_can_have_done_nothing_is_not_looked_into() {
    let gone = &[(1, InstanceStateName::Terminated), (2, InstanceStateName::Terminated)];

    let (class, _, looks) = terminated("UnauthorizedOperation", gone).await;
    assert_eq!((class, looks), (Class::Refused, 0));
    let (class, _, looks) = terminated("InvalidInstanceID.NotFound", gone).await;
    assert_eq!((class, looks), (Class::Missing, 0));
}

#[tokio::test]
async fn one_instance_that_cannot_be_started_keeps_no_other_from_it() {
    let (ec2, asked) = starting(|texts| {
        if texts.contains(&id(3).to_string()) {
            return MockResponse::Http(refusal(500, "InsufficientInstanceCapacity", "there is no room"));
        }
        started(texts)
    });

    let error = ec2.starts(&ids(1..=8)).await.unwrap_err();

    assert!(error.message.contains("(i-00000003)"), "{}", error.message);
    let succeeded: BTreeSet<String> =
        asked.lock().unwrap().iter().filter(|texts| !texts.contains(&id(3).to_string())).flatten().cloned().collect();
    assert_eq!(succeeded.len(), 7);
}

#[tokio::test]
async fn the_instances_that_an_error_names_are_left_out_at_once() {
    let (ec2, asked) = starting(|texts| {
        if texts.len() > 2 {
            let said = "The instances 'i-00000002' are not in a state from which they can be started";
            return MockResponse::Http(refusal(400, "IncorrectInstanceState", said));
        }
        started(texts)
    });

    let error = ec2.starts(&ids([1, 2, 3])).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert_eq!(asked.lock().unwrap()[1], [id(1).to_string(), id(3).to_string()]);
}

#[tokio::test]
async fn a_refusal_of_everybody_is_asked_once() {
    let (ec2, asked) = starting(|_| MockResponse::Http(refusal(403, "UnauthorizedOperation", "no")));

    let error = ec2.starts(&ids(1..=8)).await.unwrap_err();

    assert_eq!((error.class, asked.lock().unwrap().len()), (Class::Refused, 1));
}

#[tokio::test]
async fn starting_who_runs_succeeds() {
    let (ec2, _) = starting(started);

    assert_eq!(ec2.starts(&ids([1, 2])).await, Ok(()));
}

/// What a rehearsal of stopping says when the service answers with this code.
async fn rehearsed(status: u16, code: &'static str) -> Result<(), Class> {
    let stop = mock!(Client::stop_instances)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(move || refusal(status, code, "Request would have succeeded, but DryRun flag is set."));
    adapter(&[&stop]).rehearses(Harm::Stop, &ids([1])).await.map_err(|error| error.class)
}

#[tokio::test]
async fn a_dry_run_that_would_succeed_is_an_error_of_the_service_and_a_yes() {
    assert_eq!(rehearsed(412, "DryRunOperation").await, Ok(()));
    assert_eq!(rehearsed(403, "UnauthorizedOperation").await, Err(Class::Refused));
    assert_eq!(rehearsed(400, "InvalidInstanceID.NotFound").await, Err(Class::Missing));
    assert_eq!(rehearsed(503, "RequestLimitExceeded").await, Err(Class::Transient));
}

#[tokio::test]
async fn every_verb_is_rehearsed_as_itself() {
    let allowed = || refusal(412, "DryRunOperation", "it would");
    let stop =
        mock!(Client::stop_instances).match_requests(|input| input.dry_run() == Some(true)).then_http_response(allowed);
    let start = mock!(Client::start_instances)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(allowed);
    let reboot = mock!(Client::reboot_instances)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(allowed);
    let terminate = mock!(Client::terminate_instances)
        .match_requests(|input| input.dry_run() == Some(true))
        .then_http_response(allowed);
    let ec2 = adapter(&[&stop, &start, &reboot, &terminate]);

    for call in [Harm::Stop, Harm::Reboot, Harm::Terminate] {
        assert_eq!(ec2.rehearses(call, &ids([1])).await, Ok(()), "{call:?}");
    }
    assert_eq!(ec2.rehearse(&Rehearsal::Heal(Heal::Start.into()), &ids([1])).await, Ok(()));

    for rule in [&stop, &start, &reboot, &terminate] {
        assert_eq!(rule.num_calls(), 1);
    }
}

#[tokio::test]
async fn a_dry_run_that_was_done_is_ambiguous() {
    let stop = mock!(Client::stop_instances).then_output(|| StopInstancesOutput::builder().build());

    let error = adapter(&[&stop]).rehearses(Harm::Stop, &ids([1])).await.unwrap_err();

    assert_eq!(error.class, Class::Ambiguous);
}

#[tokio::test]
async fn what_is_no_instance_is_refused_without_a_call() {
    let subnet = [home().resource("ec2", "subnet/subnet-0000000a")].into();
    let ec2 = adapter(&[]);

    assert_eq!(ec2.harms(Harm::Stop, &subnet).await.unwrap_err().class, Class::Refused);
    assert_eq!(ec2.starts(&subnet).await.unwrap_err().class, Class::Refused);
}
