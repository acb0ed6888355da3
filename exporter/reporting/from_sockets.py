"""Everything in the reporting database that comes from what bots say over their sockets.

A message goes to each part in turn, after the view has taken it; each part does as little as it can there,
and writes once a second as a job of the keeper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from exporter.reporting.complaints import Complaints
from exporter.reporting.feed import FeedJob
from exporter.reporting.job import Job
from exporter.reporting.lifecycle import Alarm, Lifecycle
from exporter.reporting.live_positions import LivePositions
from exporter.reporting.news import News, Record
from exporter.reporting.sessions import Sessions
from exporter.reporting.watching import Watching
from exporter.view import BotView


class FromSockets:
    """The listeners of all bots and their jobs, in the order in which the keeper has to serve them.

    `tz` and `rolls_at` (HH:MM) are the operator's day; `alarm` is told when what a bot did lately is worth
    keeping.
    """

    def __init__(
        self,
        views: Sequence[BotView],
        record: Record,
        *,
        tz: str = "UTC",
        rolls_at: str = "00:00",
        alarm: Alarm = lambda bot, reason: None,
    ) -> None:
        self._news = News(record)
        self._lifecycle = Lifecycle(views, self._news, alarm)
        self._sessions = Sessions()
        self._feed = FeedJob(self._sessions)
        self._positions = LivePositions([view.name for view in views])
        self._complaints = Complaints()
        watching = Watching(views, self._news, tz=tz, rolls_at=rolls_at)
        self.jobs: tuple[Job, ...] = (
            watching,
            self._sessions,
            self._positions,
            self._feed,
            self._complaints,
        )

    def heard(self, view: BotView, message: Mapping[str, object], now: float) -> None:
        """A message came, which the view has taken."""
        self._lifecycle.look(view, now)
        self._sessions.heard(view, message, now)
        self._feed.heard(view, now)
        self._positions.heard(view, message, now)
        self._complaints.heard(view, now)

    def linked(self, view: BotView, now: float) -> None:
        """The link of a view was made or lost."""
        self._lifecycle.look(view, now)

    def ending(self, now: float) -> None:
        """The program ends: what was held back is told."""
        self._news.tick(now, last=True)
