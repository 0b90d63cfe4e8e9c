//! Against mocks of the service.

use aws_sdk_autoscaling::operation::describe_auto_scaling_groups::{
    DescribeAutoScalingGroupsError, DescribeAutoScalingGroupsOutput,
};
use aws_sdk_autoscaling::types::error::ResourceContentionFault;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

use super::*;

fn adapter(rules: &[&Rule]) -> AutoScaling {
    AutoScaling { client: mock_client!(aws_sdk_autoscaling, RuleMode::Sequential, rules) }
}

fn name() -> GroupName {
    GroupName::try_from("orders").unwrap()
}

fn member(state: LifecycleState, health: &str) -> Instance {
    Instance::builder()
        .instance_id("i-00000001")
        .availability_zone("eu-west-1a")
        .lifecycle_state(state)
        .health_status(health)
        .protected_from_scale_in(false)
        .build()
}

fn group(name: &str, members: Vec<Instance>) -> AutoScalingGroup {
    AutoScalingGroup::builder().auto_scaling_group_name(name).desired_capacity(3).set_instances(Some(members)).build()
}

fn page(groups: Vec<AutoScalingGroup>, next: Option<&str>) -> DescribeAutoScalingGroupsOutput {
    DescribeAutoScalingGroupsOutput::builder()
        .set_auto_scaling_groups(Some(groups))
        .set_next_token(next.map(str::to_owned))
        .build()
}

#[tokio::test]
async fn who_serves_is_in_service_and_healthy() {
    let asked = mock!(Client::describe_auto_scaling_groups)
        .match_requests(|request| request.auto_scaling_group_names() == ["orders"])
        .then_output(|| {
            let members = vec![
                member(LifecycleState::InService, "Healthy"),
                member(LifecycleState::InService, "Unhealthy"),
                member(LifecycleState::Pending, "Healthy"),
                member(LifecycleState::Terminating, "Healthy"),
                member(LifecycleState::Standby, "Healthy"),
                member(LifecycleState::InService, "Healthy"),
            ];
            page(vec![group("orders", members)], None)
        });

    let found = adapter(&[&asked]).group(&name()).await;

    assert_eq!(found, Ok(Group { name: name(), desired: 3, in_service: 2 }));
}

#[tokio::test]
async fn a_group_on_a_later_page_is_found() {
    let first = mock!(Client::describe_auto_scaling_groups)
        .match_requests(|request| request.next_token().is_none())
        .then_output(|| page(vec![group("orders-2", Vec::new())], Some("more")));
    let second = mock!(Client::describe_auto_scaling_groups)
        .match_requests(|request| request.next_token() == Some("more"))
        .then_output(|| page(vec![group("orders", Vec::new())], None));

    let found = adapter(&[&first, &second]).group(&name()).await;

    assert_eq!(found, Ok(Group { name: name(), desired: 3, in_service: 0 }));
}

#[tokio::test]
async fn a_group_that_is_not_there_is_missing() {
    let asked = mock!(Client::describe_auto_scaling_groups).then_output(|| page(Vec::new(), Some("")));

    let error = adapter(&[&asked]).group(&name()).await.unwrap_err();

    assert_eq!(error, PortError::new(Class::Missing, CALL, "there is no Auto Scaling group orders"));
}

#[tokio::test]
async fn a_group_without_a_size_is_not_read_as_empty() {
    let asked = mock!(Client::describe_auto_scaling_groups)
        .then_output(|| page(vec![AutoScalingGroup::builder().auto_scaling_group_name("orders").build()], None));

    let error = adapter(&[&asked]).group(&name()).await.unwrap_err();

    assert_eq!(error.class, Class::Refused);
}

#[tokio::test]
async fn an_error_of_the_service_is_classified() {
    let asked = mock!(Client::describe_auto_scaling_groups).then_error(|| {
        DescribeAutoScalingGroupsError::ResourceContentionFault(
            ResourceContentionFault::builder().message("busy").build(),
        )
    });

    let error = adapter(&[&asked]).group(&name()).await.unwrap_err();

    assert_eq!(error.call, CALL);
}
