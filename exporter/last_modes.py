"""Keeps each bot's last known mode in a small file, so that a restart of this program does not forget it.

Who is paged hangs on it where no `tier` is configured: a bot on paper would page from a restart to its next
state. And a mode that changes meanwhile is a change that nobody ordered. One that cannot be written is logged
once and tried again with each message; one that cannot be read is not known.
"""

from __future__ import annotations

import logging
from pathlib import Path

from exporter.view import TIERS, BotView

log = logging.getLogger(__name__)


class LastModes:
    """The last modes of all bots, in one folder that is made when the first one is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, str] = {}
        self._warned: set[str] = set()

    def restore(self, bot: str) -> str | None:
        """`paper` or `live`; None where it was never known."""
        path = self._path(bot)
        try:
            mode = path.read_text().strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            log.error("bot %s: its last mode in %s cannot be read: %s", bot, path, error)  # noqa: TRY400
            return None
        if mode not in TIERS:
            log.error("bot %s: %s holds no mode; its last one is not known", bot, path)
            return None
        self._kept[bot] = mode
        return mode

    def wants(self, view: BotView) -> bool:
        """Whether the view's mode has changed since it was written."""
        return view.last_mode in TIERS and view.last_mode != self._kept.get(view.name)

    def keep(self, view: BotView) -> None:
        """Write the view's mode if it has changed, in one step."""
        mode = view.last_mode
        if mode is None or not self.wants(view):
            return
        path = self._path(view.name)
        new = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_text(mode)
            new.replace(path)
        except OSError as error:
            if view.name not in self._warned:
                self._warned.add(view.name)
                why = error.strerror
                log.error("bot %s: its last mode cannot be kept in %s: %s", view.name, path, why)  # noqa: TRY400
            return
        self._kept[view.name] = mode
        self._warned.discard(view.name)

    def _path(self, bot: str) -> Path:
        return self._folder / f"mode-{bot}"
