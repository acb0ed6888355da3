"""Planned quiet that a person orders: for how long and why, kept over restarts in a small file for each bot.

It hides nothing about money or control: it only says that a bot which is away, or quiet, is meant to be. The
file also keeps the planned quiet that was seen last, whoever planned it: a bot that is not back when it ends
is told as such by the next run of this program, too.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from exporter.fields import finite
from exporter.planned import Planned

if TYPE_CHECKING:
    from exporter.view import BotView

log = logging.getLogger(__name__)

LONGEST_MINUTES: Final = 240
LONGEST_QUIET_SECONDS: Final = 14 * 86_400.0
"""More than a schedule can plan at a stretch, holidays included: what a file says beyond it is damage."""
FORGOTTEN_SECONDS: Final = 86_400.0
"""So long after its end a quiet that a file names is no news: nobody knows who came and went since."""
_UTC: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Maintenance:
    """One stretch of ordered quiet; times in epoch seconds. `away`: the bot was away during it."""

    since: float
    until: float
    reason: str
    who: str
    away: bool = False

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
        self._writing = threading.Lock()

    def restore(self, view: BotView, now: float) -> None:
        """Give a view what held when this program ended; a file that cannot be read says nothing."""
        try:
            kept = json.loads(self._path(view.name).read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("bot %s: its maintenance is not known: %s", view.name, error)
            return
        if isinstance(kept, dict):
            view.maintenance = _ordered(kept, now)
            view.last_quiet = _quiet(kept.get("quiet"), now)

    def keep(self, view: BotView) -> str:
        """Write what holds for a view by now; a sentence where that fails, else an empty text.

        Whoever writes last writes what is true then, so it does not matter in which order threads come.
        """
        path = self._path(view.name)
        with self._writing:
            if not (content := _content(view)):
                return self._gone(path)
            new = path.with_suffix(".new")
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                with new.open("w") as file:
                    json.dump(content, file)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(path)
            except OSError as error:
                with contextlib.suppress(OSError):
                    new.unlink(missing_ok=True)
                return _not_kept(error)
        return ""

    def _gone(self, path: Path) -> str:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            return _not_kept(error)
        return ""

    def _path(self, bot: str) -> Path:
        return self._folder / f"maintenance-{bot}.json"


def _not_kept(error: OSError) -> str:
    return f"it is not kept over a restart of this program: {error.strerror}"


def _content(view: BotView) -> dict[str, object]:
    """What a file holds: the order, and beside it the quiet that was seen last."""
    ordered, quiet = view.maintenance, view.last_quiet
    content: dict[str, object] = {}
    if ordered is not None:
        content |= {"since": ordered.since, "until": ordered.until, "reason": ordered.reason}
        content |= {"who": ordered.who, "away": ordered.away}
    if quiet is not None:
        told = {"since": quiet.since, "until": quiet.until, "reason": quiet.reason}
        content["quiet"] = {**told, "zone": quiet.zone.key, "by": quiet.by}
    return content


def _ordered(kept: Mapping[str, object], now: float) -> Maintenance | None:
    """The order, if it still holds."""
    since, until = finite(kept.get("since")), finite(kept.get("until"))
    if since is None or until is None or until - since > LONGEST_MINUTES * 60:
        return None
    reason, who = str(kept.get("reason", "")), str(kept.get("who", ""))
    found = Maintenance(since, until, reason, who, kept.get("away") is True)
    return found if found.holds(now) else None


def _quiet(kept: object, now: float) -> Planned | None:
    """The quiet that was seen last, unless it is long over."""
    if not isinstance(kept, dict):
        return None
    since, until = finite(kept.get("since")), finite(kept.get("until"))
    if since is None or until is None or not now - FORGOTTEN_SECONDS < until < since + LONGEST_QUIET_SECONDS:
        return None
    try:
        zone = ZoneInfo(str(kept.get("zone")))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = _UTC
    return Planned(since, until, str(kept.get("reason", "")), zone, str(kept.get("by", "")))
