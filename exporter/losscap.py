"""How much of a day's loss cap is used, and the latch that remembers a breach until the UTC day ends.

Pure. used = max(0, −PnL of the UTC day); remaining = cap − used, negative past the cap; ratio = used ÷ cap.
Without a cap above 0 there is no headroom to speak of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from exporter.state import Kill

BREACH_WORDS: Final = "daily loss cap breached"
"""How a bot's own kill switch names this cause."""

DAY_SECONDS: Final = 86_400
FIRST_DAY: Final = date(1970, 1, 1).toordinal()

CLOCKS_AGREE_SECONDS: Final = 60.0

NEAR_CAP: Final = 0.8
"""Share of the cap from which on somebody should look."""


@dataclass(frozen=True, slots=True)
class Headroom:
    """Where the day's loss stands against its cap, in USD; `ratio` from 0, 1 at the cap."""

    cap: float
    used: float

    @property
    def remaining(self) -> float:
        """What may still be lost; negative past the cap."""
        return self.cap - self.used

    @property
    def ratio(self) -> float:
        """Used ÷ cap."""
        return self.used / self.cap


def headroom(daily_pnl: float | None, cap: float | None) -> Headroom | None:
    """The headroom, or None while the PnL is unknown or there is no cap."""
    if daily_pnl is None or cap is None or cap <= 0:
        return None
    return Headroom(cap, max(0.0, -daily_pnl))


def utc_day(at: float) -> str:
    """The UTC date of an epoch time, as YYYY-MM-DD; empty for a time that no calendar has."""
    try:
        return _date(int(at // DAY_SECONDS))
    except (ValueError, OverflowError):
        return ""


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    """A day counted from 1970; asked for several times a state, and seldom another one."""
    return date.fromordinal(FIRST_DAY + day).isoformat()


def day_of(state_ts: float | None, now: float) -> str:
    """The UTC day that a state's figures belong to: the bot's, where its clock can be believed."""
    believed = state_ts is not None and abs(state_ts - now) < CLOCKS_AGREE_SECONDS
    return utc_day(state_ts if believed and state_ts is not None else now)


@dataclass(frozen=True, slots=True)
class Breach:
    """A breached cap: the UTC day it happened on and when it was seen, in epoch seconds."""

    day: str
    at: float
    cap: float | None = None
    """The cap that was breached, in USD, where it is known."""
    opened_at: float | None = None
    """When the bot was first seen to open something in spite of it (exporter.enforcement) …"""
    opening: str = ""
    """… and what, in a few words."""


class BreachLatch:
    """Set by the first state past the cap, cleared by nothing but the end of the UTC day."""

    __slots__ = ("breach",)

    def __init__(self, breach: Breach | None = None) -> None:
        self.breach = breach
        """The last breach, of whatever day; also the one to keep on disk."""

    def judge(
        self, room: Headroom | None, kill: Kill | None, day: str, now: float, bots_day: str | None = None
    ) -> None:
        """Take one state's figures for `day`; the bot's own word for a breach that day counts like them.

        `bots_day` is the same day by the bot's own clock, which may be far off.
        """
        said = (
            kill is not None
            and kill.active
            and BREACH_WORDS in kill.reason
            and kill.since is not None
            and utc_day(kill.since) == (bots_day or day)
        )
        if (said or (room is not None and room.used >= room.cap)) and not self._latched(day):
            self.breach = Breach(day, now, None if room is None else room.cap)

    def active(self, now: float) -> Breach | None:
        """The breach of the UTC day that `now` is in."""
        return self.breach if self._latched(utc_day(now)) else None

    def _latched(self, day: str) -> bool:
        return self.breach is not None and self.breach.day == day
