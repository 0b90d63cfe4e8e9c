"""How far this AWS is behind itself, where a test asks for it; everything is at once until then.

Reads that are not strongly consistent show what was, instances take their time to stop and to start, and metrics come late
and change. All of it goes by the clock that can be pushed.
"""

import collections
import datetime
from dataclasses import asdict, dataclass, field

from .clockwork import clock

# What is older than this nobody asks for: no lag is longer.
MOST_SECONDS = 3600


@dataclass
class Lags:
    """The switches, in seconds; 0 is off."""

    # DynamoDB without ConsistentRead, EC2's describe calls, and what is known of commands.
    reads_seconds: float = 0.0
    # From `stopping` to `stopped`, and from `pending` to `running`.
    stop_seconds: float = 0.0
    start_seconds: float = 0.0
    # By namespace, or by the beginning of several: `AWS/`.
    metrics_seconds: dict = field(default_factory=dict)

    def turn(self, **asked):
        """From now on these; what is not said is off."""
        other = Lags(**asked)
        numbers = [other.reads_seconds, other.stop_seconds, other.start_seconds, *other.metrics_seconds.values()]
        if not all(0 <= float(number) <= MOST_SECONDS for number in numbers):
            raise ValueError(f"a lag is from 0 to {MOST_SECONDS} seconds")
        self.__dict__ |= vars(other)

    def shown(self):
        return asdict(self)

    def read_until(self):
        """Up to when reads know what happened."""
        return clock.now() - datetime.timedelta(seconds=self.reads_seconds)

    def is_published(self, namespace, at, place):
        """Whether a value of this moment can be read by now.

        Every second value comes twice as late as the others: until then a Sum is too small, and then it is restated.
        `place` is which one of its moment the value is.
        """
        late = max((late for name, late in self.metrics_seconds.items() if namespace.startswith(name)), default=0)
        late *= 1 + (int(at.timestamp()) + place) % 2
        return not late or at + datetime.timedelta(seconds=late) <= clock.now()


class Journal:
    """What was, before each change of it: the newest last."""

    def __init__(self):
        self._before = collections.deque()

    def note(self, before):
        """Call it ahead of a change."""
        now = clock.now()
        self._before.append((now, before))
        while (now - self._before[0][0]).total_seconds() > MOST_SECONDS:
            self._before.popleft()

    def since(self, moment):
        """What was before each change since then, the oldest first."""
        return [before for at, before in list(self._before) if at > moment]


lags = Lags()
