"""When an exchange is open, as far as its calendar is known.

Pure. `EXCHANGES` names those that a schedule may name; the sessions come from outside (exporter.calendars).
Before the first session that is known and after the last one nothing is known: neither is planned quiet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from exporter.planned import Planned

REGULAR: Final = "regular"
EXTENDED: Final = "extended"

EXCHANGES: Final[Mapping[str, str]] = {
    "XASX": "Australia/Sydney",
    "XETR": "Europe/Berlin",
    "XHKG": "Asia/Hong_Kong",
    "XLON": "Europe/London",
    "XNAS": "America/New_York",
    "XNYS": "America/New_York",
    "XSHG": "Asia/Shanghai",
    "XSWX": "Europe/Zurich",
    "XTKS": "Asia/Tokyo",
    "XTSE": "America/Toronto",
}
"""By its ISO 10383 code, the zone in which an exchange keeps its hours.

Only exchanges on whose closings two libraries agree stand here (tests/exporter/test_exchange_calendars.py).
"""

EXTENDED_HOURS: Final[Mapping[str, tuple[float, float]]] = dict.fromkeys(
    ("XNAS", "XNYS"), (5.5 * 3600, 4 * 3600)
)
"""Seconds before a session opens and after it closes in which shares are traded as well.

American shares: from 04:00 to 20:00, and to 17:00 on a day that closes at 13:00.
"""


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of an exchange in epoch seconds, in order; one with a break at noon makes two."""

    opens: tuple[float, ...]
    closes: tuple[float, ...]

    def closed_at(self, now: float, before: float = 0.0, after: float = 0.0) -> tuple[float, float] | None:
        """From when to when it is closed around `now`; None where it is open, or nobody knows.

        `before` and `after` are seconds for which it is open around each session as well.
        """
        following = bisect_right(self.opens, now + before)  # the first session that has not begun
        if not 0 < following < len(self.opens):
            return None
        since, until = self.closes[following - 1] + after, self.opens[following] - before
        return (since, until) if since <= now < until else None


@dataclass(frozen=True, slots=True)
class Closed:
    """A bot, or a venue of it, is quiet while an exchange is closed; `hours` are REGULAR or EXTENDED.

    `known` is shared by all and filled by whoever reads calendars: sessions by code.
    """

    exchange: str
    hours: str
    reason: str
    known: MutableMapping[str, Sessions]
    venue: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether its calendar was read."""
        return self.exchange in self.known

    def at(self, now: float) -> Planned | None:
        """The quiet that holds at `now`."""
        if (sessions := self.known.get(self.exchange)) is None:
            return None
        margins = EXTENDED_HOURS[self.exchange] if self.hours == EXTENDED else (0.0, 0.0)
        closed = sessions.closed_at(now, *margins)
        return None if closed is None else Planned(*closed, self.reason, ZoneInfo(EXCHANGES[self.exchange]))
