//! Descriptions: filters, ids, pages, health.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_instance_status::{DescribeInstanceStatusInput, DescribeInstanceStatusOutput};
use aws_sdk_ec2::operation::describe_instances::{DescribeInstancesInput, DescribeInstancesOutput};
use aws_sdk_ec2::types::{
    Instance, InstanceLifecycleType, InstanceStateName, InstanceStatus, InstanceStatusSummary, Reservation,
    SummaryStatus,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::experiment::{Selector, TargetKind};
use drill_model::ids::GroupName;
use drill_phases::ports::{Class, InstanceState, Inventory as _};

use super::{Asked, id, ids, instance, refusal, single};
use crate::Ec2;

type Described =
    MockResponse<DescribeInstancesOutput, aws_sdk_ec2::operation::describe_instances::DescribeInstancesError>;

struct Mock {
    ec2: Ec2,
    described: Asked<DescribeInstancesInput>,
    checked: Asked<DescribeInstanceStatusInput>,
}

/// A service that answers descriptions by a function, and says that every instance is healthy.
fn mock_of(answer: impl Fn(&DescribeInstancesInput) -> Described + Send + Sync + 'static) -> Mock {
    mock_with_health(answer, |_| (SummaryStatus::Ok, SummaryStatus::Ok))
}

fn mock_with_health(
    answer: impl Fn(&DescribeInstancesInput) -> Described + Send + Sync + 'static,
    health: impl Fn(usize) -> (SummaryStatus, SummaryStatus) + Send + Sync + 'static,
) -> Mock {
    let (described, checked) = (Asked::default(), Asked::default());
    let (seen, looked) = (Arc::clone(&described), Arc::clone(&checked));
    let describe = mock!(Client::describe_instances).then_compute_response(move |input: &DescribeInstancesInput| {
        seen.lock().unwrap().push(input.clone());
        answer(input)
    });
    let check =
        mock!(Client::describe_instance_status).then_compute_output(move |input: &DescribeInstanceStatusInput| {
            looked.lock().unwrap().push(input.clone());
            let statuses = input.instance_ids().iter().map(|text| {
                let number = usize::from_str_radix(text.trim_start_matches("i-"), 16).unwrap();
                let (own, system) = health(number);
                let summary = |status| InstanceStatusSummary::builder().status(status).build();
                InstanceStatus::builder()
                    .instance_id(text)
                    .instance_status(summary(own))
                    .system_status(summary(system))
                    .build()
            });
            DescribeInstanceStatusOutput::builder().set_instance_statuses(Some(statuses.collect())).build()
        });
    let client = mock_client!(aws_sdk_ec2, RuleMode::MatchAny, [&describe, &check], single);
    Mock { ec2: Ec2 { client }, described, checked }
}

fn page(instances: Vec<Instance>, next: Option<&str>) -> Described {
    // Each in a reservation of its own, as single launches are.
    let alone = |instance| Reservation::builder().instances(instance).build();
    MockResponse::Output(
        DescribeInstancesOutput::builder()
            .set_reservations(Some(instances.into_iter().map(alone).collect()))
            .set_next_token(next.map(str::to_owned))
            .build(),
    )
}

/// The instances that were asked for by id, all running.
fn those(input: &DescribeInstancesInput) -> Vec<Instance> {
    let number = |text: &String| usize::from_str_radix(text.trim_start_matches("i-"), 16).unwrap();
    input.instance_ids().iter().map(|text| instance(number(text), InstanceStateName::Running, &[])).collect()
}

fn selector(tags: &[(&str, &str)], ids: BTreeSet<drill_model::ids::InstanceId>, group: Option<&str>) -> Selector {
    Selector {
        kind: TargetKind::Ec2Instance,
        tags: tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        ids,
        group: group.map(|name| GroupName::try_from(name).unwrap()),
    }
}

fn filters(input: &DescribeInstancesInput) -> BTreeMap<String, Vec<String>> {
    input.filters().iter().map(|one| (one.name().unwrap().to_owned(), one.values().to_vec())).collect()
}

#[tokio::test]
async fn a_selector_becomes_filters_without_patterns() {
    let mock = mock_of(|_| page(Vec::new(), None));

    mock.ec2.find(&selector(&[("Service", "a*b?c\\")], BTreeSet::new(), Some("orders"))).await.unwrap();

    let asked = mock.described.lock().unwrap();
    let expected = [
        ("tag:Service".to_owned(), vec!["a\\*b\\?c\\\\".to_owned()]),
        ("tag:aws:autoscaling:groupName".to_owned(), vec!["orders".to_owned()]),
    ];
    assert_eq!(filters(&asked[0]), expected.into());
    assert_eq!((asked[0].max_results(), asked[0].instance_ids().len()), (Some(1000), 0));
}

#[tokio::test]
async fn what_the_filter_lets_through_must_match_to_the_letter() {
    let mock = mock_of(|_| {
        let of = |number, service| instance(number, InstanceStateName::Running, &[("Service", service)]);
        page(vec![of(1, "orders"), of(2, "orders-2"), of(3, "Orders")], None)
    });

    let found = mock.ec2.find(&selector(&[("Service", "orders")], BTreeSet::new(), None)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<Vec<_>>(), [id(1)]);
}

#[tokio::test]
async fn an_empty_selector_selects_nothing_and_asks_nothing() {
    let mock = mock_of(|_| page(vec![instance(1, InstanceStateName::Running, &[])], None));

    let error = mock.ec2.find(&selector(&[], BTreeSet::new(), None)).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert_eq!(mock.described.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn describing_nobody_asks_nothing() {
    let mock = mock_of(|_| page(vec![instance(1, InstanceStateName::Running, &[])], None));

    assert_eq!(mock.ec2.describe(&BTreeSet::new()).await, Ok(Vec::new()));

    assert_eq!(mock.described.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn every_page_is_read_and_nobody_is_there_twice() {
    let mock = mock_of(|input| {
        let of = |number| instance(number, InstanceStateName::Running, &[("Service", "orders")]);
        match input.next_token() {
            None => page(vec![of(1), of(2)], Some("two")),
            Some("two") => page(vec![of(2), of(3)], Some("three")),
            Some(_) => page(vec![of(4)], Some("")),
        }
    });

    let found = mock.ec2.find(&selector(&[("Service", "orders")], BTreeSet::new(), None)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), ids(1..=4));
    assert_eq!(mock.described.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_description_carries_a_thousand_ids_and_no_page_size() {
    let mock = mock_of(|input| page(those(input), None));

    let found = mock.ec2.describe(&ids(1..=1001)).await.unwrap();

    assert_eq!(found.len(), 1001);
    let asked = mock.described.lock().unwrap();
    assert_eq!(asked.iter().map(|input| input.instance_ids().len()).collect::<Vec<_>>(), [1000, 1]);
    assert!(asked.iter().all(|input| input.max_results().is_none()));
    assert_eq!(mock.checked.lock().unwrap().len(), 0, "describing does not ask for health");
}

#[tokio::test]
async fn ids_that_the_service_names_as_gone_are_left_out() {
    let mock = mock_of(|input| {
        if input.instance_ids().len() > 3 {
            let said = format!("The instance IDs '{}, {}' do not exist", id(2), id(4));
            return MockResponse::Http(refusal(400, "InvalidInstanceID.NotFound", &said));
        }
        page(those(input), None)
    });

    let found = mock.ec2.describe(&ids(1..=5)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), ids([1, 3, 5]));
    assert_eq!(mock.described.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn ids_that_the_service_does_not_name_are_found_by_halving() {
    let mock = mock_of(|input| {
        if input.instance_ids().iter().any(|text| *text == id(3).to_string() || *text == id(8).to_string()) {
            return MockResponse::Http(refusal(400, "InvalidInstanceID.NotFound", "some do not exist"));
        }
        page(those(input), None)
    });

    let found = mock.ec2.describe(&ids(1..=8)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), ids([1, 2, 4, 5, 6, 7]));
}

#[tokio::test]
async fn when_all_ids_are_gone_there_is_nobody() {
    let mock = mock_of(|_| MockResponse::Http(refusal(400, "InvalidInstanceID.NotFound", "gone")));

    assert_eq!(mock.ec2.describe(&ids([1, 2])).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_error_of_another_kind_is_not_somebody_who_is_gone() {
    for (status, code, class) in [
        (403, "UnauthorizedOperation", Class::Refused),
        (503, "RequestLimitExceeded", Class::Transient),
        (500, "InternalError", Class::Ambiguous),
    ] {
        let mock = mock_of(move |_| MockResponse::Http(refusal(status, code, "no")));

        let error = mock.ec2.describe(&ids([1, 2])).await.unwrap_err();

        assert_eq!((error.class, error.call), (class, "ec2:DescribeInstances"), "{code}");
    }
}

#[tokio::test]
async fn everything_that_matters_of_an_instance_is_read() {
    let mock = mock_of(|_| {
        let mut one =
            instance(1, InstanceStateName::Running, &[("aws:autoscaling:groupName", "orders"), ("Empty", "")]);
        one.instance_lifecycle = Some(InstanceLifecycleType::Spot);
        page(vec![one], None)
    });

    let found = mock.ec2.find(&selector(&[], BTreeSet::new(), Some("orders"))).await.unwrap();

    let tags = [("aws:autoscaling:groupName", "orders"), ("Empty", "")];
    let expected = drill_phases::ports::Instance {
        id: id(1),
        state: InstanceState::Running,
        healthy: Some(true),
        group: Some(GroupName::try_from("orders").unwrap()),
        tags: tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into(),
        spot: true,
    };
    assert_eq!(found, [expected]);
}

#[tokio::test]
async fn every_state_has_its_word_and_an_unknown_one_is_an_error() {
    use InstanceState::{Pending, Running, ShuttingDown, Stopped, Stopping, Terminated};
    for (word, state) in [
        ("pending", Some(Pending)),
        ("running", Some(Running)),
        ("stopping", Some(Stopping)),
        ("stopped", Some(Stopped)),
        ("shutting-down", Some(ShuttingDown)),
        ("terminated", Some(Terminated)),
        ("hibernating", None),
    ] {
        let mock = mock_of(move |_| page(vec![instance(1, InstanceStateName::from(word), &[])], None));

        let found = mock.ec2.describe(&ids([1])).await;

        assert_eq!(found.ok().map(|found| found[0].state), state, "{word}");
    }
}

#[tokio::test]
async fn health_is_asked_of_a_hundred_that_run_at_a_time() {
    let mock = mock_of(|_| {
        let tags = &[("Service", "orders")];
        let mut all: Vec<_> = (1..=101).map(|number| instance(number, InstanceStateName::Running, tags)).collect();
        all.push(instance(200, InstanceStateName::Stopped, tags));
        page(all, None)
    });

    let found = mock.ec2.find(&selector(&[("Service", "orders")], BTreeSet::new(), None)).await.unwrap();

    let sizes: Vec<usize> = mock.checked.lock().unwrap().iter().map(|input| input.instance_ids().len()).collect();
    assert_eq!(sizes, [100, 1]);
    assert_eq!(found.iter().filter(|one| one.healthy == Some(true)).count(), 101);
    assert_eq!(found.iter().find(|one| one.id == id(200)).unwrap().healthy, None);
}

#[tokio::test]
async fn a_check_that_is_not_finished_is_not_known() {
    use SummaryStatus::{Impaired, Initializing, InsufficientData, NotApplicable, Ok};
    for (own, system, healthy) in [
        (Ok, Ok, Some(true)),
        (Impaired, Ok, Some(false)),
        (Initializing, Impaired, Some(false)),
        (Initializing, Ok, None),
        (Ok, InsufficientData, None),
        (NotApplicable, NotApplicable, None),
    ] {
        let shown = format!("{own:?} {system:?}");
        let mock = mock_with_health(
            |_| page(vec![instance(1, InstanceStateName::Running, &[("Service", "orders")])], None),
            move |_| (own.clone(), system.clone()),
        );

        let found = mock.ec2.find(&selector(&[("Service", "orders")], BTreeSet::new(), None)).await.unwrap();

        assert_eq!(found[0].healthy, healthy, "{shown}");
    }
}
