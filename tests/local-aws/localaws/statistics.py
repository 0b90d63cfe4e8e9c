"""Statistics of one period, as CloudWatch names them: the five classic ones and percentiles.

A percentile of values lies between its two neighbours; of statistic sets there is one only where CloudWatch has one.
An unknown statistic is a ValueError; no data at all is no datapoint, and is not asked here.
"""

import math
import re

CLASSIC = ("SampleCount", "Sum", "Average", "Minimum", "Maximum")


def check(statistic):
    """Refuses what is not a statistic."""
    percentile = re.fullmatch(r"p(\d{1,2}(?:\.\d{1,10})?|100)", statistic)
    if statistic not in CLASSIC and not percentile:
        raise ValueError(f"The value {statistic} for parameter Stat is not supported.")


def of(data, statistic):
    """The statistic of data of moto's: values and statistic sets. Nothing where CloudWatch would have nothing."""
    values = sorted(datum.value for datum in data if hasattr(datum, "value"))
    sets = [datum for datum in data if not hasattr(datum, "value")]
    if statistic.startswith("p"):
        for found in sets:
            if found.sample_count != 1 and found.min != found.max:
                return None
            values += [found.min] * int(found.sample_count)
        return percentile(sorted(values), float(statistic[1:]))
    count = len(values) + sum(found.sample_count for found in sets)
    total = math.fsum(values) + math.fsum(found.sum for found in sets)
    if statistic == "SampleCount":
        return float(count)
    if statistic == "Sum":
        return total
    if statistic == "Average":
        return total / count
    ends = values + [found.min if statistic == "Minimum" else found.max for found in sets]
    return min(ends) if statistic == "Minimum" else max(ends)


def percentile(ordered, percent):
    """Between the closest ranks."""
    position = (len(ordered) - 1) * percent / 100
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)
