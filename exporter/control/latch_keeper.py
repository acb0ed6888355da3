"""Writes a bot's kill latch whenever it changed, as soon as its disk lets it; nothing waits for that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from exporter.control.errand import errand
from exporter.control.kill_latch import Kept, KillLatch
from exporter.errors import LatchNotKept

log = logging.getLogger(__name__)

TRY_AGAIN_SECONDS: Final = 1.0
LAST_TRY_SECONDS: Final = 0.5


class LatchKeeper:
    """Keeps what `content` says; a failure is logged once, told to `failed` each time, and tried again."""

    def __init__(
        self, latch: KillLatch, bot: str, content: Callable[[], Kept], failed: Callable[[], None]
    ) -> None:
        self._latch = latch
        self._bot = bot
        self._content = content
        self._failed = failed
        self._changed = asyncio.Event()
        self._drilled_at: float | None = None
        self._asked = self._written = 0
        self._writing = threading.Lock()

    def changed(self) -> None:
        """There is something new to be kept."""
        self._changed.set()

    def drilled(self, at: float) -> None:
        """A drill proved the path, which is to be kept, too."""
        self._drilled_at = at
        self._changed.set()

    async def run(self) -> None:
        """Keep what changes, until cancelled; what is not kept then gets a last short try."""
        try:
            await self._keep_on()
        finally:
            if self._changed.is_set():
                with contextlib.suppress(LatchNotKept, TimeoutError):
                    async with asyncio.timeout(LAST_TRY_SECONDS):
                        await self._keep()

    async def _keep_on(self) -> None:
        warned = False
        while True:
            await self._changed.wait()
            try:
                await self._keep()
            except LatchNotKept as error:
                self._failed()
                if not warned:
                    log.error("bot %s: %s; it holds in memory until it can be", self._bot, error)  # noqa: TRY400
                warned = True
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            else:
                warned = False

    async def _keep(self) -> None:
        self._changed.clear()
        self._asked += 1
        try:
            await errand(partial(self._write, self._asked, self._content(), self._drilled_at))
        except BaseException:
            self._changed.set()
            raise

    def _write(self, number: int, content: Kept, drilled_at: float | None) -> None:
        """The work of a thread; one that was left behind never puts older content in the place of newer."""
        with self._writing:
            if number < self._written:
                return
            self._latch.keep(content)
            self._written = number
            if drilled_at is not None:
                self._latch.drilled(drilled_at)
