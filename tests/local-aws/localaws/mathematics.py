"""Metric math: the expressions that GetMetricData and alarms may hold, over time series.

A series is a dict from moments to numbers, an array is a list of series and numbers; the words are CloudWatch's.
What is not known here is a ValueError that names it, never an empty answer.
"""

import math
import re

TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?)|([A-Za-z_][A-Za-z0-9_]*)|(&&|\|\||[<>=!]=|[-+*/^<>(),\[\]])|('[^']*'|\"[^\"]*\"))"
)
LEVELS = (("OR", "||"), ("AND", "&&"), ("<", ">", "<=", ">=", "==", "!="), ("+", "-"), ("*", "/"))


def evaluate(expression, series, period, moments):
    """The value of `expression`; `series` has what other queries gave, `moments` are the starts of all periods."""
    return Evaluation(expression, series, period, moments).whole()


class Evaluation:
    """One expression, read and worked out from left to right."""

    def __init__(self, expression, series, period, moments):
        self.expression, self.series, self.period, self.moments = expression, series, period, moments
        self.tokens, position = [], 0
        while expression[position:].strip():
            found = TOKEN.match(expression, position)
            if not found:
                raise ValueError(f"`{expression[position:]}` in `{expression}` is not metric math")
            self.tokens.append(found.group(0).strip())
            position = found.end()
        self.at = 0

    def whole(self):
        value = self.binary(0)
        if self.at < len(self.tokens):
            raise ValueError(f"`{self.tokens[self.at]}` is left over in `{self.expression}`")
        return value

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted=None):
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise ValueError(f"`{self.expression}` needs {wanted or 'a value'} where it has `{token}`")
        self.at += 1
        return token

    def binary(self, level):
        if level == len(LEVELS):
            return self.power()
        value = self.binary(level + 1)
        while self.peek().upper() in LEVELS[level]:
            operator = self.take().upper()
            value = each(OPERATORS[operator], value, self.binary(level + 1))
        return value

    def power(self):
        value = self.unary()
        if self.peek() == "^":
            self.take()
            return each(OPERATORS["^"], value, self.power())
        return value

    def unary(self):
        if self.peek() == "-":
            self.take()
            return each(lambda number: -number, self.power())
        if self.peek().upper() == "NOT":
            self.take()
            return each(lambda number: float(not number), self.power())
        return self.primary()

    def primary(self):
        token = self.take()
        if token == "(":
            value = self.binary(0)
            self.take(")")
            return value
        if token == "[":
            return self.several("]")
        if token[0].isdigit():
            return float(token)
        if token[0] in "'\"":
            return token[1:-1]
        if self.peek() == "(":
            self.take()
            return self.call(token.upper(), self.several(")"))
        if token in self.series:
            return self.series[token]
        if token.upper() == "REPEAT" or token.upper() == "LINEAR":
            return token.upper()
        raise ValueError(f"there is no query `{token}` that `{self.expression}` could use")

    def several(self, end):
        values = []
        while self.peek() != end:
            values.append(self.binary(0))
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return values

    def call(self, name, arguments):
        if name == "METRICS":
            wanted = arguments[0] if arguments else ""
            return [series for query, series in self.series.items() if wanted in query]
        if name == "PERIOD":
            return float(self.period)
        if name == "FILL":
            return self.fill(*arguments)
        if name == "IF" and len(arguments) in (2, 3):
            return condition(*arguments)
        if name in AGGREGATES and arguments:
            return aggregate(AGGREGATES[name], arguments[0])
        if name in EACH and len(arguments) == 1:
            return each(EACH[name], arguments[0])
        if name in ALONG and arguments:
            return ALONG[name](arguments[0])
        raise ValueError(f"metric math here has no {name} with {len(arguments)} arguments")

    def fill(self, given, filler):
        if isinstance(given, list):
            return [self.fill(series, filler) for series in given]
        filled, last = {}, None
        for moment in self.moments:
            last = given.get(moment, last)
            if moment in given:
                filled[moment] = given[moment]
            elif filler == "REPEAT":
                if last is not None:
                    filled[moment] = last
            elif filler == "LINEAR":
                before = max((known for known in given if known < moment), default=None)
                beyond = min((known for known in given if known > moment), default=None)
                if before is not None and beyond is not None:
                    share = (moment - before) / (beyond - before)
                    filled[moment] = given[before] + (given[beyond] - given[before]) * share
            else:
                filled[moment] = filler[moment] if isinstance(filler, dict) else filler
        return filled


def each(operation, *operands):
    """An operation for each moment that all series have; a moment at which there is no result is left out."""
    arrays = [operand for operand in operands if isinstance(operand, list)]
    if arrays:
        length = len(arrays[0])
        spread = [operand if isinstance(operand, list) else [operand] * length for operand in operands]
        return [each(operation, *members) for members in zip(*spread, strict=True)]
    series = [operand for operand in operands if isinstance(operand, dict)]
    if not series:
        return operation(*operands)
    moments = set(series[0]).intersection(*series[1:])
    result = {}
    for moment in sorted(moments):
        try:
            value = operation(*(operand[moment] if isinstance(operand, dict) else operand for operand in operands))
        except (ZeroDivisionError, OverflowError, ValueError):
            continue
        if isinstance(value, complex) or math.isnan(value) or math.isinf(value):
            continue
        result[moment] = value
    return result


def condition(when, then, otherwise=None):
    """`IF`: for each moment of the condition; without the third argument the others are left out."""
    if not isinstance(when, dict):
        return then if when else (otherwise if otherwise is not None else {})
    chosen = {}
    for moment, true in when.items():
        side = then if true else otherwise
        value = side.get(moment) if isinstance(side, dict) else side
        if value is not None:
            chosen[moment] = value
    return chosen


def aggregate(operation, given):
    """One series: a number. An array: a series, for each moment that any of its series has."""
    if isinstance(given, dict):
        return operation(list(given.values())) if given else 0.0
    if not isinstance(given, list):
        return given
    moments = sorted({moment for series in given if isinstance(series, dict) for moment in series})
    values = {
        moment: [
            one[moment] if isinstance(one, dict) else one for one in given if not isinstance(one, dict) or moment in one
        ]
        for moment in moments
    }
    return {moment: operation(found) for moment, found in values.items()}


def deviation(values):
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))


def difference(series, rate=False):
    moments = sorted(series)
    return {
        now: (series[now] - series[before]) / ((now - before).total_seconds() if rate else 1)
        for before, now in zip(moments, moments[1:])
    }


def running(series):
    total, result = 0.0, {}
    for moment in sorted(series):
        total += series[moment]
        result[moment] = total
    return result


OPERATORS = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "/": lambda one, other: one / other,
    "^": lambda one, other: one**other,
    "<": lambda one, other: float(one < other),
    ">": lambda one, other: float(one > other),
    "<=": lambda one, other: float(one <= other),
    ">=": lambda one, other: float(one >= other),
    "==": lambda one, other: float(one == other),
    "!=": lambda one, other: float(one != other),
    "AND": lambda one, other: float(bool(one) and bool(other)),
    "OR": lambda one, other: float(bool(one) or bool(other)),
}
OPERATORS |= {"&&": OPERATORS["AND"], "||": OPERATORS["OR"]}
AGGREGATES = {
    "SUM": math.fsum,
    "AVG": lambda values: math.fsum(values) / len(values),
    "MIN": min,
    "MAX": max,
    "STDDEV": deviation,
    "DATAPOINT_COUNT": lambda values: float(len(values)),
}
EACH = {
    "ABS": abs,
    "CEIL": lambda number: float(math.ceil(number)),
    "FLOOR": lambda number: float(math.floor(number)),
    "LOG": math.log,
    "LOG10": math.log10,
}
ALONG = {"DIFF": difference, "RATE": lambda series: difference(series, rate=True), "RUNNING_SUM": running}
