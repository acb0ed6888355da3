"""Looks each second how every bot keeps to its planned quiet, tells what happens and keeps it on disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Final

from exporter.control.attendance import Attendance
from exporter.control.errand import errand
from exporter.control.maintenance import Maintenance, MaintenanceFiles
from exporter.planned import Planned
from exporter.view import BotView

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 1.0
PLANNED: Final = "planned"
"""The kind of the events, and the group in which they are throttled."""

Tell = Callable[..., object]
"""`News.tell`."""


class QuietDesk:
    """The quiet of all bots. `maintenance` and `last_quiet` of each view are restored at once."""

    def __init__(
        self, views: Iterable[BotView], files: MaintenanceFiles, tell: Tell, clock: Callable[[], float]
    ) -> None:
        self._files, self._tell, self._clock = files, tell, clock
        self._bots = [(view, Attendance(view)) for view in views]
        self._kept: dict[str, tuple[Maintenance | None, Planned | None]] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        for view, _ in self._bots:
            files.restore(view, clock())
            self._kept[view.name] = view.maintenance, view.last_quiet

    async def run(self) -> None:
        """Look each second."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look at every bot once."""
        for view in self._changed():
            self._keep(view)

    def ending(self) -> None:
        """The program ends: the next run should know of a goodbye that was said at this very moment."""
        for view in self._changed():
            self._files.keep(view)

    def _changed(self) -> Iterator[BotView]:
        """Look at every bot and tell what happened; those of which something is to be kept."""
        now = self._clock()
        for view, attendance in self._bots:
            for told in attendance.look(now):
                words = {"what": told.what, "why": told.why, "severity": told.severity}
                self._tell(PLANNED, PLANNED, now, bot=view.name, source="exporter", **words)
            if (view.maintenance, view.last_quiet) != self._kept[view.name]:
                yield view

    def _keep(self, view: BotView) -> None:
        """Have it written soon, in a thread: at most one for each bot, as a disk may hang."""
        if view.name not in self._writing:
            self._kept[view.name] = view.maintenance, view.last_quiet
            task = asyncio.get_running_loop().create_task(self._write(view), name=f"quiet of {view.name}")
            self._writing[view.name] = task
            task.add_done_callback(lambda _: self._writing.pop(view.name))

    async def _write(self, view: BotView) -> None:
        if trouble := await errand(partial(self._files.keep, view)):
            log.error("bot %s: its planned quiet: %s", view.name, trouble)
