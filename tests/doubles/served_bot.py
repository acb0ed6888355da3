"""A bot in memory behind a real control socket: cycles by itself, answers, can die and come back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.doubles.bots import DeployedBot
from tests.doubles.scripted_bot import ScriptedBot


class ServedBot:
    """Serves `bot` on loopback with a cycle every `interval` seconds, on the same `port` after a restart."""

    def __init__(self, bot: DeployedBot, interval: float = 0.05) -> None:
        self.bot = bot
        self.socket = ScriptedBot(self._asked)
        self._interval = interval
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        return self.socket.port

    async def __aenter__(self) -> Self:
        self.bot.began = time.time()
        await self.socket.start()
        self._task = asyncio.create_task(self._cycle())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.socket.stop()

    async def restart(self) -> None:
        """Die without a word and come back as another session that has forgotten everything."""
        await self.socket.stop()
        self.bot.restarted(time.time())
        await self.socket.start()

    def _asked(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        answer = self.bot.asked(request)
        if self.bot.push_now:
            self._wake.set()
        return answer

    async def _cycle(self) -> None:
        while True:
            said = self.bot.cycle(time.time())
            if said is not None:
                await self.socket.send(said)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._interval)
