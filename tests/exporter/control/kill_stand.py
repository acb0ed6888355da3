"""A stand for kills: a bot in memory, the real view and the real desk, and a clock that a test moves.

Only the disk is real: what the desk keeps there is written by its threads while the clock stands still.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from exporter.control.commander import Answer
from exporter.control.kill_desk import KillDesk, News
from exporter.control.kill_latch import KillLatch
from exporter.control.standing import Standing
from exporter.view import BotView
from tests.doubles.bots import DeployedBot
from tests.doubles.messages import T0

STEP = 0.25


class Stand:
    """One bot, watched and killed. `passes` is False while nothing gets through a link that stands."""

    def __init__(self, bot: DeployedBot, folder: Path, *, interval: float = 5.0, file: bool = True) -> None:
        self.bot = bot
        self.now = T0
        self.interval = interval
        self.passes = True
        self.connected = True
        self.news: list[News] = []
        self.file = folder / "bot" / ".kill_switch"
        self.file.parent.mkdir(exist_ok=True)
        self._folder = folder / "exporter"
        self._wanted_file = self.file if file else None
        self._next_cycle = T0
        self._late: list[dict[str, Any]] = []
        self._watch()

    def _watch(self) -> None:
        self.view = BotView("arb", now=self.now, expected_interval=self.interval)
        self.view.connected(self.now)
        self.desk = KillDesk(
            self.view,
            self,
            KillLatch(self._folder, "arb"),
            self._wanted_file,
            clock=lambda: self.now,
            told=self.news.append,
        )
        self.view.control = self.desk

    async def command(self, message: Mapping[str, object], *, within: float, urgent: bool = False) -> Answer:
        """What the bridge does: the bot answers, the desk hears of it first."""
        if not self.connected:
            return Answer("not_sent", why="not connected")
        answer = self.bot.asked(message) if self.passes and self.bot.alive else None
        if answer is None:
            return Answer("unknown", why=f"no answer within {within:.3g} s")
        self.desk.heard(self.view, answer, self.now)
        return Answer("answered", ack=answer, seconds=0.01)

    def standing(self) -> Standing:
        return self.desk.standing(self.now)

    async def for_seconds(self, seconds: float) -> None:
        """Let this much time pass, in small steps."""
        end = self.now + seconds
        while self.now < end:
            self.now = round(self.now + STEP, 6)
            if self.now >= self._next_cycle or self.bot.push_now:
                self._next_cycle = max(self._next_cycle, self.now + self.interval)
                self.deliver(self.bot.cycle(self.now))
            self.desk.tick(self.now)
            await self.turns()

    async def cycles(self, count: int) -> None:
        await self.for_seconds(count * self.interval)

    def deliver(self, said: Mapping[str, object] | None) -> None:
        """Have a message arrive, if anything arrives."""
        if said is not None and self.passes and self.connected:
            self.view.received(said, self.now)
            self.desk.heard(self.view, said, self.now)

    async def turns(self) -> None:
        """Let the desk's tasks have their turn."""
        for _ in range(4):
            await asyncio.sleep(0)

    async def disk(self, holds: Callable[[], bool]) -> None:
        """Wait for the desk's threads, which live in real time."""
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.002)

    async def press(self, **asked: Any) -> Standing:
        """Somebody presses KILL."""
        stands = self.desk.kill("ann", "page", "it trades nonsense", **asked)
        await self.turns()
        return stands

    def lose_the_link(self) -> None:
        self.connected = False
        self.view.disconnected(self.now, "connection reset")

    async def link_again(self) -> None:
        self.connected = True
        self.view.connected(self.now)
        self.desk.opened()
        await self.turns()

    def restart_the_exporter(self) -> None:
        """Another run of the console, with what is on its disk."""
        self.connected = False
        self._watch()
        self.view.disconnected(self.now, "not tried yet")

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """With the desk's own tasks, which keep the latch and look at the file."""
        task = asyncio.create_task(self.desk.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
