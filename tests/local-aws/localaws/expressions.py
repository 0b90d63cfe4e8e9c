"""Schedule expressions: `rate(...)`, `cron(...)` and `at(...)`, and when each is due next.

The one promise is `after(expression, moment, zone)`: the next moment, or nothing when there is none.
`W` and more than one year ahead of the calendar (100 years) are not there; a wrong expression is a ValueError.
"""

import calendar
import datetime
import re
from zoneinfo import ZoneInfo

UTC = datetime.timezone.utc
UNITS = {"minute": 60, "hour": 3600, "day": 86400}
MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}


def after(expression, moment, zone="UTC"):
    """When `expression` is due next after `moment` (aware); `at` is due once, whenever that is."""
    kind, _, inside = expression.rstrip(")").partition("(")
    if kind == "rate":
        return moment + datetime.timedelta(seconds=seconds(inside))
    if kind == "at":
        due = datetime.datetime.fromisoformat(inside).replace(tzinfo=ZoneInfo(zone))
        return due.astimezone(UTC)
    if kind == "cron":
        return _cron(inside, moment, ZoneInfo(zone))
    raise ValueError(f"`{expression}` is none of rate(...), cron(...) and at(...)")


def once(expression):
    """Whether it is due at one moment only."""
    return expression.startswith("at(")


def seconds(inside):
    """Of `5 minutes`."""
    found = re.fullmatch(r"(\d+) (minute|hour|day)(s?)", inside)
    if not found or int(found.group(1)) < 1:
        raise ValueError(f"`rate({inside})` is not a rate: `rate(5 minutes)` is")
    return int(found.group(1)) * UNITS[found.group(2)]


def _cron(inside, moment, zone):
    fields = inside.split()
    if len(fields) != 6:
        raise ValueError(f"`cron({inside})` has {len(fields)} fields instead of 6")
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    months, years = _numbers(fields[3], 1, 12, MONTHS), _numbers(fields[5], 1970, 2199)
    if ("?" in (fields[2], fields[4])) is False:
        raise ValueError(f"`cron({inside})`: one of day-of-month and day-of-week must be ?")
    local = moment.astimezone(zone)
    for ahead in range(366 * 100):
        day = local.date() + datetime.timedelta(days=ahead)
        if day.month not in months or day.year not in years or not _on(day, fields[2], fields[4]):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                due = datetime.datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)
                if due > moment:
                    return due
    return None


def _on(day, of_month, of_week):
    last = calendar.monthrange(day.year, day.month)[1]
    if of_month == "L":
        return day.day == last
    if of_month != "?":
        return day.day in _numbers(of_month, 1, 31)
    number = day.isoweekday() % 7 + 1
    for part in of_week.upper().split(","):
        if "#" in part:
            which, nth = part.split("#")
            if DAYS.get(which, which) in (number, str(number)) and (day.day - 1) // 7 + 1 == int(nth):
                return True
        elif part.endswith("L"):
            if number == int(DAYS.get(part[:-1], part[:-1] or 7)) and day.day + 7 > last:
                return True
        elif number in _numbers(part, 1, 7, DAYS):
            return True
    return False


def _numbers(field, low, high, names=None):
    """The numbers that a field stands for."""
    chosen = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        first, _, to = span.partition("-")
        try:
            number = [int((names or {}).get(text, text)) for text in (first, to) if text and text not in "*?"]
            if span in ("*", "?"):
                number = [low, high]
            elif not to:
                number = [number[0], high if step else number[0]]
            if not low <= number[0] <= number[1] <= high:
                raise ValueError
            chosen.update(range(number[0], number[1] + 1, int(step or 1)))
        except (ValueError, IndexError):
            raise ValueError(f"`{field}` is not a cron field from {low} to {high}") from None
    return chosen
