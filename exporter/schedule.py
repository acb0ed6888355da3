"""When a bot or one of its venues is meant to be quiet: weekly windows, and the hours of exchanges.

Pure. A window's times are those on a clock on the wall in its zone, so a window from 03:00 to 05:00 keeps its
hours when daylight saving begins or ends. Where that clock shows a time twice, a window begins at the first
and ends at the second; a time that it skips is the moment at which it skips it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from exporter.exchanges import Closed
from exporter.planned import Planned


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


Entry = Window | Closed
"""What a schedule is made of: times at which a bot is quiet, or an exchange while it is closed."""


def planned(entries: Iterable[Entry], now: float, ordered: Iterable[Planned] = ()) -> Planned | None:
    """The planned quiet that holds at `now`, or None; stretches that touch or overlap are one.

    `ordered` are stretches that are planned beside the schedule's own.
    """
    entries, ordered = tuple(entries), tuple(ordered)
    if not entries and not ordered:
        return None
    found = _longest_at(entries, ordered, now)
    while found is not None and (further := _longest_at(entries, ordered, found.until)) is not None:
        found = replace(found, until=further.until, zone=further.zone)
        if found.until - found.since >= _WEEK:
            break
    return found


_WEEK = 7 * 86_400.0


def _longest_at(entries: Iterable[Entry], ordered: Iterable[Planned], now: float) -> Planned | None:
    """The stretch that holds at `now` and ends last."""
    stretches = [stretch for entry in entries for stretch in _around(entry, now)]
    holding = [stretch for stretch in (*stretches, *ordered) if stretch.holds(now)]
    return max(holding, key=lambda stretch: stretch.until, default=None)


def _around(entry: Entry, now: float) -> Iterator[Planned]:
    """The stretches of an entry of which one may hold at `now`."""
    if isinstance(entry, Closed):
        closed = entry.at(now)
        return iter(() if closed is None else (closed,))
    return _weekly(entry, now)


def _weekly(window: Window, now: float) -> Iterator[Planned]:
    """The window's stretches that begin on the local yesterday and today."""
    zone = ZoneInfo(window.tz)
    today = datetime.fromtimestamp(now, zone).date()
    for day in (today - timedelta(days=1), today):
        if day.weekday() not in window.days:
            continue
        last_day = day if window.closes > window.opens else day + timedelta(days=1)
        since = moment(day, window.opens, zone, fold=0)
        until = moment(last_day, window.closes, zone, fold=1)
        yield Planned(since, until, window.reason, zone)


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
