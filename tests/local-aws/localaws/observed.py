"""What AWS measures by itself, and what logs carry: metrics that nobody puts.

Lambda's counts, Step Functions' executions, the depth of queues, and the Embedded Metric Format in log lines.
`functions`, `machines` and `alarms` call it; the values land where PutMetricData puts its own.
"""

import datetime
import json

from . import ACCOUNT, REGION


def count(namespace, name, dimensions, value=1, unit="Count", at=None):
    """Puts one value now."""
    put(namespace, name, dimensions, [value], unit, at)


def put(namespace, name, dimensions, values, unit="Count", at=None):
    """Puts values of one moment."""
    from moto.cloudwatch.models import MetricDatum, cloudwatch_backends

    at = at or datetime.datetime.now(datetime.timezone.utc)
    named = [{"Name": key, "Value": str(text)} for key, text in dimensions.items()]
    data = [MetricDatum(namespace, name, float(value), named, at.replace(tzinfo=None), unit) for value in values]
    cloudwatch_backends[ACCOUNT][REGION].metric_data.extend(data)


def queues():
    """The depth of every queue, which SQS itself reports each minute."""
    from moto.sqs.models import sqs_backends

    for queue in list(sqs_backends[ACCOUNT][REGION].queues.values()):
        visible = queue.approximate_number_of_messages
        count("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": queue.name}, visible)


def embedded(line):
    """Metrics inside of a log line, when it is one JSON document in the Embedded Metric Format."""
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        at = datetime.datetime.fromtimestamp(document["_aws"]["Timestamp"] / 1000, datetime.timezone.utc)
        for directive in directives:
            for names in directive.get("Dimensions") or [[]]:
                dimensions = {name: document[name] for name in names}
                for metric in directive["Metrics"]:
                    values = document[metric["Name"]]
                    values = values if isinstance(values, list) else [values]
                    put(directive["Namespace"], metric["Name"], dimensions, values, metric.get("Unit", "None"), at)
    except (ValueError, KeyError, TypeError):
        # CloudWatch leaves a line that is not in the format where it is: a log line.
        return
