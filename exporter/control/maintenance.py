"""Planned quiet that a person orders: for how long and why, kept over restarts in a small file for each bot.

It hides nothing about money or control: it only says that a bot which is away, or quiet, is meant to be.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from exporter.fields import finite
from exporter.planned import Planned

log = logging.getLogger(__name__)

LONGEST_MINUTES: Final = 240
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One stretch of ordered quiet; times in epoch seconds."""

    since: float
    until: float
    reason: str
    who: str

    def holds(self, now: float) -> bool:
        """Whether `now` is in it."""
        return self.since <= now < self.until

    @property
    def planned(self) -> Planned:
        """The same as the schedule's windows are told."""
        return Planned(self.since, self.until, f"maintenance: {self.reason}", _UTC, self.who)


class MaintenanceFiles:
    """The files, in the folder of the latches. What cannot be written holds until this program ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def restore(self, bot: str, now: float) -> Maintenance | None:
        """What held when this program ended, if it still does; a file that cannot be read says nothing."""
        try:
            kept = json.loads(self._path(bot).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("bot %s: its maintenance is not known: %s", bot, error)
            return None
        if not isinstance(kept, dict):
            return None
        since, until = finite(kept.get("since")), finite(kept.get("until"))
        if since is None or until is None or until - since > LONGEST_MINUTES * 60:
            return None
        found = Maintenance(since, until, str(kept.get("reason", "")), str(kept.get("who", "")))
        return found if found.holds(now) else None

    def keep(self, bot: str, maintenance: Maintenance | None) -> str:
        """Write it, or take the file away; a sentence where that fails, else an empty text."""
        path = self._path(bot)
        try:
            if maintenance is None:
                path.unlink(missing_ok=True)
                return ""
            new = path.with_suffix(".new")
            self._folder.mkdir(parents=True, exist_ok=True)
            with new.open("w") as file:
                json.dump(
                    {
                        "since": maintenance.since,
                        "until": maintenance.until,
                        "reason": maintenance.reason,
                        "who": maintenance.who,
                    },
                    file,
                )
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                path.with_suffix(".new").unlink(missing_ok=True)
            return f"it is not kept over a restart of this program: {error.strerror}"
        return ""

    def _path(self, bot: str) -> Path:
        return self._folder / f"maintenance-{bot}.json"
