"""One stretch of planned quiet: from when until when, why, and by whose word.

Pure. The end is also a text as people at that place write it: with its zone, with its weekday where the hour
alone would seem to be today's, and with its date where the weekday alone would seem to be this week's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

SCHEDULE: Final = "schedule"
BOT: Final = "bot"
"""By whose word quiet is planned: the settings of this program, or the bot itself; else a person's name."""

_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Planned:
    """Planned quiet in epoch seconds; `zone` is where its hours are kept."""

    since: float
    until: float
    reason: str
    zone: ZoneInfo
    by: str = SCHEDULE

    @property
    def until_text(self) -> str:
        """The end as people at that place write it, such as `Mon 09:30 ET`."""
        end, length = datetime.fromtimestamp(self.until, self.zone), self.until - self.since
        day = f"{end.day} {end:%b} " if length > 6 * _DAY else f"{end:%a} " if length > _DAY else ""
        return f"{day}{end:%H:%M} {_short(self.zone, end.tzname())}"

    def holds(self, now: float) -> bool:
        """Whether `now` is in it."""
        return self.since <= now < self.until


def _short(zone: ZoneInfo, name: str | None) -> str:
    """EST and EDT are both ET to the people who keep those hours; CST in Shanghai stays what it is."""
    american = zone.key.startswith(("America/", "US/"))
    return re.sub(r"^([ECMP])[SD]T$", r"\1T", name or zone.key) if american else name or zone.key
