"""When a bot is meant to be quiet: weekly windows in the zones of the venues and people they come from.

Pure. A window's times are those on a clock on the wall in its zone, so a window from 03:00 to 05:00 keeps its
hours when daylight saving begins or ends. Where that clock shows a time twice, a window begins at the first
and ends at the second; a time that it skips is the moment at which it skips it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Window(Protocol):
    """A weekly window: weekdays on which it begins (0 = Monday), and two times in minutes after midnight.

    It ends on the next day where `closes` is not after `opens`.
    """

    @property
    def tz(self) -> str: ...  # noqa: D102 — an IANA name; the class says what the others are
    @property
    def days(self) -> frozenset[int]: ...  # noqa: D102
    @property
    def opens(self) -> int: ...  # noqa: D102
    @property
    def closes(self) -> int: ...  # noqa: D102
    @property
    def reason(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Planned:
    """One stretch of planned quiet, in epoch seconds, with its end as people at that venue write it."""

    since: float
    until: float
    until_text: str
    reason: str
    zone: ZoneInfo


def planned(windows: Iterable[Window], now: float) -> Planned | None:
    """The planned quiet that holds at `now`, or None; windows that touch or overlap are one."""
    windows = tuple(windows)
    if not windows:
        return None
    found = _longest_at(windows, now)
    while found is not None and (further := _longest_at(windows, found.until)) is not None:
        text = _end_text(found.since, further.until, further.zone)
        found = Planned(found.since, further.until, text, found.reason, further.zone)
        if found.until - found.since >= _WEEK:
            break
    return found


_DAY = 86_400.0
_WEEK = 7 * _DAY


def _longest_at(windows: Iterable[Window], now: float) -> Planned | None:
    """The stretch that holds at `now` and ends last."""
    holding = [stretch for window in windows for stretch in _around(window, now) if _holds(stretch, now)]
    return max(holding, key=lambda stretch: stretch.until, default=None)


def _holds(stretch: Planned, now: float) -> bool:
    return stretch.since <= now < stretch.until


def _around(window: Window, now: float) -> Iterator[Planned]:
    """The window's stretches that begin on the local yesterday and today."""
    zone = ZoneInfo(window.tz)
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in window.days:
            continue
        last_day = day if window.closes > window.opens else day + timedelta(days=1)
        since = moment(day, window.opens, zone, fold=0)
        until = moment(last_day, window.closes, zone, fold=1)
        yield Planned(since, until, _end_text(since, until, zone), window.reason, zone)


def moment(day: date, minutes: int, zone: ZoneInfo, fold: int) -> float:
    """`minutes` after midnight on the wall clock of `day` in epoch seconds; 1440 is the next midnight."""
    day += timedelta(days=minutes // 1440)
    wall = datetime(day.year, day.month, day.day, minutes % 1440 // 60, minutes % 60, tzinfo=zone)
    with_old_offset, with_new_offset = wall.timestamp(), wall.replace(fold=1).timestamp()
    if with_old_offset <= with_new_offset:  # the same, or shown twice
        return with_new_offset if fold else with_old_offset
    offset = wall.replace(fold=0).utcoffset()
    before, after = int(with_new_offset), int(with_old_offset)
    while after - before > 1:  # the clock skips this time at a moment between these two
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return float(after)


def _end_text(since: float, until: float, zone: ZoneInfo) -> str:
    """The end as people at the venue write it, with its day where the hour alone would seem to be today's."""
    end = datetime.fromtimestamp(until, zone)
    day = f"{end:%a} " if until - since > _DAY else ""
    return f"{day}{end:%H:%M} {_short(end.tzname() or str(zone))}"


def _short(zone: str) -> str:
    """EST and EDT are both ET to the people who keep those hours; other abbreviations stay."""
    return re.sub(r"^([ECMP])[SD]T$", r"\1T", zone)
