"""The operator's own day: where it begins and ends, also when clocks change.

Pure. A day is named for the date on which it begins on a clock on the wall of its zone, so with `rolls_at`
17:00 the day 2026-11-20 lasts from Friday 17:00 to Saturday 17:00. It has 23 or 25 hours when daylight saving
begins or ends in it. A `rolls_at` that the clock shows twice is the first of the two; one that it skips is
the moment at which it skips it. The bot's own day, by which its loss cap is counted, is always UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from exporter.schedule import moment

DAY_SECONDS: Final = 86_400
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """One day of an operator: its date, its start and its end (the next day's start) in epoch seconds."""

    date: str
    starts_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class OperatorDay:
    """A day in the zone `tz` (an IANA name) that begins `rolls_at` minutes after midnight there."""

    tz: str = "UTC"
    rolls_at: int = 0

    def __str__(self) -> str:
        """As shown to people: `UTC`, or `America/New_York from 17:00`."""
        return (
            f"{self.tz} from {self.rolls_at // 60:02}:{self.rolls_at % 60:02}" if self.rolls_at else self.tz
        )

    def spans(self, since: float, until: float) -> Iterator[Span]:
        """The days that overlap a stretch of time (`until` excluded), in order; no day is empty."""
        day = datetime.fromtimestamp(since, ZoneInfo(self.tz)).date() - _ONE
        start = _starts(self, day)
        while start < until:
            following = day + _ONE
            end = _starts(self, following)
            if start < end and end > since:
                yield Span(day.isoformat(), start, end)
            day, start = following, end

    def at(self, when: float) -> Span:
        """The day that holds a moment."""
        return next(span for span in self.spans(when, when + 1) if span.starts_at <= when < span.ends_at)


@lru_cache(maxsize=4096)
def _starts(day: OperatorDay, when: date) -> float:
    return moment(when, day.rolls_at, ZoneInfo(day.tz), fold=0)
