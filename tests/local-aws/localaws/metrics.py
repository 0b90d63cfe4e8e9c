"""CloudWatch's GetMetricData: aligned periods, exact dimensions, percentiles and metric math.

Replaces moto's, which starts its periods anywhere, fails on percentiles and answers every expression with nothing.
`alarms` reads through the same door, so a probe and an alarm over the same metric agree.
"""

import collections
import datetime
import re

from moto.cloudwatch import models
from moto.cloudwatch.exceptions import ValidationError

from . import mathematics, statistics
from .lags import lags

EPOCH = datetime.datetime(1970, 1, 1)
MOST_QUERIES = 500


def install():
    """From now on GetMetricData answers as CloudWatch does."""
    models.CloudWatchBackend.get_metric_data = get_metric_data


def get_metric_data(backend, queries, start_time, end_time, scan_by="TimestampDescending"):
    start, end = naive(start_time), naive(end_time)
    if start >= end:
        raise ValidationError("The parameter StartTime must be less than the parameter EndTime.")
    if len(queries) > MOST_QUERIES:
        raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")
    try:
        series = answers(backend, queries, start, end)
    except ValueError as error:
        raise ValidationError(str(error)) from None
    results = []
    for query in queries:
        if str(query.get("ReturnData", True)).lower() == "false":
            continue
        found = series[query["Id"]]
        moments = sorted(found, reverse=scan_by == "TimestampDescending")
        results.append(
            {
                "id": query["Id"],
                "label": query.get("Label") or label(query),
                "timestamps": moments,
                "values": [found[moment] for moment in moments],
                "status_code": "Complete",
            }
        )
    return results


def naive(moment):
    """Whole seconds of UTC without a zone, which is what moto keeps."""
    if moment.tzinfo:
        moment = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return moment.replace(microsecond=0)


def label(query):
    if "MetricStat" in query:
        return f"{query['MetricStat']['Metric']['MetricName']} {query['MetricStat']['Stat']}"
    return query["Id"]


def answers(backend, queries, start, end):
    """Every query's series. Expressions may use each other in any order; one without an end is refused."""
    series, waiting, data = {}, {}, backend.get_all_metrics()
    period = max([int(query["MetricStat"]["Period"]) for query in queries if "MetricStat" in query], default=60)
    for query in queries:
        if query["Id"] in series or query["Id"] in waiting:
            raise ValueError(f"The values for parameter id in MetricDataQueries are not unique: {query['Id']}")
        if "MetricStat" in query:
            series[query["Id"]] = measured(data, query["MetricStat"], start, end)
        else:
            waiting[query["Id"]] = query["Expression"]
    while waiting:
        ready = [name for name, text in waiting.items() if not set(identifiers(text)) & set(waiting)]
        if not ready:
            raise ValueError(f"Expressions use each other in a circle: {', '.join(waiting)}")
        for name in ready:
            moments = periods(start, end, period)
            value = mathematics.evaluate(waiting.pop(name), dict(series), period, moments)
            if not isinstance(value, dict):
                if isinstance(value, (list, str)):
                    raise ValueError(f"Expression {name} must be one time series here")
                value = dict.fromkeys(moments, float(value))
            series[name] = value
    return series


def identifiers(expression):
    return re.findall(r"[a-z][A-Za-z0-9_]*", expression)


def aligned(moment, period):
    since = int((moment - EPOCH).total_seconds())
    return EPOCH + datetime.timedelta(seconds=since - since % period)


def periods(start, end, period):
    moment, found = aligned(start, period), []
    while moment < end:
        found.append(moment)
        moment += datetime.timedelta(seconds=period)
    return found


def measured(data, wanted, start, end):
    """One metric's statistic in each period that has data; the start is included, the end is not."""
    metric, statistic, period = wanted["Metric"], wanted["Stat"], int(wanted["Period"])
    statistics.check(statistic)
    dimensions = sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions", []))
    start, found, places = aligned(start, period), {}, collections.Counter()
    for datum in data:
        if datum.namespace != metric["Namespace"] or datum.name != metric["MetricName"]:
            continue
        at = naive(datum.timestamp)
        if not start <= at < end or (wanted.get("Unit") and datum.unit != wanted["Unit"]):
            continue
        if sorted((each.name, each.value) for each in datum.dimensions) == dimensions:
            if lags.is_published(datum.namespace, at.replace(tzinfo=datetime.timezone.utc), places[at]):
                found.setdefault(aligned(at, period), []).append(datum)
            places[at] += 1
    result = {moment: statistics.of(several, statistic) for moment, several in found.items()}
    return {moment: value for moment, value in result.items() if value is not None}
