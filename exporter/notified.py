"""Remembers in a small file for each bot what was told of its day, so that a restart repeats nothing.

A file that cannot be written or read costs no more than something told twice, or a daily high that nobody
vouches for and that is therefore not told.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from exporter.control.errand import errand
from exporter.fields import Fields

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a bot's day. Days are UTC dates, empty for none; USD and epoch seconds."""

    day: str = ""
    high: float = 0.0
    """The highest PnL of that day so far, told or not."""
    high_at: float | None = None
    """When a daily high was last told."""
    cap_unset: str = ""
    """The day on which it was last told that the bot has no loss cap."""


class Notified:
    """The files, in one folder that is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wanted: dict[str, Told] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def restore(self, bot: str) -> Told:
        """What was told of a bot before; nothing where no file can be read."""
        try:
            kept = json.loads(self._path(bot).read_bytes())
        except FileNotFoundError:
            return Told()
        except (OSError, ValueError, RecursionError) as error:
            log.warning("bot %s: what was told of it today is not known: %s", bot, error)
            return Told()
        fields = Fields(kept if isinstance(kept, dict) else {})
        day, high = fields.text("day"), fields.number("high")
        cap_unset = fields.text("cap_unset") or ""
        if day is None or high is None:
            return Told(cap_unset=cap_unset)
        return Told(day, high, fields.number("high_at"), cap_unset)

    def keep(self, bot: str, told: Told) -> None:
        """Have this written soon; call it on the event loop. What comes while a write goes on follows it."""
        self._wanted[bot] = told
        if bot not in self._under_way:
            self._under_way[bot] = asyncio.get_running_loop().create_task(self._write_on(bot))

    async def _write_on(self, bot: str) -> None:
        try:
            while (told := self._wanted.pop(bot, None)) is not None:
                await errand(partial(self._write, bot, told))
        finally:
            del self._under_way[bot]

    def _write(self, bot: str, told: Told) -> None:
        path = self._path(bot)
        new = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(asdict(told)))
            new.replace(path)
        except OSError as error:
            log.debug("%s cannot be written: %s", path, error.strerror)

    def _path(self, bot: str) -> Path:
        return self._folder / f"told-{bot}.json"
