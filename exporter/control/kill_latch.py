"""Keeps the kills of each bot in a small file of its own, so that they outlive this program until re-armed.

The file is there only while something is killed, so one that cannot be read counts as a kill of the whole bot
at the time it was written: a bot that stands still by mistake costs less than one that trades on by mistake.
When a drill last succeeded stands in another file. Errors: LatchNotKept.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from exporter.control.kill import Kill, Order, pressed
from exporter.errors import LatchNotKept
from exporter.fields import finite

log = logging.getLogger(__name__)

UNREADABLE: Final = "its latch could not be read, which counts as a kill"


@dataclass(frozen=True, slots=True)
class Kept:
    """What one bot's latch holds: its kills, and when its session began that they were judged in."""

    kills: tuple[Kill, ...] = ()
    session_began: float | None = None


_KEPT: Final = TypeAdapter(Kept)


class KillLatch:
    """The kill latch of one bot; `folder` is made when something is first written."""

    def __init__(self, folder: Path, bot: str) -> None:
        self._kills = folder / f"kill-{bot}.json"
        self._drill = folder / f"drill-{bot}.json"
        self._bot = bot

    def restore(self, now: float) -> Kept:
        """What was killed when this program last ran; never raises."""
        try:
            written = self._kills.lstat().st_mtime
        except FileNotFoundError:
            return Kept()
        except OSError as error:
            log.error("bot %s: whether it is killed is not known: %s", self._bot, error)  # noqa: TRY400
            return Kept()
        try:
            kept = _KEPT.validate_json(self._kills.read_bytes())
        except (OSError, ValidationError) as error:
            why = str(error).partition("\n")[0]
            log.error("bot %s: %s: %s: %s", self._bot, UNREADABLE, self._kills, why)  # noqa: TRY400
            order = Order(f"latch-{written:.0f}", "nobody known", "kill latch", UNREADABLE, min(written, now))
            return Kept((pressed(order, None, now),))
        return kept

    def keep(self, kept: Kept) -> None:
        """Write what is killed, or take the file away where nothing is; raises LatchNotKept."""
        try:
            if kept.kills:
                _replace(self._kills, _KEPT.dump_json(kept))
            else:
                self._kills.unlink(missing_ok=True)
        except OSError as error:
            raise LatchNotKept(f"the kill latch {self._kills} cannot be written: {error.strerror}") from error

    def last_drill(self) -> float | None:
        """When a drill last proved the path, in epoch seconds; None where that is not known."""
        try:
            content = json.loads(self._drill.read_bytes())
        except (OSError, ValueError):
            return None
        return finite(content.get("at")) if isinstance(content, dict) else None

    def drilled(self, at: float) -> None:
        """Note that a drill proved the path; raises LatchNotKept."""
        try:
            _replace(self._drill, json.dumps({"at": at}).encode())
        except OSError as error:
            raise LatchNotKept(f"{self._drill} cannot be written: {error.strerror}") from error


def _replace(path: Path, content: bytes) -> None:
    """Write the file in one step, so that a crash leaves the old or the new one."""
    new = path.with_suffix(f".{threading.get_ident()}.new")  # one that hangs may come back to life
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with new.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
