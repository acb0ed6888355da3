"""When a venue is quiet by its own announcement: weekly pauses in the venue's time zone.

During a pause nothing is quoted and nothing matches, new orders are refused, and resting orders stay on the
book; they may still be cancelled. Pure: the time is passed in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Quiet:
    """A planned quiet that holds: its end in epoch seconds, and what it is for."""

    until: float
    reason: str


@dataclass(frozen=True, slots=True)
class WeeklyPause:
    """Every week on `weekday` (0 is Monday) from `begins` to `ends` of that day in `zone`, an IANA name."""

    zone: str
    weekday: int
    begins: time
    ends: time
    reason: str

    def at(self, now: float, ahead: float = 0.0) -> Quiet | None:
        """The pause that holds at `now` (epoch seconds), or begins within `ahead` seconds."""
        for moment in (now, now + ahead):
            there = datetime.fromtimestamp(moment, ZoneInfo(self.zone))
            if there.weekday() == self.weekday and self.begins <= there.time() < self.ends:
                end = datetime.combine(there.date(), self.ends, there.tzinfo)
                return Quiet(end.timestamp(), self.reason)
        return None


def quiet_at(pauses: Iterable[WeeklyPause], now: float, ahead: float = 0.0) -> Quiet | None:
    """The first of these pauses that holds, or begins within `ahead` seconds."""
    return next((quiet for pause in pauses if (quiet := pause.at(now, ahead)) is not None), None)
