//! Against mocks of the service: limits, pages, statuses, errors.

use std::sync::{Arc, Mutex};

use aws_sdk_cloudwatch::operation::describe_alarms::{DescribeAlarmsInput, DescribeAlarmsOutput};
use aws_sdk_cloudwatch::operation::get_metric_data::{GetMetricDataInput, GetMetricDataOutput};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, CompositeAlarm, LogAlarm, MessageData, MetricAlarm, MetricDataResult, StateValue, StatusCode,
};
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use drill_model::observation::AlarmState;
use drill_phases::ports::{Class, PortError};

use super::*;

type Asked<T> = Arc<Mutex<Vec<T>>>;

/// An adapter whose every GetMetricData is answered by a function, and what it was asked.
fn metrics(
    answer: impl Fn(&GetMetricDataInput) -> GetMetricDataOutput + Send + Sync + 'static,
) -> (CloudWatch, Asked<GetMetricDataInput>) {
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let rule = mock!(Client::get_metric_data).then_compute_response(move |input: &GetMetricDataInput| {
        seen.lock().unwrap().push(input.clone());
        MockResponse::Output(answer(input))
    });
    (CloudWatch { client: mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]) }, asked)
}

fn alarms(
    answer: impl Fn(&DescribeAlarmsInput) -> DescribeAlarmsOutput + Send + Sync + 'static,
) -> (CloudWatch, Asked<DescribeAlarmsInput>) {
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let rule = mock!(Client::describe_alarms).then_compute_response(move |input: &DescribeAlarmsInput| {
        seen.lock().unwrap().push(input.clone());
        MockResponse::Output(answer(input))
    });
    (CloudWatch { client: mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]) }, asked)
}

fn probe(statistic: &str) -> CloudWatchProbe {
    serde_json::from_value(serde_json::json!({
        "namespace": "Orders", "metric": "Latency", "dimensions": { "Service": "orders", "Zone": "a" },
        "statistic": statistic, "period": "10s"
    }))
    .unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn result(id: &str, status: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
    MetricDataResult::builder()
        .id(id)
        .status_code(status)
        .set_timestamps(Some(points.iter().map(|(second, _)| DateTime::from_secs(*second)).collect()))
        .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
        .build()
}

fn page(results: Vec<MetricDataResult>, next: Option<&str>) -> GetMetricDataOutput {
    GetMetricDataOutput::builder()
        .set_metric_data_results(Some(results))
        .set_next_token(next.map(str::to_owned))
        .build()
}

/// Every query complete and empty.
fn nothing(input: &GetMetricDataInput) -> GetMetricDataOutput {
    let results = input.metric_data_queries().iter().filter_map(|query| query.id());
    page(results.map(|id| result(id, StatusCode::Complete, &[])).collect(), None)
}

#[tokio::test]
async fn a_query_says_all_of_its_probe() {
    let (adapter, asked) = metrics(nothing);

    adapter.metrics(&[probe("p99.9")], at(100), at(200)).await.unwrap();

    let asked = asked.lock().unwrap();
    let stat = asked[0].metric_data_queries()[0].metric_stat().unwrap();
    let metric = stat.metric().unwrap();
    let dimensions: Vec<_> = metric.dimensions().iter().map(|one| (one.name(), one.value())).collect();
    assert_eq!((stat.stat(), stat.period(), stat.unit()), (Some("p99.9"), Some(10), None));
    assert_eq!((metric.namespace(), metric.metric_name()), (Some("Orders"), Some("Latency")));
    assert_eq!(dimensions, [(Some("Service"), Some("orders")), (Some("Zone"), Some("a"))]);
    assert_eq!(asked[0].start_time(), Some(&DateTime::from_secs(100)));
    assert_eq!(asked[0].end_time(), Some(&DateTime::from_secs(200)));
}

#[tokio::test]
async fn a_call_carries_five_hundred_queries_and_the_answers_keep_their_order() {
    let (adapter, asked) = metrics(|input| {
        let ids: Vec<_> = input.metric_data_queries().iter().filter_map(|query| query.id()).collect();
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let value = ids.len() as f64;
        // The service answers in an order of its own.
        page(ids.iter().rev().map(|id| result(id, StatusCode::Complete, &[(100, value)])).collect(), None)
    });
    let probes = vec![probe("Sum"); 501];

    let found = adapter.metrics(&probes, at(100), at(200)).await.unwrap();

    let sizes: Vec<usize> = asked.lock().unwrap().iter().map(|input| input.metric_data_queries().len()).collect();
    assert_eq!(sizes, [500, 1]);
    assert_eq!(found.len(), 501);
    assert_eq!((found[0][0].value, found[499][0].value, found[500][0].value), (500.0, 500.0, 1.0));
}

#[tokio::test]
async fn no_probe_is_no_call() {
    let (adapter, asked) = metrics(nothing);

    assert_eq!(adapter.metrics(&[], at(100), at(200)).await, Ok(Vec::new()));

    assert_eq!(asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_become_one_list() {
    let (adapter, asked) = metrics(|input| match input.next_token() {
        None => page(vec![result("q0", StatusCode::PartialData, &[(190, 3.0), (180, 2.0)])], Some("more")),
        Some(_) => page(vec![result("q0", StatusCode::Complete, &[(170, 1.0)])], Some("")),
    });

    let found = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap();

    let values: Vec<_> = found[0].iter().map(|point| (point.at.as_second(), point.value)).collect();
    assert_eq!(values, [(190, 3.0), (180, 2.0), (170, 1.0)]);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn only_what_lies_in_the_time_asked_for_is_returned() {
    let (adapter, _) = metrics(|_| {
        page(vec![result("q0", StatusCode::Complete, &[(200, 4.0), (199, 3.0), (100, 1.0), (99, 0.0)])], None)
    });

    let found = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap();

    assert_eq!(found[0], [Datapoint { at: at(199), value: 3.0 }, Datapoint { at: at(100), value: 1.0 }]);
}

#[tokio::test]
async fn a_value_that_is_no_number_is_passed_on() {
    let (adapter, _) = metrics(|_| page(vec![result("q0", StatusCode::Complete, &[(100, f64::NAN)])], None));

    let found = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap();

    assert!(found[0][0].value.is_nan());
}

#[tokio::test]
async fn a_result_that_is_not_complete_is_an_error() {
    for (status, class) in [
        (StatusCode::PartialData, Class::Transient),
        (StatusCode::InternalError, Class::Transient),
        (StatusCode::Forbidden, Class::Refused),
    ] {
        let shown = status.as_str().to_owned();
        let (adapter, _) = metrics(move |_| {
            let broken = result("q1", status.clone(), &[(100, 1.0)]);
            page(vec![result("q0", StatusCode::Complete, &[]), broken], None)
        });

        let error = adapter.metrics(&[probe("Sum"), probe("Sum")], at(100), at(200)).await.unwrap_err();

        let expected = PortError::new(class, "cloudwatch:GetMetricData", format!("Orders Latency: {shown}"));
        assert_eq!(error, expected);
    }
}

#[tokio::test]
async fn a_query_without_a_result_is_an_error() {
    let (adapter, _) = metrics(|_| page(Vec::new(), None));

    let error = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap_err();

    assert_eq!((error.class, error.message.as_str()), (Class::Transient, "Orders Latency: no result"));
}

#[tokio::test]
async fn a_message_about_the_whole_call_is_an_error() {
    let (adapter, _) = metrics(|input| {
        let message = MessageData::builder().code("MaxMetricsExceeded").value("only some were read").build();
        let mut output = nothing(input);
        output.messages = Some(vec![message]);
        output
    });

    let error = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap_err();

    assert_eq!((error.class, error.message.as_str()), (Class::Refused, "MaxMetricsExceeded: only some were read"));
}

#[tokio::test]
async fn values_without_instants_are_not_read() {
    let (adapter, _) = metrics(|_| {
        let lopsided = MetricDataResult::builder().id("q0").status_code(StatusCode::Complete).values(1.0).build();
        page(vec![lopsided], None)
    });

    let error = adapter.metrics(&[probe("Sum")], at(100), at(200)).await.unwrap_err();

    assert_eq!(error.class, Class::Transient);
}

fn name(text: impl Into<String>) -> AlarmName {
    AlarmName::try_from(text.into()).unwrap()
}

fn metric_alarm(name: &str, state: StateValue) -> MetricAlarm {
    MetricAlarm::builder().alarm_name(name).state_value(state).build()
}

#[tokio::test]
async fn every_kind_of_alarm_is_asked_for_and_read() {
    let (adapter, asked) = alarms(|_| {
        DescribeAlarmsOutput::builder()
            .metric_alarms(metric_alarm("budget", StateValue::Ok))
            .composite_alarms(CompositeAlarm::builder().alarm_name("all").state_value(StateValue::Alarm).build())
            .log_alarms(LogAlarm::builder().alarm_name("log").state_value(StateValue::InsufficientData).build())
            .metric_alarms(metric_alarm("new", StateValue::from("DREAMING")))
            .metric_alarms(MetricAlarm::builder().alarm_name("mute").build())
            .build()
    });
    let names = ["log", "all", "budget", "new", "mute"].map(name);

    let found = adapter.alarms(&names).await.unwrap();

    let states: Vec<AlarmState> = found.into_iter().map(|reading| reading.state).collect();
    let expected = [
        AlarmState::InsufficientData,
        AlarmState::InAlarm,
        AlarmState::Ok,
        AlarmState::Unknown("the service calls its state DREAMING".to_owned()),
        AlarmState::Unknown("the service does not say its state".to_owned()),
    ];
    assert_eq!(states, expected);
    let kinds = [AlarmType::MetricAlarm, AlarmType::CompositeAlarm, AlarmType::LogAlarm];
    assert_eq!(asked.lock().unwrap()[0].alarm_types(), kinds);
}

#[tokio::test]
async fn an_alarm_that_is_not_returned_is_missing_by_name() {
    let (adapter, _) =
        alarms(|_| DescribeAlarmsOutput::builder().metric_alarms(metric_alarm("budget", StateValue::Ok)).build());

    let found = adapter.alarms(&[name("gone"), name("budget")]).await;

    let reading = |alarm: &str, state| AlarmReading { alarm: name(alarm), state };
    assert_eq!(found, Ok(vec![reading("gone", AlarmState::Missing), reading("budget", AlarmState::Ok)]));
}

#[tokio::test]
async fn a_call_carries_a_hundred_names_and_none_of_them_twice() {
    let (adapter, asked) = alarms(|_| DescribeAlarmsOutput::builder().build());
    let mut names: Vec<AlarmName> = (0..101).map(|number| name(format!("alarm-{number}"))).collect();
    names.push(name("alarm-7"));

    let found = adapter.alarms(&names).await.unwrap();

    let sizes: Vec<usize> = asked.lock().unwrap().iter().map(|input| input.alarm_names().len()).collect();
    assert_eq!(sizes, [100, 1]);
    assert_eq!(found.len(), 102);
}

#[tokio::test]
async fn alarms_on_a_later_page_are_found() {
    let (adapter, asked) = alarms(|input| {
        let builder = DescribeAlarmsOutput::builder();
        match input.next_token() {
            None => builder.metric_alarms(metric_alarm("one", StateValue::Ok)).next_token("more").build(),
            Some(_) => builder.metric_alarms(metric_alarm("two", StateValue::Alarm)).build(),
        }
    });

    let found = adapter.alarms(&[name("one"), name("two")]).await.unwrap();

    assert_eq!(found[1].state, AlarmState::InAlarm);
    let tokens: Vec<_> = asked.lock().unwrap().iter().map(|input| input.next_token().map(str::to_owned)).collect();
    assert_eq!(tokens, [None, Some("more".to_owned())]);
}

#[tokio::test]
async fn a_token_that_the_service_does_not_know_is_refused() {
    use aws_sdk_cloudwatch::operation::describe_alarms::DescribeAlarmsError;
    use aws_sdk_cloudwatch::types::error::InvalidNextToken;
    let rule = mock!(Client::describe_alarms).then_error(|| {
        let meta = aws_sdk_cloudwatch::error::ErrorMetadata::builder().code("InvalidNextToken").message("old").build();
        DescribeAlarmsError::InvalidNextToken(InvalidNextToken::builder().message("old").meta(meta).build())
    });
    let adapter = CloudWatch { client: mock_client!(aws_sdk_cloudwatch, RuleMode::MatchAny, [&rule]) };

    let error = adapter.alarms(&[name("one")]).await.unwrap_err();

    assert_eq!((error.call, error.message.as_str()), ("cloudwatch:DescribeAlarms", "InvalidNextToken: old"));
}
