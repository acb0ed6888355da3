"""Keeps each bot's breach latch in a small file of its own, so that it outlives this program.

A latch that cannot be written still holds in memory: that is logged once, counted, and tried again with each
message. A file is there only because of a breach, so one that cannot be read counts as a breach at the time
it was written; a damaged one is set aside under another name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Protocol

from exporter.control.errand import errand
from exporter.errors import LatchNotKept
from exporter.fields import finite
from exporter.figures import clock
from exporter.losscap import Breach, utc_day
from exporter.view import BotView

log = logging.getLogger(__name__)


class Keeps(Protocol):
    """What writes something of a bot that must outlive this program."""

    def wants(self, view: BotView) -> bool:
        """Whether that has changed since it was written."""

    def keep(self, view: BotView) -> None:
        """Write it if it has changed; may hang as long as the disk does."""


class LatchErrands:
    """Has latches written in threads, one for each bot at a time: a disk that hangs stops nothing else."""

    def __init__(self, latches: Keeps) -> None:
        self._latches = latches
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def keep(self, view: BotView) -> None:
        """Have the view's latch written soon if it has changed; call it on the event loop."""
        if view.name not in self._under_way and self._latches.wants(view):
            writing = asyncio.get_running_loop().create_task(errand(partial(self._latches.keep, view)))
            self._under_way[view.name] = writing
            writing.add_done_callback(lambda _: self._under_way.pop(view.name))


class Latches:
    """The latches of all bots, in one folder that is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, Breach | None] = {}
        self._warned: set[str] = set()

    def restore(self, bot: str) -> Breach | None:
        """The bot's last breach, of whatever day; None where none was kept."""
        written = _written(self._path(bot))
        try:
            self._kept[bot] = self._read(bot)
        except LatchNotKept as error:
            if written is None:
                log.error("bot %s: %s", bot, error)  # noqa: TRY400 - the sentence says all there is to say
                return None
            breach = Breach(utc_day(written), written)
            taken = f"taken as a breach when it was written, {breach.day} {clock(written)}"
            log.error("bot %s: %s; it is %s", bot, error, taken)  # noqa: TRY400 - as above
            return breach
        return self._kept[bot]

    def wants(self, view: BotView) -> bool:
        """Whether the view's latch has changed since it was written."""
        breach = view.latch.breach
        return breach is not None and breach != self._kept.get(view.name)

    def keep(self, view: BotView) -> None:
        """Write the view's latch if it has changed."""
        breach = view.latch.breach
        if breach is None or not self.wants(view):
            return
        try:
            self._write(view.name, breach)
        except LatchNotKept as error:
            view.latch_not_kept()
            if view.name not in self._warned:
                self._warned.add(view.name)
                log.error("bot %s: %s; it holds in memory until it can be", view.name, error)  # noqa: TRY400
            return
        self._kept[view.name] = breach
        if view.name in self._warned:
            self._warned.discard(view.name)
            log.info("bot %s: the breach latch is on disk now", view.name)

    def _path(self, bot: str) -> Path:
        return self._folder / f"breach-{bot}.json"

    def _read(self, bot: str) -> Breach | None:
        path = self._path(bot)
        try:
            kept = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LatchNotKept(f"the breach latch {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise LatchNotKept(_set_aside(path)) from error
        day, at = (kept.get("day"), finite(kept.get("at"))) if isinstance(kept, dict) else (None, None)
        if not isinstance(day, str) or at is None:
            raise LatchNotKept(_set_aside(path))
        opened_at, opening = finite(kept.get("opened_at")), kept.get("opening")
        said = opening if isinstance(opening, str) and opened_at is not None else ""
        return Breach(day, at, finite(kept.get("cap")), opened_at, said)

    def _write(self, bot: str, breach: Breach) -> None:
        """Replace the file in one step, so that a crash leaves the old or the new one."""
        path = self._path(bot)
        new = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with new.open("w") as file:
                json.dump(asdict(breach), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise LatchNotKept(f"the breach latch {path} cannot be written: {error.strerror}") from error


def _written(path: Path) -> float | None:
    """When a file was last written, in epoch seconds; None where there is none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _set_aside(path: Path) -> str:
    """Move a damaged file out of the way; returns the sentence that says so."""
    aside = path.with_suffix(".damaged")
    try:
        path.replace(aside)
    except OSError as error:
        return f"the breach latch {path} is damaged and cannot be set aside: {error.strerror}"
    return f"the breach latch {path} is damaged and was set aside as {aside.name}"
