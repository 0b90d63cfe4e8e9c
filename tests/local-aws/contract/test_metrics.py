"""CloudWatch: GetMetricData with percentiles and metric math, and alarms that evaluate."""

import datetime
import json
import urllib.request
import uuid

import pytest
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer
from testing import eventually
from localaws import alarms, mathematics, statistics

UTC = datetime.timezone.utc


def now():
    return datetime.datetime.now(UTC)


class Space:
    """A namespace of a test's own."""

    def __init__(self, aws):
        self.aws, self.name = aws, f"ns-{uuid.uuid4().hex[:10]}"
        minute = now().replace(second=0, microsecond=0)
        self.start = minute - datetime.timedelta(minutes=10)

    def put(self, metric, values, *minutes, **dimensions):
        """The same values in each of these minutes, in one call."""
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        data = [
            {
                "MetricName": metric,
                "Dimensions": named,
                "Timestamp": self.start + datetime.timedelta(minutes=minute, seconds=7),
                "Values": values,
            }
            for minute in minutes or [0]
        ]
        self.aws.client("cloudwatch").put_metric_data(Namespace=self.name, MetricData=data)

    def stat(self, metric, statistic, identity="m", returns=True, **dimensions):
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        wanted = {"Namespace": self.name, "MetricName": metric, "Dimensions": named}
        return {
            "Id": identity,
            "ReturnData": returns,
            "MetricStat": {"Metric": wanted, "Period": 60, "Stat": statistic},
        }

    def get(self, *queries, **more):
        answer = self.aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=list(queries),
            StartTime=self.start,
            EndTime=self.start + datetime.timedelta(minutes=5),
            **more,
        )
        return {
            result["Id"]: [
                (round((at - self.start).total_seconds() / 60), value)
                for at, value in zip(result["Timestamps"], result["Values"])
            ]
            for result in answer["MetricDataResults"]
        }


@pytest.fixture
def space(aws):
    return Space(aws)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("p99", 99.01),
        ("p50", 50.5),
        ("p0", 1.0),
        ("p100", 100.0),
        ("Average", 50.5),
        ("Maximum", 100.0),
        ("SampleCount", 100.0),
    ],
)
def test_a_statistic_of_a_hundred_values(space, statistic, expected):
    space.put("Latency", [float(value) for value in range(1, 101)])

    assert space.get(space.stat("Latency", statistic)) == {"m": [(0, pytest.approx(expected))]}


def test_periods_begin_on_their_boundaries_and_the_newest_is_first(space):
    for minute in (0, 1, 3):
        space.put("N", [float(minute)], minute)

    assert space.get(space.stat("N", "Sum")) == {"m": [(3, 3.0), (1, 1.0), (0, 0.0)]}
    assert space.get(space.stat("N", "Sum"), ScanBy="TimestampAscending") == {"m": [(0, 0.0), (1, 1.0), (3, 3.0)]}


def test_the_end_is_not_included(space):
    space.put("N", [1.0], 5)

    assert space.get(space.stat("N", "Sum")) == {"m": []}


def test_dimensions_are_exact(space):
    space.put("N", [1.0], Service="a")
    space.put("N", [2.0], Service="a", Host="h")
    space.put("N", [4.0])

    found = space.get(
        space.stat("N", "Sum", "one", Service="a"),
        space.stat("N", "Sum", "none"),
        space.stat("N", "Sum", "other", Service="b"),
    )

    assert found == {"one": [(0, 1.0)], "none": [(0, 4.0)], "other": []}


def test_metric_math_is_worked_out_over_queries_and_other_expressions(space):
    for minute, (errors, requests) in enumerate([(1.0, 50.0), (0.0, 0.0), (5.0, 20.0)]):
        space.put("E", [errors], minute)
        space.put("R", [requests], minute)

    found = space.get(
        {"Id": "top", "Expression": "100 - share"},
        {"Id": "share", "Expression": "e / r * 100", "ReturnData": False},
        space.stat("E", "Sum", "e", returns=False),
        space.stat("R", "Sum", "r", returns=False),
    )

    assert found == {"top": [(2, 75.0), (0, 98.0)]}


@pytest.mark.parametrize(
    ("queries", "word"),
    [
        ([{"Id": "a", "Expression": "SEARCH('x', 'Sum')"}], "SEARCH"),
        ([{"Id": "a", "Expression": "b + 1"}], "b"),
        ([{"Id": "a", "Expression": "b"}, {"Id": "b", "Expression": "a"}], "circle"),
        ([{"Id": "a", "Expression": "1 +"}], "1 +"),
    ],
)
def test_a_wrong_expression_is_refused_and_named(space, queries, word):
    with pytest.raises(Exception, match="ValidationError") as refused:
        space.get(*queries)

    assert word in str(refused.value)


def test_an_unknown_statistic_and_too_many_queries_are_refused(space):
    with pytest.raises(Exception, match="pp99"):
        space.get(space.stat("N", "pp99"))
    with pytest.raises(Exception, match="500"):
        space.get(*[space.stat("N", "Sum", f"m{number}") for number in range(501)])


M0, M1, M2 = (datetime.datetime(2026, 1, 1, 0, minute) for minute in range(3))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b", {M0: 11.0}),
        ("-a ^ 2", {M0: -1.0, M1: -4.0}),
        ("SUM([a, b])", {M0: 11.0, M1: 2.0, M2: 30.0}),
        ("SUM(METRICS())", {M0: 11.0, M1: 2.0, M2: 30.0}),
        ("a - MIN(a)", {M0: 0.0, M1: 1.0}),
        ("FILL(a, 0)", {M0: 1.0, M1: 2.0, M2: 0.0}),
        ("FILL(b, LINEAR)", {M0: 10.0, M1: 20.0, M2: 30.0}),
        ("FILL(a, REPEAT)", {M0: 1.0, M1: 2.0, M2: 2.0}),
        ("IF(a > 1, a, 0)", {M0: 0.0, M1: 2.0}),
        ("IF(a > 1, 5)", {M1: 5.0}),
        ("a >= 1 AND a < 2", {M0: 1.0, M1: 0.0}),
        ("RATE(a)", {M1: 1 / 60}),
        ("DIFF(a) / PERIOD(a)", {M1: 1 / 60}),
        ("RUNNING_SUM(a)", {M0: 1.0, M1: 3.0}),
        ("a / (a - 1)", {M1: 2.0}),
        ("2 * 3 + 4 / 2", 8.0),
    ],
)
def test_an_expression_has_its_value(expression, expected):
    series = {"a": {M0: 1.0, M1: 2.0}, "b": {M0: 10.0, M2: 30.0}}

    assert mathematics.evaluate(expression, series, 60, [M0, M1, M2]) == pytest.approx(expected)


def test_a_percentile_of_statistic_sets_is_only_where_cloudwatch_has_one():
    class Single:
        value = 7.0

    class Set:
        def __init__(self, low, high, count):
            self.min, self.max, self.sample_count, self.sum = low, high, count, low + high

    assert statistics.of([Set(1.0, 9.0, 2)], "p50") is None
    assert statistics.of([Set(3.0, 3.0, 2), Single()], "p50") == 3.0
    assert statistics.of([Set(1.0, 9.0, 2), Single()], "Maximum") == 9.0


@pytest.mark.parametrize(
    ("points", "needed", "missing", "before", "state"),
    [
        ([True, True, True], 2, "missing", "OK", "ALARM"),
        ([True, False, False], 2, "missing", "OK", "OK"),
        ([None, None, None], 2, "missing", "ALARM", "INSUFFICIENT_DATA"),
        ([None, None, None], 2, "ignore", "ALARM", "ALARM"),
        ([None, None, None], 2, "breaching", "OK", "ALARM"),
        ([None, None, None], 2, "notBreaching", "ALARM", "OK"),
        ([True, None, None], 2, "breaching", "OK", "ALARM"),
        ([True, None, True], 2, "missing", "OK", "ALARM"),
        ([True, None, False], 2, "ignore", "ALARM", "ALARM"),
        ([False, None, False], 2, "ignore", "ALARM", "OK"),
    ],
)
def test_m_out_of_n(points, needed, missing, before, state):
    assert alarms.judged(points, needed, missing, before)[0] == state


def alarm(space, metric="N", **more):
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    settings = {"Namespace": space.name, "MetricName": metric, "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3}
    settings |= {"DatapointsToAlarm": 2, "Threshold": 5, "ComparisonOperator": "GreaterThanThreshold"}
    space.aws.client("cloudwatch").put_metric_alarm(AlarmName=name, **(settings | more))
    return name


def test_an_alarm_has_no_data_then_alarms_and_tells(space):
    aws = space.aws
    topic, other = f"alarms-{uuid.uuid4().hex[:6]}", aws.queue()
    topic_arn = aws.client("sns").create_topic(Name=topic)["TopicArn"]
    told, told_arn = aws.queue()
    aws.client("sns").subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=told_arn, Attributes={"RawMessageDelivery": "true"}
    )
    aws.client("events").put_rule(Name=topic, EventPattern='{"source":["aws.cloudwatch"]}')
    aws.client("events").put_targets(Rule=topic, Targets=[{"Id": "q", "Arn": other[1]}])
    name = alarm(space, AlarmActions=[topic_arn])
    first = aws.ask("alarms", {})[name]

    space.put("N", [6.0], 8, 9)
    second = aws.ask("alarms", {})[name]

    assert (first, second) == ("INSUFFICIENT_DATA", "ALARM")
    message = json.loads(aws.heard(told)["Body"])
    assert (message["AlarmName"], message["OldStateValue"], message["NewStateValue"]) == (
        name,
        "INSUFFICIENT_DATA",
        "ALARM",
    )
    event = json.loads(aws.heard(other[0], lambda heard: name in heard["Body"])["Body"])
    assert event["detail"]["state"]["value"] == "ALARM"
    aws.client("events").remove_targets(Rule=topic, Ids=["q"])


def test_a_new_alarm_has_insufficient_data_and_keeps_it_when_missing_data_is_ignored(space):
    name = alarm(space, TreatMissingData="ignore")

    assert space.aws.ask("alarms", {})[name] == "INSUFFICIENT_DATA"


def test_an_alarm_over_percentiles_and_one_over_metric_math(space):
    space.put("L", [1.0] * 9 + [100.0], 7, 8, 9)
    slow = alarm(space, "L", Threshold=50, **{"Statistic": "Maximum"})
    fine = alarm(space, "L", Threshold=50, **{"Statistic": "Average"})
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    queries = [space.stat("L", "p90", "p", returns=False), {"Id": "double", "Expression": "p * 2", "ReturnData": True}]
    space.aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Metrics=queries, EvaluationPeriods=3, DatapointsToAlarm=2, Threshold=21, ComparisonOperator="GreaterThanThreshold"
    )

    states = space.aws.ask("alarms", {})

    assert (states[slow], states[fine], states[name]) == ("ALARM", "OK", "ALARM")


def test_a_composite_alarm_follows_others(space):
    one, other = alarm(space, TreatMissingData="breaching"), alarm(space, TreatMissingData="notBreaching")
    rules = {
        "both": f"ALARM({one}) AND ALARM({other})",
        "either": f'ALARM("{one}") OR ALARM({other})',
        "not": f"NOT (ALARM({one}) AND OK({other}))",
    }
    for name, rule in rules.items():
        space.aws.client("cloudwatch").put_composite_alarm(AlarmName=f"{name}-{space.name}", AlarmRule=rule)

    states = space.aws.ask("alarms", {})

    assert {name: states[f"{name}-{space.name}"] for name in rules} == {"both": "OK", "either": "ALARM", "not": "OK"}


def test_an_alarm_evaluates_by_itself(space):
    name = alarm(space, Period=10, EvaluationPeriods=1, DatapointsToAlarm=1, TreatMissingData="breaching")

    def state():
        found = space.aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
        return found["StateValue"] == "ALARM"

    assert eventually(state, 15)


def test_newer_sdks_are_answered_in_their_own_protocol(aws):
    model = aws.client("cloudwatch").meta.service_model.operation_model("DescribeAlarms")
    request = RpcV2CBORSerializer().serialize_to_request({"AlarmNames": ["there-is-none"]}, model)

    answer = urllib.request.urlopen(
        urllib.request.Request(
            aws.environment["AWS_ENDPOINT_URL"] + request["url_path"], data=request["body"], headers=request["headers"]
        ),
        timeout=10,
    )

    said = {"status_code": answer.status, "headers": answer.headers, "body": answer.read()}
    parsed = RpcV2CBORParser().parse(said, model.output_shape)
    assert answer.headers["smithy-protocol"] == "rpc-v2-cbor"
    assert parsed["MetricAlarms"] == []
