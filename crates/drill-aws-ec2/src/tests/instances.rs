//! Descriptions: filters, ids, pages, health.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::operation::describe_instance_status::{DescribeInstanceStatusInput, DescribeInstanceStatusOutput};
use aws_sdk_ec2::operation::describe_instances::{DescribeInstancesInput, DescribeInstancesOutput};
use aws_sdk_ec2::types::{
    Instance, InstanceLifecycleType, InstanceStateName, InstanceStatus, InstanceStatusSummary, Placement, Reservation,
    SummaryStatus,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::experiment::Selector;
use drill_model::faults::ec2::{self, InstanceState};
use drill_model::faults::{Kind, Seen, Sight};
use drill_model::ids::{GroupName, ResourceId};
use drill_model::target::TargetId;
use drill_phases::ports::{Answer, Class, Sees as _};

use super::{Asked, OWNER, adapter_of, home, id, ids, instance, refusal, single, target};
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
    Mock { ec2: adapter_of(client), described, checked }
}

fn page(instances: Vec<Instance>, next: Option<&str>) -> Described {
    // Each in a reservation of its own, as single launches are.
    let alone = |instance| Reservation::builder().owner_id(OWNER).instances(instance).build();
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

impl Mock {
    async fn see(&self, ids: &BTreeSet<TargetId>) -> Answer<Vec<Seen>> {
        self.ec2.see(Kind::Ec2Instance, ids).await
    }
}

fn selector(tags: &[(&str, &str)], group: Option<&str>) -> Selector {
    Selector {
        kind: Kind::Ec2Instance,
        tags: tags.iter().map(|(tag, value)| ((*tag).to_owned(), (*value).to_owned())).collect(),
        ids: BTreeSet::new(),
        group: group.map(|name| GroupName::try_from(name).unwrap()),
        zone: None,
    }
}

fn seen(seen: &Seen) -> &ec2::Instance {
    match &seen.sight {
        Sight::Ec2Instance(instance) => instance,
        Sight::Subnet(_) => panic!("{} is a subnet", seen.id),
    }
}

fn filters(input: &DescribeInstancesInput) -> BTreeMap<String, Vec<String>> {
    input.filters().iter().map(|one| (one.name().unwrap().to_owned(), one.values().to_vec())).collect()
}

#[tokio::test]
async fn a_selector_becomes_filters_without_patterns() {
    let mock = mock_of(|_| page(Vec::new(), None));

    mock.ec2.find(&selector(&[("Service", "a*b?c\\")], Some("orders"))).await.unwrap();

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

    let found = mock.ec2.find(&selector(&[("Service", "orders")], None)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<Vec<_>>(), [target(1)]);
}

#[tokio::test]
async fn an_empty_selector_selects_nothing_and_asks_nothing() {
    let mock = mock_of(|_| page(vec![instance(1, InstanceStateName::Running, &[])], None));

    let error = mock.ec2.find(&selector(&[], None)).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
    assert_eq!(mock.described.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn describing_nobody_asks_nothing() {
    let mock = mock_of(|_| page(vec![instance(1, InstanceStateName::Running, &[])], None));

    assert_eq!(mock.see(&BTreeSet::new()).await, Ok(Vec::new()));

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

    let found = mock.ec2.find(&selector(&[("Service", "orders")], None)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), ids(1..=4));
    assert_eq!(mock.described.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_description_carries_a_thousand_ids_and_no_page_size() {
    let mock = mock_of(|input| page(those(input), None));

    let found = mock.see(&ids(1..=1001)).await.unwrap();

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

    let found = mock.see(&ids(1..=5)).await.unwrap();

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

    let found = mock.see(&ids(1..=8)).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<BTreeSet<_>>(), ids([1, 2, 4, 5, 6, 7]));
}

#[tokio::test]
async fn when_all_ids_are_gone_there_is_nobody() {
    let mock = mock_of(|_| MockResponse::Http(refusal(400, "InvalidInstanceID.NotFound", "gone")));

    assert_eq!(mock.see(&ids([1, 2])).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_error_of_another_kind_is_not_somebody_who_is_gone() {
    for (status, code, class) in [
        (403, "UnauthorizedOperation", Class::Refused),
        (503, "RequestLimitExceeded", Class::Transient),
        (500, "InternalError", Class::Ambiguous),
    ] {
        let mock = mock_of(move |_| MockResponse::Http(refusal(status, code, "no")));

        let error = mock.see(&ids([1, 2])).await.unwrap_err();

        assert_eq!((error.class, error.call), (class, "ec2:DescribeInstances"), "{code}");
    }
}

#[tokio::test]
async fn everything_that_matters_of_an_instance_is_read() {
    let mock = mock_of(|_| {
        let mut one =
            instance(1, InstanceStateName::Running, &[("aws:autoscaling:groupName", "orders"), ("Empty", "")]);
        one.instance_lifecycle = Some(InstanceLifecycleType::Spot);
        one.subnet_id = Some("subnet-0000000a".to_owned());
        page(vec![one], None)
    });

    let found = mock.ec2.find(&selector(&[], Some("orders"))).await.unwrap();

    let tags = [("aws:autoscaling:groupName", "orders"), ("Empty", "")];
    let expected = ec2::Instance {
        id: id(1),
        state: InstanceState::Running,
        healthy: Some(true),
        group: Some(GroupName::try_from("orders").unwrap()),
        subnet: Some(home().resource("ec2", "subnet/subnet-0000000a")),
        tags: tags.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into(),
        spot: true,
        booted: None,
    };
    assert_eq!(found, [Seen { id: target(1), sight: Sight::Ec2Instance(expected) }]);
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

        let found = mock.see(&ids([1])).await;

        assert_eq!(found.ok().map(|found| seen(&found[0]).state), state, "{word}");
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

    let found = mock.ec2.find(&selector(&[("Service", "orders")], None)).await.unwrap();

    let sizes: Vec<usize> = mock.checked.lock().unwrap().iter().map(|input| input.instance_ids().len()).collect();
    assert_eq!(sizes, [100, 1]);
    assert_eq!(found.iter().filter(|one| seen(one).healthy == Some(true)).count(), 101);
    assert_eq!(found.iter().find(|one| one.id == target(200)).map(|one| seen(one).healthy), Some(None));
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

        let found = mock.ec2.find(&selector(&[("Service", "orders")], None)).await.unwrap();

        assert_eq!(seen(&found[0]).healthy, healthy, "{shown}");
    }
}

#[tokio::test]
async fn a_zone_is_a_filter_and_must_match_to_the_letter() {
    let mock = mock_of(|_| {
        let of = |number, zone: &str| {
            let mut one = instance(number, InstanceStateName::Running, &[]);
            one.placement = Some(Placement::builder().availability_zone(zone).build());
            one
        };
        page(vec![of(1, "eu-central-1a"), of(2, "eu-central-1b")], None)
    });
    let zone = Some("eu-central-1a".parse().unwrap());

    let found = mock.ec2.find(&Selector { zone, ..selector(&[], None) }).await.unwrap();

    assert_eq!(found.into_iter().map(|one| one.id).collect::<Vec<_>>(), [target(1)]);
    let expected = [("availability-zone".to_owned(), vec!["eu-central-1a".to_owned()])];
    assert_eq!(filters(&mock.described.lock().unwrap()[0]), expected.into());
}

#[tokio::test]
async fn an_author_names_an_instance_by_its_id_or_by_its_whole_arn() {
    let elsewhere = target(1).as_str().replace(OWNER, "999999999999");
    for (name, found) in [(id(1).to_string(), 1), (target(1).as_str().to_owned(), 1), (elsewhere, 0)] {
        let mock = mock_of(|input| page(those(input), None));
        let ids = [ResourceId::try_from(name.clone()).unwrap()].into();

        let answer = mock.ec2.find(&Selector { ids, ..selector(&[], None) }).await.unwrap();

        assert_eq!(answer.len(), found, "{name}");
        assert_eq!(mock.described.lock().unwrap()[0].instance_ids(), [id(1).to_string()]);
    }
}

#[tokio::test]
async fn an_instance_of_another_account_is_not_the_one_that_was_asked_about() {
    let mock = mock_of(|input| page(those(input), None));
    let other = TargetId::try_from(target(1).as_str().replace(OWNER, "999999999999")).unwrap();

    assert_eq!(mock.see(&[other].into()).await, Ok(Vec::new()));
}
