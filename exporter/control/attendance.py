"""Follows a bot through planned quiet: that it went away, that it is back, or that it is not when it ends.

Pure: look at a view about once a second. Two things follow from what is seen.

* An ordered maintenance ends early once the bot was away during it and is back. Away is a bot that said
  goodbye, that runs in a session begun since, or that was gone or overdue for 30 s on end; a link that is
  lost for a moment is not. Back is one that was connected with fresh states for 30 s on end, so that a bot
  which is started, looked at and stopped again does not end it. For a bot that never went away the quiet
  lasts to its end.
* A quiet of whatever kind that has ended is remembered until the bot is up again. Schedules do not end early:
  in their hours a bot may come and go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from exporter.control.maintenance import Maintenance
from exporter.figures import duration
from exporter.planned import SCHEDULE, Planned
from exporter.sight import Sight
from exporter.view import BotView

AWAY_SECONDS: Final = 30.0
BACK_SECONDS: Final = 30.0
OVERRUN_SECONDS: Final = 120.0
"""So long past its end a bot that is not back is an event, as it is an alert."""
CLOCK_SLACK: Final = 1.0

INFO, WARNING = "info", "warning"


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened: for the log of events, in words."""

    what: str
    why: str
    severity: str = INFO


class Attendance:
    """What was seen of one bot. It sets `maintenance` and `last_quiet` of the view."""

    __slots__ = ("_gone_since", "_late_told", "_up_since", "_view")

    def __init__(self, view: BotView) -> None:
        self._view = view
        self._up_since: float | None = None
        self._gone_since: float | None = None
        self._late_told = False

    def look(self, now: float) -> list[Told]:
        """What has happened since the last look."""
        sight = self._view.at(now)
        self._up_since = (self._up_since or now) if sight.up else None
        self._gone_since = (self._gone_since or now) if _gone(sight) else None
        told = [*self._ordered(sight)]
        return [*told, *self._quiet(self._view.at(now) if told else sight)]

    def _ordered(self, sight: Sight) -> Iterator[Told]:
        """An order that has run out, or that the bot's return ends."""
        order, now = self._view.maintenance, sight.now
        if order is None:
            return
        if now >= order.until:
            self._view.maintenance = None
            yield Told("maintenance is over", "its time has passed")
            return
        if not order.away and self._was_away(sight, order):
            order = self._view.maintenance = replace(order, away=True)
        if order.away and _for_seconds(self._up_since, order, now) >= BACK_SECONDS:
            self._view.maintenance = None
            early = duration(order.until - now)
            yield Told("maintenance is over", f"the bot is back, {early} before the planned end")

    def _was_away(self, sight: Sight, order: Maintenance) -> bool:
        link, live, at = self._view.link, sight.live, self._view.state_at
        if link.goodbye is not None and link.goodbye.at >= order.since:
            return True
        began = None if live is None or live.uptime is None or at is None else at - live.uptime
        if began is not None and began > order.since + CLOCK_SLACK:
            return True
        return _for_seconds(self._gone_since, order, sight.now) >= AWAY_SECONDS

    def _quiet(self, sight: Sight) -> Iterator[Told]:
        """Quiet that begins, ends, or has ended without the bot."""
        view, holds, last = self._view, sight.quiet, self._view.last_quiet
        if holds is not None:
            if holds.by == SCHEDULE and (last is None or last.by != SCHEDULE or holds.since > last.until):
                yield Told(f"planned quiet until {holds.until_text}", holds.reason)
            view.last_quiet, self._late_told = holds, False
        elif last is not None and sight.now < last.until:
            view.last_quiet = None  # it ended before its time: the bot is back, or somebody ended it
        elif last is not None and sight.overrun is None:
            yield from self._returned(last, sight.now)
            view.last_quiet, self._late_told = None, False
        elif last is not None and not self._late_told and sight.now - last.until >= OVERRUN_SECONDS:
            self._late_told = True
            yield Told(f"not back from quiet that was planned until {last.until_text}", last.reason, WARNING)

    def _returned(self, last: Planned, now: float) -> Iterator[Told]:
        if self._late_told:
            yield Told(f"back {duration(now - last.until)} after the planned end", last.reason)
        elif last.by == SCHEDULE:
            yield Told("planned quiet is over", last.reason)


def _for_seconds(since: float | None, order: Maintenance, now: float) -> float:
    """How long something has lasted that began at a time, counted from the order on; 0 while it is not so."""
    return 0.0 if since is None else now - max(since, order.since)


def _gone(sight: Sight) -> bool:
    """Whether a bot is away or overdue, and not merely one that this exporter has not asked yet."""
    if sight.connected:
        return not sight.up and not sight.awaiting
    return sight.view.link.attempts > 0
